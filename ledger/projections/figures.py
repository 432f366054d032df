"""What follows from figures that units hand in, and from marks that organisations are given."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from ledger import tables
from ledger.entries import Entry
from ledger.projections.shapes import Handler, inserting, replacing
from ledger.tables import table

_MARK = table(tables.OrganisationMarkRow)


def _figure(entry: Entry) -> dict[str, Any]:
    return {**{key: entry.body[key] for key in ("station", "figure", "counted_on", "value", "source")}, "entry_index": entry.index}


def _marked(entry: Entry) -> dict[str, Any]:
    said = {key: entry.body[key] for key in ("organisation", "mark", "station", "since", "basis")}
    return {**said, "ended_on": None, "ended_reason": None, "entry_index": entry.index}


def _unmarked(connection: Connection, run: Sequence[Entry]) -> None:
    for entry in run:
        body = entry.body
        held = (_MARK.c.organisation == body["organisation"], _MARK.c.mark == body["mark"], _MARK.c.ended_on.is_(None))
        connection.execute(_MARK.update().where(*held).values(ended_on=body["ended_on"], ended_reason=body["reason"]))


HANDLERS: dict[str, Handler] = {
    "station.figure_declared": replacing(tables.FigureRow, _figure),
    "organisation.marked": inserting(tables.OrganisationMarkRow, _marked),
    "organisation.unmarked": _unmarked,
}
