"""
Checkpoints: the tree head, signed apart from appends.

A checkpoint is signed only if the tree grew since the last one and only if it extends that one: the stored root at the old size must be what the tree
gives today. The last size and root signed are also kept in a second store outside the database (guard.py), compared and swapped before a
signature leaves (and with them the end of the list of looks at people's data, which is not in the tree): a database restored from an old backup is
behind it, and is refused instead of signing a fork.
"""

from collections.abc import Callable

from sqlalchemy import Connection

from ledger import log, merkle, notes
from ledger.bulk import insert_rows, query
from ledger.errors import Corrupt, NotFound, SettingsError
from ledger.guard import Guard
from ledger.keyring import Keyring
from ledger.settings import Settings
from ledger.signing_keys import load_keyring, load_signers, publish_vkeys, read_vkeys, vkey_file
from ledger.tables import CheckpointRow, table
from ledger.tiles import tile_reader

_CHECKPOINT = table(CheckpointRow)


class Signing:
    """The log's keys and guard. Private keys are read when a checkpoint is signed, and not kept. *guard*: another than the deployment's own."""

    def __init__(self, settings: Settings, guard: Guard | None = None) -> None:
        self._settings = settings
        self._guard = guard or Guard(settings.guard)

    @property
    def vkeys(self) -> list[str]:
        """The public keys that sign now, as C2SP vkeys, newest first: two while the key is being changed."""
        return read_vkeys(self._settings)

    @property
    def vkey(self) -> str:
        """The newest public key: it signs every checkpoint from its entry on."""
        return self.vkeys[0]

    def verifier(self) -> notes.Verifier:
        """The verifier of the newest key's signatures; for a checkpoint of any age ask `keyring`."""
        return notes.Verifier.from_vkey(self.vkey)

    def keyring(self, connection: Connection) -> Keyring:
        """Every key that the log has had, by which any checkpoint of its life is opened. Raises LedgerError when the entries do not bear it out."""
        return load_keyring(connection, self._settings)

    def check_origin(self, connection: Connection | None = None) -> None:
        """Make sure that the log has the name that the settings give it: its public keys bear it, and so does its newest checkpoint (with *connection*).

        Raises SettingsError: under another name nothing that was signed would verify any more.
        """
        names = {vkey.split("+")[0] for vkey in (self.vkeys if vkey_file(self._settings).exists() else [])}
        if connection is not None and (note := newest_checkpoint(connection)):
            names.add(note.split("\n", 1)[0])
        if other := names - {self._settings.origin}:
            raise SettingsError(
                f"这个账本的名称是 {min(other)}，而 SHOUWANG_ORIGIN 现在是 {self._settings.origin}。名称一经使用不能更改，否则已签的检查点都无法核验。"
                "请把 SHOUWANG_ORIGIN 改回原来的名称；要用新名称，请另建一个账本（另设 SHOUWANG_HOME）"
            )

    def sign_text(self, connection: Connection, text: str) -> bytes:
        """Sign a text that is no checkpoint's with the keys that sign now: a C2SP note. Raises SettingsError, NoteError."""
        return notes.sign_note(text, load_signers(connection, self._settings, log.tree_head(connection).size))

    def last_signed(self) -> tuple[int, bytes]:
        """Size and root that were signed last, from the second store."""
        return self._guard.last(self._settings.origin)

    def check_extends(self, connection: Connection) -> None:
        """Make sure that the log extends what was signed last, before anything is written on top of it. Raises Corrupt for an old backup."""
        if self._settings.guard.exists():
            signed_size, signed_root = self._guard.last(self._settings.origin)
            self._check_extends(connection, log.tree_head(connection).size, signed_size, signed_root)

    @staticmethod
    def _check_extends(connection: Connection, size: int, signed_size: int, signed_root: bytes) -> None:
        if size < signed_size:
            raise Corrupt(
                f"账本只有 {size} 条，但已对 {signed_size} 条签过检查点：这是一份旧备份，只能查阅。不能再签、也不能再登记，否则会出现两份不同的历史。"
                f"办法有两个：找回至少有 {signed_size} 条的数据（更新的备份，或原来的数据库文件），再运行 shouwang restore；"
                "确实找不回时，保留这份旧账供查阅，换一个 SHOUWANG_ORIGIN 新建账本，并向志愿者和见证方说明从哪一条起缺失"
            )
        if signed_size:
            read = tile_reader(size, lambda level, index, width: log.read_tile(connection, level, index, width))
            if merkle.root(signed_size, read) != signed_root:
                raise Corrupt(f"账本前 {signed_size} 条与上次签名时不同。请停止写入并运行 shouwang verify")

    def sign(self, connection: Connection) -> bytes | None:
        """Sign the newest tree head in the caller's write transaction. None when the tree has not grown.

        Raises Corrupt when the tree does not extend what was signed last.
        """
        head = log.tree_head(connection)
        newest = newest_checkpoint(connection)
        stored_size = checkpoint_size(newest) if newest else 0
        signed_size, signed_root = self._guard.last(self._settings.origin)
        self._check_extends(connection, head.size, signed_size, signed_root)
        if head.size in (0, stored_size):
            return None
        signers = load_signers(connection, self._settings, head.size)
        note = notes.sign_checkpoint(notes.Checkpoint(self._settings.origin, head.size, head.root), signers)
        if head.size > signed_size:
            self._guard.swap(self._settings.origin, (signed_size, signed_root), (head.size, head.root))
            for look in query(connection, "SELECT id, digest FROM reveal ORDER BY id DESC LIMIT 1"):
                self._guard.note_looks(look.id + 1, look.digest)
        insert_rows(connection, _CHECKPOINT, [{"size": head.size, "note": note.decode()}])
        publish_vkeys(self._settings, signers)
        return note


