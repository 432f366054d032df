"""Rows straight from the driver, a few thousand at a time: where every entry or row goes by, a layer between would cost as much as the checks."""

import gc
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any

from sqlalchemy import Connection, select

_ROWS_AT_ONCE = 2_000
_CACHE = -8_192
"""Kilobytes, as SQLite writes them."""
_cursors = count()


def stream(
    connection: Connection, statement: str, said: Sequence[Any] = (), *, lenient: bool = False
) -> Generator[tuple[Any, ...], None, None]:
    """Stream the rows of a query of our own, with a question mark for each value, on the connection's snapshot.

    *lenient*: what SQLite holds as text and cannot be read as such is given with marks in its place, not stumbled over. Raises the driver's errors.
    """
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "postgresql":
        connection.execute(select(1))  # the snapshot begins with the first statement, and a cursor lives in it
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
