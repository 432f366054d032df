"""
The key store: one wrapped data key a subject, in a file of its own, apart from the database and from every backup of it.

Destroying a row there makes what it sealed unreadable in every copy of the database, old ones too. Rows are overwritten with zeros when they are
deleted (secure_delete), and the rollback journal, which for a moment holds the old page, is removed by the commit.

The store also knows which wrapping key is in force. Whoever adds a key wrapped by another has it wrapped anew in the same transaction, so that a
rotation (rotation.py) that has seen the last row under the old key has seen them all, though others went on registering people.
"""

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from ledger.errors import SettingsError

Rewrap = Callable[[str, bytes, bytes], bytes]
"""Gives a subject's wrapped key under the wrapping key of an id: (subject, wrapped, key id) -> wrapped."""

_AT_ONCE = 500


class KeyStore:
    """The file of wrapped data keys."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def create(self) -> None:
        """Make the file and its tables, readable by its owner only. What is there stays."""
        self._path.touch(mode=0o600)
        with closing(self._open()) as db:
            db.execute("CREATE TABLE IF NOT EXISTS data_key (subject TEXT PRIMARY KEY, wrapped BLOB NOT NULL) WITHOUT ROWID")
            db.execute("CREATE TABLE IF NOT EXISTS wrapping (one INTEGER PRIMARY KEY CHECK (one = 1), key_id BLOB NOT NULL)")

    def add(self, wrapped: Mapping[str, bytes], rewrap: Rewrap | None = None) -> None:
        """Store wrapped keys, durably, before anything refers to them; under the wrapping key in force, where it is known."""
        if wrapped:
            with closing(self._open()) as db, db:
                db.execute("BEGIN IMMEDIATE")
                in_force = _in_force(db) if rewrap else None
                if rewrap and in_force:
                    wrapped = {subject: rewrap(subject, key, in_force) for subject, key in wrapped.items()}
                db.executemany("INSERT INTO data_key VALUES (?, ?)", wrapped.items())

    def get(self, subjects: Sequence[str]) -> dict[str, bytes]:
        """Fetch the wrapped keys of *subjects*; those destroyed are absent."""
        found: dict[str, bytes] = {}
        with closing(self._open()) as db:
            for part in _parts(subjects):
                marks = ",".join("?" * len(part))
                found.update(db.execute(f"SELECT subject, wrapped FROM data_key WHERE subject IN ({marks})", part))  # noqa: S608 only question marks
        return found

    def subjects(self, prefix: str) -> list[str]:
        """List the subjects of a kind that have a key: those that begin with *prefix*, such as parked/."""
        with closing(self._open()) as db:
            rows = db.execute("SELECT subject FROM data_key WHERE subject >= ? AND subject < ?", (prefix, prefix + "\U0010ffff"))
            return [subject for (subject,) in rows]

    def destroy(self, subjects: Iterable[str]) -> int:
        """Destroy keys, durably and for good. Returns how many there were."""
        gone = 0
        with closing(self._open()) as db, db:
            db.execute("BEGIN IMMEDIATE")
            for part in _parts(list(subjects)):
                marks = ",".join("?" * len(part))
                gone += db.execute(f"DELETE FROM data_key WHERE subject IN ({marks})", part).rowcount  # noqa: S608 only question marks
        return gone

    def put_in_force(self, key_id: bytes) -> None:
        """Say which wrapping key new rows are wrapped by from now on."""
        with closing(self._open()) as db, db:
            db.execute("CREATE TABLE IF NOT EXISTS wrapping (one INTEGER PRIMARY KEY CHECK (one = 1), key_id BLOB NOT NULL)")
            db.execute("INSERT OR REPLACE INTO wrapping VALUES (1, ?)", (key_id,))

    def rewrap_some(self, after: str, rewrap: Rewrap) -> tuple[str, int] | None:
        """Wrap anew the next rows after a subject. Returns the last subject looked at and how many were changed; None at the end."""
        with closing(self._open()) as db, db:
            db.execute("BEGIN IMMEDIATE")
            in_force = _in_force(db)
            assert in_force is not None, "a rotation begins by putting its key in force"
            rows = db.execute(
                "SELECT subject, wrapped FROM data_key WHERE subject > ? ORDER BY subject LIMIT ?", (after, _AT_ONCE)
            ).fetchall()
            made = [(rewrap(subject, wrapped, in_force), subject, wrapped) for subject, wrapped in rows]
            changed = [(new, subject) for new, subject, old in made if new != old]
            db.executemany("UPDATE data_key SET wrapped = ? WHERE subject = ?", changed)
        return (rows[-1][0], len(changed)) if rows else None

    def _open(self) -> sqlite3.Connection:
        if not self._path.exists():
            raise SettingsError(f"找不到密钥库 {self._path.name}：没有它，姓名和证件号都无法读出。请从备份恢复，或运行 shouwang init")
        db = sqlite3.connect(self._path, timeout=30, isolation_level=None)
        db.execute("PRAGMA secure_delete=ON")
        db.execute("PRAGMA synchronous=FULL")
        return db


def _in_force(db: sqlite3.Connection) -> bytes | None:
    """Read the id of the wrapping key in force; None in a store where none was ever named."""
    try:
        row = db.execute("SELECT key_id FROM wrapping").fetchone()
    except sqlite3.OperationalError:  # a store from before wrapping keys had ids
        return None
    return bytes(row[0]) if row else None


def _parts(subjects: Sequence[str]) -> Iterable[Sequence[str]]:
    return (subjects[at : at + _AT_ONCE] for at in range(0, len(subjects), _AT_ONCE))
