"""
The keys that a log has had, one after the other: how a rotation is said, and which key had to sign a checkpoint of which size.

A rotation is an entry of kind key.rotated. It holds the statement below, signed by the key that goes and by the key that comes (Ed25519, base64), so
that whoever trusts either of them trusts the other:

    shouwang/key-rotated/v1 LF  origin ORIGIN LF  old VKEY LF  new VKEY LF  valid from INDEX LF

INDEX is the entry's own index. The text is no checkpoint's (there the second line is a number) and no cosignature's (its first line).

Rules kept here alone: a key signs every checkpoint whose tree holds the entry that brought it, that is, of more than INDEX entries, until the next
rotation. The key that goes may sign beside it for a while, for verifiers who have not followed yet; alone it no longer counts. Nothing else
retires a key, so a thief of an old key cannot sign a history in which it is still young to anyone who has seen the rotation.

Only `cryptography` is needed here: who has the first vkey and the entries can follow without the rest of the program.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ledger import notes
from ledger.signing import ED25519, NoteError, Signer, Verifier, decode64, encode64

KIND = "key.rotated"


@dataclass(frozen=True)
class Rotation:
    """What a rotation entry says: from its *index* on, *new* is the key of the log *origin* in place of *old*."""

    origin: str
    old: Verifier
    new: Verifier
    index: int

    @property
    def statement(self) -> str:
        """The text that both keys sign."""
        return f"shouwang/key-rotated/v1\norigin {self.origin}\nold {self.old.vkey}\nnew {self.new.vkey}\nvalid from {self.index}\n"

    def body(self, old: Signer, new: Signer) -> dict[str, Any]:
        """Write the entry's body, signed by both keys."""
        return {
            "origin": self.origin,
            "old_vkey": self.old.vkey,
            "new_vkey": self.new.vkey,
            "valid_from": self.index,
            "old_signature": encode64(old.sign(self.statement)),
            "new_signature": encode64(new.sign(self.statement)),
        }


def read_rotation(index: int, body: Mapping[str, Any]) -> Rotation:
    """Read the body of the rotation entry at *index*. Raises NoteError unless both keys signed exactly this, for this place."""
    old, new = (Verifier.from_vkey(body[name]) for name in ("old_vkey", "new_vkey"))
    rotation = Rotation(body["origin"], old, new, index)
    if body["valid_from"] != index:
        raise NoteError(f"第 {index} 条的换钥声明说的是第 {body['valid_from']} 条")
    if {old.name, new.name} != {rotation.origin} or {old.key_type, new.key_type} != {ED25519} or old == new:
        raise NoteError(f"第 {index} 条的换钥声明不是同一账本的两把签名密钥")
    old.verify(rotation.statement, decode64(body["old_signature"], "旧密钥的签名"))
    new.verify(rotation.statement, decode64(body["new_signature"], "新密钥的签名"))
    return rotation


@dataclass(frozen=True)
class Keyring:
    """Every key that a log has had, each with the index of the entry that brought it (-1 for the first), oldest first."""

    keys: tuple[tuple[int, Verifier], ...]

    @property
    def verifiers(self) -> list[Verifier]:
        """The keys alone, oldest first."""
        return [key for _, key in self.keys]

    def valid_at(self, size: int) -> Verifier:
        """Name the key that has to sign a checkpoint of that size."""
        return next(key for index, key in reversed(self.keys) if index < size)

    def open_checkpoint(self, note: bytes, origin: str | None = None) -> notes.Checkpoint:
        """Open a checkpoint of any age. Raises NoteError unless the key of its time signed it, and whatever other key of the log did so truly."""
        checkpoint = notes.open_checkpoint(note, self.verifiers, origin)
        if self.valid_at(checkpoint.size) not in notes.open_note(note, self.verifiers)[1]:
            raise NoteError(f"检查点（{checkpoint.size} 条）只有那时已被换下的密钥签名，没有当时有效的密钥签名")
        return checkpoint


def follow_rotations(first: Verifier, rotations: Iterable[tuple[int, Mapping[str, Any]]]) -> Keyring:
    """
    Follow a log's rotation entries, (index, body) in order, from its first key on.

    Raises:
        NoteError: a statement is not signed by both keys, or does not begin with the key of its time.
    """
    keyring = read_keyring(rotations) or Keyring(((-1, first),))
    if keyring.verifiers[0] != first:
        raise NoteError(f"第 {keyring.keys[1][0]} 条换下的密钥不是账本当时的密钥")
    return keyring


def read_keyring(rotations: Iterable[tuple[int, Mapping[str, Any]]]) -> Keyring | None:
    """
    Join a log's rotation entries, (index, body) in order, to one keyring; None if there are none. Whose it is, is for the caller to know.

    Raises:
        NoteError: a statement is not signed by both keys, or does not begin with the key of its time.
    """
    found = [read_rotation(index, body) for index, body in rotations]
    for earlier, later in pairwise(found):
        if later.old != earlier.new or later.index <= earlier.index or later.origin != earlier.origin:
            raise NoteError(f"第 {later.index} 条换下的密钥不是账本当时的密钥")
    return Keyring(((-1, found[0].old), *((rotation.index, rotation.new) for rotation in found))) if found else None
