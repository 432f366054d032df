"""What follows from records handed over to another system."""

from typing import Any

from ledger import tables
from ledger.entries import Entry
from ledger.kinds.handovers import COUNTED
from ledger.projections.shapes import Handler, inserting


def _handed_over(entry: Entry) -> dict[str, Any]:
    body = entry.body
    said = ("station", "period_from", "period_to", "handed_on", *COUNTED, "sha256", "asked_by", "agreed_by", "reason")
    return {"entry_index": entry.index, **{key: body[key] for key in said}}


HANDLERS: dict[str, Handler] = {"records.handed_over": inserting(tables.HandoverRow, _handed_over)}
