"""
What a ranking sees: records and people, as the ledger holds them now or as a selection froze them.

`live` asks the projections. `freeze` writes down what `live` gives, in the tables of frozen records and people; the projection calls it when the entry of
a freeze is applied, so every replay makes the same copy. `frozen` reads that copy back, with what was decided since: so a recount from an exported log
goes the same way as the page did.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, FromClause, Text, and_, bindparam, cast, func, insert, literal, null, or_, select, tuple_

from ledger import tables
from ledger.database import sorting_on_disk
from ledger.people.actors import below
from ledger.selections import facts
from ledger.selections.facts import Facts
from ledger.selections.rules import Rules
from ledger.service.records import counting
from ledger.tables import table

_SERVICE, _ACTIVITY, _VOLUNTEER, _ORGANISATION, _POPULATION = (
    table(model)
    for model in (
        tables.ServiceRow,
        tables.ActivityRow,
        tables.VolunteerRow,
        tables.OrganisationRow,
        tables.PopulationRow,
    )
)
_RECORD, _CANDIDATE, _DOUBT = (table(m) for m in (tables.SelectionRecordRow, tables.SelectionCandidateRow, tables.SelectionDoubtRow))
_OBJECTION = table(tables.SelectionObjectionRow)
_AT_ONCE = 500
WHY_OUT = {
    "staff": "工作人员上班时间内的服务",
    "spent": "已用于以前的评选",
    "dropped": "疑点核查后剔除",
    "objection": "异议成立，剔除",
}
"""Why a record of the period does not count."""


@dataclass(frozen=True)
class Scope:
    """What is asked: by which rules, of which units (None: everywhere), for services up to *until*, as it counts on a day.

    days_off, days_worked: weekdays off and weekend days worked, where staff's working hours are asked for.
    """

    rules: Rules
    units: frozenset[str] | None
    since: str
    until: str
    asked_on: str
    days_off: frozenset[str] = frozenset()
    days_worked: frozenset[str] = frozenset()

    def is_workday(self, said: str) -> bool:
        """Tell whether people work on a day."""
        return said in self.days_worked or (date.fromisoformat(said).weekday() < 5 and said not in self.days_off)


@dataclass(frozen=True)
class Source:
    """What a ranking sees. *out*: records that do not count, with a code of WHY_OUT; *barred*: people who stay out, and why.

    together: each person's records lie side by side, so that the index finds them in order; else one scan and a sort are quicker.
    """

    connection: Connection
    records: FromClause
    people: FromClause
    facts: Mapping[str, Facts]
    out: Mapping[int, str]
    seats: Mapping[str, tuple[int, int | None]]
    barred: Mapping[str, str] = field(default_factory=dict)
    together: bool = False

    @property
    def subject(self) -> ColumnElement[str]:
        """The subject, to group by: an expression that no index is in the order of, unless that helps."""
        plain: ColumnElement[str] = self.records.c.subject
        return plain if self.together else func.coalesce(plain, "")

    def records_of(self, subjects: Iterable[str]) -> Iterator[Any]:
        """Give the records of some people, each person's together, earliest first."""
        wanted = sorted(set(subjects))
        seen = self.records.c
        for at in range(0, len(wanted), _AT_ONCE):
            query = select(self.records).where(seen.subject.in_(wanted[at : at + _AT_ONCE]))
            yield from self.connection.execute(query.order_by(seen.subject, seen.served_on, seen.start, seen.service))


def units_below(connection: Connection, station: str) -> frozenset[str] | None:
    """Give the units whose people a unit's selection is about; None for the unit above all: everybody."""
    found = frozenset(below(connection, station))
    return None if found == frozenset(below(connection, None)) else found


def live(connection: Connection, scope: Scope) -> Source:
    """See the ledger as it stands."""
    rules = scope.rules
    people = _people(scope).subquery()
    series = bool(rules.exclude_series or rules.caps.get("series"))
    records = _records(scope, with_series=series).subquery()
    found = facts.gather(connection, rules, scope.since, scope.until, scope.asked_on)
    source = Source(connection, records, people, found, {}, _seats(connection, scope, people))
    return replace(source, out=_out(source, scope))


def whose(subject: str) -> ColumnElement[Any]:
    """Say of the service table whose a record is in selections of "volunteers" or "organisations"; no correction changes that."""
    return _SERVICE.c.volunteer if subject == "volunteers" else _SERVICE.c.organisation


