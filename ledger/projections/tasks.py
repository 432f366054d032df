"""What follows from what is said of tasks."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from ledger import tables
from ledger.entries import Entry
from ledger.projections.shapes import Handler, inserting
from ledger.tables import table

_TASK = table(tables.TaskRow)


def _assigned(entry: Entry) -> dict[str, Any]:
    body = entry.body
    said = {name: body[name] for name in ("station", "title", "basis", "due_on")}
    made = {"id": body["task"], "detail": body.get("detail"), "assigned_on": entry.recorded_at[:10], "assigned_by": entry.actor}
    closed = dict.fromkeys(("done_on", "result", "dropped_reason", "closed_by"))
    return {**made, **said, **closed, "entry_index": entry.index}


def _closed(connection: Connection, run: Sequence[Entry]) -> None:
    for entry in run:
        body = entry.body
        said = {
            "done_on": body.get("done_on"),
            "result": body.get("result"),
            "dropped_reason": body.get("reason"),
            "closed_by": entry.index,
        }
        connection.execute(_TASK.update().where(_TASK.c.id == body["task"]).values(said))


HANDLERS: dict[str, Handler] = {"task.assigned": inserting(tables.TaskRow, _assigned), "task.done": _closed, "task.dropped": _closed}
