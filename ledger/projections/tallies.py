"""
What volunteers gave in a year, kept up to date as the records behind it change: so that rates need not read every record.

A record is in the tally as long as it is approved and not frozen, whether its publicity has ended or not: that comes with a day and without an entry, so
whoever asks takes away what does not count yet (ledger/rates.py). A year without such a record has no row: the tally follows from the records alone.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection

from ledger import tables
from ledger.bulk import add_rows, rows_where_in
from ledger.tables import table

_SERVICE, _YEAR = table(tables.ServiceRow), table(tables.YearServedRow)
_RECORD = (_SERVICE.c.volunteer, _SERVICE.c.served_on, _SERVICE.c.minutes)
_AT_ONCE = 5_000
_Sums = dict[tuple[str, str], tuple[int, int]]
"""Records and minutes, by year and volunteer."""


def add(connection: Connection, records: Iterable[tuple[str, str, int]]) -> None:
    """Add records that are in the tally from now on: volunteer, day, minutes."""
    _change(connection, {}, _sums(records))


@contextmanager
def following(connection: Connection, records: Sequence[int]) -> Iterator[None]:
    """Let the tally follow what happens to records (by their entries) meanwhile."""
    before = _sums(_tallied(connection, records))
    yield
    _change(connection, before, _sums(_tallied(connection, records)))


def _tallied(connection: Connection, records: Sequence[int]) -> list[tuple[str, str, int]]:
    return rows_where_in(connection, _RECORD, _SERVICE.c.entry_index, records, where="status = 'approved' AND frozen = 0")


def _sums(records: Iterable[tuple[str, str, int]]) -> _Sums:
    found: _Sums = {}
    for volunteer, served_on, minutes in records:
        key = (served_on[:4], volunteer)
        count, total = found.get(key, (0, 0))
        found[key] = (count + 1, total + minutes)
    return found


def _change(connection: Connection, before: _Sums, after: _Sums) -> None:
    rows: list[dict[str, Any]] = []
    fewer: dict[str, list[str]] = {}
    for year, volunteer in sorted(before.keys() | after.keys()):
        (was, had), (now, has) = (sums.get((year, volunteer), (0, 0)) for sums in (before, after))
        if (was, had) != (now, has):
            rows.append({"year": year, "volunteer": volunteer, "records": now - was, "minutes": has - had})
        if now < was:
            fewer.setdefault(year, []).append(volunteer)
    add_rows(connection, _YEAR, rows)
    for year, volunteers in fewer.items():
        for at in range(0, len(volunteers), _AT_ONCE):
            mine = (_YEAR.c.year == year, _YEAR.c.volunteer.in_(volunteers[at : at + _AT_ONCE]))
            connection.execute(_YEAR.delete().where(*mine, _YEAR.c.records == 0))