def _records(scope: Scope, *, with_series: bool) -> Any:
    rules = scope.rules
    subject = whose(rules.subject)
    columns = [
        getattr(_SERVICE.c, name) for name in ("activity", "served_on", "start", "end", "minutes", "grade", "recorder", "recorded_at")
    ]
    series = _ACTIVITY.c.series if with_series else cast(null(), Text).label("series")
    asked = select(
        _SERVICE.c.entry_index.label("service"), subject.label("subject"), _SERVICE.c.volunteer.label("person"), series, *columns
    )
    if with_series:
        asked = asked.join_from(_SERVICE, _ACTIVITY, _ACTIVITY.c.id == _SERVICE.c.activity)
    where = [counting(scope.asked_on, by_day=False), _SERVICE.c.served_on >= scope.since, _SERVICE.c.served_on <= scope.until]
    if len(rules.grades) < 4:
        where.append(_SERVICE.c.grade.in_(rules.grades))
    if rules.subject == "organisations":
        where.append(_SERVICE.c.organisation.is_not(None))
    if scope.units is not None or rules.stations is not None:
        where.append(subject.in_(select(_people(scope).subquery().c.subject)))
    if rules.exclude_series:
        where.append(_ACTIVITY.c.series.not_in(rules.exclude_series))
    if rules.exclude_activities:
        where.append(_SERVICE.c.activity.not_in(rules.exclude_activities))
    return asked.where(*where)


def _people(scope: Scope) -> Any:
    """Ask who may be chosen at all: registered by the last day, and not a registration that never was."""
    if scope.rules.subject == "organisations":
        named = _ORGANISATION.c
        columns = (named.id.label("subject"), named.station, named.since.label("registered_on"), cast(null(), Text).label("confirmed_on"))
        asked = select(*columns, named.expires_on.label("left_on")).where(named.since <= scope.until)
        home = named.station
    else:
        home = _VOLUNTEER.c.station
        mine = (_VOLUNTEER.c.number.label("subject"), home, _VOLUNTEER.c.registered_on, _VOLUNTEER.c.confirmed_on)
        there = or_(_VOLUNTEER.c.left_as.is_(None), _VOLUNTEER.c.left_as.not_in(("not_me", "merged")))
        asked = select(*mine, _VOLUNTEER.c.left_on).where(and_(_VOLUNTEER.c.registered_on <= scope.until, there))
    for units in (scope.units, scope.rules.stations):
        if units is not None:
            asked = asked.where(home.in_(sorted(units)))
    return asked


def _seats(connection: Connection, scope: Scope, people: FromClause) -> dict[str, tuple[int, int | None]]:
    """Work out how many of each unit where somebody is at home may be chosen."""
    quota = scope.rules.quota
    if quota.per_unit is None and quota.per_1000 is None and not quota.floor and quota.cap is None and not quota.units:
        return {}
    declared = select(_POPULATION.c.station, _POPULATION.c.population).where(_POPULATION.c.counted_on <= scope.until)
    residents = {row.station: row.population for row in connection.execute(declared.order_by(_POPULATION.c.counted_on))}
    codes = connection.execute(select(people.c.station).distinct()).scalars().all()
    return {code: quota.seats(code, residents.get(code, 0)) for code in sorted(codes)}


def _out(source: Source, scope: Scope) -> dict[int, str]:
    """Find the records that the rules themselves leave out, person by person: staff's working hours, what served for an earlier award."""
    spent = {subject: known.spent for subject, known in source.facts.items() if known.spent}
    rules = scope.rules
    staff = set(rules.staff.get("people", ()))
    if not spent and not staff:
        return {}
    found: dict[int, str] = {}
    if staff:
        asked = select(source.records).where(source.records.c.person.in_(sorted(staff)))
        for row in source.connection.execute(asked):
            at_work = row.start[11:16] < rules.staff["to"] and (row.end[11:16] > rules.staff["from"] or row.end[:10] > row.start[:10])
            if at_work and scope.is_workday(row.served_on):
                found[row.service] = "staff"
    for row in source.records_of(spent):
        if any(since <= row.served_on <= until and row.service < size for since, until, size in spent[row.subject]):
            found.setdefault(row.service, "spent")
    return found


def freeze(connection: Connection, selection: str, index: int, scope: Scope) -> dict[str, tuple[int, int | None]]:
    """Write down what `live` gives, as records of a selection from the entry at *index* on. Returns how many each unit may have chosen."""
    source = live(connection, scope)
    _copy(connection, selection, index, _records(scope, with_series=True).subquery())
    known = _RECORD.c.selection == selection
    people = select(literal(selection), source.people).where(source.people.c.subject.in_(select(_RECORD.c.subject).where(known).distinct()))
    names = ["selection", *(column.name for column in source.people.c)]
    connection.execute(insert(_CANDIDATE).from_select(names, people))
    if source.facts:
        mine = (_CANDIDATE.c.selection == selection) & (_CANDIDATE.c.subject == bindparam("whose"))
        said = [{"whose": subject, "what": one.spell()} for subject, one in source.facts.items()]
        connection.execute(_CANDIDATE.update().where(mine).values(facts=bindparam("what")), said)
    if source.out:
        gone = [{"which": service, "why": why} for service, why in source.out.items()]
        one = known & _named(scope.rules.subject, _SERVICE.c.entry_index == bindparam("which"))
        connection.execute(_RECORD.update().where(one).values(out=bindparam("why")), gone)
    return dict(source.seats)


