"""The machine's own limits, measured in the same run as what approaches them: raw fsync, raw hashing, a bare loop that inserts the same rows."""

import hashlib
import os
import sqlite3
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Table
from sqlmodel import SQLModel

from ledger import tables
from ledger.tables import table


def fsyncs_per_second(folder: Path, seconds: float = 1.0) -> float:
    """Append 4 KiB and fdatasync, over and over."""
    path = folder / "fsync"
    count, began = 0, time.perf_counter()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        while time.perf_counter() - began < seconds:
            os.write(descriptor, b"x" * 4096)
            os.fdatasync(descriptor)
            count += 1
    finally:
        os.close(descriptor)
        path.unlink()
    return count / (time.perf_counter() - began)


def hashes_per_second(bodies: Sequence[bytes]) -> float:
    """Hash each body once: no verification can be faster."""
    sha256 = hashlib.sha256
    seconds = best_of(3, lambda: [sha256(body).digest() for body in bodies])
    return len(bodies) / seconds


def bare_inserts_seconds(engine: Engine, path: Path) -> float:
    """Insert the rows that a SQLite ledger holds into a fresh file with the same schema, one transaction a batch of the log, triggers and all."""
    models: list[type[SQLModel]] = [*tables.LOG, *tables.PROJECTIONS, tables.PersonRow, tables.BlindIndexRow]
    with engine.connect() as connection:
        rows = {table(model): [tuple(row) for row in connection.execute(table(model).select())] for model in models}
        schema = (
            connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'").scalars().all()
        )
    sizes = sorted(row[0] for row in rows[table(tables.BatchRow)])
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        for statement in sorted(schema, key=lambda text: text.startswith("CREATE TRIGGER")):
            db.execute(statement)
        began = time.perf_counter()
        for at, size in enumerate(sizes):
            db.execute("BEGIN IMMEDIATE")
            for target, all_ in rows.items():
                _insert_part(db, target, all_, sizes[at - 1] if at else 0, size, last=size == sizes[-1])
            db.execute("COMMIT")
        return time.perf_counter() - began


def _insert_part(db: sqlite3.Connection, target: Table, rows: list[tuple[Any, ...]], first: int, stop: int, *, last: bool) -> None:
    """Insert the rows that belong to a batch of the log: by their entry index; those without one go with the last."""
    names = [column.name for column in target.columns]
    key = next((name for name in ("entry_index", "size", "index") if name in names and target.name != "tile"), None)
    if key is None:
        part = rows if last else []
    else:
        at, shift = names.index(key), 1 if key == "size" else 0
        part = [row for row in rows if first <= row[at] - shift < stop]
    marks = ",".join("?" * len(names))
    quoted = ",".join(f'"{name}"' for name in names)  # by name: a column that a migration added stands last in the file
    db.executemany(f"INSERT INTO {target.name} ({quoted}) VALUES ({marks})", part)  # noqa: S608 our own table names


def best_of(times: int, work: Callable[[], object]) -> float:
    """Give the shortest of some runs, in seconds."""
    return min(timed(work) for _ in range(times))


def median_of(times: int, work: Callable[[], object]) -> float:
    """Give the median of some runs, in seconds."""
    return statistics.median(timed(work) for _ in range(times))


def timed(work: Callable[[], object]) -> float:
    """Run once; seconds."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
