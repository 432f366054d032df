"""
The demonstration district: the real names of a district's 85 committees, its population of the census, and a year of invented people.

The year is lived through: a clock set by hand stops twice a month, and at each stop people register, serve, hand in papers; at the end of each month the
rates are published. So trends, due dates and lags are those of a district at work, not of a file read in one evening. Everything is drawn from one seed:
the same day gives the same numbers, only random identifiers differ.
"""

import random
from calendar import monthrange
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

from stdnum.iso7064.mod_11_2 import calc_check_digit

from ledger import activities, organisations, rates, stations
from ledger.activities import Activity
from ledger.codes import BENEFICIARIES, CATEGORIES, SERIES
from ledger.entries import SHANGHAI
from ledger.ids import new_entry_id
from ledger.indicators import adoption
from ledger.indicators.adoption import Figure
from ledger.log import Receipt
from ledger.organisations import Filing
from ledger.people import volunteers
from ledger.people.actors import OPERATOR, SCHEDULER, Actor
from ledger.people.volunteers import Registration
from ledger.service import approving, recording
from ledger.service.drafts import Draft
from ledger.settings import Settings
from ledger.store import Ledger, create_ledger
from ledger.transactions import WriteTransaction
from scripts import district_filings, district_papers

UNITS = Path(__file__).parent.parent / "tests" / "data" / "shushan-units.csv"
DISTRICT = "340104000000"
POPULATION, COUNTED_ON = 1_047_150, "2020-11-01"
SOURCE = "第七次全国人口普查全区 1,047,150 人，演示中按社区分摊（非官方数据）"
STREETS = {
    "340104001": "三里庵街道",
    "340104002": "稻香村街道",
    "340104003": "琥珀街道",
    "340104004": "南七街道",
    "340104005": "西园街道",
    "340104006": "五里墩街道",
    "340104007": "荷叶地街道",
    "340104008": "笔架山街道",
    "340104100": "井岗镇",
    "340104101": "南岗镇",
    "340104102": "小庙镇",
    "340104400": "蜀山经济开发区",
}
MONTHS = 12
_MIDDLE = 15
"""The day of a month on which papers are handed in, before the 25th."""
_ENDINGS = ("社区居民委员会", "社区居委会", "社区委员会", "村民委员会", "村委会", "社区")
_ON_ROSTER = 62
"""Of a hundred volunteers, how many were registered before the year began."""
_DAYS_BACK = 11
"""An activity is recorded at the next stop of the clock, within the working days that policy allows."""
_WEIGHTS = {
    "neighbour-care": 40,
    "co-governance": 14,
    "safe-community": 14,
    "culture": 13,
    "three-workers": 9,
    "rural-revival": 5,
    "other": 5,
}
_TITLES = {
    "neighbour-care": ("看望独居老人", "陪伴空巢老人", "助餐送餐上门", "困境儿童课业辅导", "残疾人居家帮扶", "义诊进楼栋"),
    "co-governance": ("楼栋议事会", "垃圾分类引导", "小区环境整治"),
    "safe-community": ("平安巡逻", "邻里纠纷调解", "消防安全入户宣传"),
    "culture": ("社区读书会", "广场文艺演出", "传统节日民俗活动"),
    "three-workers": ("社工社区工作者志愿者联合走访", "三工组团为民服务日"),
    "rural-revival": ("助农采摘", "村居环境整治"),
    "other": ("便民服务日", "旧物交换集市"),
}
_GROUPS = {
    "neighbour-care": ("elderly", "empty-nest", "children-in-need", "disabled", "low-income", "extreme-poverty"),
    "rural-revival": ("rural-left-behind", "relapse-into-poverty"),
    "three-workers": ("hardship-families", "social-assistance", "migrant-families"),
    "culture": ("residents", "elderly", "children"),
}
_TEAMS = (
    ("夕阳红志愿服务队", "charity", True),
    ("邻里守望志愿服务队", "charity", True),
    ("平安巡防队", "community-affairs", True),
    ("巧手编织社", "daily-life", False),
    ("民乐队", "culture-sports", False),
    ("助餐帮帮团", "daily-life", True),
    ("红白理事会", "community-affairs", False),
    ("太极拳协会", "culture-sports", False),
    ("青少年成长关爱队", "charity", True),
    ("老年书画社", "culture-sports", False),
    ("垃圾分类督导队", "community-affairs", True),
    ("家电维修队", "daily-life", True),
)
_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰建国红梅淑珍志文晓宇浩然子涵雨欣思远"


