"""
Where the last verification got to: a small SQLite file outside the database, so that the next one may begin there.

    place   one row: format version, origin, size, root (of a signed checkpoint), newest time, the two edges of the tree (joining.Place), mac
    chain   subject, end (leaf hash and length, 40 bytes), in order of the subjects

The mac is HMAC-SHA256 under a key derived from the deployment's blind-index key, over everything in the file. Whoever holds the keys folder could
forge it, so it replaces no full verification; it keeps an accident, or a hand that reaches the file alone, from being believed. What the file says of
the tree is besides compared with the stored tiles and with the checkpoint of that size. A file that does not hold is a fault, and is not used.
"""

import hmac
import sqlite3
from contextlib import closing
from pathlib import Path

import orjson

from ledger.checking.joining import Place
from ledger.errors import Corrupt
from ledger.people.vault import read_key
from ledger.settings import Settings

_VERSION = 1
_KEY_LABEL = b"shouwang verified place v1"


class Remembered:
    """The file of one deployment."""

    def __init__(self, settings: Settings) -> None:
        self._path = settings.verified
        self._draft = settings.verified.with_suffix(".new")
        self._origin = settings.origin
        self._key = hmac.digest(read_key(settings.blind_key), _KEY_LABEL, "sha256")

    def draft(self, place: Place) -> None:
        """Write a place down beside the file; it counts only once it is `keep`-t."""
        self.drop_draft()
        edges = {"blocks": [each.hex() for each in place.blocks], "edge": [each.hex() for each in place.edge]}
        said = {"v": _VERSION, "origin": self._origin, "size": place.size, "root": place.root.hex(), "time": place.time, **edges}
        text = orjson.dumps(said)
        mac = hmac.new(self._key, text, "sha256")
        with closing(sqlite3.connect(self._draft)) as db, db:
            db.execute("CREATE TABLE place (said TEXT NOT NULL, mac BLOB NOT NULL)")
            db.execute("CREATE TABLE chain (subject TEXT PRIMARY KEY, end BLOB NOT NULL) WITHOUT ROWID")
            for subject in sorted(place.chains):
                _add(mac, subject, place.chains[subject])
                db.execute("INSERT INTO chain VALUES (?, ?)", (subject, place.chains[subject]))
            db.execute("INSERT INTO place VALUES (?, ?)", (text.decode(), mac.digest()))

    def keep(self) -> None:
        """Let the draft take the file's place; without a draft the file is dropped, because what it said is no longer known to hold."""
        if self._draft.exists():
            self._draft.replace(self._path)
        else:
            self._path.unlink(missing_ok=True)

    def drop_draft(self) -> None:
        """Forget a draft that does not count."""
        self._draft.unlink(missing_ok=True)

    def read(self) -> Place | None:
        """Read the place; None when there is none. Raises Corrupt when the file was altered or is of another ledger."""
        if not self._path.exists():
            return None
        try:
            return self._read(self._path)
        except (sqlite3.Error, ValueError, TypeError, LookupError) as error:
            raise Corrupt(f"{self._path.name} 读不出来：{type(error).__name__}") from error

    def _read(self, path: Path) -> Place:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            [(text, stored)] = db.execute("SELECT said, mac FROM place")
            mac, chains = hmac.new(self._key, text.encode(), "sha256"), {}
            for subject, end in db.execute("SELECT subject, end FROM chain ORDER BY subject"):
                _add(mac, subject, end)
                chains[subject] = end
        if not hmac.compare_digest(mac.digest(), stored):
            raise Corrupt(f"{path.name} 被改动过，或不是用本账本的密钥写的")
        said = orjson.loads(text)
        if (said["v"], said["origin"]) != (_VERSION, self._origin):
            raise Corrupt(f"{path.name} 属于另一个账本（{said['origin']}），或是另一个版本写的")
        blocks, edge = (tuple(map(bytes.fromhex, said[name])) for name in ("blocks", "edge"))
        return Place(said["size"], bytes.fromhex(said["root"]), said["time"], blocks, edge, chains)


def _add(mac: hmac.HMAC, subject: str, end: bytes) -> None:
    mac.update(b"%d:%b%b" % (len(subject), subject.encode(), end))
