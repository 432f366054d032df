"""What follows from what is said of accounts: whose each is, who holds which role now, and the history of it (of volunteers' accounts there is none)."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from ledger import tables
from ledger.bulk import insert_rows
from ledger.entries import Entry
from ledger.projections.shapes import Handler
from ledger.tables import table

_GRANT, _CHANGE, _BINDING = table(tables.RoleGrantRow), table(tables.AccountChangeRow), table(tables.AccountBindingRow)


def _change(entry: Entry, change: str) -> dict[str, Any]:
    said = {name: entry.body.get(name) for name in ("account", "role", "station", "reason", "proposed_by")}
    return {"entry_index": entry.index, "change": change, "actor": entry.actor, "recorded_at": entry.recorded_at, **said}


def _granted(connection: Connection, run: Sequence[Entry]) -> None:
    rows = [{"entry_index": e.index, **{name: e.body.get(name) for name in ("account", "role", "station")}} for e in run]
    insert_rows(connection, _GRANT, rows)
    insert_rows(connection, _CHANGE, [_change(entry, "granted") for entry in run])


def _ended(connection: Connection, run: Sequence[Entry]) -> None:
    for entry in run:
        body = entry.body
        held = (_GRANT.c.account == body["account"]) & (_GRANT.c.role == body["role"])
        connection.execute(_GRANT.delete().where(held & _GRANT.c.station.is_not_distinct_from(body.get("station"))))
    insert_rows(connection, _CHANGE, [_change(entry, "ended") for entry in run])


def _changed(connection: Connection, run: Sequence[Entry]) -> None:
    insert_rows(connection, _CHANGE, [_change(entry, entry.body["change"]) for entry in run])


def _of_staff(run: Sequence[Entry], change: str) -> list[dict[str, Any]]:
    return [_change(entry, change) for entry in run if "volunteer" not in entry.body]


def _opened(connection: Connection, run: Sequence[Entry]) -> None:
    rows = [{"entry_index": e.index, **{name: e.body.get(name) for name in ("account", "login", "volunteer", "identity")}} for e in run]
    insert_rows(connection, _BINDING, rows)
    insert_rows(connection, _CHANGE, _of_staff(run, "opened"))


def _identity(connection: Connection, run: Sequence[Entry]) -> None:
    for entry in run:
        mine = _BINDING.update().where(_BINDING.c.account == entry.body["account"])
        connection.execute(mine.values(identity=entry.body.get("identity")))
    insert_rows(connection, _CHANGE, _of_staff(run, run[0].kind.replace(".", "_")))


HANDLERS: dict[str, Handler] = {
    "role.granted": _granted,
    "role.ended": _ended,
    "account.changed": _changed,
    "account.opened": _opened,
    "identity.linked": _identity,
    "identity.unlinked": _identity,
}
