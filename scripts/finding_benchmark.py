"""Finding one person by ID number among a million: in the ledger itself, and over HTTP."""

import os
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from ledger.ids import ALPHABET
from ledger.people import volunteers
from ledger.people.actors import OPERATOR
from ledger.people.volunteers import Registration
from ledger.store import Ledger

PEOPLE = 1_000_000
_AT_ONCE = 200_000
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def id_numbers(count: int) -> list[str]:
    """Make ID numbers that could be somebody's, all different."""
    found = []
    for at in range(count):
        stem = f"340104{1950 + at % 50}0101{at // 50:03d}"
        found.append(stem + "10X98765432"[sum(int(digit) * weight for digit, weight in zip(stem, _WEIGHTS, strict=True)) % 11])
    return found


def crowd(ledger: Ledger, station: str, known: list[str], count: int = PEOPLE) -> None:
    """Register the people of these ID numbers, and have *count* more stand around them: rows of the same shape, sealed to nobody (SQLite)."""
    people = [Registration("测试", number, station, ledger.now().date(), "clerk", "13800000000") for number in known]
    ledger.write(lambda tx: volunteers.register_many(tx, people), OPERATOR)
    database = Path(ledger.settings.database_url.removeprefix("sqlite:///"))
    drawn = random.Random(7)  # noqa: S311 repeatable load
    numbers = sorted({"".join(drawn.choices(ALPHABET, k=10)) for _ in range(count)})
    for path, tables in ((database, ("volunteer", "person", "blind_index")), (ledger.settings.key_store, ("data_key",))):
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            db.execute("PRAGMA synchronous=OFF")
            db.execute("PRAGMA cache_size=-400000")
            for table in tables:
                _fill(db, table, numbers)


def _fill(db: sqlite3.Connection, table: str, numbers: list[str]) -> None:
    """Insert a row for each number, like those that are there: other subject, other bytes, of the same lengths."""
    cursor = db.execute(f"SELECT * FROM {table} LIMIT 1")  # noqa: S608 ours
    names = [column[0] for column in cursor.description]
    model = dict(zip(names, cursor.fetchone(), strict=True))
    marks = ",".join("?" * len(names))
    for at in range(0, len(numbers), _AT_ONCE):
        db.execute("BEGIN IMMEDIATE")
        db.executemany(f"INSERT INTO {table} VALUES ({marks})", _like(model, numbers[at : at + _AT_ONCE], at))  # noqa: S608 ours
        db.execute("COMMIT")


def _like(model: dict[str, Any], numbers: list[str], start: int) -> Iterator[tuple[Any, ...]]:
    for at, number in enumerate(numbers, start + 10_000_000):
        said = {name: os.urandom(len(value)) if isinstance(value, bytes) else value for name, value in model.items()}
        own = {"number": number, "subject": f"person/{number}", "entry_index": at}
        yield tuple(own.get(name, value) for name, value in said.items())
