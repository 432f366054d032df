"""What follows from what is said of spot checks."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from ledger import tables
from ledger.bulk import insert_rows
from ledger.entries import Entry
from ledger.kinds.spot_checks import FINDINGS
from ledger.people.actors import below
from ledger.projections.shapes import Handler, as_json
from ledger.tables import table

_ANNOUNCED, _CHECK = table(tables.SpotCheckAnnouncementRow), table(tables.SpotCheckRow)
_SAID = ("station", "available", "source", "digits", "number_on", "tree_size", "root")
_LATER = ("recorded_index", "withdrawn_index", "reason", "withdrawn_by", "withdrawn_at")


def _announced(connection: Connection, run: Sequence[Entry]) -> None:
    for entry in run:
        row = {
            "entry_index": entry.index,
            **{name: entry.body[name] for name in _SAID},
            "records": entry.body["count"],
            "units": as_json(sorted(below(connection, entry.body["station"]))),
            "announced_by": entry.actor,
            "announced_at": entry.recorded_at,
            **dict.fromkeys(_LATER),
        }
        insert_rows(connection, _ANNOUNCED, [row])


def _recorded(connection: Connection, run: Sequence[Entry]) -> None:
    for entry in run:
        body = entry.body
        row: dict[str, Any] = {
            "entry_index": entry.index,
            **{name: body[name] for name in ("announced", "station", "checked_on", "nonce")},
            **{name: len(body[name]) for name in FINDINGS},
            "remark": body.get("remark"),
            "recorder": entry.actor,
            "recorded_at": entry.recorded_at,
        }
        insert_rows(connection, _CHECK, [row])
        _close(connection, entry, {"recorded_index": entry.index})


def _withdrawn(connection: Connection, run: Sequence[Entry]) -> None:
    for entry in run:
        who = {"withdrawn_by": entry.actor, "withdrawn_at": entry.recorded_at}
        _close(connection, entry, {"withdrawn_index": entry.index, "reason": entry.body["reason"], **who})


def _close(connection: Connection, entry: Entry, said: dict[str, Any]) -> None:
    connection.execute(_ANNOUNCED.update().where(_ANNOUNCED.c.entry_index == entry.body["announced"]).values(said))


HANDLERS: dict[str, Handler] = {
    "spot_check.announced": _announced,
    "spot_check.recorded": _recorded,
    "spot_check.withdrawn": _withdrawn,
}
