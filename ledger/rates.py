"""
Rates: how each station stands against its targets, counted from the projections, published as entries anyone can recount.

On a day and for the year up to it, for a station and, summed, for every unit above it:

    registration   registered volunteers with that home station / resident population in force that day      (target 10 %)
    participation  those of them with a service in that time that counts now / the same registered            (target 30 %)
    backbone       those of them designated backbone / the same registered                                    (target 1 %)

Who is at home where is asked of the counting day: before a move at the old station, from the day of the move on at the new; nowhere from the day of
leaving on. A registration that was merged away or disowned never counts. Confirmed-by-the-person counts stand beside, and of those how many were
confirmed at the desk (a code typed there, a form signed there) and not by signing in: two members of staff could so confirm somebody who was never there.
A figure is never without its numerator, denominator, source and day; ratios are made from whole numbers when they are shown. A published rate names the
tree size it was counted at.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, Executable, FromClause, Select, and_, case, func, or_, select, text

from ledger import stations
from ledger.kinds import Body
from ledger.log import Fact
from ledger.projections.people import NEVER_WAS
from ledger.service.records import counting
from ledger.shares import ratio
from ledger.tables import PastHomeRow, PublishedRateRow, ServiceRow, VolunteerRow, YearServedRow, table
from ledger.transactions import WriteTransaction

_VOLUNTEER, _PAST, _SERVICE, _PUBLISHED = table(VolunteerRow), table(PastHomeRow), table(ServiceRow), table(PublishedRateRow)
_YEAR = table(YearServedRow)
COUNTS = ("population", "registered", "confirmed", "participants", "backbone", "minutes")
SHOWN = (*COUNTS, "confirmed_at_desk")
"""What is counted; an entry that publishes it says COUNTS."""
AT_DESK = ("desk_code", "paper")
"""Means of confirming for which staff vouch."""


@dataclass(frozen=True)
class StationRate:
    """One unit's counts, asked on the day *counted_on*. population 0: never declared; population_on and source are None for a sum of units below."""

    code: str
    name: str
    level: str
    parent: str | None
    counted_on: str
    population: int
    population_on: str | None
    population_source: str | None
    registered: int
    confirmed: int
    participants: int
    backbone: int
    minutes: int
    confirmed_at_desk: int

    def rates(self) -> dict[str, str]:
        """Write the three rates to four decimals, rounded half up; an empty denominator gives an empty text."""
        return {
            "registration_rate": ratio(self.registered, self.population),
            "participation_rate": ratio(self.participants, self.registered),
            "backbone_rate": ratio(self.backbone, self.registered),
        }


def counting_day(year: int, today: date) -> date:
    """Give the day a year's rates are counted on: 31 December, or today if that is earlier."""
    return min(date(year, 12, 31), today)


def count(connection: Connection, year: int, today: date) -> list[StationRate]:
    """Count every unit's rates for a year, asked on a day, parents before children.

    Membership, population and days of service are those up to the year's counting day; a service of that time counts if it counts today, so that
    what was approved in January is not lost between two years. Asked with 31 December it gives what could be known then.
    """
    on = counting_day(year, today).isoformat()
    own: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(SHOWN, 0))
    people = (
        func.count().label("registered"),
        func.count().filter(_VOLUNTEER.c.confirmed_on <= on).label("confirmed"),
        func.count().filter(_VOLUNTEER.c.confirmed_on <= on, _VOLUNTEER.c.confirmed_by.in_(AT_DESK)).label("confirmed_at_desk"),
        func.count().filter(_VOLUNTEER.c.backbone_on <= on).label("backbone"),
    )
    served = (func.count().label("participants"), func.sum(_YEAR.c.minutes).label("minutes"))
    of_year = and_(_YEAR.c.volunteer == _VOLUNTEER.c.number, _YEAR.c.year == str(year))
    for source, station, at_home in homes(on):
        _add(connection, own, 1, select(station.label("code"), *people).select_from(source).where(at_home).group_by(station))
        _add(
            connection,
            own,
            1,
            select(station.label("code"), *served).select_from(source.join(_YEAR, of_year)).where(at_home).group_by(station),
        )
    _add(connection, own, -1, _not_yet(year, on, today.isoformat()))
    return _rolled_up(connection, on, today.isoformat(), own)


def _add(connection: Connection, own: dict[str, dict[str, int]], sign: int, counted: Executable) -> None:
    found = connection.execute(counted)
    names = list(found.keys())[1:]
    for code, *numbers in found:
        mine = own[code]
        for name, number in zip(names, numbers, strict=True):
            mine[name] += sign * int(number)


