"""What follows from what units hand in."""

from collections.abc import Sequence

from sqlalchemy import Connection

from ledger import tables
from ledger.bulk import insert_rows
from ledger.entries import Entry
from ledger.projections.shapes import Handler, as_json
from ledger.tables import table

_PAPER = table(tables.DutyPaperRow)


def _handed_in(connection: Connection, run: Sequence[Entry]) -> None:
    for entry in run:
        body = entry.body
        row = {name: body[name] for name in ("duty", "station", "period", "handed_on")}
        row |= {
            "organisation": body.get("organisation"),
            "entry_index": entry.index,
            "said": as_json(body["said"]),
            "actor": entry.actor,
            "recorded_at": entry.recorded_at,
            "replaced_by": None,
        }
        insert_rows(connection, _PAPER, [row])
        if "instead_of" in body:
            connection.execute(_PAPER.update().where(_PAPER.c.entry_index == body["instead_of"]).values(replaced_by=entry.index))


HANDLERS: dict[str, Handler] = {"duty.handed_in": _handed_in}
