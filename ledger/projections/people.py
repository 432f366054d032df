"""What follows from what is said of volunteers."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from ledger import tables
from ledger.bulk import update_rows
from ledger.entries import Entry
from ledger.projections.shapes import Handler, inserting
from ledger.tables import table

_VOLUNTEER = table(tables.VolunteerRow)


def _volunteer(entry: Entry) -> dict[str, Any]:
    body = entry.body
    return {
        "number": body["volunteer"],
        "station": body["station"],
        "registered_on": body["registered_on"],
        "basis": body["basis"],
        "confirmed_on": body["registered_on"] if body["basis"] == "self" else None,
        "backbone_on": None,
        "identity": body["identity"],
        "contact": body.get("contact"),
        "entry_index": entry.index,
    }


def _backbone(connection: Connection, run: Sequence[Entry]) -> None:
    update_rows(connection, _VOLUNTEER, "number", [{"number": e.body["volunteer"], "backbone_on": e.body["designated_on"]} for e in run])


HANDLERS: dict[str, Handler] = {
    "volunteer.registered": inserting(tables.VolunteerRow, _volunteer),
    "volunteer.backbone_designated": _backbone,
}
