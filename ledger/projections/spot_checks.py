"""What follows from what is said of spot checks."""

from typing import Any

from ledger import tables
from ledger.entries import Entry
from ledger.kinds.spot_checks import FINDINGS
from ledger.projections.shapes import Handler, inserting


def _recorded(entry: Entry) -> dict[str, Any]:
    body = entry.body
    return {
        "entry_index": entry.index,
        **{name: body[name] for name in ("station", "checked_on", "tree_size", "nonce")},
        **{name: len(body[name]) for name in FINDINGS},
        "remark": body.get("remark"),
        "recorder": entry.actor,
        "recorded_at": entry.recorded_at,
    }


HANDLERS: dict[str, Handler] = {"spot_check.recorded": inserting(tables.SpotCheckRow, _recorded)}
