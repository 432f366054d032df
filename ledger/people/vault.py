"""
The vault: names, ID numbers and phones, sealed so that an entry, a file or a backup shows none of them.

Each subject (person/…, organisation/…) has a data key of its own. What is known of it is stored as AES-256-GCM under that key, in two parts:
identity (name, ID number, sex) and contact (name of the contact, phone). The data key, wrapped by the key-encryption key, lives in the key store, a
file of its own: destroying that one row makes the person unreadable in every old backup of the database too. The entry holds only a
commitment, SHA-256(0x03 || salt || canonical JSON), whose 32-byte salt is sealed with the part (the leading byte keeps it apart from
tree hashes). An ID number or phone is found by HMAC-SHA256 under a key of its own, never by a bare hash: there are too few of them.

Keys are written before the transaction that needs them commits: a crash between leaves a key without a person, never a person without a key.
"""

import hashlib
import hmac
import os
import sqlite3
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Connection, select

from ledger.bulk import insert_rows, rows_where_in
from ledger.errors import Corrupt, SettingsError
from ledger.settings import Settings
from ledger.tables import BlindIndexRow, PersonRow, table

Part = Mapping[str, str]

_PERSON, _BLIND = table(PersonRow), table(BlindIndexRow)
_KEYS_AT_ONCE = 500


def commitment(salt: bytes, part: Part) -> str:
    """Commit to a part of someone's data: base64 of SHA-256(0x03 || salt || canonical JSON)."""
    canonical = orjson.dumps(part, option=orjson.OPT_SORT_KEYS)
    return b64encode(hashlib.sha256(b"\x03" + salt + canonical).digest()).decode()


@dataclass(frozen=True)
class Personal:
    """What the vault holds of one subject; a part that is not there is empty."""

    subject: str
    identity: Part = field(default_factory=dict)
    contact: Part = field(default_factory=dict)


@dataclass(frozen=True)
class Commitments:
    """What an entry may say about someone: the commitments, None for a part that is not there."""

    identity: str | None
    contact: str | None


class KeyStore:
    """The file of wrapped data keys. Rows are overwritten with zeros when they are deleted, and no journal keeps them."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def create(self) -> None:
        """Make the file and its table, readable by its owner only."""
        self._path.touch(mode=0o600)
        with closing(self._open()) as db:
            db.execute("CREATE TABLE IF NOT EXISTS data_key (subject TEXT PRIMARY KEY, wrapped BLOB NOT NULL) WITHOUT ROWID")

    def add(self, wrapped: Mapping[str, bytes]) -> None:
        """Store wrapped keys, durably, before anything refers to them."""
        if wrapped:
            with closing(self._open()) as db, db:
                db.execute("BEGIN IMMEDIATE")
                db.executemany("INSERT INTO data_key VALUES (?, ?)", wrapped.items())

    def get(self, subjects: Sequence[str]) -> dict[str, bytes]:
        """Fetch the wrapped keys of *subjects*; those erased are absent."""
        found: dict[str, bytes] = {}
        with closing(self._open()) as db:
            for at in range(0, len(subjects), _KEYS_AT_ONCE):
                part = subjects[at : at + _KEYS_AT_ONCE]
                marks = ",".join("?" * len(part))
                found.update(db.execute(f"SELECT subject, wrapped FROM data_key WHERE subject IN ({marks})", part))  # noqa: S608 only question marks
        return found

    def _open(self) -> sqlite3.Connection:
        if not self._path.exists():
            raise SettingsError(f"找不到密钥库 {self._path.name}：没有它，姓名和证件号都无法读出。请从备份恢复，或运行 shouwang init")
        db = sqlite3.connect(self._path, timeout=30, isolation_level=None)
        db.execute("PRAGMA secure_delete=ON")
        db.execute("PRAGMA synchronous=FULL")
        return db


class Vault:
    """Seals and opens people's data. Holds the key-encryption key and the blind-index key; data keys are fetched, used and dropped."""

    def __init__(self, settings: Settings) -> None:
        wrapping = read_key(settings.wrapping_key)
        self._wrapping = AESGCM(wrapping)
        self._drafts = AESGCM(HKDF(SHA256(), 32, None, b"shouwang drafts v1").derive(wrapping))
        self._blind_key = read_key(settings.blind_key)
        self._keys = KeyStore(settings.key_store)

    def blind(self, field_name: str, value: str) -> bytes:
        """Compute the blind index of an ID number or phone (fields id_number, phone)."""
        return hmac.digest(self._blind_key, f"{field_name}:{value}".encode(), "sha256")

    def seal(self, people: Sequence[Personal]) -> tuple[list[Commitments], "Sealed"]:
        """Seal new subjects. Nothing is written yet: hand the Sealed to `store` inside the transaction and to `store_keys` before it commits."""
        sealed = Sealed()
        commitments = []
        for person in people:
            key = AESGCM.generate_key(256)
            cipher = AESGCM(key)
            sealed.keys[person.subject] = _encrypt(self._wrapping, key, person.subject)
            row: dict[str, Any] = {"subject": person.subject, "identity": None, "contact": None}
            made: dict[str, str | None] = {"identity": None, "contact": None}
            for name, part in (("identity", person.identity), ("contact", person.contact)):
                if part:
                    salt = os.urandom(32)
                    plain = salt + orjson.dumps(part, option=orjson.OPT_SORT_KEYS)
                    row[name] = _encrypt(cipher, plain, f"{person.subject}/{name}")
                    made[name] = commitment(salt, part)
            sealed.rows.append(row)
            for name, value in (
                ("id_number", person.identity.get("id_number")),
                ("phone", person.contact.get("phone")),
            ):
                if value and person.subject.startswith("person/"):
                    sealed.blind.append({"digest": self.blind(name, value), "subject": person.subject, "field": name})
            commitments.append(Commitments(made["identity"], made["contact"]))
        return commitments, sealed

    def store(self, connection: Connection, sealed: "Sealed") -> None:
        """Insert the sealed rows in the caller's transaction."""
        insert_rows(connection, _PERSON, sealed.rows)
        insert_rows(connection, _BLIND, sealed.blind)

    def store_keys(self, keys: Mapping[str, bytes]) -> None:
        """Make data keys durable in the key store."""
        self._keys.add(keys)

    def open(self, connection: Connection, subjects: Iterable[str]) -> dict[str, Personal]:
        """Open what is known of *subjects*. Erased and unknown ones are absent. Raises Corrupt if something sealed was altered."""
        opened = {}
        for subject, parts in self._open(connection, subjects):
            if isinstance(parts, Corrupt):
                raise parts
            opened[subject] = Personal(subject, *(part for part, _salt in parts))
        return opened

    def commitments(self, connection: Connection, subjects: Iterable[str]) -> dict[str, "Commitments | Corrupt"]:
        """Recompute the commitments of *subjects* from what is sealed, to be compared with their entries."""
        made: dict[str, Commitments | Corrupt] = {}
        for subject, parts in self._open(connection, subjects):
            if isinstance(parts, Corrupt):
                made[subject] = parts
            else:
                identity, contact = (commitment(salt, part) if part else None for part, salt in parts)
                made[subject] = Commitments(identity, contact)
        return made

    def _open(self, connection: Connection, subjects: Iterable[str]) -> Iterator[tuple[str, "list[tuple[Part, bytes]] | Corrupt"]]:
        """Open each subject's parts with their salts, or say what is wrong with them."""
        keys = self._keys.get(list(dict.fromkeys(subjects)))
        for row in rows_where_in(connection, _PERSON.c, _PERSON.c.subject, keys):
            try:
                cipher = AESGCM(_decrypt(self._wrapping, keys[row.subject], row.subject))
                parts: list[tuple[Part, bytes]] = []
                for name, blob in (("identity", row.identity), ("contact", row.contact)):
                    plain = _decrypt(cipher, blob, f"{row.subject}/{name}") if blob else b""
                    parts.append((orjson.loads(plain[32:]) if plain else {}, plain[:32]))
                yield row.subject, parts
            except Corrupt as fault:
                yield row.subject, fault

    def find(self, connection: Connection, field_name: str, values: Iterable[str]) -> dict[str, list[str]]:
        """Find subjects by ID number or phone: value -> subjects (none for an unknown value)."""
        digests = {self.blind(field_name, value): value for value in values}
        found: dict[str, list[str]] = {}
        columns = (_BLIND.c.digest, _BLIND.c.subject)
        for row in rows_where_in(connection, columns, _BLIND.c.digest, digests):
            found.setdefault(digests[bytes(row.digest)], []).append(row.subject)
        return found

    def subjects(self, connection: Connection) -> list[str]:
        """List every subject with sealed data."""
        return list(connection.execute(select(_PERSON.c.subject).order_by(_PERSON.c.subject)).scalars())

    def seal_draft(self, plain: bytes, label: str) -> bytes:
        """Seal work in hand (an uploaded file, a parked row) for the time until it is committed or dropped."""
        return _encrypt(self._drafts, plain, label)

    def open_draft(self, sealed: bytes, label: str) -> bytes:
        """Open what `seal_draft` sealed under the same label."""
        return _decrypt(self._drafts, sealed, label)


