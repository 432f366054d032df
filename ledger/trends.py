"""
How a unit's rates moved: month by month as they were published, and what about them should make somebody ask.

Months are read from published rates alone, each the newest word of its month on the year that the month lies in: so a trend says what was known then, not
what is known now, and anybody can recount each of its points. Participation begins anew every January, with the year it is counted for.
"""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, select

from ledger.rates import StationRate
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
    """More are registered than at an earlier count, and a smaller share of them took part. *before*: that count, a row of published_rate."""

    before: Any


@dataclass(frozen=True)
class PopulationMoved:
    """The declaration in force differs much from the one before it. *declared*: the older and the newer, rows of population."""

    declared: tuple[Any, Any]


@dataclass(frozen=True)
class Trend:
    """The last twelve months, this one last, and what should be looked into."""

    months: list[Month]
    warnings: list[DriveBy | PopulationMoved]


def of(connection: Connection, now: StationRate, today: date) -> Trend:
    """Tell how a unit's rates moved until *now*, which was counted today.

    Its counts are compared with those of a month ago in the same year, and of the same day of the year before.
    """
    mine = (_PUBLISHED.c.station == now.code, _PUBLISHED.c.period_from >= f"{today.year - 1}-01-01")
    rows = connection.execute(select(_PUBLISHED).where(*mine).order_by(_PUBLISHED.c.entry_index)).all()
    months = [Month(first, _newest(rows, min(_last_day(first), today))) for first in _firsts(today)]
    compared = (_newest(rows, day) for day in (today - timedelta(days=31), _a_year_ago(today)))
    driven = next((DriveBy(before) for before in compared if before is not None and _is_driven(before, now)), None)
    moved = _population_moved(connection, now.code, today)
    return Trend(months, [warning for warning in (driven, moved) if warning is not None])


def _firsts(today: date) -> list[date]:
    firsts = [today.replace(day=1)]
    while len(firsts) < MONTHS:
        firsts.append((firsts[-1] - timedelta(days=1)).replace(day=1))
    return firsts[::-1]


def _is_driven(before: Any, now: StationRate) -> bool:
    """Compare two counts as fractions, so that nothing is rounded away."""
    more: bool = now.registered * before.population > before.registered * now.population > 0
    fewer: bool = now.participants * before.registered < before.participants * now.registered
    return more and fewer


def _population_moved(connection: Connection, station: str, today: date) -> PopulationMoved | None:
    mine = (_POPULATION.c.station == station, _POPULATION.c.counted_on <= today.isoformat())
    rows = connection.execute(select(_POPULATION).where(*mine).order_by(_POPULATION.c.counted_on.desc()).limit(2)).all()
    if len(rows) < 2 or abs(rows[0].population - rows[1].population) * 1000 < POPULATION_PERMILLE * rows[1].population:
        return None
    return PopulationMoved((rows[1], rows[0]))


def _newest(rows: Sequence[Any], until: date) -> Any:
    """Pick the newest word on a day's year that was counted up to that day; None when there was none."""
    fitting = (row for row in reversed(rows) if row.period_from == f"{until.year}-01-01" and row.counted_on <= until.isoformat())
    return next(fitting, None)


def _last_day(first: date) -> date:
    return first.replace(day=monthrange(first.year, first.month)[1])


def _a_year_ago(day: date) -> date:
    return day.replace(year=day.year - 1, day=min(day.day, 28) if day.month == 2 else day.day)
