"""
Stations: the tree of district, centres (街镇) and stations (社区), each with its resident population as declared on a day, with its source.

A unit has one parent, of a higher level, that exists before it. A population is a dated declaration, never overwritten: the one in force on a day is the
newest counted on or before it. A unit without a declaration of its own has the sum of the units below it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from ledger import codes
from ledger.bulk import rows_where_in
from ledger.errors import InvalidRequest, NotFound
from ledger.log import Fact
from ledger.refusals import Already, Refusal
from ledger.tables import FilingUnitNameRow, PopulationRow, StationRow, table
from ledger.transactions import WriteTransaction

_STATION, _POPULATION, _NAME = table(StationRow), table(PopulationRow), table(FilingUnitNameRow)
_RANK = {level: rank for rank, level in enumerate(codes.LEVELS)}


@dataclass(frozen=True)
class Station:
    """What is said of a unit: *level* and *area_type* are codes; population with the day it was counted and its source, or none of them.

    valid_from: since when it is (called) so; today, where nothing is said.
    """

    code: str
    name: str
    level: str
    parent: str | None
    area_type: str | None = None
    population: int | None = None
    counted_on: str | None = None
    population_source: str | None = None
    valid_from: str | None = None


def declare(tx: WriteTransaction, station: Station) -> int | Already | Refusal:
    """Register a unit, or record how it changed, and declare its population. Returns the number of entries this took."""
    tx.require("set_up", station.parent)
    known = tx.connection.execute(select(_STATION).where(_STATION.c.code == station.code)).one_or_none()
    if known is not None and known.level != station.level:
        return Refusal("unreadable", f"「{known.name}」登记的级别是「{codes.LEVELS[known.level]}」，级别不能改。请核对站点编码", "级别")
    if known is not None and station.parent and known.parent != station.parent:
        tx.require("set_up", known.parent)
    parent = find(tx.connection, station.parent) if station.parent else None
    if station.parent and parent is None:
        return Refusal("missing", f"上级编码 {station.parent} 还没有登记。请把上级放在前面的行，或先登记上级", "上级编码")
    if parent is not None and _RANK[parent.level] >= _RANK[station.level]:
        return Refusal("unreadable", f"上级「{parent.name}」不比本级高。省管市，市管区，区管中心，中心管站", "级别")
    since = station.valid_from or tx.today.isoformat()
    said = _unit_facts(station, known, since)
    refusal = (_no_more(known) or _no_more(parent) or _renamed_too_early(tx.connection, station, known, since)) if said else None
    if refusal is not None:
        return refusal
    facts = [*said, *_population_facts(tx.connection, station)]
    if not facts:
        return Already(known.entry_index)  # type: ignore[union-attr]  # without facts it is known
    tx.append(facts)
    return len(facts)


def _no_more(unit: Any) -> Refusal | None:
    """Give the reason why nothing new is said of a unit, or of one below it, once it has ended."""
    if unit is None or unit.closed_on is None:
        return None
    return Refusal("against_rules", f"「{unit.name}」已在 {unit.closed_on} 撤销，不能再改，下面也不能再有别的单位。请核对编码", "站点编码")


def _renamed_too_early(connection: Connection, station: Station, known: Any, since: str) -> Refusal | None:
    """Give the reason why a unit cannot be called otherwise from a day on: it got the name it has later than that."""
    if known is None or station.name == known.name:
        return None
    asked = select(_NAME.c.valid_from).where(_NAME.c.station == station.code).order_by(_NAME.c.entry_index.desc()).limit(1)
    newest = connection.execute(asked).scalar_one_or_none() or ""
    if since >= newest:
        return None
    return Refusal("end_before_start", f"「{known.name}」从 {newest} 起这样叫，改名不能更早（{since}）。请核对生效日期", "生效日期")


def _unit_facts(station: Station, known: Any, since: str) -> list[Fact]:
    said = {"name": station.name, "parent": station.parent, "area_type": station.area_type}
    if known is None:
        body = {"station": station.code, "level": station.level, "valid_from": since}
        return [Fact("station.registered", body | {key: value for key, value in said.items() if value})]
    changed = {key: value for key, value in said.items() if value and value != getattr(known, key)}
    return [Fact("station.changed", {"station": station.code, "valid_from": since, **changed})] if changed else []


def _population_facts(connection: Connection, station: Station) -> list[Fact]:
    if station.population is None:
        return []
    key = (_POPULATION.c.station == station.code, _POPULATION.c.counted_on == station.counted_on)
    known = connection.execute(select(_POPULATION).where(*key)).one_or_none()
    if known is not None and (known.population, known.source) == (station.population, station.population_source):
        return []
    body = {
        "station": station.code,
        "population": station.population,
        "counted_on": station.counted_on,
        "source": station.population_source,
    }
    return [Fact("station.population_declared", body)]


def find(connection: Connection, code: str) -> Any:
    """Find a unit's row by its code; None when there is none."""
    return connection.execute(select(_STATION).where(_STATION.c.code == code)).one_or_none()


