"""
Names of community social organisations: built and checked by the naming rule of the filing plans.

    name = city? + county/district + street/town + community/village + trade name? + business + form of organisation
         | community/village + trade name? + business + form of organisation          (the short form, XXX社区XXX)

An organisation of a street leaves the community out. The trade name (字号) may be left out where no other organisation then has the same name. Units
are called what they are called today: a name made with one that was since renamed, split or closed was good in its time, and is refused for that.
"""

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, select

from ledger import stations
from ledger.errors import InvalidRequest
from ledger.people.actors import ancestry, below
from ledger.tables import FilingApplicationRow, FilingStandingRow, FilingUnitNameRow, OrganisationRow, table

NAME_MAX = 60
ENDINGS = (
    *(
        "志愿服务队",
        "志愿者协会",
        "志愿服务社",
        "服务队",
        "巡逻队",
        "宣传队",
        "艺术团",
        "合唱团",
        "联合会",
        "促进会",
        "理事会",
        "议事会",
        "协会",
    ),
    *(
        "服务中心",
        "服务站",
        "服务社",
        "工作室",
        "俱乐部",
        "互助组",
        "小组",
        "沙龙",
        "队",
        "团",
        "社",
        "会",
        "站",
        "中心",
        "室",
        "组",
        "班",
        "坊",
    ),
)
"""Words that say what form of organisation it is; the longer before the shorter."""
OPEN = ("asked", "heard")
"""States of an application that somebody still has to decide on."""
_APPLICATION, _STANDING = table(FilingApplicationRow), table(FilingStandingRow)
_ORGANISATION, _NAME = table(OrganisationRow), table(FilingUnitNameRow)
_OFFICES = re.compile(
    r"(?:居民委员会|村民委员会|居委会|委员会|社会服务中心|社会服务站|党群服务中心|综合服务中心|街道办事处|人民政府|民政局)$"
)
_PLACE = re.compile(r"[\u4e00-\u9fff]{2,12}?(?:社区|村)(?=.)")
_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff（）()·“”0-9A-Za-z]+")


@dataclass(frozen=True)
class Place:
    """Where an organisation is, as names say it: the district, the street or town, and the community (none for an organisation of the street)."""

    district: str
    street: str
    community: str

    @property
    def full(self) -> str:
        """What a full name begins with, but for the city."""
        return self.district + self.street + self.community

    @property
    def short(self) -> str:
        """What a short name begins with."""
        return self.community or self.street


def plain(name: str, level: str) -> str:
    """Give what a unit is called in names of organisations: 梅山路社区居委会 and 梅山路社区社会服务站 are both 梅山路社区."""
    short = name.strip()
    if short.endswith("村委会"):
        short = short.removesuffix("委会")
        short = short.removesuffix("村") if short.endswith("村村") else short
    bare = _OFFICES.sub("", short)
    if short.endswith("街道办事处"):
        bare = short.removesuffix("办事处")
    if level == "station" and not bare.endswith(("社区", "村")):
        bare += "社区"
    return bare


def place(connection: Connection, station: str) -> Place:
    """Say where a unit is, by the names of today. Raises NotFound."""
    said = {"district": "", "centre": "", "station": ""}
    for code in ancestry(connection, station):
        unit = stations.get(connection, code)
        said[unit.level] = plain(unit.name, unit.level)
    return Place(said["district"], said["centre"], said["station"])


def build(where: Place, trade: str, business: str, ending: str, *, city: str = "", short: bool = False) -> str:
    """Put a name together. *trade*: 字号, may be empty; *business*: 行业或业务领域; *ending*: 组织形式."""
    return (where.short if short else city + where.full) + "".join("".join(part.split()) for part in (trade, business, ending))


def check(connection: Connection, station: str, name: str, *, organisation: str | None = None, today: str = "") -> str:
    """Return a name that an organisation of a unit may have, without blanks; *organisation*: whose own name is no duplicate of itself.

    Raises InvalidRequest saying which part of the rule it breaks.
    """
    name = "".join(name.split())
    where = place(connection, station)
    if not name:
        raise InvalidRequest(f"请填写组织名称，例如「{where.full}夕阳红志愿服务队」")
    if len(name) > NAME_MAX or not _HAN.fullmatch(name):
        raise InvalidRequest(f"组织名称用汉字、字母和数字，不超过 {NAME_MAX} 个字，请核对")
    rest = _rest(name, where)
    if rest is None:
        raise InvalidRequest(_misplaced(connection, name, where, today))
    ending = next((word for word in ENDINGS if rest.endswith(word)), "")
    if not ending:
        raise InvalidRequest(f"「{name}」末尾没有写组织形式。请以「队」「协会」「社」「团」「服务中心」这样的词结尾")
    if len(rest.removesuffix(ending)) + len(ending) < 3:
        raise InvalidRequest(f"「{name}」没有写明做什么。请在「{where.short}」和「{ending}」之间写上业务领域，例如「巡逻」「书画」")
    taken = _taken(connection, station, name, rest, organisation)
    if taken:
        raise InvalidRequest(f"本街镇已经有「{taken}」，名称不能重复。请加上或换一个字号，例如「{where.short}晨光…」")
    return name


