"""What follows from what is said of services."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from ledger import tables
from ledger.bulk import insert_rows, update_rows
from ledger.entries import Entry
from ledger.people.actors import OPERATOR
from ledger.projections import tallies
from ledger.projections.shapes import Handler, inserting
from ledger.tables import table

_SERVICE, _OBJECTION, _OMISSION = table(tables.ServiceRow), table(tables.ObjectionRow), table(tables.OmissionRow)


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
        "second": body.get("second"),
        "approved_by": None,
        "contested_by": None,
        "frozen": 0,
    }


def _services_recorded(connection: Connection, run: Sequence[Entry]) -> None:
    insert_rows(connection, _SERVICE, [_service(entry) for entry in run])
    settled = (entry.body for entry in run if entry.body.get("settled", False))
    tallies.add(connection, ((body["volunteer"], body["served_on"], body["minutes"]) for body in settled))


def _services_approved(connection: Connection, run: Sequence[Entry]) -> None:
    rows = [
        {"entry_index": index, "status": "approved", "effective_on": entry.body["effective_on"], "approved_by": entry.actor}
        for entry in run
        for index in entry.body["services"]
    ]
    with tallies.following(connection, [row["entry_index"] for row in rows]):
        update_rows(connection, _SERVICE, "entry_index", rows)


def _services_corrected(connection: Connection, run: Sequence[Entry]) -> None:
    for entry in run:
        body = entry.body
        values = {key: body[key] for key in ("served_on", "start", "end", "minutes", "reason")}
        values |= {"break_minutes": body.get("break_minutes", 0), "changed_by": entry.index, "corrected_by": entry.actor}
        if entry.actor != OPERATOR.account:
            values |= {"status": "recorded", "effective_on": None}
        with tallies.following(connection, [body["service"]]):
            connection.execute(_SERVICE.update().where(_SERVICE.c.entry_index == body["service"]).values(values))


def _services_voided(connection: Connection, run: Sequence[Entry]) -> None:
    for entry in run:
        values = {"status": "voided", "reason": entry.body["reason"], "changed_by": entry.index}
        with tallies.following(connection, [entry.body["service"]]):
            connection.execute(_SERVICE.update().where(_SERVICE.c.entry_index == entry.body["service"]).values(values))


def _services_contested(connection: Connection, run: Sequence[Entry]) -> None:
    rows = [
        {
            "entry_index": entry.index,
            "contested_at": entry.recorded_at,
            "actor": entry.actor,
            "due_on": entry.body.get("due_on"),
            **{name: entry.body[name] for name in ("service", "station", "claim")},
            **dict.fromkeys(("finding", "reason", "decided_by", "decided_at", "decision")),
        }
        for entry in run
    ]
    insert_rows(connection, _OBJECTION, rows)
    held = [{"entry_index": e.body["service"], "contested_by": e.index, "frozen": int(e.body["frozen"])} for e in run]
    with tallies.following(connection, [row["entry_index"] for row in held]):
        update_rows(connection, _SERVICE, "entry_index", held)


def _decision(entry: Entry) -> dict[str, Any]:
    """Give what an entry decided, in the columns that objections and omissions share."""
    said = {name: entry.body[name] for name in ("finding", "reason")}
    return {**said, "decided_by": entry.actor, "decided_at": entry.recorded_at, "decision": entry.index}


def _objections_decided(connection: Connection, run: Sequence[Entry]) -> None:
    rows = [{"entry_index": entry.body["objection"], **_decision(entry)} for entry in run]
    update_rows(connection, _OBJECTION, "entry_index", rows)
    freed = [{"entry_index": entry.body["service"], "contested_by": None, "frozen": 0} for entry in run]
    with tallies.following(connection, [row["entry_index"] for row in freed]):
        update_rows(connection, _SERVICE, "entry_index", freed)


def _omission(entry: Entry) -> dict[str, Any]:
    body = entry.body
    receipt = body.get("receipt", {})
    return {
        "entry_index": entry.index,
        **{name: body[name] for name in ("volunteer", "station", "served_on", "proof", "means")},
        **{name: body.get(name) for name in ("activity", "start", "end", "due_on")},
        "receipt_index": receipt.get("index"),
        "receipt_hash": receipt.get("short_hash"),
        "receipt_state": receipt.get("state"),
        "claimed_at": entry.recorded_at,
        "actor": entry.actor,
        **dict.fromkeys(("finding", "reason", "decided_by", "decided_at", "decision", "service")),
    }


def _omissions_decided(connection: Connection, run: Sequence[Entry]) -> None:
    rows = [{"entry_index": entry.body["omission"], **_decision(entry), "service": entry.body.get("service")} for entry in run]
    update_rows(connection, _OMISSION, "entry_index", rows)


HANDLERS: dict[str, Handler] = {
    "service.recorded": _services_recorded,
    "service.approved": _services_approved,
    "service.corrected": _services_corrected,
    "service.voided": _services_voided,
    "service.contested": _services_contested,
    "service.objection_decided": _objections_decided,
    "service.omission_claimed": inserting(tables.OmissionRow, _omission),
    "service.omission_decided": _omissions_decided,
}
