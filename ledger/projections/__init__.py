"""
Projections: plain tables that follow the log, updated in the transaction that appends, remade from the log at any time.

`apply` is the only code that changes them. It takes entries in order and works set-wise: a run of entries of one kind
becomes one statement a table (but for the rare ones that change a unit, correct or void: one each).
`replay` remakes everything from stored bytes, up to any size, into any database; what it gives is by definition what the live tables should hold.
`chain` is a projection too; live it is written by the appender, in a replay from the entries themselves.
"""

from collections.abc import Iterable
from itertools import groupby

from sqlalchemy import Connection

from ledger import tables
from ledger.bulk import insert_rows
from ledger.entries import Entry, b64
from ledger.projections import (
    accounts,
    activities,
    batches,
    certificates,
    credit,
    duties,
    erasures,
    figures,
    filing,
    handovers,
    people,
    selections,
    service,
    spot_checks,
    tasks,
    units,
)
from ledger.tables import table

_CHAIN = table(tables.ChainRow)
_HANDLERS = units.HANDLERS | people.HANDLERS | activities.HANDLERS | service.HANDLERS | accounts.HANDLERS | erasures.HANDLERS
_HANDLERS |= batches.HANDLERS | certificates.HANDLERS | credit.HANDLERS | selections.HANDLERS | figures.HANDLERS | spot_checks.HANDLERS
_HANDLERS |= duties.HANDLERS | filing.HANDLERS | handovers.HANDLERS | tasks.HANDLERS


def apply(connection: Connection, logged: Iterable[Entry]) -> None:
    """Let the projections follow entries, given in order and each exactly once."""
    for kind, run in groupby(logged, key=lambda entry: entry.kind):
        _HANDLERS[kind](connection, list(run))


class Replay:
    """Projections remade in another database, entry by entry: feed it decoded entries in order, then `finish`."""

    _AT_ONCE = 2_000

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._waiting: list[Entry] = []
        self._chains: dict[str, tuple[int, bytes]] = {}

    def feed(self, entry: Entry, leaf: bytes) -> None:
        """Take the next entry and its leaf hash."""
        for subject in entry.chains:
            self._chains[subject] = (self._chains.get(subject, (0, b""))[0] + 1, leaf)
        self._waiting.append(entry)
        if len(self._waiting) >= self._AT_ONCE:
            self.flush()

    def finish(self) -> None:
        """Write the chain heads, and what is still waiting."""
        insert_rows(
            self._connection,
            _CHAIN,
            [{"subject": s, "length": n, "leaf": b64(leaf)} for s, (n, leaf) in self._chains.items()],
        )
        self.flush()

    def flush(self) -> None:
        """Write what is still waiting, so that the other tables (not the chain heads) are as they were after the last entry fed."""
        waiting, self._waiting = self._waiting, []  # entries that cannot be applied are not tried again with the next
        apply(self._connection, waiting)


def clear(connection: Connection) -> None:
    """Empty every projection, in the caller's transaction, before a replay in place."""
    for model in tables.PROJECTIONS:
        connection.execute(table(model).delete())