def newest_checkpoint(connection: Connection) -> str | None:
    """Read the newest checkpoint, as the signed note it is."""
    rows = query(connection, "SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1")
    return str(rows[0].note) if rows else None


def checkpoint_of_size(connection: Connection, size: int) -> str:
    """Read the checkpoint that was signed at a size. Raises NotFound."""
    rows = query(connection, "SELECT note FROM checkpoint WHERE size = ?", (size,))
    if not rows:
        raise NotFound(f"没有在 {size} 条时签过检查点，请从「账本公示」上的检查点里选")
    return str(rows[0].note)


def served_checkpoint(connection: Connection) -> str | None:
    """Give the newest checkpoint as the world gets it: the log's signed note, then the lines of the witnesses that cosigned it."""
    note = newest_checkpoint(connection)
    if note is None:
        return None
    rows = query(connection, "SELECT line FROM cosignature WHERE size = ? ORDER BY witness", (checkpoint_size(note),))
    return note + "".join(row.line for row in rows)


def prove_entry(connection: Connection, index: int) -> notes.Proof:
    """Prove that an entry is in the tree of the newest checkpoint. Raises NotFound if it is newer than that, or not there at all."""
    return prover(connection)(index)


def prover(connection: Connection) -> Callable[[int], notes.Proof]:
    """Give what proves any number of entries to be in the tree of the newest checkpoint, reading each tile once; it raises NotFound as `prove_entry`."""
    note = served_checkpoint(connection)
    size = checkpoint_size(note) if note else 0
    read = tile_reader(size, lambda level, at, width: log.read_tile(connection, level, at, width))

    def prove(index: int) -> notes.Proof:
        if note is None or not 0 <= index < size:
            log.read_entry(connection, index)
            raise NotFound(f"第 {index} 条已入账，但还没有检查点覆盖它。请先运行 shouwang checkpoint，或等下一次自动签发")
        return notes.Proof(index, merkle.inclusion_proof(index, size, read), note.encode())

    return prove


def checkpoint_size(note: str) -> int:
    """Read the tree size that a stored checkpoint is about, without checking its signature."""
    return notes.parse_checkpoint(note[: note.rindex("\n\n") + 1]).size
