"""What follows from what is said of units: stations, organisations, policies, published rates, keys."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from ledger import tables
from ledger.entries import Entry
from ledger.projections import filing
from ledger.projections.shapes import Handler, as_json, inserting, replacing
from ledger.tables import table

_STATION = table(tables.StationRow)


def _policy(entry: Entry) -> dict[str, Any]:
    body = entry.body
    return {
        "policy": body["policy"],
        "effective_on": body["effective_on"],
        "rules": as_json(body["rules"]),
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
        "successor": None,
        "entry_index": entry.index,
    }


def _stations_changed(connection: Connection, run: Sequence[Entry]) -> None:
    for entry in run:
        body = entry.body
        values: dict[str, Any] = {key: body[key] for key in ("name", "parent", "area_type") if key in body}
        if "closed" in body:
            values |= {"closed_on": body["valid_from"] if body["closed"] else None, "successor": None}
        connection.execute(_STATION.update().where(_STATION.c.code == body["station"]).values(entry_index=entry.index, **values))


def _stations_ended(connection: Connection, run: Sequence[Entry]) -> None:
    for entry in run:
        body = entry.body
        values = {"closed_on": body["ended_on"], "successor": body.get("successor"), "entry_index": entry.index}
        connection.execute(_STATION.update().where(_STATION.c.code == body["station"]).values(values))


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


def _published_rate(entry: Entry) -> dict[str, Any]:
    body = entry.body
    counts = ("population", "registered", "confirmed", "participants", "backbone", "minutes")
    said = ("station", "period_from", "period_to", "counted_on", "tree_size", *counts)
    return {"entry_index": entry.index, **{key: body[key] for key in said}}


def _key_rotation(entry: Entry) -> dict[str, Any]:
    return {"entry_index": entry.index, **{key: entry.body[key] for key in ("old_vkey", "new_vkey")}}


def _both(first: Handler, second: Handler) -> Handler:
    """Let two follow the same entries, in this order."""

    def follow(connection: Connection, run: Sequence[Entry]) -> None:
        first(connection, run)
        second(connection, run)

    return follow


HANDLERS: dict[str, Handler] = {
    "policy.adopted": replacing(tables.PolicyRow, _policy),
    "station.registered": _both(inserting(tables.StationRow, _station), filing.named),
    "station.changed": _both(_stations_changed, filing.named),
    "station.ended": _both(_stations_ended, filing.unit_ended),
    "station.population_declared": replacing(tables.PopulationRow, _population),
    "organisation.filed": _both(replacing(tables.OrganisationRow, _organisation), filing.filed),
    "organisation.registered": replacing(tables.OrganisationRow, _organisation),
    "rates.published": inserting(tables.PublishedRateRow, _published_rate),
    "key.rotated": inserting(tables.KeyRotationRow, _key_rotation),
}
