"""
Statements over many rows at once, handed to the driver without a layer between: the hot paths of appending and projecting.

SQLite runs one prepared statement over all rows. PostgreSQL gets one statement with an array a column (unnest), so that a batch costs one round trip
whatever its size. Rows are mappings that all have the columns of the first.
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any, cast

import orjson
from sqlalchemy import Column, Connection, LargeBinary, Table, Text
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError

Rows = Sequence[Mapping[str, Any]]

_BLOBS_AT_ONCE = 5_000
"""Bound parameters of one statement: below SQLite's 32,766."""
_POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]  # to spell column types


def insert_rows(connection: Connection, table: Table, rows: Rows) -> None:
    """Insert rows."""
    if rows:
        _run(connection, _insert(table, tuple(rows[0]), connection.dialect.name), table, rows)


def upsert_rows(connection: Connection, table: Table, rows: Rows) -> None:
    """Insert rows, or replace the columns of those whose primary key is there already. A key may be in *rows* once."""
    if rows:
        _run(connection, _upsert(table, tuple(rows[0]), connection.dialect.name), table, rows)


def add_rows(connection: Connection, table: Table, rows: Rows) -> None:
    """Insert rows, or add their numbers to those of the rows whose primary key is there already. A key may be in *rows* once."""
    if rows:
        _run(connection, _upsert(table, tuple(rows[0]), connection.dialect.name, adding=True), table, rows)


def update_rows(connection: Connection, table: Table, key: str, rows: Rows) -> None:
    """Set the other columns of the rows with these keys."""
    if rows:
        columns = (*(name for name in rows[0] if name != key), key)
        _run(connection, _update(table, columns, connection.dialect.name), table, [{name: row[name] for name in columns} for row in rows])


def rows_where_in(
    connection: Connection,
    columns: Iterable[Column[Any]],
    key: Column[Any],
    values: Iterable[Any],
    *,
    where: str = "",
    said: Sequence[Any] = (),
) -> list[Any]:
    """Fetch *columns* of the rows whose *key* is one of *values*, in any order, as named tuples.

    *where*: another condition in SQL, with a question mark for each value of *said*.
    """
    wanted = list(values)
    found: list[Any] = []
    names = tuple(column.name for column in columns)
    if connection.dialect.name == "postgresql":
        return fetch(connection, _select_in(key, names, where, "postgresql", 0), (_array(key, wanted), *said)) if wanted else found
    if not isinstance(key.type, LargeBinary):
        keys = orjson.dumps(wanted).decode()
        return fetch(connection, _select_in(key, names, where, "sqlite", 0), (keys, *said)) if wanted else found
    for at in range(0, len(wanted), _BLOBS_AT_ONCE):
        part = wanted[at : at + _BLOBS_AT_ONCE]
        room = 1 << (len(part) - 1).bit_length()  # few lengths, so that the driver keeps the statements it has prepared
        part.extend(part[:1] * (room - len(part)))
        found.extend(fetch(connection, _select_in(key, names, where, "sqlite", room), (*part, *said)))
    return found


def rows_in_spans(
    connection: Connection,
    columns: Iterable[Column[Any]],
    key: Column[Any],
    at: Column[Any],
    spans: Mapping[str, tuple[str, str]],
    where: str = "",
) -> list[Any]:
    """Fetch *columns* of the rows whose *key* is one of *spans*, and whose *at* lies in its span (from the first, before the second), as `rows_where_in`.

    Both columns hold text. *where*: another condition in SQL.
    """
    if not spans:
        return []
    names, more = tuple(column.name for column in columns), f" AND {where}" if where else ""
    statement = _select_in_spans(key, at.name, names, more, connection.dialect.name)
    if connection.dialect.name == "postgresql":
        return fetch(connection, statement, [_array(key, part) for part in (spans, *zip(*spans.values(), strict=True))])
    return fetch(connection, statement, (orjson.dumps(spans).decode(),))


@cache
def _select_in_spans(key: Column[Any], at: str, names: tuple[str, ...], more: str, dialect: str) -> str:
    if dialect == "postgresql":
        spans, first, last = "unnest(%s::text[], %s::text[], %s::text[]) AS span(key, first, last)", "span.first", "span.last"
    else:
        spans, first, last = "json_each(?) AS span", "span.value ->> 0", "span.value ->> 1"
    chosen = ", ".join(f'"{key.table.name}"."{name}"' for name in names)
    within = f'"{key.name}" = span.key AND "{at}" >= {first} AND "{at}" < {last}{more}'
    return f'SELECT {chosen} FROM {spans} CROSS JOIN "{key.table.name}" WHERE {within}'  # noqa: S608 our own names


