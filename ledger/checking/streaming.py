"""Rows straight from the driver, a few thousand at a time: where every entry or row goes by, a layer between would cost as much as the checks."""

import gc
import sqlite3
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any

import psycopg
from psycopg.errors import DataCorrupted, IndexCorrupted, IoError
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError

_ROWS_AT_ONCE = 2_000
_CACHE = -8_192
"""Kilobytes, as SQLite writes them."""
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR}
_cursors = count()

DRIVER_ERRORS = (DBAPIError, sqlite3.Error, psycopg.Error)


def stream(
    connection: Connection, statement: str, said: Sequence[Any] = (), *, lenient: bool = False, few: bool = False
) -> Generator[tuple[Any, ...], None, None]:
    """Stream the rows of a query of our own, with a question mark for each value, on the connection's snapshot.

    *lenient*: what SQLite holds as text and cannot be read as such is given with marks in its place, not stumbled over. *few*: there may well be so few
    rows that PostgreSQL is asked for them at once, and for a cursor only when there are more. Raises the driver's errors.
    """
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "postgresql":
        if driver.info.transaction_status == TransactionStatus.IDLE:
            connection.execute(select(1))  # the snapshot begins with the first statement, and a cursor lives in it
        if few:
            with driver.cursor(binary=True) as cursor:
                found = cursor.execute(f"{statement.replace('?', '%s')} LIMIT {_ROWS_AT_ONCE}", said).fetchall()
            if len(found) < _ROWS_AT_ONCE:
                yield from found
                return
        with driver.cursor(f"stream-{next(_cursors)}", binary=True) as cursor:
            cursor.itersize = _ROWS_AT_ONCE
            cursor.execute(statement.replace("?", "%s"), said)
            yield from cursor
        return
    if not lenient:
        yield from driver.execute(statement, said)
        return
    kept, driver.text_factory = driver.text_factory, _as_text
    try:
        yield from driver.execute(statement, said)
    finally:
        driver.text_factory = kept


def stream_past(connection: Connection, statement: str, first: int, stop: int) -> Generator[tuple[Any, ...], None, None]:
    """`stream`, leniently, the rows whose number (the first column) is from *first* up to *stop*, past those on pages that SQLite cannot read."""
    while first < stop:
        try:
            for row in stream(connection, statement, (first, stop), lenient=True):
                yield row
                first = row[0] + 1
            return
        except sqlite3.Error as error:
            damage(error)
            first += 1


def damage(error: Exception) -> str:
    """Say what the database says of itself when its file is damaged: a page, a sector. Any other error is raised again."""
    found = getattr(error, "orig", None) or error
    if getattr(found, "sqlite_errorcode", 0) & 0xFF in _DAMAGED or isinstance(found, (DataCorrupted, IndexCorrupted, IoError)):
        return str(found).partition("\n")[0]
    raise error


def _as_text(raw: bytes) -> str:
    return raw.decode(errors="replace")


@contextmanager
def small_cache(connection: Connection) -> Iterator[None]:
    """Have SQLite keep few pages: what is read once, in order, need not be kept."""
    if connection.dialect.name != "sqlite":
        yield
        return
    kept = connection.exec_driver_sql("PRAGMA cache_size").scalar_one()
    connection.exec_driver_sql(f"PRAGMA cache_size={_CACHE}")
    try:
        yield
    finally:
        connection.exec_driver_sql(f"PRAGMA cache_size={kept}")


@contextmanager
def without_collecting() -> Iterator[None]:
    """Let nobody look for cycles: what is made by the million here is freed by counting, and looking through what is kept takes a third of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
