"""
The vault: names, ID numbers and phones, sealed so that an entry, a file or a backup shows none of them.

Each subject (person/…, organisation/…) has a data key of its own. What is known of it (fields.py says what may be) is stored as AES-256-GCM under that
key, in parts: identity (name, ID number, sex), contact (phone, area …; an organisation's contact), guardian (of a minor). The data key, wrapped
by the key-encryption key (wrapping.py), lives in the key store (key_store.py), a file of its own: destroying that one row makes the person
unreadable in every old backup of the database too. The entry holds only a commitment, SHA-256(0x03 || salt || canonical JSON), whose 32-byte salt is
sealed with the part (the leading byte keeps it apart from tree hashes). An ID number or phone is found by HMAC-SHA256 under a key of its
own, never by a bare hash: there are too few of them.

Work in hand that holds personal data (an upload, a parked row) has a data key of its own as well, so that it too is gone from old backups when it is
dropped. What is restricted (erasures.py) stays sealed: `open` leaves it out.

Keys are written before the transaction that needs them commits: a crash between leaves a key without a person, never a person without a key.
"""

import hashlib
import hmac
import os
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Connection, select

from ledger.bulk import insert_rows, rows_where_in
from ledger.errors import Corrupt, NotFound, SettingsError
from ledger.guard import Guard
from ledger.people.fields import check_fields
from ledger.people.key_files import read_key
from ledger.people.key_store import KeyStore
from ledger.people.wrapping import WrappingKeys, read_wrapping_key
from ledger.settings import Settings
from ledger.tables import BlindIndexRow, ErasureRow, PersonRow, table

Part = Mapping[str, str]

PARTS = ("identity", "contact", "guardian")
_PERSON, _BLIND, _ERASURE = table(PersonRow), table(BlindIndexRow), table(ErasureRow)
_DRAFTS = "drafts"


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
    guardian: Part = field(default_factory=dict)

    @property
    def parts(self) -> dict[str, Part]:
        """The parts that are there, by name."""
        return {name: part for name in PARTS if (part := getattr(self, name))}


@dataclass(frozen=True)
class Commitments:
    """What an entry may say about someone: the commitments, None for a part that is not there."""

    identity: str | None
    contact: str | None
    guardian: str | None = None


@dataclass(frozen=True)
class Retraced:
    """What follows from what is sealed of one subject: its commitments, and its rows of the index (field -> digest)."""

    commitments: Commitments
    findable: Mapping[str, bytes]