def fetch(connection: Connection, statement: str, said: Sequence[Any] = ()) -> list[Any]:
    """Run a query written for the driver of this database, on the connection's transaction, and give its rows as named tuples.

    Raises what SQLAlchemy would raise, without the values.
    """
    with _cursor(connection, statement) as cursor:
        cursor.execute(statement, said)
        make = _row(tuple(column[0] for column in cursor.description))
        return [make(row) for row in cursor.fetchall()]


def query(connection: Connection, statement: str, said: Sequence[Any] = ()) -> list[Any]:
    """`fetch` with a question mark for each value, whatever the database."""
    return fetch(connection, statement.replace("?", "%s") if connection.dialect.name == "postgresql" else statement, said)


def run(connection: Connection, statement: str) -> None:
    """Run a statement that neither takes nor gives values, on the connection's transaction. Raises as `fetch`."""
    with _cursor(connection, statement) as cursor:
        cursor.execute(statement)


class _cursor:  # noqa: N801 used as a function; a generator would cost more than the call it is for
    """A cursor of the driver, whose errors are raised as SQLAlchemy's, and whose statement is told to those who listen to the engine's cursors."""

    __slots__ = ("_connection", "_cursor", "_statement")

    def __init__(self, connection: Connection, statement: str) -> None:
        self._connection, self._statement = connection, statement

    def __enter__(self) -> Any:
        driver = self._connection.connection.driver_connection
        assert driver is not None
        self._cursor = driver.cursor()
        for listener in self._connection.dispatch.before_cursor_execute:
            listener(self._connection, self._cursor, self._statement, (), None, False)
        return self._cursor

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self._cursor.close()
        dialect = self._connection.dialect
        if error is None:
            for listener in self._connection.dispatch.after_cursor_execute:
                listener(self._connection, self._cursor, self._statement, (), None, False)
        elif isinstance(error, dialect.loaded_dbapi.Error):
            raise DBAPIError.instance(self._statement, None, error, dialect.loaded_dbapi.Error, dialect=dialect) from error


@cache
def _row(names: tuple[str, ...]) -> Callable[[Iterable[Any]], Any]:
    make: Callable[[Iterable[Any]], Any] = cast("Any", namedtuple("Row", names, rename=True))._make  # noqa: PYI024 the columns are only known here
    return make


@cache
def _select_in(key: Column[Any], names: tuple[str, ...], where: str, dialect: str, marks: int) -> str:
    chosen = ", ".join(f'"{name}"' for name in names)
    if dialect == "postgresql":
        among = f"= ANY(%s::{key.type.compile(_POSTGRESQL)}[])"
        where = where.replace("?", "%s")
    elif marks:
        among = f"IN ({', '.join('?' * marks)})"
    else:
        among = "IN (SELECT value FROM json_each(?))"
    more = f" AND {where}" if where else ""
    return f'SELECT {chosen} FROM "{key.table.name}" WHERE "{key.name}" {among}{more}'  # noqa: S608 our own names


def _run(connection: Connection, statement: str, table: Table, rows: Rows) -> None:
    names = tuple(rows[0])
    values = itemgetter(*names) if len(names) > 1 else _only
    with _cursor(connection, statement) as cursor:
        if connection.dialect.name == "postgresql":
            columns = zip(*map(values, rows), strict=True)
            cursor.execute(statement, [_array(table.c[name], column) for name, column in zip(names, columns, strict=True)])
        else:
            cursor.executemany(statement, map(values, rows))


def _array(column: Column[Any], values: Iterable[Any]) -> str:
    """Spell values as an array of PostgreSQL's, which the driver would do ten times slower."""
    if isinstance(column.type, LargeBinary):
        spelt = ["NULL" if value is None else '"\\\\x' + value.hex() + '"' for value in values]
    elif isinstance(column.type, Text):
        spelt = ["NULL" if value is None else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values]
    else:
        spelt = ["NULL" if value is None else str(value) for value in values]
    return "{" + ",".join(spelt) + "}"


def _only(row: Mapping[str, Any]) -> tuple[Any]:
    return (next(iter(row.values())),)


@cache
def _insert(table: Table, columns: tuple[str, ...], dialect: str) -> str:
    names = ", ".join(f'"{name}"' for name in columns)
    if dialect == "postgresql":
        return f'INSERT INTO "{table.name}" ({names}) SELECT * FROM unnest({_arrays(table, columns)})'  # noqa: S608 our own names
    return f'INSERT INTO "{table.name}" ({names}) VALUES ({", ".join("?" * len(columns))})'  # noqa: S608 our own names


@cache
def _upsert(table: Table, columns: tuple[str, ...], dialect: str, *, adding: bool = False) -> str:
    keys = [column.name for column in table.primary_key]
    there = (f'"{table.name}"."{name}" + ' if adding else "" for name in columns)
    changes = ", ".join(f'"{name}" = {old}excluded."{name}"' for name, old in zip(columns, there, strict=True) if name not in keys)
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
