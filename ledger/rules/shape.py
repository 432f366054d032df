"""A rule set once it is read: what it counts, by which steps, and what follows. Minutes and hundredths of points, all whole numbers."""

from dataclasses import dataclass, field
from datetime import date

from ledger.rules.facts import Conduct, Service
from ledger.rules.periods import FIRST, LAST, Window

COUNTS = {
    "minutes": "服务时长",
    "times": "服务次数",
    "training_minutes": "培训时长",
    "trainings": "培训次数",
    "awards": "表彰奖励",
    "evaluations": "服务评价",
    "conduct": "守信、失信记录",
    "level": "已达等级",
    "start": "起始分",
}
"""What an item may count."""
EFFECTS = {
    "hours": "有关服务不计时长",
    "points": "扣分",
    "star": "暂停星级",
    "status": "取消志愿者身份（时长、星级保留）",
    "backfill": "不得补录",
    "selection": "不得参加评选",
    "list": "移出激励名单",
}
"""What conduct may touch; each stands for itself."""
ROUNDINGS = {"down": "舍去", "half_up": "四舍五入", "up": "进一"}
ROUNDED = {"total": "按累计", "each": "每次"}
MEASURES = {
    "hours": "时长",
    "points": "积分",
    "times": "服务次数",
    "activities": "参加活动",
    "months_active": "有服务的月份",
    "longest_minutes": "单次最长时长",
    "training_hours": "培训时长",
    "trainings": "培训次数",
    "awards": "表彰奖励",
    "good_evaluations": "优秀、良好评价",
    "registered_years": "登记满",
    "clean_years": "没有失信记录满",
}
"""What a condition may ask for at least so much of."""
DEMANDS = {
    "adult": "年满十八周岁",
    "confirmed": "本人确认过登记",
    "complete_record": "记录完整（每一条都写明了是哪一次活动）",
}
"""What a condition may ask to be so."""
UNITS = {
    "hours": "小时",
    "times": "次",
    "activities": "次",
    "months_active": "个月",
    "trainings": "次",
    "awards": "项",
    "good_evaluations": "次",
    "registered_years": "年",
    "clean_years": "年",
    "longest_minutes": "分钟",
    "training_hours": "小时",
    "points": "分",
}


@dataclass(frozen=True)
class Where:
    """Which facts an item looks at; what is empty asks for nothing."""

    series: frozenset[str] = frozenset()
    services: frozenset[str] = frozenset()
    grades: frozenset[str] = frozenset()
    stations: frozenset[str] = frozenset()
    weekdays: frozenset[int] = frozenset()
    titles: tuple[str, ...] = ()
    clock_from: str | None = None
    clock_until: str | None = None
    minutes_from: int = 0
    by_organisation: bool | None = None
    levels: frozenset[str] = frozenset()
    qualities: frozenset[str] = frozenset()
    evaluators: frozenset[str] = frozenset()
    since: str = FIRST
    until: str = LAST


@dataclass(frozen=True)
class Tier:
    """So many points for so many minutes, for minutes up to *to_minutes* of all (None: without end)."""

    points: int
    per_minutes: int
    to_minutes: int | None = None


@dataclass(frozen=True)
class Cap:
    """At most so much in a period: minutes that are counted, or points."""

    per: str
    most: int


