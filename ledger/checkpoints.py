"""
Checkpoints: the tree head, signed apart from appends.

A checkpoint is signed only if the tree grew since the last one and only if it extends that one: the stored root at the old size must be what the tree
gives today. The last size and root signed are also kept in a second store outside the database, compared and swapped before
a signature leaves: a database restored from an old backup is behind it, and is refused instead of signing a fork.
"""

import sqlite3
from base64 import b64decode, b64encode
from contextlib import closing
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, select

from ledger import log, merkle, notes
from ledger.bulk import insert_rows
from ledger.errors import Corrupt, NotFound, SettingsError
from ledger.settings import Settings
from ledger.tables import CheckpointRow, table
from ledger.tiles import tile_reader
from ledger.vault import read_secret, write_new_key

_CHECKPOINT = table(CheckpointRow)


def create_signing_key(settings: Settings) -> None:
    """Make the log's Ed25519 key and its public vkey file, and the empty guard."""
    seed = Ed25519PrivateKey.generate().private_bytes_raw()
    signer = notes.Signer.from_seed(settings.origin, seed)
    write_new_key(settings.signing_key, signer.to_pem())
    vkey_file(settings).write_text(signer.vkey + "\n")
    Guard(settings.guard).create()


def vkey_file(settings: Settings) -> Path:
    """The file with the log's public key."""
    return settings.home / "keys" / "log.vkey"


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


class Signing:
    """The log's key and guard. The private key is read when a checkpoint is signed, and not kept."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._guard = Guard(settings.guard)

    @property
    def vkey(self) -> str:
        """The log's public key, as a C2SP vkey."""
        path = vkey_file(self._settings)
        if not path.exists():
            raise SettingsError("找不到账本公钥文件 log.vkey")
        return path.read_text().strip()

    def verifier(self) -> notes.Verifier:
        """The verifier of the log's signatures."""
        return notes.Verifier.from_vkey(self.vkey)

    def last_signed(self) -> tuple[int, bytes]:
        """Size and root that were signed last, from the second store."""
        return self._guard.last(self._settings.origin)

    def sign(self, connection: Connection) -> bytes | None:
        """Sign the newest tree head in the caller's write transaction. None when the tree has not grown.

        Raises Corrupt when the tree does not extend what was signed last.
        """
        head = log.tree_head(connection)
        newest = newest_checkpoint(connection)
        stored_size = checkpoint_size(newest) if newest else 0
        signed_size, signed_root = self._guard.last(self._settings.origin)
        if head.size < signed_size:
            raise Corrupt(
                f"账本只有 {head.size} 条，但已对 {signed_size} 条签过检查点：这是一份旧备份。不能再签，否则会出现两份不同的历史。"
                "请恢复更新的备份；若确已丢失，请保留现场并联系管理员"
            )
        if signed_size:
            read = tile_reader(head.size, lambda level, index, width: log.read_tile(connection, level, index, width))
            if merkle.root(signed_size, read) != signed_root:
                raise Corrupt(f"账本前 {signed_size} 条与上次签名时不同。请停止写入并运行 shouwang verify")
        if head.size in (0, stored_size):
            return None
        signer = notes.Signer.from_pem(self._settings.origin, read_secret(self._settings.signing_key))
        note = notes.sign_checkpoint(notes.Checkpoint(self._settings.origin, head.size, head.root), [signer])
        if head.size > signed_size:
            self._guard.swap(self._settings.origin, (signed_size, signed_root), (head.size, head.root))
        insert_rows(connection, _CHECKPOINT, [{"size": head.size, "note": note.decode()}])
        return note


def newest_checkpoint(connection: Connection) -> str | None:
    """Read the newest checkpoint, as the signed note it is."""
    found: str | None = connection.execute(select(_CHECKPOINT.c.note).order_by(_CHECKPOINT.c.size.desc()).limit(1)).scalar_one_or_none()
    return found


def prove_entry(connection: Connection, index: int) -> notes.Proof:
    """Prove that an entry is in the tree of the newest checkpoint. Raises NotFound if it is newer than that, or not there at all."""
    log.read_entry(connection, index)
    note = newest_checkpoint(connection)
    size = checkpoint_size(note) if note else 0
    if note is None or index >= size:
        raise NotFound(f"第 {index} 条已入账，但还没有检查点覆盖它。请先运行 shouwang checkpoint，或等下一次自动签发")
    read = tile_reader(size, lambda level, at, width: log.read_tile(connection, level, at, width))
    return notes.Proof(index, merkle.inclusion_proof(index, size, read), note.encode())


def checkpoint_size(note: str) -> int:
    """Read the tree size that a stored checkpoint is about, without checking its signature."""
    return notes.parse_checkpoint(note[: note.rindex("\n\n") + 1]).size