class Vault:
    """Seals and opens people's data. Holds the wrapping keys and the blind-index key; data keys are fetched, used and dropped."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._wrapping = WrappingKeys(settings)
        self._blind_key = read_key(settings.blind_key)
        self._keys = KeyStore(settings.key_store)
        self._guard = Guard(settings.guard)
        self._drafts: AESGCM | None = None

    def blind(self, field_name: str, value: str) -> bytes:
        """Compute the blind index of an ID number or phone (fields id_number, phone)."""
        return hmac.digest(self._blind_key, f"{field_name}:{value}".encode(), "sha256")

    def seal(self, people: Sequence[Personal]) -> tuple[list[Commitments], "Sealed"]:
        """Seal new subjects. Nothing is written yet: hand the Sealed to `store` inside the transaction and to `store_keys` before it commits.

        Raises InvalidRequest for a field that fields.py does not know.
        """
        sealed = Sealed()
        for person in people:
            key = AESGCM.generate_key(256)
            sealed.keys[person.subject] = self._wrapping.wrap(person.subject, key)
            self._seal_parts(person, AESGCM(key), sealed)
        return sealed.commitments, sealed

    def reseal(self, connection: Connection, people: Sequence[Personal]) -> list[Commitments]:
        """Seal anew, under the keys they have, all that is known of subjects, in the caller's transaction. Raises NotFound for one whose key is gone."""
        keys = self._unwrapped([person.subject for person in people])
        sealed = Sealed()
        for person in people:
            if person.subject not in keys:
                raise NotFound("这个人的资料已经销毁，不能再改")
            self._seal_parts(person, AESGCM(keys[person.subject]), sealed)
        for target in (_PERSON, _BLIND):
            connection.execute(target.delete().where(target.c.subject.in_([person.subject for person in people])))
        self.store(connection, sealed)
        return sealed.commitments

    def _seal_parts(self, person: Personal, cipher: AESGCM, sealed: "Sealed") -> None:
        check_fields(person.subject, person.parts)
        row: dict[str, Any] = {"subject": person.subject, **dict.fromkeys(PARTS)}
        made: dict[str, str | None] = dict.fromkeys(PARTS)
        for name, part in person.parts.items():
            salt = os.urandom(32)
            row[name] = _encrypt(cipher, salt + orjson.dumps(part, option=orjson.OPT_SORT_KEYS), f"{person.subject}/{name}")
            made[name] = commitment(salt, part)
        sealed.rows.append(row)
        sealed.commitments.append(Commitments(**made))
        sealed.blind.extend({"digest": digest, "subject": person.subject, "field": name} for name, digest in self._findable(person).items())

    def _findable(self, person: Personal) -> dict[str, bytes]:
        """By what somebody may be found: field -> blind index. Organisations are found by their names, which are no secret."""
        if not person.subject.startswith("person/"):
            return {}
        known = (("id_number", person.identity.get("id_number")), ("phone", person.contact.get("phone")))
        return {name: self.blind(name, value) for name, value in known if value}

    def store(self, connection: Connection, sealed: "Sealed") -> None:
        """Insert the sealed rows in the caller's transaction."""
        insert_rows(connection, _PERSON, sealed.rows)
        insert_rows(connection, _BLIND, sealed.blind)

    def store_keys(self, keys: Mapping[str, bytes]) -> None:
        """Make data keys durable in the key store."""
        self._keys.add(keys, self._wrapping.under)

    def open(self, connection: Connection, subjects: Iterable[str], *, restricted: bool = False) -> dict[str, Personal]:
        """Open what is known of *subjects*. Erased and unknown ones are absent, and restricted ones unless they are asked for.

        Raises Corrupt if something sealed was altered.
        """
        opened = {}
        wanted = list(dict.fromkeys(subjects))
        closed = set() if restricted else self._restricted(connection, wanted)
        for subject, parts in self._open(connection, [subject for subject in wanted if subject not in closed]):
            if isinstance(parts, Corrupt):
                raise parts
            opened[subject] = Personal(subject, *(part for part, _salt in parts))
        return opened

    def _restricted(self, connection: Connection, subjects: list[str]) -> set[str]:
        rows = rows_where_in(connection, (_ERASURE.c.subject, _ERASURE.c.state), _ERASURE.c.subject, subjects)
        return {row.subject for row in rows if row.state == "restricted"}

    def commitments(self, connection: Connection, subjects: Iterable[str]) -> dict[str, "Commitments | Corrupt"]:
        """Recompute the commitments of *subjects* from what is sealed, to be compared with their entries."""
        retraced = self.retrace(connection, subjects)
        return {subject: made if isinstance(made, Corrupt) else made.commitments for subject, made in retraced.items()}

    def retrace(self, connection: Connection, subjects: Iterable[str]) -> dict[str, "Retraced | Corrupt"]:
        """Recompute from what is sealed all that is said of *subjects* elsewhere: in their entries, and in the index."""
        made: dict[str, Retraced | Corrupt] = {}
        for subject, parts in self._open(connection, subjects):
            if isinstance(parts, Corrupt):
                made[subject] = parts
            else:
                commitments = Commitments(*(commitment(salt, part) if part else None for part, salt in parts))
                made[subject] = Retraced(commitments, self._findable(Personal(subject, *(part for part, _ in parts))))
        return made

    def _open(self, connection: Connection, subjects: Iterable[str]) -> Iterator[tuple[str, "list[tuple[Part, bytes]] | Corrupt"]]:
        """Open each subject's parts with their salts, or say what is wrong with them."""
        keys = self._keys.get(list(dict.fromkeys(subjects)))
        for row in rows_where_in(connection, _PERSON.c, _PERSON.c.subject, keys):
            try:
                cipher = AESGCM(self._wrapping.unwrap(row.subject, keys[row.subject]))
                yield row.subject, [_open_part(cipher, getattr(row, name), f"{row.subject}/{name}") for name in PARTS]
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

    # --- destroying

    def destroyed(self) -> set[str]:
        """Whose keys were destroyed, as the second store remembers it: nobody whose data was put back from an old copy is missed."""
        return self._guard.destroyed()

    def destroy(self, subjects: Sequence[str], at: str) -> int:
        """Destroy the keys of people for good, whatever copy of the key store is put in its place later. Returns how many there were."""
        self._guard.note_destroyed(subjects, at)
        return self._keys.destroy(subjects)

    def looks(self) -> tuple[int, str]:
        """Read from the second store how many looks at people's data there were when last signed, and the digest of the newest of them."""
        return self._guard.looks()

    def drop_keys(self, subjects: Sequence[str]) -> int:
        """Destroy the keys of work in hand that is done with. Returns how many there were."""
        return self._keys.destroy(subjects)

    def keyed(self, prefix: str) -> list[str]:
        """List the subjects of a kind (person/, parked/, upload/) that have a key."""
        return self._keys.subjects(prefix)

    def with_keys(self, subjects: Sequence[str]) -> list[str]:
        """Tell which of *subjects* have a key."""
        return list(self._keys.get(subjects))

    # --- work in hand

    def seal_new(self, subject: str, plain: bytes) -> tuple[bytes, dict[str, bytes]]:
        """Seal work in hand (upload/…, parked/…) under a new key of its own: the sealed bytes, and the key to be handed to `store_keys`."""
        key = AESGCM.generate_key(256)
        return _encrypt(AESGCM(key), plain, subject), {subject: self._wrapping.wrap(subject, key)}

    def seal_more(self, subject: str, plain: bytes, label: str) -> bytes:
        """Seal something more, under a label, with the key that `seal_new` made. Raises NotFound when it is gone."""
        return _encrypt(self._own(subject), plain, label)

    def open_more(self, subject: str, sealed: bytes, label: str) -> bytes:
        """Open what `seal_more` sealed, or `seal_new` with the subject as label. Raises NotFound when the key is gone."""
        return _decrypt(self._own(subject), sealed, label)

    def open_many(self, sealed: Mapping[str, bytes]) -> dict[str, bytes]:
        """Open what `seal_new` sealed for each subject; those whose key is gone are absent."""
        keys = self._unwrapped(list(sealed))
        return {subject: _decrypt(AESGCM(key), sealed[subject], subject) for subject, key in keys.items()}

    def _own(self, subject: str) -> AESGCM:
        keys = self._unwrapped([subject])
        if subject not in keys:
            raise NotFound("这份内容已按规定删除，读不出来了。请重新上传")
        return AESGCM(keys[subject])

    def _unwrapped(self, subjects: Sequence[str]) -> dict[str, bytes]:
        return {subject: self._wrapping.unwrap(subject, wrapped) for subject, wrapped in self._keys.get(subjects).items()}

    # --- secrets of the program's own

    def make_drafts_key(self) -> None:
        """Make the key of `seal_draft` in a store that has none; in an older one it is what it was, so that what it sealed still opens."""
        if _DRAFTS not in self._keys.get([_DRAFTS]):
            older = bool(self._keys.subjects("organisation/") or self._keys.subjects("person/"))
            derived = HKDF(SHA256(), 32, None, b"shouwang drafts v1").derive(read_wrapping_key(self._settings))
            self.store_keys({_DRAFTS: self._wrapping.wrap(_DRAFTS, derived if older else AESGCM.generate_key(256))})

    def seal_draft(self, plain: bytes, label: str) -> bytes:
        """Seal a secret of the program's own, such as a second factor's, under a label."""
        return _encrypt(self._drafts_cipher(), plain, label)

    def open_draft(self, sealed: bytes, label: str) -> bytes:
        """Open what `seal_draft` sealed under the same label."""
        return _decrypt(self._drafts_cipher(), sealed, label)

    def _drafts_cipher(self) -> AESGCM:
        if self._drafts is None:
            keys = self._unwrapped([_DRAFTS])
            if not keys:
                raise SettingsError("密钥库里没有程序自用的密钥。请运行 shouwang init 补上")
            self._drafts = AESGCM(keys[_DRAFTS])
        return self._drafts


@dataclass
class Sealed:
    """Sealed data on its way to the database (rows, blind indexes), the key store (wrapped keys by subject) and the entry (commitments)."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    blind: list[dict[str, Any]] = field(default_factory=list)
    keys: dict[str, bytes] = field(default_factory=dict)
    commitments: list[Commitments] = field(default_factory=list)


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


def _open_part(cipher: AESGCM, sealed: bytes | None, label: str) -> tuple[Part, bytes]:
    plain = _decrypt(cipher, sealed, label) if sealed else b""
    return (orjson.loads(plain[32:]) if plain else {}), plain[:32]