@dataclass(frozen=True)
class Rounding:
    """To a unit in hundredths of a point: each gain by itself, or the running total of the item, so that parts are not lost."""

    unit: int = 1
    way: str = "down"
    of: str = "total"

    def apply(self, numerator: int, denominator: int) -> int:
        """Round a ratio of hundredths to the unit; it never falls when the ratio rises."""
        whole = denominator * self.unit
        more = {"down": 0, "half_up": whole // 2, "up": whole - 1}[self.way]
        return (numerator + more) // whole * self.unit


@dataclass(frozen=True)
class Repair:
    """When the effects of a bad item end before its expiry: after so many months and so many minutes of service since; on application, or by itself."""

    months: int = 0
    minutes: int = 0
    application: bool = True


@dataclass(frozen=True)
class Item:
    """One thing that gives points, or takes them. *points* for one of what it counts, or *table* by code, or *tiers* over minutes."""

    id: str
    name: str
    counts: str
    where: Where = field(default_factory=Where)
    points: int = 0
    table: dict[str, int] = field(default_factory=dict)
    tiers: tuple[Tier, ...] = ()
    tiers_per: str = "lifetime"
    coefficients: dict[str, int] = field(default_factory=dict)
    minutes_caps: tuple[Cap, ...] = ()
    points_caps: tuple[Cap, ...] = ()
    category: str = ""
    window: Window = field(default_factory=Window)
    expires_months: int | None = None
    expires_year_end: bool = False
    conduct: str = ""
    sense: str = ""
    basis: str = ""
    recorded_points: bool = False
    points_most: int | None = None
    effects: frozenset[str] = frozenset()
    effects_from: int = 0
    repair: Repair | None = None
    free_from: str = LAST
    free_until: str = FIRST
    scale: str = ""


@dataclass(frozen=True)
class Category:
    """Items whose points together have a cap."""

    id: str
    name: str
    caps: tuple[Cap, ...]


@dataclass(frozen=True)
class Hours:
    """Which minutes are hours in the sense of the rules; *account_minutes*: as much as a personal account holds, the rest is kept for honour."""

    where: Where = field(default_factory=Where)
    training: bool = False
    caps: tuple[Cap, ...] = ()
    window: Window = field(default_factory=Window)
    account_minutes: int | None = None
    account_where: Where | None = None


@dataclass(frozen=True)
class Condition:
    """All of these at once: measures to reach at least, demands to hold, and points of single items."""

    measures: dict[str, int] = field(default_factory=dict)
    demands: frozenset[str] = frozenset()
    items: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Scale:
    """A row of levels. *keeps*: who once reached one keeps it."""

    id: str
    name: str
    keeps: bool = False


@dataclass(frozen=True)
class Level:
    """One level of a scale, reached when one of the conditions holds."""

    scale: str
    name: str
    when: tuple[Condition, ...]


@dataclass(frozen=True)
class Counter:
    """What follows when bad items come too often in a period, or when a period's points fall below a number."""

    name: str
    items: frozenset[str]
    per: str
    effects: frozenset[str]
    basis: str
    at_least: int = 0
    points_below: int | None = None


@dataclass(frozen=True)
class Benefit:
    """What a level brings. *authorisation*: the person's own leave is needed before anybody is told; *beneficiaries*: for whom it may be used."""

    name: str
    scale: str
    levels: frozenset[int]
    authorisation: bool = True
    beneficiaries: tuple[str, ...] = ()


@dataclass(frozen=True)
class Spending:
    """When points may be spent: how often in a period, in which months, at least how many at once."""

    per: str = "lifetime"
    times: int | None = None
    months: frozenset[int] = frozenset()
    least: int = 1


@dataclass(frozen=True)
class Gates:
    """What is refused where it happens, and (flag_…) what is only pointed out."""

    title_forbids: tuple[str, ...] = ()
    activity_minutes_max: int | None = None
    activity_days_max: int | None = None
    credited_minutes_max: int | None = None
    sign_in_pairs_max: int | None = None
    backfill_within_plan: bool = False
    backfill_hours_max: int | None = None
    flag_minutes_below: int | None = None
    flag_over_plan_minutes: int | None = None


@dataclass(frozen=True)
class RuleSet:
    """A rule set as its file says it. *old_facts*: keep (facts stay under the rules of their day) or recount (all by the newest)."""

    name: str
    title: str
    version: int
    effective_on: str
    document: str
    source: str = ""
    old_facts: str = "recount"
    hours: Hours = field(default_factory=Hours)
    items: tuple[Item, ...] = ()
    categories: tuple[Category, ...] = ()
    low: int | None = None
    high: int | None = None
    rounding: Rounding = field(default_factory=Rounding)
    scales: tuple[Scale, ...] = ()
    levels: tuple[Level, ...] = ()
    eligibility: Condition = field(default_factory=Condition)
    probation_activities: int = 0
    probation_minutes: int = 0
    dormant_months: int | None = None
    counters: tuple[Counter, ...] = ()
    benefits: tuple[Benefit, ...] = ()
    spending: Spending = field(default_factory=Spending)
    gates: Gates = field(default_factory=Gates)

    @property
    def effects(self) -> frozenset[str]:
        """Everything that conduct may touch by these rules."""
        return frozenset().union(*(one.effects for one in self.items), *(one.effects for one in self.counters))

    def levels_of(self, scale: str) -> list[Level]:
        """List a scale's levels, lowest first."""
        return [level for level in self.levels if level.scale == scale]


def admits(where: Where, one: Service) -> bool:
    """Tell whether a service is what a filter asks for."""
    clock = one.start[11:16]
    return bool(
        (not where.series or one.series in where.series)
        and (not where.grades or one.grade in where.grades)
        and (not where.services or not where.services.isdisjoint(one.services))
        and (not where.stations or one.station in where.stations)
        and where.since <= one.day <= where.until
        and one.minutes >= where.minutes_from
        and (where.by_organisation is None or one.by_organisation is where.by_organisation)
        and (not where.titles or any(word in one.title for word in where.titles))
        and (where.clock_from is None or clock >= where.clock_from)
        and (where.clock_until is None or clock < where.clock_until)
        and (not where.weekdays or date.fromisoformat(one.day).isoweekday() in where.weekdays)
    )


def binds(fact: Conduct) -> bool:
    """Tell whether a conduct fact may weigh at all: a bad one only with its legal basis, and not if it turned out to be mistaken."""
    return (fact.sense == "good" or bool(fact.basis)) and fact.lifted_ground not in ("mistaken", "appeal")
