"""What follows from what is said of activities."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from ledger import tables
from ledger.entries import Entry
from ledger.projections.shapes import Handler, as_json, inserting
from ledger.tables import table

_ACTIVITY = table(tables.ActivityRow)
_AS_SAID = (
    *("organisation", "responsible_unit", "theme", "start", "end", "place", "migrated_year", "source"),
    *("responsible_account", "responsible_volunteer", "places", "major", "reported_on", "declared", "recurrence"),
)


def _activity(entry: Entry) -> dict[str, Any]:
    body = entry.body
    return {
        "id": body["activity"],
        "station": body["station"],
        "title": body["title"],
        "series": body["series"],
        "beneficiaries": as_json(body.get("beneficiaries", []) + body.get("beneficiaries_other", [])),
        "services": as_json(body.get("services", []) + body.get("services_other", [])),
        "breaks": as_json(body["breaks"]) if "breaks" in body else None,
        "head_counts": as_json(body["head_counts"]) if "head_counts" in body else None,
        "recorder": entry.actor,
        "entry_index": entry.index,
        "ended_as": None,
        "ended_by": None,
        "ended_reason": None,
        "attended": None,
        **{key: body.get(key) for key in _AS_SAID},
    }


def _closed(connection: Connection, run: Sequence[Entry]) -> None:
    for entry in run:
        body = entry.body
        values = {"ended_as": "closed", "ended_by": entry.index, "attended": body["attended"], "ended_reason": body.get("remark")}
        if "head_counts" in body:
            values["head_counts"] = as_json(body["head_counts"])
        connection.execute(_ACTIVITY.update().where(_ACTIVITY.c.id == body["activity"]).values(values))


def _cancelled(connection: Connection, run: Sequence[Entry]) -> None:
    for entry in run:
        values = {"ended_as": "cancelled", "ended_by": entry.index, "ended_reason": entry.body["reason"]}
        connection.execute(_ACTIVITY.update().where(_ACTIVITY.c.id == entry.body["activity"]).values(values))


HANDLERS: dict[str, Handler] = {
    "activity.published": inserting(tables.ActivityRow, _activity),
    "activity.closed": _closed,
    "activity.cancelled": _cancelled,
}
