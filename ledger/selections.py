"""
Selections: choosing the year's outstanding volunteers (优秀志愿者) by rules that are data, so that anybody with the log gets the same list.

A rule file is JSON:

    {"name": "...", "grades": ["A","B","C","D"], "minimum_minutes": 600, "quota": 20,
     "stations": ["340104001001"],                       # absent: everywhere
     "exclude": [{"volunteer": "K7M2Q9X4R5", "reason": "..."}],
     "tie_break": ["minutes_ab", "services", "registered_on", "number"]}

Only records that count on the day and were served in the year count, and only those with a grade named; nothing under a registration that is disowned.
Candidates are ranked by those minutes, most first; equal minutes are ordered by the tie-break in turn, and `number` (the random volunteer number) always
decides last. A tie is shown, not hidden.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson
from sqlalchemy import and_, case, func, select

from ledger import codes, stations
from ledger.errors import InvalidRequest
from ledger.ids import NUMBER
from ledger.kinds.checks import text
from ledger.log import tree_head
from ledger.people import volunteers
from ledger.rates import counting_day
from ledger.reports import Column, Report
from ledger.service.records import counting
from ledger.tables import ServiceRow, VolunteerRow, table
from ledger.transactions import ReadTransaction

_SERVICE, _VOLUNTEER = table(ServiceRow), table(VolunteerRow)
_TIE_BREAKS = ("minutes_ab", "services", "registered_on", "number")
_FIELDS = {"name", "grades", "minimum_minutes", "quota", "stations", "exclude", "tie_break"}


@dataclass(frozen=True)
class Rules:
    """A rule file, read and checked; *sha256* names exactly these bytes."""

    name: str
    grades: tuple[str, ...]
    minimum_minutes: int
    quota: int
    stations: tuple[str, ...] | None
    exclude: Mapping[str, str]
    tie_break: tuple[str, ...]
    sha256: str


@dataclass(frozen=True)
class Candidate:
    """A row of the list: rank from 1 (0: excluded), minutes that count, of which grades A and B, number of services; why it stands where it does."""

    rank: int
    volunteer: str
    name: str
    station: str
    minutes: int
    minutes_ab: int
    services: int
    registered_on: str
    note: str


@dataclass(frozen=True)
class Selection:
    """The outcome: who is chosen, who was excluded and why, and how many were considered, at which tree size."""

    year: int
    rules: Rules
    counted_on: str
    tree_size: int
    considered: int
    chosen: list[Candidate]
    excluded: list[Candidate]


def read_rules(content: bytes) -> Rules:
    """Read a rule file. Raises InvalidRequest naming the field at fault."""
    try:
        said = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(f"规则文件不是 JSON：第 {error.lineno} 行第 {error.colno} 列看不懂") from None
    if not isinstance(said, dict):
        raise InvalidRequest("规则文件应是一个 JSON 对象，请对照 README 中的样例")
    if said.keys() - _FIELDS:
        extra = "、".join(sorted(said.keys() - _FIELDS))
        raise InvalidRequest(f"规则文件里有不认识的项：{extra}。可用的有 {'、'.join(sorted(_FIELDS))}")
    grades, tie_break, exclude = said.get("grades", list(codes.GRADES)), said.get("tie_break", list(_TIE_BREAKS)), said.get("exclude", [])
    wanted = said.get("stations")
    checks = {
        "name": _is_text(said.get("name"), 100),
        "grades": isinstance(grades, list) and grades and all(isinstance(grade, str) and grade in codes.GRADES for grade in grades),
        "minimum_minutes": type(said.get("minimum_minutes", 0)) is int and said.get("minimum_minutes", 0) >= 0,
        "quota": type(said.get("quota")) is int and said["quota"] > 0,
        "stations": wanted is None or (isinstance(wanted, list) and all(isinstance(code, str) for code in wanted)),
        "exclude": isinstance(exclude, list) and all(_is_exclusion(one) for one in exclude),
        "tie_break": isinstance(tie_break, list) and all(one in _TIE_BREAKS for one in tie_break),
    }
    wrong = [name for name, fine in checks.items() if not fine]
    if wrong:
        raise InvalidRequest(f"规则文件的「{wrong[0]}」不对，请对照 README 中的样例")
    return Rules(
        said["name"],
        tuple(grades),
        said.get("minimum_minutes", 0),
        said["quota"],
        tuple(wanted) if wanted is not None else None,
        {one["volunteer"]: one["reason"] for one in exclude},
        (*(one for one in tie_break if one != "number"), "number"),
        hashlib.sha256(content).hexdigest(),
    )


def _is_text(said: Any, length_max: int) -> bool:
    """Tell whether something may be printed in the list: text without anybody's number."""
    return isinstance(said, str) and bool(text(length_max)(said))


