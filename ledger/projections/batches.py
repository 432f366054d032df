"""What follows from a batch that was declared void as a whole."""

from collections.abc import Sequence

from sqlalchemy import Connection

from ledger import tables
from ledger.bulk import update_rows
from ledger.entries import Entry
from ledger.projections import tallies
from ledger.projections.shapes import Handler
from ledger.tables import table

_SERVICE = table(tables.ServiceRow)


def _batches_voided(connection: Connection, run: Sequence[Entry]) -> None:
    rows = [
        {"entry_index": index, "status": "voided", "reason": entry.body["reason"], "changed_by": entry.index}
        for entry in run
        for index in entry.body["services"]
    ]
    with tallies.following(connection, [row["entry_index"] for row in rows]):
        update_rows(connection, _SERVICE, "entry_index", rows)


HANDLERS: dict[str, Handler] = {"batch.voided": _batches_voided}
