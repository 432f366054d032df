"""What follows from what is said of selections; the freeze copies what it counts, so that nothing said later changes it."""

from collections.abc import Sequence

import orjson
from sqlalchemy import Connection, select

from ledger import tables
from ledger.bulk import insert_rows, update_rows
from ledger.entries import Entry
from ledger.projections.shapes import Handler, as_json, inserting
from ledger.selections import sources
from ledger.selections.rules import read_said
from ledger.selections.sources import Scope
from ledger.tables import table

_SELECTION, _OBJECTION = table(tables.SelectionRow), table(tables.SelectionObjectionRow)
_LATER = (
    *("replaced_by", "drawn_index", "drawn_value", "drawn_on", "drawn_by", "published_index", "list", "rows", "published_from"),
    *("published_until", "published_by", "sealed_index", "sealed_list", "chosen", "asked_by", "sealed_by", "sealed_at", "board_minutes"),
)
_EFFECTS = ("drop", "keep", "admit", "bar", "unbar")


def _scope(connection: Connection, station: str, year: int, said: dict[str, object], counted_on: str, **days: frozenset[str]) -> Scope:
    """Give what a selection of a unit asks, by rules as an entry says them."""
    rules = read_said(said)
    since, until = rules.span(year)
    return Scope(rules, sources.units_below(connection, station), since, until, counted_on, **days)


def _opened(connection: Connection, run: Sequence[Entry]) -> None:
    for entry in run:
        body = entry.body
        days = {name: frozenset(body.get(name, ())) for name in ("days_off", "days_worked")}
        scope = _scope(connection, body["station"], body["year"], body["rules"], body["counted_on"], **days)
        seats = sources.freeze(connection, body["selection"], entry.index, scope)
        row = {
            "id": body["selection"],
            "entry_index": entry.index,
            **{name: body[name] for name in ("station", "subject", "year", "rules_sha256", "tree_size", "root", "counted_on")},
            "rules": as_json(body["rules"]),
            "period_from": scope.since,
            "period_to": scope.until,
            "seats": as_json({code: list(bounds) for code, bounds in seats.items()}),
            **{name: body.get(name) for name in ("random_source", "replaces")},
            "opened_by": entry.actor,
            "opened_at": entry.recorded_at,
            **dict.fromkeys(_LATER),
        }
        insert_rows(connection, _SELECTION, [row])
        if "replaces" in body:
            update_rows(connection, _SELECTION, "id", [{"id": body["replaces"], "replaced_by": body["selection"]}])


def _doubt(entry: Entry) -> dict[str, object]:
    said = {name: entry.body[name] for name in ("selection", "service", "finding", "reason", "asked_by")}
    return {"entry_index": entry.index, **said, "decided_by": entry.actor, "decided_at": entry.recorded_at}


def _drawn(connection: Connection, run: Sequence[Entry]) -> None:
    rows = [
        {
            "id": entry.body["selection"],
            "drawn_index": entry.index,
            "drawn_value": entry.body["value"],
            "drawn_on": entry.body["drawn_on"],
            "drawn_by": entry.actor,
        }
        for entry in run
    ]
    update_rows(connection, _SELECTION, "id", rows)


def _published(connection: Connection, run: Sequence[Entry]) -> None:
    rows = [
        {
            "id": entry.body["selection"],
            "published_index": entry.index,
            **{name: entry.body[name] for name in ("list", "published_from", "published_until")},
            "rows": as_json(entry.body["rows"]),
            "published_by": entry.actor,
        }
        for entry in run
    ]
    update_rows(connection, _SELECTION, "id", rows)


def _contested(entry: Entry) -> dict[str, object]:
    body = entry.body
    return {
        "entry_index": entry.index,
        **{name: body[name] for name in ("selection", "station", "ground", "means")},
        **{name: body.get(name) for name in ("row", "volunteer", "due_on")},
        "contested_at": entry.recorded_at,
        "actor": entry.actor,
        **dict.fromkeys(("decision", "finding", "reason", "effect", "decided_by", "decided_at")),
    }


def _objections_decided(connection: Connection, run: Sequence[Entry]) -> None:
    for entry in run:
        body = entry.body
        row = {
            "entry_index": body["objection"],
            "decision": entry.index,
            **{name: body[name] for name in ("finding", "reason")},
            "effect": as_json({name: body[name] for name in _EFFECTS if name in body}),
            "decided_by": entry.actor,
            "decided_at": entry.recorded_at,
        }
        update_rows(connection, _OBJECTION, "entry_index", [row])
        if "admit" in body:
            of = connection.execute(select(_SELECTION).where(_SELECTION.c.id == body["selection"])).one()
            scope = _scope(connection, of.station, of.year, orjson.loads(of.rules), entry.recorded_at[:10])
            sources.admit(connection, of.id, entry.index, body["admit"], scope)


def _sealed(connection: Connection, run: Sequence[Entry]) -> None:
    rows = [
        {
            "id": entry.body["selection"],
            "sealed_index": entry.index,
            "sealed_list": entry.body["list"],
            "chosen": entry.body["chosen"],
            "asked_by": entry.body["asked_by"],
            "sealed_by": entry.actor,
            "sealed_at": entry.recorded_at,
            "board_minutes": entry.body.get("board_minutes"),
        }
        for entry in run
    ]
    update_rows(connection, _SELECTION, "id", rows)


HANDLERS: dict[str, Handler] = {
    "selection.opened": _opened,
    "selection.doubt_decided": inserting(tables.SelectionDoubtRow, _doubt),
    "selection.drawn": _drawn,
    "selection.published": _published,
    "selection.contested": inserting(tables.SelectionObjectionRow, _contested),
    "selection.objection_decided": _objections_decided,
    "selection.sealed": _sealed,
}
