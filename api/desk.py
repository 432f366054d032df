"""What lies on a desk: batches of records as a station's staff sees them, and how many wait, are in publicity, or are parked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, func, select

from ledger import activities, stations
from ledger.bulk import rows_where_in
from ledger.errors import NotAllowed
from ledger.people import accounts, volunteers
from ledger.people.actors import Actor, require_above, units
from ledger.service import gates
from ledger.service.records import counting, in_batch, said_by, state_on, waiting
from ledger.tables import EntryRow, ParkedRow, ServiceRow, table
from ledger.transactions import ReadTransaction

_SERVICE, _PARKED, _ENTRY = table(ServiceRow), table(ParkedRow), table(EntryRow)
ALIKE = 5
"""From so many on, records with the same reasons for a look are looked at together."""


@dataclass(frozen=True)
class Line:
    """One record of a batch. *status*: counted, publicity, waiting, contested or voided; *own*: it is the word of the person looking.

    reasons: why an approver should look at it; barred: why the person looking may not approve it (empty: they may).
    """

    row: Any
    name: str
    title: str
    status: str
    leaf: str
    own: bool
    reasons: list[str]
    barred: str


@dataclass(frozen=True)
class Alike:
    """Records of a batch that an approver should look at for the very same reasons."""

    reasons: list[str]
    lines: list[Line]

    @property
    def offered(self) -> list[Line]:
        """Those of them that the person looking may approve."""
        return _offered(self.lines)


@dataclass(frozen=True)
class Batch:
    """One batch: what was handed in at once.

    lag_days: the longest time between a service and its record, in calendar days; late: whether that is over the working days that policy allows.
    """

    id: str
    titles: list[str]
    stations: list[str]
    first_day: str
    last_day: str
    recorded_at: str
    recorder: str
    people: int
    minutes: int
    lag_days: int
    late: bool
    lines: list[Line]

    @property
    def offered(self) -> list[Line]:
        """Those that the person looking may approve: they wait, and nothing in them is their own word."""
        return _offered(self.lines)

    @property
    def marked(self) -> list[Line]:
        """Those that an approver should look at."""
        return [line for line in self.lines if line.reasons]

    @property
    def alike(self) -> list[Alike]:
        """Those to look at together, the most first: a sheet on which everybody has the same times is one thing to look at, not sixty."""
        found: dict[tuple[str, ...], list[Line]] = {}
        for line in self.marked:
            found.setdefault(tuple(line.reasons), []).append(line)
        groups = [Alike(list(reasons), lines) for reasons, lines in found.items() if len(lines) >= ALIKE]
        return sorted(groups, key=lambda group: -len(group.lines))

    @property
    def single(self) -> list[Line]:
        """Those to look at one by one."""
        together = {line.row.entry_index for group in self.alike for line in group.lines}
        return [line for line in self.marked if line.row.entry_index not in together]

    @property
    def plain(self) -> list[Line]:
        """Those with nothing to look at."""
        return [line for line in self.lines if not line.reasons]

    def count(self, status: str) -> int:
        """Count the records in a state."""
        return sum(line.status == status for line in self.lines)

    def total(self, *statuses: str) -> int:
        """Add up the minutes of the records in these states."""
        return sum(line.row.minutes for line in self.lines if line.status in statuses)


@dataclass(frozen=True)
class Counters:
    """Records that wait for approval, those of them that the viewer may approve, records in publicity, and parked rows."""

    waiting: int
    approvable: int
    publicity: int
    parked: int


def status_on(row: Any, day: date) -> str:
    """Say how a record stands on a day: counted, publicity, waiting, contested or voided."""
    return state_on(row, day)


def batches_waiting(tx: ReadTransaction, actor: Actor) -> list[Batch]:
    """List what waits for approval at the actor's stations, oldest batch first; only the waiting records of each."""
    return _batches(tx, actor, waiting(tx.connection, units(tx.connection, actor, "approve")))


def batch(tx: ReadTransaction, actor: Actor, batch_id: str) -> Batch | None:
    """Give a whole batch as it stands; None when there is none at the actor's stations."""
    within = set(units(tx.connection, actor, "see_station"))
    rows = [row for row in in_batch(tx.connection, batch_id) if row.station in within]
    found = _batches(tx, actor, rows)
    return found[0] if found else None


def recent(connection: Connection, actor: Actor, today: date, limit: int) -> list[Any]:
    """List the newest batches of the actor's stations: batch, title, station, days, people, minutes, counts by state."""
    on = today.isoformat()
    columns = (
        _SERVICE.c.batch,
        func.min(_SERVICE.c.activity).label("activity"),
        func.count(_SERVICE.c.activity.distinct()).label("activities"),
        func.min(_SERVICE.c.station).label("station"),
        func.min(_SERVICE.c.served_on).label("first_day"),
        func.max(_SERVICE.c.served_on).label("last_day"),
        func.count(_SERVICE.c.volunteer.distinct()).filter(_SERVICE.c.status != "voided").label("people"),
        func.coalesce(func.sum(_SERVICE.c.minutes).filter(_SERVICE.c.status != "voided"), 0).label("minutes"),
        func.count().filter(_SERVICE.c.status == "recorded", _SERVICE.c.frozen == 0).label("waiting"),
        func.count().filter(_SERVICE.c.status == "approved", _SERVICE.c.effective_on > on, _SERVICE.c.frozen == 0).label("publicity"),
        func.count().filter(counting(on)).label("counted"),
        func.count().filter(_SERVICE.c.status != "voided", _SERVICE.c.frozen == 1).label("contested"),
        func.count().filter(_SERVICE.c.status == "voided").label("voided"),
        func.max(_SERVICE.c.entry_index).label("last_index"),
    )
    query = select(*columns).where(_SERVICE.c.station.in_(units(connection, actor, "see_station"))).group_by(_SERVICE.c.batch)
    return list(connection.execute(query.order_by(func.max(_SERVICE.c.entry_index).desc()).limit(limit)))


