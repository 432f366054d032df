"""
Statements over many rows at once, handed to the driver without a layer between: the hot paths of appending and projecting.

SQLite runs one prepared statement over all rows. PostgreSQL gets one statement with an array a column (unnest), so that a batch costs one round trip
whatever its size. Rows are mappings that all have the columns of the first.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any

import orjson
from sqlalchemy import Column, ColumnElement, Connection, LargeBinary, Table, bindparam, func, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import ARRAY

Rows = Sequence[Mapping[str, Any]]

_BLOBS_AT_ONCE = 5_000
"""Bound parameters of one statement: below SQLite's 32,766."""
_POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]  # to spell column types


def insert_rows(connection: Connection, table: Table, rows: Rows) -> None:
    """Insert rows."""
    if rows:
        _run(connection, _insert(table, tuple(rows[0]), connection.dialect.name), rows)


def upsert_rows(connection: Connection, table: Table, rows: Rows) -> None:
    """Insert rows, or replace the columns of those whose primary key is there already. A key may be in *rows* once."""
    if rows:
        _run(connection, _upsert(table, tuple(rows[0]), connection.dialect.name), rows)


def update_rows(connection: Connection, table: Table, key: str, rows: Rows) -> None:
    """Set the other columns of the rows with these keys."""
    if rows:
        columns = (*(name for name in rows[0] if name != key), key)
        _run(connection, _update(table, columns, connection.dialect.name), [{name: row[name] for name in columns} for row in rows])


def rows_where_in(
    connection: Connection, columns: Iterable[Any], key: Column[Any], values: Iterable[Any], *where: ColumnElement[bool]
) -> Iterator[Any]:
    """Fetch *columns* of the rows whose *key* is one of *values* (and for which *where* holds), in any order."""
    wanted = list(values)
    if not wanted:
        return
    statement = select(*columns).where(*where)
    if connection.dialect.name == "postgresql":
        keys = bindparam("the_keys", wanted, type_=ARRAY(key.type))
        yield from connection.execute(statement.where(key == func.any(keys))).all()
    elif isinstance(key.type, LargeBinary):
        for at in range(0, len(wanted), _BLOBS_AT_ONCE):
            yield from connection.execute(statement.where(key.in_(wanted[at : at + _BLOBS_AT_ONCE]))).all()
    else:
        listed = func.json_each(bindparam("the_keys", orjson.dumps(wanted).decode())).table_valued("value")
        yield from connection.execute(statement.where(key.in_(select(listed.c.value)))).all()


def _run(connection: Connection, statement: str, rows: Rows) -> None:
    values = itemgetter(*rows[0]) if len(rows[0]) > 1 else _only
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(statement, tuple(map(list, zip(*map(values, rows), strict=True))))
    else:
        connection.exec_driver_sql(statement, [values(row) for row in rows])


def _only(row: Mapping[str, Any]) -> tuple[Any]:
    return (next(iter(row.values())),)


@cache
def _insert(table: Table, columns: tuple[str, ...], dialect: str) -> str:
    names = ", ".join(f'"{name}"' for name in columns)
    if dialect == "postgresql":
        return f'INSERT INTO "{table.name}" ({names}) SELECT * FROM unnest({_arrays(table, columns)})'  # noqa: S608 our own names
    return f'INSERT INTO "{table.name}" ({names}) VALUES ({", ".join("?" * len(columns))})'  # noqa: S608 our own names


@cache
def _upsert(table: Table, columns: tuple[str, ...], dialect: str) -> str:
    keys = [column.name for column in table.primary_key]
    changes = ", ".join(f'"{name}" = excluded."{name}"' for name in columns if name not in keys)
    conflict = ", ".join(f'"{name}"' for name in keys)
    insert = _insert(table, columns, dialect)
    return f"{insert} ON CONFLICT ({conflict}) DO UPDATE SET {changes}"


@cache
def _update(table: Table, columns: tuple[str, ...], dialect: str) -> str:
    *changed, key = columns
    if dialect == "postgresql":
        names = ", ".join(f'"{name}"' for name in columns)
        changes = ", ".join(f'"{name}" = given."{name}"' for name in changed)
        source = f"unnest({_arrays(table, columns)}) AS given({names})"
        return f'UPDATE "{table.name}" SET {changes} FROM {source} WHERE "{table.name}"."{key}" = given."{key}"'  # noqa: S608 our own names
    changes = ", ".join(f'"{name}" = ?' for name in changed)
    return f'UPDATE "{table.name}" SET {changes} WHERE "{key}" = ?'  # noqa: S608 our own names


def _arrays(table: Table, columns: tuple[str, ...]) -> str:
    return ", ".join(f"%s::{table.c[name].type.compile(_POSTGRESQL)}[]" for name in columns)
