"""
What can be counted for the units of the tree: one whole number a unit, what belongs to the units below it included.

A `Count` holds one moment: a day, and the year up to it. Each measure is asked of the database once, for all units together, and kept as long as the
Count is; so a table of forty indicators asks about as often as it has different measures, however many units there are.
"""

from collections import Counter
from collections.abc import Callable, Container, Mapping
from datetime import date
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from ledger import organisations, rates, stations
from ledger.tables import ActivityRow, FigureRow, OrganisationMarkRow, OrganisationRow, table

_ACTIVITY, _FIGURE, _MARK, _ORGANISATION = table(ActivityRow), table(FigureRow), table(OrganisationMarkRow), table(OrganisationRow)


class Count:
    """The units of the tree on a day of a year, and what is counted of them."""

    def __init__(self, connection: Connection, year: int, today: date, people: Mapping[str, rates.StationRate] | None = None) -> None:
        """Ask on *today* for *year*, counted up to the year's counting day. *people*: the rates of all units for that, if they are counted already."""
        self._connection = connection
        self.year = year
        self.today = today
        self.on = rates.counting_day(year, today).isoformat()
        self.units: list[Any] = stations.everyone(connection)
        """Rows of the stations, parents before children."""
        self._upwards = [(unit.code, unit.parent) for unit in reversed(self.units) if unit.parent is not None]
        self._known: dict[bytes, dict[str, int]] = {}
        self._people = people

    @property
    def people(self) -> Mapping[str, rates.StationRate]:
        """The counts behind the three rates, by unit."""
        if self._people is None:
            self._people = {rate.code: rate for rate in rates.count(self._connection, self.year, self.today)}
        return self._people

    def of(self, measure: Mapping[str, Any]) -> dict[str, int]:
        """Count a measure, as `reading` lets it pass, for every unit: a number for each code, 0 where there is nothing."""
        key = orjson.dumps(measure, option=orjson.OPT_SORT_KEYS)
        if key not in self._known:
            self._known[key] = self._count(measure)
        return self._known[key]

    def is_open(self, unit: Any) -> bool:
        """Tell whether a unit exists on the counting day."""
        return unit.closed_on is None or unit.closed_on > self.on

    def within(self, codes: Container[str]) -> set[str]:
        """Give units, and all below them."""
        found: set[str] = set()
        for unit in self.units:
            if unit.code in codes or unit.parent in found:
                found.add(unit.code)
        return found

    def _count(self, measure: Mapping[str, Any]) -> dict[str, int]:
        if measure.get("count") in rates.COUNTS:
            return {code: getattr(rate, measure["count"]) for code, rate in self.people.items()}
        return self._rolled_up(self._own(measure))

    def flagged(self, figure: str) -> frozenset[str]:
        """Give the units that say of themselves, by a figure other than 0, that they are something: a pilot, say."""
        return frozenset(code for code, value in self._figures({"figure": figure}).items() if value)

    def _own(self, measure: Mapping[str, Any]) -> Mapping[str, int]:
        """Count what units have themselves, without those below them."""
        if "units" in measure:
            return self._fulfilling(measure)
        own = self._figures(measure) if "figure" in measure else _COUNTED[measure["count"]](self, measure)
        if "area_type" not in measure:
            return own
        return {unit.code: own.get(unit.code, 0) for unit in self.units if unit.area_type == measure["area_type"]}

    def _fulfilling(self, measure: Mapping[str, Any]) -> dict[str, int]:
        """Mark each unit of a level, and of an area type, that exists and of which there is at least so much."""
        having = self.of(measure["where"]) if "where" in measure else {}
        return {
            unit.code: 1
            for unit in self.units
            if unit.level == measure["units"]
            and self.is_open(unit)
            and measure.get("area_type", unit.area_type) == unit.area_type
            and having.get(unit.code, 0) >= measure.get("at_least", 0)
        }

    def _figures(self, measure: Mapping[str, Any]) -> Mapping[str, int]:
        take = measure.get("take", "newest")
        since = f"{self.year}-01-01" if take == "year" else ""
        said = and_(_FIGURE.c.figure == measure["figure"], _FIGURE.c.counted_on >= since, _FIGURE.c.counted_on <= self.on)
        found: Counter[str] = Counter()
        asked = select(_FIGURE.c.station, _FIGURE.c.value).where(said).order_by(_FIGURE.c.counted_on)
        for station, value in self._connection.execute(asked):
            found[station] = value if take == "newest" else found[station] + value
        return found

    def _organisations(self, measure: Mapping[str, Any]) -> dict[str, int]:
        row = _ORGANISATION.c
        conditions: list[ColumnElement[bool]] = [row.since <= self.on, or_(row.expires_on.is_(None), row.expires_on >= self.on)]
        conditions.append(row.id.not_in(organisations.cancelled(self.on)))
        if "volunteer" in measure:
            conditions.append(row.volunteer_organisation == int(measure["volunteer"]))
        conditions += [getattr(row, name) == measure[name] for name in ("category", "basis") if name in measure]
        if "categories" in measure:
            conditions.append(row.category.in_(measure["categories"]))
        if measure.get("new"):
            conditions.append(row.since >= f"{self.year}-01-01")
        if "mark" in measure:
            held = and_(
                _MARK.c.mark == measure["mark"], _MARK.c.since <= self.on, or_(_MARK.c.ended_on.is_(None), _MARK.c.ended_on > self.on)
            )
            conditions.append(row.id.in_(select(_MARK.c.organisation).where(held)))
        return self._grouped(row.station, conditions)

    def _activities(self, measure: Mapping[str, Any]) -> dict[str, int]:
        row = _ACTIVITY.c
        conditions: list[ColumnElement[bool]] = [
            row.start >= f"{self.year}-01-01T00:00",
            row.start <= f"{self.on}T23:59",
            row.ended_as.is_distinct_from("cancelled"),
        ]
        if "series" in measure:
            conditions.append(row.series == measure["series"])
        if "by_organisation" in measure:
            conditions.append(row.organisation.is_not(None) if measure["by_organisation"] else row.organisation.is_(None))
        return self._grouped(row.station, conditions)

    def _grouped(self, station: Any, conditions: list[ColumnElement[bool]]) -> dict[str, int]:
        statement = select(station, func.count()).where(*conditions).group_by(station)
        return {row[0]: row[1] for row in self._connection.execute(statement)}

    def _rolled_up(self, own: Mapping[str, int]) -> dict[str, int]:
        """Add to every unit what the units below it have."""
        sums = {unit.code: own.get(unit.code, 0) for unit in self.units}
        for code, parent in self._upwards:
            if sums[code]:
                sums[parent] += sums[code]
        return sums


_COUNTED: dict[str, Callable[[Count, Mapping[str, Any]], Mapping[str, int]]] = {
    "organisations": Count._organisations,  # noqa: SLF001 its own table
    "activities": Count._activities,  # noqa: SLF001
}
