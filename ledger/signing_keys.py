"""
The log's private keys, as files, and their rotation: prepare a key, say so in the log, sign with both for a while, retire the old one.

    keys/log-signing.pem         the first key    keys/log.vkey         the public keys that sign now, newest first, a vkey a line
    keys/log-signing-KEYID.pem   each later one   keys/log-first.vkey   from the first rotation on: the public key that the log began with
                                                  keys/retired/         private keys that were retired, if they were not destroyed

The log decides, the files only hold: which key is whose successor is read from the key.rotated entries (keyring.py), so a key file
without an entry, left by a crash, is not used until the next rotation takes it, and an entry is never without its key file, which is durable
before the entry is. `log.vkey` is written anew by whoever signs next. The first key ties the entries to this deployment, and holds for an older state
of the log, put back from a backup, as well as for the newest.
"""

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, select

from ledger import entries
from ledger.errors import Corrupt, InvalidRequest, SettingsError
from ledger.guard import Guard
from ledger.keyring import KIND, Keyring, Rotation, read_keyring
from ledger.log import Fact, Receipt
from ledger.people.key_files import read_secret, sync_folder, write_new_key
from ledger.settings import Settings
from ledger.signing import ED25519, Signer, Verifier
from ledger.tables import EntryRow, KeyRotationRow, table
from ledger.transactions import WriteTransaction

_ENTRY, _ROTATION = table(EntryRow), table(KeyRotationRow)


def create_signing_key(settings: Settings) -> None:
    """Make the log's first Ed25519 key, its vkey file and the empty guard, if there was never a key. What a crash left half made is completed."""
    found = sorted(settings.signing_key.parent.rglob("log-signing*.pem"))
    vkeys = vkey_file(settings)
    if vkeys.exists():
        return
    if not found:
        Guard(settings.guard).create()
        write_new_key(settings.signing_key, _generate(settings.origin).to_pem())
    if settings.signing_key.exists():
        _write(vkeys, [_load(settings, settings.signing_key).vkey])


def vkey_file(settings: Settings) -> Path:
    """The file with the log's public keys."""
    return settings.home / "keys" / "log.vkey"


def some_key_file(settings: Settings) -> Path:
    """A private key of the log that is there and not retired; if none is, the place of the first."""
    return next(settings.signing_key.parent.glob("log-signing*.pem"), settings.signing_key)


def read_vkeys(settings: Settings) -> list[str]:
    """Read the public keys that sign now, as C2SP vkeys, newest first. Raises SettingsError."""
    path = vkey_file(settings)
    vkeys = path.read_text().split() if path.exists() else []
    if not vkeys:
        raise SettingsError("找不到账本公钥文件 log.vkey")
    return vkeys


def rotations(connection: Connection, size: int | None = None) -> Keyring | None:
    """
    Read every key that the log's entries name, or those of its first *size* entries; None if it never changed its key.

    Raises:
        LedgerError: an entry named as a rotation is none, or is not signed by both keys.
    """
    statement = select(_ENTRY.c.index, _ENTRY.c.body).where(_ENTRY.c.index.in_(select(_ROTATION.c.entry_index))).order_by(_ENTRY.c.index)
    if size is not None:
        statement = statement.where(_ENTRY.c.index < size)
    said = [(index, entries.decode(body)) for index, body in connection.execute(statement)]
    if other := [index for index, entry in said if entry.kind != KIND]:
        raise Corrupt(f"第 {other[0]} 条不是换钥的记录。请停止写入并运行 shouwang verify")
    return read_keyring((index, entry.body) for index, entry in said)


def load_keyring(connection: Connection, settings: Settings) -> Keyring:
    """Read every key that the log has had. Raises LedgerError also when the entries do not begin with this deployment's first key."""
    first = _first_file(settings)
    mine = Verifier.from_vkey(first.read_text().strip() if first.exists() else read_vkeys(settings)[-1])
    keyring = rotations(connection) or Keyring(((-1, mine),))
    if mine != keyring.verifiers[0]:
        raise Corrupt("账本里的换钥记录与 keys 文件夹里最初的公钥对不上：这不是本账本的数据库，或公钥文件被换过")
    return keyring


