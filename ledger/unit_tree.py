"""
The unit tree over time: units end (撤销) or are merged into another (合并), and are called what they were called on a day.

An ended unit stays in the tree with the day from which it is no more, and its successor where there is one: what was recorded there stays there. Nobody is
moved along with it, for a home is changed by two (people/moving.py); who and what is still at home there is listed until it has been moved.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from ledger import organisations, stations
from ledger.bulk import rows_where_in
from ledger.kinds.checks import text
from ledger.log import Fact
from ledger.refusals import Already, Refusal
from ledger.tables import FilingUnitNameRow, OrganisationRow, StationRow, VolunteerRow, table
from ledger.transactions import ReadTransaction, WriteTransaction

BASIS_MAX = 200
_STATION, _NAME = table(StationRow), table(FilingUnitNameRow)
_VOLUNTEER, _ORGANISATION = table(VolunteerRow), table(OrganisationRow)


@dataclass(frozen=True)
class Ended:
    """A unit that is no more: its row, its successor's (none: it was not merged), and who and what is still at home there."""

    unit: Any
    successor: Any
    people: list[str]
    organisations: list[Any]


def end(tx: WriteTransaction, code: str, ended_on: str, successor: str = "", basis: str = "") -> int | Already | Refusal:
    """End a unit; *ended_on*: the first day on which it is no more; *successor*: of the same level. Returns the number of entries this took."""
    unit = stations.find(tx.connection, code)
    if unit is None:
        return Refusal("missing", f"编码 {code} 还没有登记，不能撤销。请核对编码", "统计用区划代码")
    tx.require("set_up", unit.parent)
    if unit.closed_on is not None:
        if (unit.closed_on, unit.successor or "") == (ended_on, successor):
            return Already(unit.entry_index)
        return Refusal("duplicate", f"「{unit.name}」已登记在 {unit.closed_on} 撤销。日期或并入的单位不一样，请核对", "撤销日期")
    refusal = _wrong_day(unit, ended_on, tx.today.isoformat()) or _wrong_successor(tx.connection, unit, successor)
    refusal = refusal or _still_above(tx.connection, unit)
    if refusal is None and basis and not text(BASIS_MAX)(basis):
        refusal = Refusal("unreadable", f"依据最多 {BASIS_MAX} 个字，不能有手机号或身份证号。请改短或删去", "依据")
    if refusal is not None:
        return refusal
    said = {"station": code, "ended_on": ended_on} | ({"successor": successor} if successor else {}) | ({"basis": basis} if basis else {})
    tx.append([Fact("station.ended", said)])
    return 1


def _still_above(connection: Connection, unit: Any) -> Refusal | None:
    """Give the reason why a unit cannot end that others are still part of."""
    below = select(_STATION.c.name).where(_STATION.c.parent == unit.code, _STATION.c.closed_on.is_(None)).order_by(_STATION.c.code)
    left = list(connection.execute(below).scalars())
    if not left:
        return None
    said = f"「{unit.name}」下面还有「{left[0]}」等 {len(left)} 个单位。请先把它们撤销，或改归别的上级"
    return Refusal("against_rules", said, "撤销日期")


def _wrong_day(unit: Any, ended_on: str, today: str) -> Refusal | None:
    if ended_on > today:
        return Refusal("future_date", f"撤销日期 {ended_on} 还没有到，到了再导入", "撤销日期")
    if ended_on <= unit.valid_from:
        return Refusal("end_before_start", f"撤销日期 {ended_on} 不晚于「{unit.name}」的生效日期 {unit.valid_from}，请核对", "撤销日期")
    return None


def _wrong_successor(connection: Connection, unit: Any, successor: str) -> Refusal | None:
    if not successor:
        return None
    other = stations.find(connection, successor)
    if other is None:
        return Refusal("missing", f"并入的单位 {successor} 还没有登记。请把它放进同一张表，或先登记", "并入代码")
    if other.code == unit.code or other.level != unit.level or other.closed_on is not None:
        return Refusal("against_rules", f"「{unit.name}」不能并入「{other.name}」：要并入同一级、没有撤销的另一个单位", "并入代码")
    return None


def ended(tx: ReadTransaction, within: list[str]) -> list[Ended]:
    """List the units among some that are no more, the newest first, with who and what is still at home there."""
    gone = [row for row in rows_where_in(tx.connection, _STATION.c, _STATION.c.code, within) if row.closed_on is not None]
    gone.sort(key=lambda row: (row.closed_on, row.code), reverse=True)
    codes = [row.code for row in gone]
    after = {
        row.code: row for row in rows_where_in(tx.connection, _STATION.c, _STATION.c.code, {row.successor for row in gone if row.successor})
    }
    people: dict[str, list[str]] = {}
    for row in rows_where_in(tx.connection, _VOLUNTEER.c, _VOLUNTEER.c.station, codes):
        if row.left_on is None:
            people.setdefault(row.station, []).append(row.number)
    cancelled = set(tx.connection.execute(organisations.cancelled(tx.today.isoformat())).scalars())
    teams: dict[str, list[Any]] = {}
    for row in rows_where_in(tx.connection, _ORGANISATION.c, _ORGANISATION.c.station, codes):
        if row.id not in cancelled:
            teams.setdefault(row.station, []).append(row)
    return [
        Ended(
            row,
            after.get(row.successor),
            sorted(people.get(row.code, [])),
            sorted(teams.get(row.code, []), key=lambda team: str(team.name)),
        )
        for row in gone
    ]


def names_on(connection: Connection, day: str) -> dict[str, str]:
    """Say what each unit was called on a day; of one that was not there, or no more, nothing."""
    found: dict[str, tuple[str, int, str]] = {}
    for row in connection.execute(select(_NAME).where(_NAME.c.valid_from <= day)):
        said = (row.valid_from, row.entry_index, row.name)
        found[row.station] = max(found.get(row.station, said), said)
    return {code: name for code, (_, _, name) in found.items() if name}
