"""The list of a year as the ledger stands, by a rule file: for whoever wants to see what rules would give, or to count a list again."""

from collections.abc import Mapping
from dataclasses import dataclass

from ledger import organisations, stations
from ledger.errors import InvalidRequest
from ledger.log import tree_head
from ledger.people import volunteers
from ledger.rates import counting_day
from ledger.selections import sources
from ledger.selections.ranking import Standing, rank
from ledger.selections.rules import Rules
from ledger.selections.sources import Scope
from ledger.transactions import ReadTransaction
from ledger.workdays import calendar


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


def select_year(tx: ReadTransaction, year: int, rules: Rules) -> Selection:
    """Rank a year's volunteers by the rules. The list depends on the log and the rules alone; names are only looked up to show it, masked.

    Raises InvalidRequest for a period that has not begun.
    """
    scope = scope_on(tx, year, rules, None)
    ranking = rank(sources.live(tx.connection, scope), rules, scope.until)
    size = tree_head(tx.connection).size
    chosen, excluded = (candidates(tx, rules, found) for found in (ranking.chosen, ranking.excluded))
    return Selection(year, rules, scope.until, size, ranking.considered, chosen, excluded)


def scope_on(tx: ReadTransaction, year: int, rules: Rules, units: frozenset[str] | None) -> Scope:
    """Say what rules ask of a year as it can be known today. Raises InvalidRequest for a period that has not begun, or days off that nobody knows."""
    since, until = rules.span(year)
    if rules.period is not None and since > tx.today.isoformat():
        raise InvalidRequest(f"统计期间从 {since} 开始，还没有到。请等到那一天再评")
    last = min(until, tx.today.isoformat()) if rules.period else counting_day(year, tx.today).isoformat()
    off, worked = days_asked(tx, (since, last)) if rules.staff else ((), ())
    return Scope(rules, units, since, last, tx.today.isoformat(), frozenset(off), frozenset(worked))


def days_asked(tx: ReadTransaction, span: tuple[str, str]) -> tuple[list[str], list[str]]:
    """List the weekdays off and the weekend days worked in a period. Raises InvalidRequest for a year whose calendar is not known."""
    days = calendar(tx.connection)
    off, worked = [], []
    for year in range(int(span[0][:4]), int(span[1][:4]) + 1):
        found = days.swapped(year)
        off += [said for day in found[0] if span[0] <= (said := day.isoformat()) <= span[1]]
        worked += [said for day in found[1] if span[0] <= (said := day.isoformat()) <= span[1]]
    return off, worked


def candidates(tx: ReadTransaction, rules: Rules, found: list[Standing]) -> list[Candidate]:
    """Put names to places: masked for people, as filed for organisations."""
    names = names_of(tx, rules.subject, {one.sums.subject for one in found})
    where = stations.names(tx.connection, {one.sums.station for one in found})
    return [
        Candidate(
            one.rank,
            one.sums.subject,
            names[one.sums.subject],
            where.get(one.sums.station, one.sums.station),
            one.sums.minutes,
            one.sums.minutes_ab,
            one.sums.services,
            one.sums.registered_on,
            one.note,
        )
        for one in found
    ]


def names_of(tx: ReadTransaction, subject: str, numbers: set[str]) -> Mapping[str, str]:
    """Give names as lists show them, by number."""
    if subject == "volunteers":
        return volunteers.masked_names(tx, numbers)
    return organisations.names(tx.connection, numbers)
