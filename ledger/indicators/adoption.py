"""
Which indicators a district has adopted, and what its units hand in for them.

A set is adopted by an entry from a day on; before the first adoption the set of the five-society linkage is in force, which the station ledger is made
after. Figures and marks are entries too: whoever counts again later finds the same, and sees who said it, when, and by which source.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, select

from ledger import stations
from ledger.bulk import rows_where_in
from ledger.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from ledger.indicators.reading import IndicatorSet, read_set
from ledger.kinds.checks import day, integer, text
from ledger.kinds.figures import MARKS
from ledger.log import Fact, Receipt
from ledger.tables import FigureRow, OrganisationMarkRow, OrganisationRow, PolicyRow, table
from ledger.transactions import WriteTransaction

POLICY = "indicators"
PROPOSED_BY = "proposed_by"
"""Beside what the set says, the entry of one that two adopted names who proposed it; its actor confirmed it."""
DEFAULT = "five-society-2019"
SETS = Path(__file__).parent / "sets"
"""Where the sets lie that come with the ledger, one JSON file each."""
_FIGURE, _MARK, _ORGANISATION, _POLICY = table(FigureRow), table(OrganisationMarkRow), table(OrganisationRow), table(PolicyRow)


@dataclass(frozen=True)
class Figure:
    """What a unit hands in: *figure* as the set in force names it, for a day, by a source."""

    station: str
    figure: str
    value: int
    counted_on: str
    source: str


@cache
def shipped() -> dict[str, IndicatorSet]:
    """Read the sets that come with the ledger, by name."""
    return {path.stem: read_set(path.read_bytes()) for path in sorted(SETS.glob("*.json"))}


def in_force(connection: Connection, on: str) -> IndicatorSet:
    """Give the set of indicators in force on a day."""
    adopted = select(_POLICY.c.rules).where(_POLICY.c.policy == POLICY, _POLICY.c.effective_on <= on)
    said = connection.execute(adopted.order_by(_POLICY.c.effective_on.desc()).limit(1)).scalar_one_or_none()
    return _read(said) if said is not None else shipped()[DEFAULT]


@lru_cache(maxsize=8)
def _read(said: str) -> IndicatorSet:
    whole = orjson.loads(said)
    whole.pop(PROPOSED_BY, None)
    return read_set(whole)


def adopt(tx: WriteTransaction, content: bytes, *, effective_on: str) -> IndicatorSet:
    """Adopt a set of indicators from a day on, at once: the operator alone may. Raises InvalidRequest for a set that cannot be read, NotAllowed."""
    if "operator" not in tx.actor.roles:
        raise NotAllowed("指标表要由一位区级管理员提出、另一位确认，请在「指标表」页面上办")
    chosen = read_set(content)
    if not day(effective_on):
        raise InvalidRequest("请写明从哪一天起用这张指标表，如 2026-01-01")
    append(tx, orjson.loads(content), effective_on)
    return chosen


def append(tx: WriteTransaction, said: Mapping[str, Any], effective_on: str, proposed_by: str = "") -> Receipt:
    """Append that a set, read and checked, is in force from a day on."""
    rules = dict(said) | ({PROPOSED_BY: proposed_by} if proposed_by else {})
    body = {"policy": POLICY, "effective_on": effective_on, "rules": rules, "document": read_set(said).document}
    return tx.append([Fact("policy.adopted", body)])[0]


def declare(tx: WriteTransaction, figures: Sequence[Figure]) -> int:
    """Hand in figures: all of them or none. Returns how many entries that made; what already stands so makes none.

    Raises NotAllowed, NotFound for an unknown unit, InvalidRequest naming the unit and the figure.
    """
    names = in_force(tx.connection, tx.today.isoformat()).figures
    asked = sorted({said.station for said in figures})
    units = {code: stations.get(tx.connection, code).name for code in asked}
    for code in asked:
        tx.require("register", code)
    rows = rows_where_in(tx.connection, _FIGURE.c, _FIGURE.c.station, asked)
    standing = {Figure(row.station, row.figure, row.value, row.counted_on, row.source) for row in rows}
    facts = []
    for said in figures:
        _check(said, units[said.station], names, tx.today.isoformat())
        if said not in standing:
            facts.append(Fact("station.figure_declared", dict(vars(said))))
    tx.append(facts)
    return len(facts)


def _check(said: Figure, unit: str, names: Mapping[str, str], today: str) -> None:
    if said.figure not in names:
        raise InvalidRequest(f"现行指标表里没有「{said.figure}」这个填报数")
    where = f"「{unit}」的「{names[said.figure]}」"
    if not integer()(said.value):
        raise InvalidRequest(f"{where}应是不小于 0 的整数")
    if not day(said.counted_on) or said.counted_on > today:
        raise InvalidRequest(f"{where}的统计日期应是今天或以前的一天，如 2026-03-31")
    if not text(200)(said.source):
        raise InvalidRequest(f"{where}没有写明来源（最多 200 个字，不要写手机号或身份证号）")


def handed_in(connection: Connection, station: str, on: str) -> dict[str, Any]:
    """Give the newest figures of a unit up to a day, by figure (rows with value, counted_on, source)."""
    statement = select(_FIGURE).where(_FIGURE.c.station == station, _FIGURE.c.counted_on <= on).order_by(_FIGURE.c.counted_on)
    return {row.figure: row for row in connection.execute(statement)}


def mark(tx: WriteTransaction, organisation: str, given: str, *, since: str, basis: str) -> None:
    """Give an organisation a mark from a day on; *basis* says by which document. Raises NotAllowed, NotFound, InvalidRequest, Conflict."""
    row = _to_mark(tx, organisation, given)
    if not day(since) or since > tx.today.isoformat():
        raise InvalidRequest("请写明从哪一天起，今天或以前")
    if not text(200)(basis):
        raise InvalidRequest("请写明依据哪份文件（最多 200 个字，不要写手机号或身份证号）")
    if _held(tx.connection, organisation, given) is not None:
        raise Conflict(f"「{row.name}」已经是「{MARKS[given]}」")
    tx.append(
        [Fact("organisation.marked", {"organisation": row.id, "station": row.station, "mark": given, "since": since, "basis": basis})]
    )


def unmark(tx: WriteTransaction, organisation: str, given: str, *, ended_on: str, reason: str) -> None:
    """Take a mark away from a day on. Raises NotAllowed, NotFound, InvalidRequest, Conflict."""
    row = _to_mark(tx, organisation, given)
    held = _held(tx.connection, organisation, given)
    if held is None:
        raise Conflict(f"「{row.name}」现在不是「{MARKS[given]}」")
    if not day(ended_on) or not held.since <= ended_on <= tx.today.isoformat():
        raise InvalidRequest(f"请写明从哪一天起取消：{held.since} 到今天之间的一天")
    if not text(200)(reason):
        raise InvalidRequest("请写明为什么取消（最多 200 个字，不要写手机号或身份证号）")
    body = {"organisation": row.id, "station": row.station, "mark": given, "ended_on": ended_on, "reason": reason}
    tx.append([Fact("organisation.unmarked", body)])


def marks(connection: Connection, wanted: Sequence[str]) -> dict[str, list[Any]]:
    """Give the marks that organisations hold now (rows with mark, since, basis), by organisation."""
    found: dict[str, list[Any]] = {}
    for row in rows_where_in(connection, _MARK.c, _MARK.c.organisation, wanted):
        if row.ended_on is None:
            found.setdefault(row.organisation, []).append(row)
    return found


def _to_mark(tx: WriteTransaction, organisation: str, given: str) -> Any:
    row = tx.connection.execute(select(_ORGANISATION).where(_ORGANISATION.c.id == organisation)).one_or_none()
    if row is None:
        raise NotFound("没有这个组织，请从组织列表里选")
    if given not in MARKS:
        raise InvalidRequest(f"没有「{given}」这种标识，可用的有 {'、'.join(MARKS.values())}")
    tx.require("register", row.station)
    return row


def _held(connection: Connection, organisation: str, given: str) -> Any:
    held = (_MARK.c.organisation == organisation, _MARK.c.mark == given, _MARK.c.ended_on.is_(None))
    return connection.execute(select(_MARK).where(*held)).one_or_none()
