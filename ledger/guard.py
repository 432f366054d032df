"""
The second store, outside the database and outside every backup of it: what an older database put back by mistake must not make undone.

- What was signed last: one row an origin, compared and swapped before a signature leaves. A database restored from an old backup is behind it, and
  so is found out before it signs a second history over the same numbers.
- How far the looks at people's data had come (people/reveals.py) when that was signed: their chain shows a gap within, this its end cut off.
- Whose data keys were destroyed. A restored database and an older copy of the key store are held against it before anybody reads from them.
- When the wrapping key was last changed: until it is, a copy of the key store from before an erasure still opens with the key of that time.

For the same reasons this file is never restored together with the database, nor from an older copy.
"""

import sqlite3
from base64 import b64decode, b64encode
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from ledger import merkle
from ledger.errors import Corrupt, SettingsError


class Guard:
    """The second store: size and root of the last checkpoint signed, and the subjects whose keys were destroyed."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def create(self) -> None:
        """Make the store, readable by its owner only; an existing one is kept."""
        self._path.touch(mode=0o600)
        with closing(sqlite3.connect(self._path)) as db, db:
            db.execute("CREATE TABLE IF NOT EXISTS signed (origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root TEXT NOT NULL)")

    def last(self, origin: str) -> tuple[int, bytes]:
        """Read what was signed last: (0, empty root) if nothing."""
        with closing(self._open()) as db:
            row = db.execute("SELECT size, root FROM signed WHERE origin = ?", (origin,)).fetchone()
        return (row[0], b64decode(row[1])) if row else (0, merkle.EMPTY_ROOT)

    def swap(self, origin: str, old: tuple[int, bytes], new: tuple[int, bytes]) -> None:
        """Replace *old* by *new*, durably. Raises Corrupt if another signer was faster."""
        with closing(self._open()) as db, db:
            db.execute("BEGIN IMMEDIATE")
            found = db.execute("SELECT size FROM signed WHERE origin = ?", (origin,)).fetchone()
            if (found[0] if found else 0) != old[0]:
                raise Corrupt("另一个进程刚刚签过检查点，请稍后再试")
            db.execute("INSERT OR REPLACE INTO signed VALUES (?, ?, ?)", (origin, new[0], b64encode(new[1]).decode()))

    def note_looks(self, count: int, digest: str) -> None:
        """Remember how many looks at people's data there are, and the digest of the newest."""
        with closing(self._open()) as db, db:
            db.execute(
                "CREATE TABLE IF NOT EXISTS looks (one INTEGER PRIMARY KEY CHECK (one = 1), count INTEGER NOT NULL, digest TEXT NOT NULL)"
            )
            db.execute("BEGIN IMMEDIATE")
            db.execute(
                "INSERT INTO looks VALUES (1, ?, ?) ON CONFLICT DO UPDATE SET count = excluded.count, digest = excluded.digest"
                " WHERE excluded.count > looks.count",
                (count, digest),
            )

    def looks(self) -> tuple[int, str]:
        """Read how many looks there were, and the digest of the newest; (0, "") when none was noted."""
        if not self._path.exists():
            return 0, ""
        with closing(self._open()) as db:
            try:
                return db.execute("SELECT count, digest FROM looks").fetchone() or (0, "")
            except sqlite3.OperationalError:  # none was ever noted
                return 0, ""

    def destroyed(self) -> set[str]:
        """Read whose data keys were destroyed; nobody's where the store is not there (then nothing can be signed either)."""
        if not self._path.exists():
            return set()
        with closing(self._open()) as db:
            try:
                return {subject for (subject,) in db.execute("SELECT subject FROM destroyed")}
            except sqlite3.OperationalError:  # none was ever noted
                return set()

    def note_destroyed(self, subjects: Iterable[str], at: str) -> None:
        """Remember, durably and for good, that the data keys of *subjects* are destroyed. Raises SettingsError without the store."""
        with closing(self._open()) as db, db:
            db.execute("CREATE TABLE IF NOT EXISTS destroyed (subject TEXT PRIMARY KEY, at TEXT NOT NULL) WITHOUT ROWID")
            db.execute("BEGIN IMMEDIATE")
            db.executemany("INSERT OR IGNORE INTO destroyed VALUES (?, ?)", [(subject, at) for subject in subjects])

    def note_rotated(self, at: str) -> None:
        """Remember that every data key is wrapped anew, by a rotation that began at an instant. Raises SettingsError without the store."""
        with closing(self._open()) as db, db:
            db.execute("CREATE TABLE IF NOT EXISTS rotated (one INTEGER PRIMARY KEY CHECK (one = 1), at TEXT NOT NULL)")
            db.execute("INSERT OR REPLACE INTO rotated VALUES (1, ?)", (at,))

    def oldest_unrotated(self) -> str | None:
        """Give the instant of the oldest erasure since which the wrapping key has not been changed; None when there is none."""
        if not self._path.exists():
            return None
        with closing(self._open()) as db:
            db.execute("CREATE TABLE IF NOT EXISTS rotated (one INTEGER PRIMARY KEY CHECK (one = 1), at TEXT NOT NULL)")
            db.execute("CREATE TABLE IF NOT EXISTS destroyed (subject TEXT PRIMARY KEY, at TEXT NOT NULL) WITHOUT ROWID")
            later = "SELECT min(at) FROM destroyed WHERE at > coalesce((SELECT at FROM rotated), '')"
            found: str | None = db.execute(later).fetchone()[0]
        return found

    def _open(self) -> sqlite3.Connection:
        if not self._path.exists():
            raise SettingsError(
                f"找不到防分叉记录 {self._path.name}，无法确认上次签到哪里。请从原机器取回这个文件；它不在备份里，也不应随旧备份恢复"
            )
        db = sqlite3.connect(self._path, timeout=30, isolation_level=None)
        db.execute("PRAGMA synchronous=FULL")
        return db
