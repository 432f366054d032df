"""
Where a verification got to: small SQLite files outside the database, so that the next one may begin there.

    verified.db         where the last whole verification ended             verified.part      where one that is under way, or was broken off, is
    place   one row: what is said (JSON: format version, origin, size, root, newest time, the edges of the tree (joining.Place), and of a broken one the
            faults found so far), mac
    chain   subject, next (what its next entry has to say of its chain), in order of the subjects

The mac is HMAC-SHA256 under a key derived from the deployment's blind-index key, over everything in the file. Whoever holds the keys folder could
forge it, so it replaces no full verification; it keeps an accident, or a hand that reaches the file alone, from being believed. What the file says of
the tree is besides compared with the stored tiles (and, of a whole verification, with the checkpoint of that size). A file that does not hold is a
fault, and is not used.
"""

import hmac
import os
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson

from ledger.checking.joining import Place
from ledger.errors import Corrupt
from ledger.people.key_files import read_key
from ledger.settings import Settings

_VERSION = 2
_KEY_LABEL = b"shouwang verified place v1"


class PlaceFile:
    """A place in one file."""

    def __init__(self, settings: Settings, path: Path) -> None:
        self.path = path
        self._origin = settings.origin
        self._key = hmac.digest(read_key(settings.blind_key), _KEY_LABEL, "sha256")

    def write(self, place: Place, **more: Any) -> None:
        """Write a place, and more that is said beside it; a reader finds the old file or the new."""
        fresh = self.path.with_name(f"{self.path.name}.fresh")
        fresh.unlink(missing_ok=True)
        edges = {"tiles": [each.hex() for each in place.tiles], "edge": place.edge.hex()}
        said = {"v": _VERSION, "origin": self._origin, "size": place.size, "root": place.root.hex(), "time": place.time, **edges, **more}
        text = orjson.dumps(said)
        mac = hmac.new(self._key, text, "sha256")
        with closing(sqlite3.connect(fresh)) as db, db:
            db.execute("CREATE TABLE place (said TEXT NOT NULL, mac BLOB NOT NULL)")
            db.execute("CREATE TABLE chain (subject BLOB PRIMARY KEY, next BLOB NOT NULL) WITHOUT ROWID")
            for subject in sorted(place.chains):
                _add(mac, subject, place.chains[subject])
                db.execute("INSERT INTO chain VALUES (?, ?)", (subject, place.chains[subject]))
            db.execute("INSERT INTO place VALUES (?, ?)", (text.decode(), mac.digest()))
        fresh.replace(self.path)

    def drop(self) -> None:
        """Forget the place."""
        self.path.unlink(missing_ok=True)

    def read(self) -> tuple[Place, dict[str, Any]] | None:
        """Read the place and all that is said; None when there is none. Raises Corrupt when the file was altered or is of another ledger."""
        if not self.path.exists():
            return None
        try:
            return self._read()
        except (sqlite3.Error, ValueError, TypeError, LookupError) as error:
            raise Corrupt(f"{self.path.name} 读不出来：{type(error).__name__}") from error

    def _read(self) -> tuple[Place, dict[str, Any]]:
        with closing(sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            [(text, stored)] = db.execute("SELECT said, mac FROM place")
            mac, chains = hmac.new(self._key, text.encode(), "sha256"), {}
            for subject, said in db.execute("SELECT subject, next FROM chain ORDER BY subject"):
                _add(mac, subject, said)
                chains[subject] = said
        if not hmac.compare_digest(mac.digest(), stored):
            raise Corrupt(f"{self.path.name} 被改动过，或不是用本账本的密钥写的")
        said = orjson.loads(text)
        if (said["v"], said["origin"]) != (_VERSION, self._origin):
            raise Corrupt(f"{self.path.name} 属于另一个账本（{said['origin']}），或是另一个版本写的")
        tiles, edge = tuple(map(bytes.fromhex, said["tiles"])), bytes.fromhex(said["edge"])
        return Place(said["size"], bytes.fromhex(said["root"]), said["time"], tiles, edge, chains), said


class Remembered:
    """
    Where the last whole verification of a deployment ended.

    *alone*: nobody else has the files of a verification under way, and the draft may outlive this one. Otherwise it has a name of its own: two
    at a time, as the nightly jobs may be, would write into each other's.
    """

    def __init__(self, settings: Settings, *, alone: bool) -> None:
        self._file = PlaceFile(settings, settings.verified)
        own = "" if alone else f".{os.getpid()}-{threading.get_ident()}"
        self._draft = PlaceFile(settings, settings.verified.with_suffix(f"{own}.new"))

    def draft(self, place: Place) -> None:
        """Write a place down beside the file; it counts only once it is `keep`-t."""
        self._draft.write(place)

    def keep(self) -> None:
        """Let the draft take the file's place; without a draft the file is dropped, because what it said is no longer known to hold."""
        if self._draft.path.exists():
            self._draft.path.replace(self._file.path)
        else:
            self._file.drop()

    def drop_draft(self) -> None:
        """Forget a draft that does not count."""
        self._draft.drop()

    def read(self) -> Place | None:
        """Read the place; None when there is none. Raises Corrupt when the file was altered or is of another ledger."""
        found = self._file.read()
        return found[0] if found else None


def _add(mac: hmac.HMAC, subject: bytes, said: bytes) -> None:
    mac.update(b"%d:%b%d:%b" % (len(subject), subject, len(said), said))
