"""
Whom a checkpoint is believed from, for those who have files only: public keys, or a trust policy with witnesses.

A log may have changed its key since. The rotations that it holds join its keys to one chain, each link signed by both (keyring.py), so whoever trusts
one of them can tell which key had to sign a checkpoint of which size. Only `cryptography` is needed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledger.errors import SettingsError
from ledger.keyring import Keyring, read_keyring
from ledger.notes import Checkpoint, NoteError, Verifier, open_checkpoint, open_note
from ledger.trust_policy import Policy, read_policy

Rotations = Sequence[tuple[int, Mapping[str, Any]]]
"""(index, body) of a log's key rotations, in order."""


@dataclass(frozen=True)
class Trust:
    """Keys of which one must be the log's, and the policy they come from, if it is one."""

    keys: Sequence[Verifier]
    policy: Policy | None = None

    def open_checkpoint(self, note: bytes, rotations: Rotations = ()) -> Checkpoint:
        """
        Return the checkpoint that a note holds.

        Raises:
            NoteError: the log's key of its time did not sign it, that is not joined to a trusted key, or witnesses that are wanted are missing.
        """
        keyring = self._keyring(rotations)
        known = keyring.verifiers if keyring else self.keys
        checkpoint = keyring.open_checkpoint(note) if keyring else open_checkpoint(note, known)
        if self.policy and not self.policy.is_satisfied(open_note(note, [*self._witnesses(), *known])[1]):
            raise NoteError(f"见证人联署不够：信任名单要求 {self.policy.quorum}。")
        return checkpoint

    def open_text(self, note: bytes, rotations: Rotations = ()) -> tuple[str, list[str]]:
        """Return a note's text and the names of the log's keys that signed it, of whatever time. Raises NoteError when none did."""
        keyring = self._keyring(rotations)
        text, signed = open_note(note, keyring.verifiers if keyring else self.keys)
        return text, [key.name for key in signed]

    def _keyring(self, rotations: Rotations) -> Keyring | None:
        """Join the log's keys to those that are trusted; None when the log never changed its key. Raises NoteError when they are not joined."""
        keyring = read_keyring(rotations)
        if keyring is not None and not set(keyring.verifiers) & set(self.keys):
            raise NoteError("信任的公钥不在账本的换钥记录里。请核对公钥是否是账本公布的那一把。")
        return keyring

    def _witnesses(self) -> list[Verifier]:
        return [witness.verifier for witness in self.policy.witnesses] if self.policy else []


def trust_keys(path: Path) -> Trust:
    """Read a file of public keys, one vkey a line. Raises SettingsError."""
    try:
        keys = [Verifier.from_vkey(line) for line in path.read_text("utf-8").split()]
    except (OSError, UnicodeDecodeError, NoteError) as error:
        raise SettingsError(f"公钥文件 {path.name} 读不出来：{error}") from error
    if not keys:
        raise SettingsError(f"公钥文件 {path.name} 是空的")
    return Trust(keys)


def trust_policy(path: Path) -> Trust:
    """Read a trust policy. Raises SettingsError."""
    policy = read_policy(path)
    return Trust([known.verifier for known in policy.logs], policy)
