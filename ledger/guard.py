"""
The fork guard: what was signed last, kept in a second store outside the database and outside every backup of it.

One row an origin, compared and swapped before a signature leaves. A database restored from an old backup is behind it, and so is found out before it
signs a second history over the same numbers. For the same reason this file is never restored together with the database, nor from an older copy.
"""

import sqlite3
from base64 import b64decode, b64encode
from contextlib import closing
from pathlib import Path

from ledger import merkle
from ledger.errors import Corrupt, SettingsError


class Guard:
    """The second store: size and root of the last checkpoint signed."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def create(self) -> None:
        """Make the store; an existing one is kept."""
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

    def _open(self) -> sqlite3.Connection:
        if not self._path.exists():
            raise SettingsError(
                f"找不到防分叉记录 {self._path.name}，无法确认上次签到哪里。请从原机器取回这个文件；它不在备份里，也不应随旧备份恢复"
            )
        db = sqlite3.connect(self._path, timeout=30, isolation_level=None)
        db.execute("PRAGMA synchronous=FULL")
        return db
