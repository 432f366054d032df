"""
How a unit's rates moved: month by month as they were published, and what about them should make somebody ask.

Months are read from published rates alone, each the newest word of its month on the year that the month lies in: so a trend says what was known then, not
what is known now, and anybody can recount each of its points. Participation begins anew every January, with the year it is counted for.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, select

from ledger.rates import StationRate, ratio
from ledger.tables import PopulationRow, PublishedRateRow, table

MONTHS = 12
POPULATION_PERMILLE = 50
"""A population that moves by this much from one declaration to the next is called out: the rates move with it, without anybody having registered."""
_POPULATION, _PUBLISHED = table(PopulationRow), table(PublishedRateRow)


@dataclass(frozen=True)
class Month:
    """A month, by its first day, and the counts published last in it or before it in its year (a row of published_rate); None before the first."""

    first: date
    published: Any


@dataclass(frozen=True)
class DriveBy:
    """More are registered than at an earlier count, and a smaller share of them took part: *before*, a row of published_rate; rates to four decimals."""

    before: Any
    registration: tuple[str, str]
    participation: tuple[str, str]


@dataclass(frozen=True)
class PopulationMoved:
    """The declaration in force differs much from the one before it; the registration rate by both."""

    before: Any
    now: Any
    registration: tuple[str, str]


def months(connection: Connection, station: str, today: date) -> list[Month]:
    """Give the last twelve months, this one last."""
    firsts = [today.replace(day=1)]
    while len(firsts) < MONTHS:
        firsts.append((firsts[-1] - timedelta(days=1)).replace(day=1))
    rows = _published(connection, station, firsts[-1].year)
    return [Month(first, _newest(rows, first.year, min(_last_day(first), today))) for first in reversed(firsts)]


def warnings(connection: Connection, now: StationRate, today: date) -> list[DriveBy | PopulationMoved]:
    """Say what of a unit's rates should be looked into; nothing for years that are over.

    Compared are the counts as they were a month ago in the same year, and on the same day of the year before.
    """
    found: list[DriveBy | PopulationMoved] = []
    rows = _published(connection, now.code, today.year - 1)
    for day in (today - timedelta(days=31), _a_year_ago(today)):
        before = _newest(rows, day.year, day)
        if before is not None and not found:
            found += _driven(before, now)
    declared = connection.execute(
        select(_POPULATION)
        .where(_POPULATION.c.station == now.code, _POPULATION.c.counted_on <= today.isoformat())
        .order_by(_POPULATION.c.counted_on)
    ).all()
    if len(declared) > 1 and abs(declared[-1].population - declared[-2].population) * 1000 >= POPULATION_PERMILLE * declared[-2].population:
        by_both = (ratio(now.registered, declared[-2].population), ratio(now.registered, declared[-1].population))
        found.append(PopulationMoved(declared[-2], declared[-1], by_both))
    return found


def _driven(before: Any, now: StationRate) -> list[DriveBy]:
    """Compare two counts as fractions, so that nothing is rounded away."""
    more = now.registered * before.population > before.registered * now.population > 0
    fewer = now.participants * before.registered < before.participants * now.registered
    if not (more and fewer):
        return []
    registration = (ratio(before.registered, before.population), ratio(now.registered, now.population))
    participation = (ratio(before.participants, before.registered), ratio(now.participants, now.registered))
    return [DriveBy(before, registration, participation)]


def _published(connection: Connection, station: str, since_year: int) -> list[Any]:
    mine = (_PUBLISHED.c.station == station, _PUBLISHED.c.period_from >= f"{since_year}-01-01")
    return list(connection.execute(select(_PUBLISHED).where(*mine).order_by(_PUBLISHED.c.entry_index)))


def _newest(rows: list[Any], year: int, until: date) -> Any:
    """Pick the newest word on a year that was counted up to a day; None when there was none."""
    fitting = (row for row in reversed(rows) if row.period_from == f"{year}-01-01" and row.counted_on <= until.isoformat())
    return next(fitting, None)


def _last_day(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _a_year_ago(day: date) -> date:
    return day.replace(year=day.year - 1, day=min(day.day, 28) if day.month == 2 else day.day)