def _is_exclusion(one: Any) -> bool:
    if not isinstance(one, dict) or one.keys() != {"volunteer", "reason"} or not _is_text(one["reason"], 200):
        return False
    return isinstance(one["volunteer"], str) and NUMBER.fullmatch(one["volunteer"]) is not None


def select_year(tx: ReadTransaction, year: int, rules: Rules) -> Selection:
    """Rank a year's volunteers by the rules. The list depends on the log and the rules alone; names are only looked up to show it, masked."""
    day = counting_day(year, tx.today).isoformat()
    rows = [
        row for row in tx.connection.execute(_query(year, day, tx.today.isoformat(), rules)) if row.minutes >= max(rules.minimum_minutes, 1)
    ]
    rows.sort(key=lambda row: _order(row, rules))
    kept = [row for row in rows if row.number not in rules.exclude]
    out = [row for row in rows if row.number in rules.exclude]
    names = volunteers.masked_names(tx, (row.number for row in [*kept[: rules.quota], *out]))
    where = stations.names(tx.connection, {row.station for row in rows})
    same = Counter(row.minutes for row in kept)
    first_out = kept[rules.quota].minutes if len(kept) > rules.quota else None
    chosen = [
        _candidate(rank, row, names, where, _tie_note(same[row.minutes] - 1, at_edge=row.minutes == first_out))
        for rank, row in enumerate(kept[: rules.quota], 1)
    ]
    excluded = [_candidate(0, row, names, where, rules.exclude[row.number]) for row in out]
    return Selection(year, rules, day, tree_head(tx.connection).size, len(rows), chosen, excluded)


def _query(year: int, day: str, today: str, rules: Rules) -> Any:
    counts = and_(
        counting(today),
        _SERVICE.c.served_on >= f"{year}-01-01",
        _SERVICE.c.served_on <= day,
        _SERVICE.c.grade.in_(rules.grades),
        _VOLUNTEER.c.registered_on <= day,
        _VOLUNTEER.c.left_as.is_distinct_from("not_me"),
    )
    strong = func.sum(case((_SERVICE.c.grade.in_(("A", "B")), _SERVICE.c.minutes), else_=0)).label("minutes_ab")
    columns = (_VOLUNTEER.c.number, _VOLUNTEER.c.station, _VOLUNTEER.c.registered_on)
    totals = (func.sum(_SERVICE.c.minutes).label("minutes"), strong, func.count().label("services"))
    statement = select(*columns, *totals).join_from(_SERVICE, _VOLUNTEER, _VOLUNTEER.c.number == _SERVICE.c.volunteer).where(counts)
    if rules.stations is not None:
        statement = statement.where(_VOLUNTEER.c.station.in_(rules.stations))
    return statement.group_by(*columns)


def _order(row: Any, rules: Rules) -> tuple[Any, ...]:
    keys = {"minutes_ab": -row.minutes_ab, "services": -row.services, "registered_on": row.registered_on, "number": row.number}
    return (-row.minutes, *(keys[name] for name in rules.tie_break))


def _tie_note(others: int, *, at_edge: bool) -> str:
    """Say when minutes that *others* have too were decided by the tie-break, above all at the edge of the list."""
    return f"与其他 {others} 人时长相同，按并列规则{'入围' if at_edge else '排序'}" if others else ""


def _candidate(rank: int, row: Any, names: Mapping[str, str], where: Mapping[str, str], note: str) -> Candidate:
    name, station = names[row.number], where.get(row.station, row.station)
    return Candidate(rank, row.number, name, station, int(row.minutes), int(row.minutes_ab), row.services, row.registered_on, note)


_COLUMNS = (
    Column("名次", 7, "integer"),
    Column("志愿者编号", 15),
    Column("姓名", 10),
    Column("所属站点", 30),
    Column("年度时长", 14, "minutes"),
    Column("其中甲乙级证据", 16, "minutes"),
    Column("次数", 7, "integer"),
    Column("备注", 34),
)


def report(selection: Selection, unit: str, maker: str, made_on: date) -> Report:
    """Make the masked list as an office would hand it on, with how it was counted. *unit*, *maker*: who made it."""
    rows = [
        (one.rank, one.volunteer, one.name, one.station, one.minutes, one.minutes_ab, one.services, one.note) for one in selection.chosen
    ]
    return Report(f"{selection.year} 年度{selection.rules.name}", unit, maker, made_on, _COLUMNS, rows, notes=(_how(selection),))


def _how(selection: Selection) -> str:
    grades = "、".join(codes.GRADES[grade] for grade in selection.rules.grades)
    return (
        f"统计口径：{selection.year} 年内服务、截至 {selection.counted_on} 已计入的时长；证据：{grades}。"
        f"参评 {selection.considered} 人，名额 {selection.rules.quota}，排除 {len(selection.excluded)} 人。"
        f"账本 {selection.tree_size} 条，规则文件 SHA-256：{selection.rules.sha256}。任何持有账本的人用同一规则复算，名单应完全一致。"
    )
