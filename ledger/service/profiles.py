"""
A recorder's profile: how somebody's entries of the last half year look together, for whoever approves them.

It says nothing about a person's honesty; it shows what a single sheet does not: the same times again and again, hours that are mostly one person's,
nights, and what had to be put right.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func, select

from ledger.entries import format_time
from ledger.policies import service_policy
from ledger.service.gates import at_night
from ledger.tables import BatchRow, ObjectionRow, ServiceRow, table
from ledger.transactions import ReadTransaction

_SERVICE, _BATCH, _OBJECTION = table(ServiceRow), table(BatchRow), table(ObjectionRow)
WEEKS = 26


@dataclass(frozen=True)
class Profile:
    """Counts of records, but minutes where they say so. weeks: Monday and records of each week, oldest first; foremost: the person with most minutes."""

    records: int
    minutes: int
    people: int
    weeks: list[tuple[date, int]]
    at_night: int
    same_interval: int
    corrected: int
    voided: int
    contested: int
    foremost: str | None
    foremost_minutes: int


def of(tx: ReadTransaction, account: str, stations: Sequence[str]) -> Profile:
    """Count what an account recorded at stations in the last half year."""
    monday = tx.today - timedelta(days=tx.today.weekday())
    first = monday - timedelta(weeks=WEEKS - 1)
    since = select(func.coalesce(func.max(_BATCH.c.size), 0)).where(_BATCH.c.recorded_at < format_time(tx.now - (tx.today - first)))
    start = tx.connection.execute(since).scalar_one()
    names = ("entry_index", "volunteer", "activity", "start", "end", "minutes", "status", "corrected_by", "recorded_at")
    query = select(*(_SERVICE.c[name] for name in names)).where(
        _SERVICE.c.station.in_(stations), _SERVICE.c.recorder == account, _SERVICE.c.entry_index >= start
    )
    rows = [row for row in tx.connection.execute(query) if row.recorded_at[:10] >= first.isoformat()]
    policy = service_policy(tx.connection, tx.today.isoformat())
    weeks: Counter[date] = Counter()
    minutes: Counter[str] = Counter()
    for row in rows:
        day = date.fromisoformat(row.recorded_at[:10])
        weeks[day - timedelta(days=day.weekday())] += 1
        if row.status != "voided":
            minutes[row.volunteer] += row.minutes
    alike = Counter((row.activity, row.start, row.end) for row in rows)
    foremost = max(minutes, key=lambda number: minutes[number], default=None)
    return Profile(
        records=len(rows),
        minutes=sum(minutes.values()),
        people=len({row.volunteer for row in rows}),
        weeks=[(first + timedelta(weeks=n), weeks[first + timedelta(weeks=n)]) for n in range(WEEKS)],
        at_night=sum(at_night(row.start, row.end, policy) for row in rows),
        same_interval=sum(count for count in alike.values() if count >= policy.same_interval_people),
        corrected=sum(row.corrected_by is not None for row in rows),
        voided=sum(row.status == "voided" for row in rows),
        contested=_contested(tx, account, stations, start),
        foremost=foremost,
        foremost_minutes=minutes[foremost] if foremost else 0,
    )


def _contested(tx: ReadTransaction, account: str, stations: Sequence[str], start: int) -> int:
    """Count the account's records that somebody objected to."""
    joined = _OBJECTION.join(_SERVICE, _SERVICE.c.entry_index == _OBJECTION.c.service)
    query = select(func.count(_OBJECTION.c.service.distinct())).select_from(joined)
    said = (_SERVICE.c.recorder == account, _SERVICE.c.station.in_(stations), _SERVICE.c.entry_index >= start)
    return int(tx.connection.execute(query.where(*said)).scalar_one())