def counters(connection: Connection, actor: Actor, today: date) -> Counters:
    """Count what the home page shows."""
    codes = units(connection, actor, "see_station")
    approved = units(connection, actor, "approve")
    pending = (_SERVICE.c.status == "recorded") & (_SERVICE.c.frozen == 0)
    ahead = (_SERVICE.c.status == "approved") & (_SERVICE.c.effective_on > today.isoformat()) & (_SERVICE.c.frozen == 0)
    others_word = (_SERVICE.c.recorder != actor.account) & _SERVICE.c.corrected_by.is_distinct_from(actor.account)
    others_word &= _SERVICE.c.second.is_distinct_from(actor.account)
    columns = (
        func.count().filter(pending),
        func.count().filter(pending & others_word & _SERVICE.c.station.in_(approved)),
        func.count().filter(ahead),
    )
    all_, others, public = connection.execute(select(*columns).where(_SERVICE.c.station.in_(codes))).one()
    stayed = connection.execute(select(func.count()).select_from(_PARKED).where(_PARKED.c.station.in_(codes))).scalar_one()
    return Counters(int(all_), int(others), int(public), int(stayed))


def _offered(lines: Iterable[Line]) -> list[Line]:
    return [line for line in lines if line.status == "waiting" and not line.barred]


def _batches(tx: ReadTransaction, actor: Actor, rows: Sequence[Any]) -> list[Batch]:
    grouped: dict[str, list[Any]] = {}
    for row in rows:
        grouped.setdefault(row.batch, []).append(row)
    names = volunteers.masked_names(tx, {row.volunteer for row in rows})
    known = activities.get_many(tx.connection, {row.activity for row in rows})
    places = stations.names(tx.connection, {row.station for row in rows})
    people = accounts.logins(tx.connection, {row.recorder for row in rows})
    leaves = _leaves(tx.connection, [row.entry_index for row in rows])
    pending = [row for row in rows if row.status == "recorded"]
    reasons = gates.exceptions(tx, pending)
    late = {row.entry_index for row in gates.late(tx, rows)}
    barred = _barred(tx, actor, pending, late)
    found = []
    for batch_id, mine in grouped.items():
        lines = [
            Line(
                row,
                names[row.volunteer],
                known[row.activity].title,
                status_on(row, tx.today),
                leaves[row.entry_index],
                actor.account in said_by(row),
                reasons.get(row.entry_index, []),
                barred.get(row.entry_index, ""),
            )
            for row in mine
        ]
        found.append(
            Batch(
                batch_id,
                list(dict.fromkeys(line.title for line in lines)),
                [places[code] for code in dict.fromkeys(row.station for row in mine)],
                min(row.served_on for row in mine),
                max(row.served_on for row in mine),
                mine[0].recorded_at,
                people[mine[0].recorder],
                len({row.volunteer for row in mine if row.status != "voided"}),
                sum(row.minutes for row in mine if row.status != "voided"),
                max(_lag_days(row) for row in mine),
                any(row.entry_index in late for row in mine),
                lines,
            )
        )
    return found


def _lag_days(row: Any) -> int:
    return (date.fromisoformat(row.recorded_at[:10]) - date.fromisoformat(row.served_on)).days


def _barred(tx: ReadTransaction, actor: Actor, rows: Sequence[Any], late: set[int]) -> dict[int, str]:
    """Say why an actor may not approve records that wait, of those that they may not."""
    above = {code: _reaches_above(tx.connection, actor, code) for code in {row.station for row in rows}}
    found = {}
    for row in rows:
        if actor.account in said_by(row):
            found[row.entry_index] = "您自己登记或更正的"
        elif row.contested_by is not None:
            found[row.entry_index] = "先处理异议"
        elif row.entry_index in late and not above[row.station]:
            found[row.entry_index] = "由上一级审核"
    return found


def _reaches_above(connection: Connection, actor: Actor, station: str) -> bool:
    try:
        require_above(connection, actor, "approve", station)
    except NotAllowed:
        return False
    return True


def _leaves(connection: Connection, indexes: Iterable[int]) -> dict[int, str]:
    """Give the short hashes of entries: what a receipt prints."""
    rows = rows_where_in(connection, (_ENTRY.c.index, _ENTRY.c.leaf), _ENTRY.c.index, indexes)
    return {row.index: bytes(row.leaf).hex()[:12] for row in rows}