def _not_yet(year: int, on: str, today: str) -> Select[Any]:
    """Count by station what is in a year's tally (YearServedRow) and does not count yet: its publicity runs, or its day is still to come."""
    mine = (_SERVICE.c.status == "approved", _SERVICE.c.frozen == 0, func.substr(_SERVICE.c.served_on, 1, 4) == str(year))
    asked = select(_SERVICE.c.volunteer, _SERVICE.c.minutes)
    # Each half by its own index; a record that is given after its publicity is one of the few in the second's, so the first's is hidden from that half.
    published = asked.where(*mine, _SERVICE.c.effective_on > today)
    done = func.coalesce(_SERVICE.c.effective_on, "") <= today
    ahead = asked.where(*mine, done, _SERVICE.c.served_on > on, text("effective_on < served_on"))
    found = published.union_all(ahead).subquery()
    sums = (func.count().label("records"), func.sum(found.c.minutes).label("minutes"))
    waiting = select(found.c.volunteer, *sums).group_by(found.c.volunteer).subquery()
    (_, here, at_home), (_, there, was_at_home) = homes(on)
    joined = waiting.join(_VOLUNTEER, _VOLUNTEER.c.number == waiting.c.volunteer)
    joined = joined.join(_YEAR, and_(_YEAR.c.volunteer == waiting.c.volunteer, _YEAR.c.year == str(year)))
    joined = joined.outerjoin(_PAST, and_(_PAST.c.volunteer == waiting.c.volunteer, was_at_home))
    home = case((at_home, here), else_=there)
    none_left = func.count().filter(_YEAR.c.records == waiting.c.records).label("participants")
    counted = select(home.label("code"), none_left, func.sum(waiting.c.minutes).label("minutes")).select_from(joined)
    return counted.where(home.is_not(None)).group_by(home)


def taking_part(year: int, today: date) -> ColumnElement[bool]:
    """Ask of the service table whether a service makes somebody a participant of a year up to its counting day."""
    span = (_SERVICE.c.served_on >= f"{year}-01-01", _SERVICE.c.served_on <= counting_day(year, today).isoformat())
    return and_(counting(today.isoformat()), *span)


def homes(on: str) -> tuple[tuple[FromClause, ColumnElement[str], ColumnElement[bool]], ...]:
    """Say where volunteers were at home on a day, each at one station: those still at home there, and those who moved or left and came back since."""
    stayed = or_(_VOLUNTEER.c.left_on.is_(None), and_(_VOLUNTEER.c.left_on > on, _VOLUNTEER.c.left_as.not_in(NEVER_WAS)))
    earlier = _PAST.join(_VOLUNTEER, _VOLUNTEER.c.number == _PAST.c.volunteer)
    # Said twice, so that nobody looks through everybody's services for the few who ever moved:
    few = _VOLUNTEER.c.number.in_(select(_PAST.c.volunteer))
    return (
        (_VOLUNTEER, _VOLUNTEER.c.station, and_(_VOLUNTEER.c.since_on <= on, stayed)),
        (earlier, _PAST.c.station, and_(_PAST.c.since_on <= on, _PAST.c.until_on > on, few)),
    )


def _rolled_up(connection: Connection, on: str, asked: str, own: dict[str, dict[str, int]]) -> list[StationRate]:
    """Add every unit's counts to the units above it; a declared population stands before a sum."""
    units = stations.everyone(connection)
    declared = _declared(connection, units, on)
    found = []
    for unit in reversed(units):
        total, said = own[unit.code], declared.get(unit.code)
        if said is not None:
            total["population"] = said.population
        if unit.parent is not None:
            above = own[unit.parent]
            for name, number in total.items():
                above[name] += number
        source = (said.counted_on, said.source) if said is not None else (None, None)
        found.append(
            StationRate(unit.code, unit.name, unit.level, unit.parent, asked, population_on=source[0], population_source=source[1], **total)
        )
    return found[::-1]


def _declared(connection: Connection, units: list[Any], on: str) -> dict[str, Any]:
    """Give the declared populations in force on a day, less those of merged units whose people their successor has counted among its own since."""
    declared = stations.populations(connection, on)
    merged = {unit.code: unit for unit in units if unit.successor is not None and unit.closed_on <= on}
    for code, unit in merged.items():
        into = unit.successor
        while into in merged:
            into = merged[into].successor
        if into in declared and declared[into].counted_on >= unit.closed_on:
            declared.pop(code, None)
    return declared


def publish(tx: WriteTransaction, year: int) -> int:
    """Publish the rates of every unit whose counts changed since they were last published. Returns how many entries that made."""
    tx.require("publish", None)
    size = tx.tree_size
    last = _last_published(tx.connection, f"{year}-01-01")
    facts = []
    for rate in count(tx.connection, year, tx.today):
        counts = {name: getattr(rate, name) for name in COUNTS}
        if rate.code in last and {name: getattr(last[rate.code], name) for name in COUNTS} == counts:
            continue
        body: Body = {
            "station": rate.code,
            "period_from": f"{year}-01-01",
            "period_to": f"{year}-12-31",
            "counted_on": rate.counted_on,
            "tree_size": size,
            **counts,
        }
        if rate.population_on and rate.population_source:
            body |= {"population_on": rate.population_on, "population_source": rate.population_source}
        facts.append(Fact("rates.published", body))
    tx.append(facts)
    return len(facts)


def _last_published(connection: Connection, period_from: str) -> dict[str, Any]:
    newest = select(func.max(_PUBLISHED.c.entry_index)).where(_PUBLISHED.c.period_from == period_from).group_by(_PUBLISHED.c.station)
    return {row.station: row for row in connection.execute(select(_PUBLISHED).where(_PUBLISHED.c.entry_index.in_(newest)))}
