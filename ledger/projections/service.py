"""What follows from what is said of activities and services."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from ledger import tables
from ledger.bulk import update_rows
from ledger.entries import Entry
from ledger.people.actors import OPERATOR
from ledger.projections.shapes import Handler, as_json, inserting
from ledger.tables import table

_SERVICE = table(tables.ServiceRow)


def _activity(entry: Entry) -> dict[str, Any]:
    body = entry.body
    wanted = ("organisation", "responsible_unit", "start", "end", "place", "migrated_year", "source")
    return {
        "id": body["activity"],
        "station": body["station"],
        "title": body["title"],
        "series": body["series"],
        "beneficiaries": as_json(body.get("beneficiaries", []) + body.get("beneficiaries_other", [])),
        "services": as_json(body.get("services", []) + body.get("services_other", [])),
        "recorder": entry.actor,
        "entry_index": entry.index,
        **{key: body.get(key) for key in wanted},
    }


def _service(entry: Entry) -> dict[str, Any]:
    body = entry.body
    source = body.get("source", {})
    settled = body.get("settled", False)
    return {
        "entry_index": entry.index,
        "volunteer": body["volunteer"],
        "activity": body["activity"],
        "station": body["station"],
        "organisation": body.get("organisation"),
        "served_on": body["served_on"],
        "start": body["start"],
        "end": body["end"],
        "minutes": body["minutes"],
        "break_minutes": body.get("break_minutes", 0),
        "grade": body["grade"],
        "batch": body["batch"],
        "source_sha256": source.get("sha256"),
        "source_row": source.get("row"),
        "status": "approved" if settled else "recorded",
        "effective_on": body["served_on"] if settled else None,
        "recorder": entry.actor,
        "recorded_at": entry.recorded_at,
        "changed_by": None,
        "corrected_by": None,
        "reason": None,
    }


def _services_approved(connection: Connection, run: Sequence[Entry]) -> None:
    rows = [
        {"entry_index": index, "status": "approved", "effective_on": entry.body["effective_on"]}
        for entry in run
        for index in entry.body["services"]
    ]
    update_rows(connection, _SERVICE, "entry_index", rows)


def _services_corrected(connection: Connection, run: Sequence[Entry]) -> None:
    for entry in run:
        body = entry.body
        values = {key: body[key] for key in ("served_on", "start", "end", "minutes", "reason")}
        values |= {"break_minutes": body.get("break_minutes", 0), "changed_by": entry.index, "corrected_by": entry.actor}
        if entry.actor != OPERATOR.account:
            values |= {"status": "recorded", "effective_on": None}
        connection.execute(_SERVICE.update().where(_SERVICE.c.entry_index == body["service"]).values(values))


def _services_voided(connection: Connection, run: Sequence[Entry]) -> None:
    for entry in run:
        values = {"status": "voided", "reason": entry.body["reason"], "changed_by": entry.index}
        connection.execute(_SERVICE.update().where(_SERVICE.c.entry_index == entry.body["service"]).values(values))


HANDLERS: dict[str, Handler] = {
    "activity.published": inserting(tables.ActivityRow, _activity),
    "service.recorded": inserting(tables.ServiceRow, _service),
    "service.approved": _services_approved,
    "service.corrected": _services_corrected,
    "service.voided": _services_voided,
}