def load_signers(connection: Connection, settings: Settings, size: int) -> list[Signer]:
    """Load the private keys that sign a checkpoint of that size: the one that has to, then older ones not retired yet. Raises SettingsError."""
    keyring = rotations(connection, size)
    if keyring is None:
        only = _load(settings, settings.signing_key)
        if only.vkey not in read_vkeys(settings):
            raise SettingsError("签名密钥 log-signing.pem 与公钥文件 log.vkey 不是一对，请取回原来的密钥文件")
        return [only]
    newest, *older = ((_path(settings, index, key), key) for index, key in reversed(keyring.keys))
    signers = []
    for path, key in [newest, *((path, key) for path, key in older if path.exists())]:
        signers.append(_load(settings, path))
        if signers[-1].public != key.public:
            raise SettingsError(f"密钥文件 {path.name} 不是账本记录的那一把，请取回原来的密钥文件")
    return signers


def publish_vkeys(settings: Settings, signers: list[Signer]) -> None:
    """Bring log.vkey up to the keys that sign now."""
    vkeys = [signer.vkey for signer in signers]
    if read_vkeys(settings) != vkeys:
        _write(vkey_file(settings), vkeys)


def rotate(tx: WriteTransaction, settings: Settings) -> Receipt:
    """Make a new key and append the entry that brings it, signed by both. Raises InvalidRequest while the last rotation is unfinished."""
    tx.require("rotate_key", None)
    old, *older = load_signers(tx.connection, settings, tx.tree_size)
    if older:
        raise InvalidRequest("上一次更换密钥还没有结束。请先运行 shouwang rotate-key --finish")
    keyring = rotations(tx.connection)
    if keyring is None:
        _write(_first_file(settings), [old.vkey])
    new = _spare(settings, keyring) or _generate(settings.origin)
    path = _path(settings, tx.tree_size, _verifier(new))
    if not path.exists():
        write_new_key(path, new.to_pem())
    rotation = Rotation(settings.origin, _verifier(old), _verifier(new), tx.tree_size)
    return tx.append([Fact(KIND, rotation.body(old, new))])[0]


def finish_rotation(connection: Connection, settings: Settings, signed: int, *, destroy: bool = False) -> list[str]:
    """
    Retire every key but the newest: move it to keys/retired, or *destroy* it. Returns the vkeys that still sign.

    signed: size of the newest checkpoint.

    Raises:
        InvalidRequest: no rotation is unfinished, or no checkpoint under the new key has been signed yet.
    """
    keyring = rotations(connection)
    leaving = [path for index, key in keyring.keys[:-1] if (path := _path(settings, index, key)).exists()] if keyring else []
    if keyring is None or not leaving:
        raise InvalidRequest("没有正在进行的密钥更换")
    if signed <= keyring.keys[-1][0]:
        raise InvalidRequest("新密钥还没有签过检查点。请先运行 shouwang checkpoint")
    newest = load_signers(connection, settings, signed)[0]
    retired = settings.home / "keys" / "retired"
    retired.mkdir(mode=0o700, exist_ok=True)
    for path in leaving:
        if destroy:
            path.unlink()
        else:
            path.replace(retired / path.name)
    for folder in (retired, retired.parent):
        sync_folder(folder)
    publish_vkeys(settings, [newest])
    return [newest.vkey]


def _first_file(settings: Settings) -> Path:
    """The file with the first key's vkey: made by the first rotation, never changed after."""
    return settings.home / "keys" / "log-first.vkey"


def _verifier(signer: Signer) -> Verifier:
    return Verifier(signer.name, ED25519, signer.public)


def _generate(origin: str) -> Signer:
    return Signer(origin, Ed25519PrivateKey.generate())


def _load(settings: Settings, path: Path) -> Signer:
    return Signer.from_pem(settings.origin, read_secret(path))


def _path(settings: Settings, index: int, key: Verifier) -> Path:
    """The file of the private key that the entry at *index* brought (-1: the first)."""
    return settings.signing_key if index < 0 else settings.signing_key.with_name(f"log-signing-{key.key_id.hex()}.pem")


def _spare(settings: Settings, keyring: Keyring | None) -> Signer | None:
    """Find a key that was made for a rotation which then did not happen."""
    known = [key.public for key in keyring.verifiers] if keyring else []
    for path in sorted(settings.signing_key.parent.glob("log-signing-*.pem")):
        if (found := _load(settings, path)).public not in known:
            return found
    return None


def _write(path: Path, vkeys: list[str]) -> None:
    """Replace the file of public keys, so that a reader finds the old lines or the new."""
    fresh = path.with_suffix(".fresh")
    with fresh.open("w") as file:
        file.writelines(f"{vkey}\n" for vkey in vkeys)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_folder(path.parent)