def get(connection: Connection, code: str) -> Any:
    """Give a unit's row. Raises NotFound."""
    row = find(connection, code)
    if row is None:
        raise NotFound(f"没有编码为 {code} 的站点")
    return row


def resolve(connection: Connection, said: str) -> Any:
    """Find a unit by its code or name as written on a sheet. Raises InvalidRequest when there is none or several."""
    named = select(_STATION).where((_STATION.c.code == said) | (_STATION.c.name == said))
    rows = connection.execute(named).all()
    if not rows:
        raise InvalidRequest(f"站点「{said}」还没有登记。请核对站点编码，或先用站点表登记这个站点")
    if len(rows) > 1:
        raise InvalidRequest(f"有 {len(rows)} 个站点叫「{said}」，请改用站点编码")
    return rows[0]


def everyone(connection: Connection) -> list[Any]:
    """List all units, each parent before its children, children in order of their codes."""
    rows = connection.execute(select(_STATION).order_by(_STATION.c.code)).all()
    children: dict[str | None, list[Any]] = {}
    for row in rows:
        children.setdefault(row.parent, []).append(row)
    ordered: list[Any] = []

    def walk(parent: str | None) -> None:
        for row in children.get(parent, []):
            ordered.append(row)
            walk(row.code)

    walk(None)
    return ordered


def district_name(connection: Connection) -> str:
    """Give the name of the unit above all others; nothing before there is one."""
    highest = select(_STATION.c.name).where(_STATION.c.parent.is_(None)).order_by(_STATION.c.code).limit(1)
    return connection.execute(highest).scalar_one_or_none() or ""


def populations(connection: Connection, on: str) -> dict[str, Any]:
    """Give the declaration in force on a day, by station (rows with population, counted_on, source)."""
    statement = select(_POPULATION).where(_POPULATION.c.counted_on <= on).order_by(_POPULATION.c.counted_on)
    return {row.station: row for row in connection.execute(statement)}


def population(connection: Connection, station: str, on: str) -> Any:
    """Give one station's declaration in force on a day; None when there is none."""
    mine = (_POPULATION.c.station == station, _POPULATION.c.counted_on <= on)
    return connection.execute(select(_POPULATION).where(*mine).order_by(_POPULATION.c.counted_on.desc()).limit(1)).one_or_none()


def level_code(said: str) -> str | None:
    """Read a level as sheets write it (区, 中心, 站, 街道, 社区 …)."""
    return codes.code_of(said, codes.LEVELS, codes.LEVEL_ALIASES)


def area_code(said: str) -> str | None:
    """Read 城市/农村 as sheets write it."""
    return codes.code_of(said, codes.AREA_TYPES, codes.AREA_ALIASES)


def names(connection: Connection, wanted: Iterable[str]) -> dict[str, str]:
    """Give the names of units by code."""
    return {row.code: row.name for row in rows_where_in(connection, (_STATION.c.code, _STATION.c.name), _STATION.c.code, set(wanted))}


def ended(connection: Connection, wanted: Iterable[str]) -> set[str]:
    """Say which of these units are no more."""
    return {
        row.code
        for row in rows_where_in(connection, (_STATION.c.code, _STATION.c.closed_on), _STATION.c.code, set(wanted))
        if row.closed_on
    }