def _copy(connection: Connection, selection: str, index: int, records: FromClause) -> None:
    names = [column.name for column in records.c]
    asked = select(literal(selection).label("selection"), literal(index).label("since"), *(records.c[name] for name in names))
    # The order of the copy itself, sorted: an index of services would be a page to read for each record.
    in_order = func.coalesce(records.c.subject, ""), records.c.served_on, records.c.service
    with sorting_on_disk(connection):
        connection.execute(insert(_RECORD).from_select(["selection", "since", *names], asked.order_by(*in_order)))


def admit(connection: Connection, selection: str, index: int, services: list[int], scope: Scope) -> None:
    """Let records count as they stand now, in place of how they were frozen: what the objection decided at *index* names."""
    these = _SERVICE.c.entry_index.in_(services)
    mine = (_RECORD.c.selection == selection) & _named(scope.rules.subject, these) & _RECORD.c.until.is_(None)
    connection.execute(_RECORD.update().where(mine).values(until=index))
    now = _records(scope, with_series=True).where(these).subquery()
    _copy(connection, selection, index, now)
    missing = select(now.c.subject).where(now.c.subject.not_in(select(_CANDIDATE.c.subject).where(_CANDIDATE.c.selection == selection)))
    people = _people(scope).subquery()
    names = ["selection", *(column.name for column in people.c)]
    asked = select(literal(selection), people).where(people.c.subject.in_(missing))
    connection.execute(insert(_CANDIDATE).from_select(names, asked))


def _named(subject: str, these: ColumnElement[bool]) -> ColumnElement[bool]:
    """Ask for the frozen records of some services, by the key: it begins with whose they are. An index by service costs a freeze more than all else."""
    return tuple_(_RECORD.c.subject, _RECORD.c.service).in_(select(whose(subject), _SERVICE.c.entry_index).where(these))


def frozen(connection: Connection, row: Any, rules: Rules, before: int | None = None) -> Source:
    """See a selection (its row, and its rules) as it was frozen, with what was decided since; *before*: only by entries before that one."""
    selection = row.id
    last = before if before is not None else 2**53
    mine = _RECORD.c.selection == selection
    valid = and_(mine, _RECORD.c.since < last, or_(_RECORD.c.until.is_(None), _RECORD.c.until >= last))
    names = (
        "service",
        "subject",
        "person",
        "series",
        "activity",
        "served_on",
        "start",
        "end",
        "minutes",
        "grade",
        "recorder",
        "recorded_at",
    )
    records = select(*(_RECORD.c[name] for name in names)).where(valid).subquery()
    of_selection = _CANDIDATE.c.selection == selection
    people = select(*(_CANDIDATE.c[name] for name in ("subject", "station", "registered_on", "confirmed_on", "left_on"))).where(
        of_selection
    )
    said = connection.execute(select(_CANDIDATE.c.subject, _CANDIDATE.c.facts).where(of_selection, _CANDIDATE.c.facts.is_not(None)))
    known = {one.subject: Facts.read(one.facts) for one in said}
    out: dict[int, str] = {}
    if rules.staff or rules.spent:  # no other rule leaves records out
        left = connection.execute(select(_RECORD.c.service, _RECORD.c.out).where(valid, _RECORD.c.out.is_not(None)))
        out = {one.service: one.out for one in left}
    out, barred = _decided(connection, selection, last, out)
    seats = {code: (low, high) for code, (low, high) in orjson.loads(row.seats).items()}
    return Source(connection, records, people.subquery(), known, out, seats, barred, together=True)


def _decided(connection: Connection, selection: str, last: int, out: dict[int, str]) -> tuple[dict[int, str], dict[str, str]]:
    """Apply what was decided of doubts and objections, in the order of the log."""
    deeds: list[tuple[int, str, list[int], list[int], list[str], list[str]]] = []
    for one in connection.execute(select(_DOUBT).where(_DOUBT.c.selection == selection, _DOUBT.c.entry_index < last)):
        dropped, kept = ([one.service] if one.finding == finding else [] for finding in ("drop", "keep"))
        deeds.append((one.entry_index, "dropped", dropped, kept, [], []))
    asked = select(_OBJECTION).where(_OBJECTION.c.selection == selection, _OBJECTION.c.decision < last)
    for one in connection.execute(asked):
        said = orjson.loads(one.effect or "{}")
        deeds.append(
            (one.decision, "objection", *(said.get(name, []) for name in ("drop", "keep")), said.get("bar", []), said.get("unbar", []))
        )
    barred: dict[str, str] = {}
    for _, why, dropped, kept, stay_out, come_in in sorted(deeds):
        out |= dict.fromkeys(dropped, why)
        for service in kept:
            out.pop(service, None)
        barred |= dict.fromkeys(stay_out, "异议成立，取消资格")
        barred |= dict.fromkeys(come_in, "")
    return out, barred


def services_of(connection: Connection, row: Any, services: Iterable[int]) -> list[Any]:
    """Give the frozen records of a selection (its row) with these numbers, as they stand in it now."""
    these = _named(row.subject, _SERVICE.c.entry_index.in_(sorted(set(services))))
    asked = select(_RECORD).where(_RECORD.c.selection == row.id, these, _RECORD.c.until.is_(None))
    return list(connection.execute(asked.order_by(_RECORD.c.service)))