def _rest(name: str, where: Place) -> str | None:
    """Give what follows the place in a name; None when it does not begin with the place."""
    county = re.escape(where.district) if where.district else r"(?:[\u4e00-\u9fff]{2,8}?[区县市旗])?"  # a tree may begin at the street
    ways = [r"(?:[\u4e00-\u9fff]{2,8}?市)?" + county + re.escape(where.street + where.community)]
    ways += [re.escape(where.street + where.community)] if where.community else []
    for way in (*ways, re.escape(where.short)):
        if found := re.match(way, name):
            return name[found.end() :]
    return None


def _misplaced(connection: Connection, name: str, where: Place, today: str) -> str:
    """Say why a name does not begin with its place: a unit that was called so once, another unit of today, or none at all."""
    wanted = f"请写成「{where.full}＋字号＋业务＋组织形式」，或简写「{where.short}＋…」"
    former = _former(connection, name, today)
    if former:
        return former + wanted
    asked = select(_NAME.c.station, _NAME.c.name).where(_NAME.c.name != "")
    named = {plain(row.name, "station" if "社区" in row.name or "村" in row.name else "centre") for row in connection.execute(asked)}
    there = _PLACE.search(name.removeprefix(where.district).removeprefix(where.street))
    if where.community and there and there[0] in named and there[0] != where.community:
        return f"「{name}」写的是「{there[0]}」，但组织所在的是「{where.community}」。{wanted}"
    return f"「{name}」没有写明所在地。{wanted}"


def _former(connection: Connection, name: str, today: str) -> str:
    """Say that a name has a unit in it that was called so once and is not any more; empty when it has none."""
    rows = connection.execute(select(_NAME).order_by(_NAME.c.entry_index)).all()
    levels = {unit.code: unit.level for unit in stations.everyone(connection)}
    history: dict[str, list[Any]] = {}
    for row in rows:
        if not today or row.valid_from <= today:
            history.setdefault(row.station, []).append(row)
    current = {plain(said[-1].name, levels[code]) for code, said in history.items() if said[-1].name}
    for code, said in history.items():
        for before, after in pairwise(said):
            old = plain(before.name, levels[code]) if before.name else ""
            if old and old in name and old not in current and old != plain(after.name, levels[code]):
                became = f"改称「{plain(after.name, levels[code])}」" if after.name else "撤销"
                return f"「{old}」已于 {after.valid_from} {became}：{before.valid_from} 起用它取的名称当时有效，今天不能再用。"
    return ""


def _taken(connection: Connection, station: str, name: str, rest: str, organisation: str | None) -> str:
    """Give the name of an organisation of the same street that a name is taken by, in its full or its short form; empty when it is free."""
    street = street_of(connection, station)
    here = below(connection, street)
    short = place(connection, station).short
    gone = set(connection.execute(select(_STANDING.c.organisation).where(_STANDING.c.cancelled_on.is_not(None))).scalars())
    filed = select(_ORGANISATION.c.id, _ORGANISATION.c.name, _ORGANISATION.c.station).where(_ORGANISATION.c.station.in_(here))
    asked = select(_APPLICATION.c.organisation.label("id"), _APPLICATION.c.name, _APPLICATION.c.station)
    open_ = asked.where(_APPLICATION.c.street == street, _APPLICATION.c.state.in_(OPEN))
    places: dict[str, Place] = {}
    for row in (*connection.execute(filed), *connection.execute(open_)):
        if row.id == organisation or row.id in gone:
            continue
        if row.station not in places:
            places[row.station] = place(connection, row.station)
        there = places[row.station]
        other = _rest(row.name, there)
        if (
            row.name == name
            or (row.station == station and row.name in (rest, short + rest))
            or (other and there.short + other == short + rest)
        ):
            return str(row.name)
    return ""


def street_of(connection: Connection, station: str) -> str:
    """Give the street or town (街镇) that files the organisations of a unit. Raises InvalidRequest when the unit is under none."""
    for code in ancestry(connection, station):
        unit = stations.find(connection, code)
        if unit is not None and unit.level == "centre":
            return code
    raise InvalidRequest("这个单位上面没有登记街镇，不能办备案。请先在站点表里登记街镇（中心）")
