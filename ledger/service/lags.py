"""
How late a station writes things down: the share of records filled in afterwards, and the median days between a service and its record.

Filled in afterwards (补录) is what was recorded after the working days that policy allows, or with that grade of evidence. Hours of an older platform
(grade D) are left out. Both times stand in every entry, so anybody who holds the log counts the same.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

from sqlalchemy import Connection, func, select

from ledger.errors import InvalidRequest
from ledger.policies import service_policy
from ledger.tables import ServiceRow, table
from ledger.transactions import ReadTransaction
from ledger.workdays import calendar

_SERVICE = table(ServiceRow)


@dataclass(frozen=True)
class Lag:
    """Of the services of a year: how many records, how many of them filled in afterwards, the median lag in days, and how many cannot be told."""

    records: int
    filled_in: int
    median_days: int
    unknown: int


def of(tx: ReadTransaction, stations: Sequence[str], year: int) -> Lag | None:
    """Count the lags of stations together, over a year's services; None when there are none."""
    ended, came = func.substr(_SERVICE.c.end, 1, 10), func.substr(_SERVICE.c.recorded_at, 1, 10)
    query = (
        select(ended, came, _SERVICE.c.grade, func.count())
        .where(_SERVICE.c.station.in_(stations), _SERVICE.c.status != "voided", _SERVICE.c.grade != "D")
        .where(_SERVICE.c.served_on >= f"{year}-01-01", _SERVICE.c.served_on <= f"{year}-12-31")
        .group_by(ended, came, _SERVICE.c.grade)
    )
    judged = judge(tx.connection, tx.today)
    days: Counter[int] = Counter()
    filled_in = unknown = 0
    for end, recorded, grade, count in tx.connection.execute(query):
        days[(date.fromisoformat(recorded) - date.fromisoformat(end)).days] += count
        late = judged(end, recorded)
        unknown += count if late is None else 0
        filled_in += count if late or grade == "C" else 0
    records = sum(days.values())
    return Lag(records, filled_in, _median(days, records), unknown) if records else None


def judge(connection: Connection, today: date) -> Callable[[str, str], bool | None]:
    """Give what tells whether a record came later than policy allows, from the days of its end and its coming; None: a year without working days."""
    due, known = service_policy(connection, today.isoformat()).entry_due_working_days, calendar(connection)

    @cache
    def late(ended: str, came: str) -> bool | None:
        first, last = date.fromisoformat(ended), date.fromisoformat(came)
        try:
            return (last - first).days > due and known.between(first, last) > due
        except InvalidRequest:
            return None

    return late


def _median(days: Counter[int], records: int) -> int:
    """Give the day that half of the records were there by."""
    seen = 0
    for day in sorted(days):
        seen += days[day]
        if 2 * seen >= records:
            return day
    raise AssertionError(records)
