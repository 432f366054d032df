"""What follows from the end of somebody's data: they are no registered volunteer any more. What they served stays, under a number that names nobody."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, func

from ledger import tables
from ledger.bulk import upsert_rows
from ledger.entries import Entry
from ledger.projections.shapes import Handler
from ledger.tables import table

_ERASURE, _VOLUNTEER = table(tables.ErasureRow), table(tables.VolunteerRow)


def _ending(state: str) -> Handler:
    def follow(connection: Connection, run: Sequence[Entry]) -> None:
        for entry in run:
            row = _row(entry, state)
            upsert_rows(connection, _ERASURE, [row])
            left: dict[str, Any] = {
                "left_on": func.coalesce(_VOLUNTEER.c.left_on, row["decided_on"]),
                "left_as": func.coalesce(_VOLUNTEER.c.left_as, state),
            }
            if state == "erased":  # what these commit to is nowhere any more
                left |= {"contact": None, "guardian": None}
            connection.execute(_VOLUNTEER.update().where(_VOLUNTEER.c.number == entry.body["volunteer"]).values(left))

    return follow


def _row(entry: Entry, state: str) -> dict[str, Any]:
    body = entry.body
    return {
        "subject": "person/" + body["volunteer"],
        "state": state,
        "station": body["station"],
        "requested_on": body["requested_on"],
        "decided_on": body["decided_on"],
        "until": body.get("until"),
        "reason": body["reason"],
        "asked_by": body["asked_by"],
        "decided_by": entry.actor,
        "entry_index": entry.index,
    }


HANDLERS: dict[str, Handler] = {"volunteer.erased": _ending("erased"), "volunteer.restricted": _ending("restricted")}
