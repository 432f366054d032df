"""The two commonest ways in which a table follows entries: a row an entry, and the newest word on a key."""

from collections.abc import Callable, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection

from ledger.bulk import insert_rows, upsert_rows
from ledger.entries import Entry
from ledger.tables import table

Handler = Callable[[Connection, Sequence[Entry]], None]


def as_json(value: Any) -> str:
    """Spell a value as a JSON column holds it."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def inserting(model: Any, row: Callable[[Entry], dict[str, Any]]) -> Handler:
    """Make a handler that turns each entry into one new row."""
    target = table(model)
    return lambda connection, run: insert_rows(connection, target, [row(entry) for entry in run])


def replacing(model: Any, row: Callable[[Entry], dict[str, Any]]) -> Handler:
    """Make a handler that turns each entry into one row, in place of an older one with the same key."""
    target = table(model)
    keys = [column.name for column in target.primary_key]

    def replace(connection: Connection, run: Sequence[Entry]) -> None:
        made = [row(entry) for entry in run]
        newest = {tuple(values[key] for key in keys): values for values in made}  # of two words on one key in a run the later stands
        upsert_rows(connection, target, list(newest.values()))

    return replace