@dataclass
class Community:
    """One committee's station: its people's share by rate, in per mille, and what the year has made of it so far."""

    code: str
    name: str
    rural: bool
    population: int
    registered: int
    participating: int
    backbone: int
    coming: dict[int, list[tuple[Registration, list[int]]]] = field(default_factory=dict)
    serving: dict[int, list[str]] = field(default_factory=dict)
    teams: list[str] = field(default_factory=list)


def load(settings: Settings, now: datetime, tell: Callable[[int, int], None], *, share: int = 1000) -> Ledger:
    """Make a new ledger and let the district live through the twelve months before *now*. *share*: how many of a thousand of its people there are."""
    year = Year(settings, now, share)
    for done, stop in enumerate(year.stops):
        tell(done, len(year.stops))
        year.live(done, stop)
    return year.ledger


class Year:
    """The district's ledger, and the days on which its clock stops."""

    def __init__(self, settings: Settings, now: datetime, share: int) -> None:
        self._drawn = random.Random(340104)  # noqa: S311 an invention that is the same each time
        self._now = now.astimezone(SHANGHAI)
        self.stops = list(_stops(self._now.date()))
        self._at = self._moment(self.stops[0] - timedelta(days=_DAYS_BACK))
        self.ledger = create_ledger(settings, lambda: self._at)
        self.communities = self._communities(share)
        self._person = 0
        self._plan()
        self._waiting: list[int] = []
        self.ledger.write(self._found, OPERATOR)
        teams = {community.code: community.teams for community in self.communities}
        self._office = district_papers.Office(self._drawn, [code + "000" for code in STREETS], teams)

    def live(self, place: int, stop: date) -> None:
        """Let the clock stop on a day, and everything happen that happened since it last did."""
        self._at = self._now if place + 1 == len(self.stops) else self._moment(stop)
        self._approve()
        for street in STREETS:
            mine = [one for one in self.communities if one.code.startswith(street)]
            self.ledger.write(partial(self._half_month, place=place, stop=stop, communities=mine), OPERATOR)
        last = place + 1 == len(self.stops)
        if stop.day == _MIDDLE:
            self.ledger.write(lambda tx: self._office.hand_in_ledgers(tx, stop), OPERATOR)
        elif not last:
            self.ledger.write(lambda tx: self._office.hand_in_reports(tx, stop, self.stops[-1]), OPERATOR)
        if last:
            district_filings.hand_in(self.ledger, stop)
        if last or stop.day != _MIDDLE:
            self.ledger.write(lambda tx: rates.publish(tx, stop.year), SCHEDULER)
            self.ledger.write(lambda tx: self.ledger.signing.sign(tx.connection), SCHEDULER)

    # --- before the year

    def _moment(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, 17, tzinfo=SHANGHAI)

    def _communities(self, share: int) -> list[Community]:
        rows = [line.split(",") for line in UNITS.read_text(encoding="utf-8-sig").splitlines()[1:]]
        rural = {code: "社区" not in said for code, said, _ in rows}
        weights = [self._drawn.randint(14, 34) if rural[code] else self._drawn.randint(70, 190) for code, _, _ in rows]
        ends = [sum(weights[: place + 1]) * POPULATION // sum(weights) for place in range(len(weights))]
        found = []
        for place, (code, said, _) in enumerate(rows):
            people = ends[place] - (ends[place - 1] if place else 0)
            permille = self._drawn.randint(78, 132) if self._drawn.randrange(4) == 0 else self._drawn.triangular(14, 66, 30)
            found.append(
                Community(
                    code,
                    _short(said) + "社会服务站",
                    rural[code],
                    people,
                    int(people * permille * share / 1_000_000),
                    int(self._drawn.triangular(150, 520, 330)),
                    self._drawn.randint(4, 19),
                )
            )
        return found

    def _plan(self) -> None:
        """Draw everybody: when they register, and at which stops they serve."""
        for community in self.communities:
            for _ in range(community.registered):
                begins = 0 if self._drawn.randrange(100) < _ON_ROSTER else self._drawn.randrange(len(self.stops))
                left = len(self.stops) - begins
                times = min(left, self._drawn.choice((1, 1, 1, 1, 1, 2, 2))) if self._drawn.randrange(1000) < community.participating else 0
                serves = self._drawn.sample(range(begins, len(self.stops)), times)
                since = self.stops[begins] - timedelta(days=self._drawn.randrange(_DAYS_BACK))
                if not begins:
                    since -= timedelta(days=self._drawn.randrange(20, 900))
                community.coming.setdefault(begins, []).append((self._registration(community, since), serves))

    def _registration(self, community: Community, since: date) -> Registration:
        self._person += 1
        born = date(1944, 1, 1) + timedelta(days=self._person * 7919 % 21_900)
        stem = f"340104{born:%Y%m%d}{self._person // 21_900 + 1:03d}"
        name = self._drawn.choice(_SURNAMES) + "".join(self._drawn.choices(_GIVEN, k=self._drawn.choice((1, 2, 2))))
        basis = "self" if self._drawn.randrange(100) < 55 else "roster"
        backbone = self._drawn.randrange(1000) < community.backbone
        return Registration(name, stem + calc_check_digit(stem), community.code, since, basis, backbone=backbone)

    def _found(self, tx: WriteTransaction) -> None:
        """Set up the units, their organisations, and the figures that units hand in."""
        stations.declare(tx, stations.Station(DISTRICT, "蜀山区", "district", None))
        for code, name in STREETS.items():
            stations.declare(tx, stations.Station(code + "000", name + "社会服务中心", "centre", DISTRICT))
        for one in self.communities:
            area, said = "rural" if one.rural else "urban", (one.population, COUNTED_ON, SOURCE)
            stations.declare(tx, stations.Station(one.code, one.name, "station", one.code[:9] + "000", area, *said))
        for one in self.communities:
            one.teams = self._teams(tx, one)
        adoption.declare(tx, list(self._figures(tx.today.isoformat())))

    def _teams(self, tx: WriteTransaction, community: Community) -> list[str]:
        place = community.name.removesuffix("社会服务站")
        chosen = self._drawn.sample(_TEAMS, self._drawn.randint(5, len(_TEAMS)))
        since = tx.today - timedelta(days=self._drawn.randrange(10, 300))
        filings = [
            Filing(f"蜀备{community.code[6:]}-{at:02d}", place + name, category, voluntary, community.code, at % 6 != 0, since)
            for at, (name, category, voluntary) in enumerate(chosen, 1)
        ]
        made = [one for one in organisations.record_many(tx, filings) if isinstance(one, str)]
        for given, few in (("federated", 3), ("brand", 12)):
            for team in made[: 4 if given == "federated" else 1]:
                if self._drawn.randrange(few) == 0:
                    adoption.mark(tx, team, given, since=tx.today.isoformat(), basis="区社区社会组织联合会会员名单（演示）")
        return made

    def _figures(self, day: str) -> Iterator[Figure]:
        draw, source = self._drawn, "站点自报（演示）"
        for one in self.communities:
            households, staff = one.population * 10 // 26, draw.randint(8, 16)
            said = {
                "households": households,
                "facility-area": households * draw.randint(22, 44) // 100,
                "staff": staff,
                "staff-certified": draw.randint(2, staff * 2 // 3),
                "social-workers": draw.choice((0, 1, 1, 1, 2)),
                "self-governance-projects": draw.choice((0, 1, 1, 2)),
                "service-items": 12,
                "service-items-taken": draw.randint(8, 12),
            }
            yield from (Figure(one.code, name, value, day, source) for name, value in said.items())
        for code in STREETS:
            said = {
                "centre-social-workers": draw.randint(1, 4),
                "special-group-projects": draw.randint(1, 3),
                "special-funds": draw.randint(0, 1),
            }
            yield from (Figure(code + "000", name, value, day, source) for name, value in said.items())
        said = {"leading-agencies": 1, "service-brands": 1, "professional-incubators": 1, "incubated-agencies": 3}
        yield from (Figure(DISTRICT, name, value, day, "区民政局（演示）") for name, value in said.items())

    # --- at each stop

    def _half_month(self, tx: WriteTransaction, place: int, stop: date, communities: list[Community]) -> None:
        """Register who came, and record who served, at the stations of a street."""
        coming = [one for community in communities for one in community.coming.pop(place, [])]
        numbers = volunteers.register_many(tx, [registration for registration, _ in coming])
        homes = {community.code: community for community in communities}
        for number, (registration, serves) in zip(numbers, coming, strict=True):
            assert isinstance(number, str), number
            for at in serves:
                homes[registration.station].serving.setdefault(at, []).append(number)
        held = [one for community in communities for one in self._held(community, place, stop)]
        ids = activities.find_or_publish(tx, [activity for activity, _ in held])
        recent = place + 2 >= len(self.stops)
        drafts = [
            draft
            for (activity, people), published in zip(held, ids, strict=True)
            for draft in self._drafts(activity, published, people, settled=not recent)
        ]
        receipts = recording.record_each(tx, [(_RECORDER if recent else OPERATOR, draft) for draft in drafts])
        assert all(isinstance(one, Receipt) for one in receipts), next(one for one in receipts if not isinstance(one, Receipt))
        self._waiting += [one.index for one in receipts if recent and isinstance(one, Receipt)]

    def _held(self, community: Community, place: int, stop: date) -> Iterator[tuple[Activity, list[str]]]:
        """Draw the activities of a station since the last stop, and who served in each."""
        people = community.serving.pop(place, [])
        self._drawn.shuffle(people)
        size = self._drawn.randint(5, 11)
        back = min(_DAYS_BACK, (stop - self.stops[place - 1]).days) if place else _DAYS_BACK
        for at in range(0, len(people), size):
            series = self._drawn.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
            day = stop - timedelta(days=self._drawn.randrange(1, back + 1))
            hour = self._drawn.choice((8, 9, 14, 15))
            end = hour + self._drawn.choice((1, 2, 2, 3))
            groups = _GROUPS.get(series, ("residents",))
            heads = {
                group: self._drawn.randint(3, 28) for group in self._drawn.sample(groups, min(len(groups), self._drawn.choice((1, 1, 2))))
            }
            activity = Activity(
                community.code,
                self._drawn.choice(_TITLES[series]),
                series,
                organisation=self._drawn.choice(community.teams) if self._drawn.randrange(3) else None,
                start=f"{day}T{hour:02d}:00",
                end=f"{day}T{end:02d}:30",
                place=community.name.removesuffix("社会服务站") + "党群服务中心",
                beneficiaries=list(heads),
                head_counts=heads,
            )
            yield activity, people[at : at + size]

    def _drafts(self, activity: Activity, published: str, people: list[str], *, settled: bool) -> Iterator[Draft]:
        assert activity.start
        assert activity.end
        start, end = datetime.fromisoformat(activity.start), datetime.fromisoformat(activity.end)
        batch = new_entry_id()
        for person in people:
            grade = self._drawn.choice("AABBBBBC")
            yield Draft(person, published, activity.station, start, end, grade, batch, organisation=activity.organisation, settled=settled)

    def _approve(self) -> None:
        """Approve what was recorded at the last stop, as the streets do some days later."""
        waiting, self._waiting = self._waiting, []
        if waiting:
            self.ledger.write(lambda tx: approving.approve(tx, waiting), _APPROVER)


_RECORDER, _APPROVER = Actor("demonstration-recorder", "recorder", DISTRICT), Actor("demonstration-approver", "approver", DISTRICT)
assert set(_WEIGHTS) == set(SERIES) == set(_TITLES)
assert {group for groups in _GROUPS.values() for group in groups} <= set(BENEFICIARIES)
assert {category for _, category, _ in _TEAMS} == set(CATEGORIES)


def _stops(today: date) -> Iterator[date]:
    """Give the days on which the clock stops: the middle and the last of each month since a year ago, and today."""
    first = today.replace(year=today.year - 1, day=1) + timedelta(days=31)
    day = first.replace(day=1)
    while day < today:
        for stop in (day.replace(day=_MIDDLE), day.replace(day=monthrange(day.year, day.month)[1])):
            if stop < today:
                yield stop
        day = (day + timedelta(days=31)).replace(day=1)
    yield today


def _short(committee: str) -> str:
    """Name a committee's place: 梅山路社区居委会 is that of 梅山路社区, 侯店村民委员会 that of 侯店村."""
    ending = next(one for one in _ENDINGS if committee.endswith(one))
    return committee.removesuffix(ending) + ("村" if ending.startswith("村") else "社区")