@dataclass
class Sealed:
    """Sealed data on its way to the database (rows, blind indexes) and the key store (wrapped keys by subject)."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    blind: list[dict[str, Any]] = field(default_factory=list)
    keys: dict[str, bytes] = field(default_factory=dict)


def _encrypt(cipher: AESGCM, plain: bytes, label: str) -> bytes:
    nonce = os.urandom(12)
    return b"\x01" + nonce + cipher.encrypt(nonce, plain, label.encode())


def _decrypt(cipher: AESGCM, sealed: bytes, label: str) -> bytes:
    if sealed[:1] != b"\x01":
        raise Corrupt(f"{label}：加密版本 {sealed[:1].hex()} 不认识")
    try:
        return cipher.decrypt(bytes(sealed[1:13]), bytes(sealed[13:]), label.encode())
    except (InvalidTag, ValueError):  # ValueError: cut short
        raise Corrupt(f"{label}：密文被改动，或密钥不对") from None


def write_new_key(path: Path, content: bytes) -> None:
    """Write a secret file that must not exist yet, readable by its owner only, durably."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make durable what a folder lists: a file that was made, renamed or removed in it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_secret(path: Path) -> bytes:
    """Read a secret file. Raises SettingsError when it is missing or others may read it."""
    if not path.exists():
        raise SettingsError(f"找不到密钥文件 {path.name}（应在 {path.parent}）。新建账本请运行 shouwang init；已有账本请从备份取回")
    if path.stat().st_mode & 0o077:
        raise SettingsError(f"密钥文件 {path.name} 的权限太宽，别的用户也能读。请运行 chmod 600 {path}")
    return path.read_bytes()


def read_key(path: Path) -> bytes:
    """Read a 32-byte key written in hex. Raises SettingsError."""
    try:
        key = bytes.fromhex(read_secret(path).decode().strip())
    except ValueError:
        raise SettingsError(f"密钥文件 {path.name} 的内容不是 64 位十六进制数") from None
    if len(key) != 32:
        raise SettingsError(f"密钥文件 {path.name} 应为 32 字节，现在是 {len(key)} 字节")
    return key
