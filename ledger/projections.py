"""
Projections: plain tables that follow the log, updated in the transaction that appends, remade from the log at any time.

`apply` is the only code that changes them. It takes entries in order and works set-wise: a run of entries of one kind
becomes one statement a table (but for the rare ones that change a unit, correct or void: one each).
`replay` remakes everything from stored bytes, up to any size, into any database; what it gives is by definition what the live tables should hold.
`chain` is a projection too; live it is written by the appender, in a replay from the entries themselves.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any

import orjson
from sqlalchemy import Connection

from ledger import tables
from ledger.actors import OPERATOR
from ledger.bulk import insert_rows, update_rows, upsert_rows
from ledger.entries import Entry, b64
from ledger.tables import table

_STATION, _VOLUNTEER, _SERVICE = table(tables.StationRow), table(tables.VolunteerRow), table(tables.ServiceRow)
_CHAIN = table(tables.ChainRow)

Handler = Callable[[Connection, Sequence[Entry]], None]


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def _inserting(model: Any, row: Callable[[Entry], dict[str, Any]]) -> Handler:
    """Make a handler that turns each entry into one new row."""
    target = table(model)
    return lambda connection, run: insert_rows(connection, target, [row(entry) for entry in run])


def _replacing(model: Any, row: Callable[[Entry], dict[str, Any]]) -> Handler:
    """Make a handler that turns each entry into one row, in place of an older one with the same key."""
    target = table(model)
    keys = [column.name for column in target.primary_key]

    def replace(connection: Connection, run: Sequence[Entry]) -> None:
        made = [row(entry) for entry in run]
        newest = {tuple(values[key] for key in keys): values for values in made}  # of two words on one key in a run the later stands
        upsert_rows(connection, target, list(newest.values()))

    return replace


def _policy(entry: Entry) -> dict[str, Any]:
    body = entry.body
    return {
        "policy": body["policy"],
        "effective_on": body["effective_on"],
        "rules": _json(body["rules"]),
        "entry_index": entry.index,
    }


def _station(entry: Entry) -> dict[str, Any]:
    body = entry.body
    return {
        "code": body["station"],
        "name": body["name"],
        "level": body["level"],
        "parent": body.get("parent"),
        "area_type": body.get("area_type"),
        "valid_from": body["valid_from"],
        "closed_on": None,
        "entry_index": entry.index,
    }


def _stations_changed(connection: Connection, run: Sequence[Entry]) -> None:
    for entry in run:
        body = entry.body
        values: dict[str, Any] = {key: body[key] for key in ("name", "parent", "area_type") if key in body}
        if "closed" in body:
            values["closed_on"] = body["valid_from"] if body["closed"] else None
        connection.execute(_STATION.update().where(_STATION.c.code == body["station"]).values(entry_index=entry.index, **values))


def _population(entry: Entry) -> dict[str, Any]:
    body = entry.body
    return {
        "station": body["station"],
        "counted_on": body["counted_on"],
        "population": body["population"],
        "source": body["source"],
        "entry_index": entry.index,
    }


def _organisation(entry: Entry) -> dict[str, Any]:
    body = entry.body
    filed = entry.kind == "organisation.filed"
    return {
        "id": body["organisation"],
        "station": body["station"],
        "number": body["number"],
        "name": body["name"],
        "scheme": body["scheme"],
        "category": body["category"],
        "volunteer_organisation": int(body["volunteer_organisation"]),
        "basis": "filed" if filed else "registered",
        "since": body["filed_on"] if filed else body["registered_on"],
        "expires_on": body.get("expires_on"),
        "contact": body.get("contact"),
        "entry_index": entry.index,
    }


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


def _activity(entry: Entry) -> dict[str, Any]:
    body = entry.body
    wanted = ("organisation", "responsible_unit", "start", "end", "place", "migrated_year", "source")
    return {
        "id": body["activity"],
        "station": body["station"],
        "title": body["title"],
        "series": body["series"],
        "beneficiaries": _json(body.get("beneficiaries", []) + body.get("beneficiaries_other", [])),
        "services": _json(body.get("services", []) + body.get("services_other", [])),
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


def _published_rate(entry: Entry) -> dict[str, Any]:
    body = entry.body
    counts = ("population", "registered", "confirmed", "participants", "backbone", "minutes")
    said = ("station", "period_from", "period_to", "counted_on", "tree_size", *counts)
    return {"entry_index": entry.index, **{key: body[key] for key in said}}


def _key_rotation(entry: Entry) -> dict[str, Any]:
    return {"entry_index": entry.index, **{key: entry.body[key] for key in ("old_vkey", "new_vkey")}}


_HANDLERS: dict[str, Handler] = {
    "policy.adopted": _replacing(tables.PolicyRow, _policy),
    "station.registered": _inserting(tables.StationRow, _station),
    "station.changed": _stations_changed,
    "station.population_declared": _replacing(tables.PopulationRow, _population),
    "organisation.filed": _replacing(tables.OrganisationRow, _organisation),
    "organisation.registered": _replacing(tables.OrganisationRow, _organisation),
    "volunteer.registered": _inserting(tables.VolunteerRow, _volunteer),
    "volunteer.backbone_designated": _backbone,
    "activity.published": _inserting(tables.ActivityRow, _activity),
    "service.recorded": _inserting(tables.ServiceRow, _service),
    "service.approved": _services_approved,
    "service.corrected": _services_corrected,
    "service.voided": _services_voided,
    "rates.published": _inserting(tables.PublishedRateRow, _published_rate),
    "key.rotated": _inserting(tables.KeyRotationRow, _key_rotation),
}


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
            self._flush()

    def finish(self) -> None:
        """Write the chain heads, and what is still waiting."""
        insert_rows(
            self._connection,
            _CHAIN,
            [{"subject": s, "length": n, "leaf": b64(leaf)} for s, (n, leaf) in self._chains.items()],
        )
        self._flush()

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []  # entries that cannot be applied are not tried again with the next
        apply(self._connection, waiting)


def clear(connection: Connection) -> None:
    """Empty every projection, in the caller's transaction, before a replay in place."""
    for model in tables.PROJECTIONS:
        connection.execute(table(model).delete())
