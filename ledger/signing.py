"""
The keys of signed notes: who signs, who checks, and how a key is written down (C2SP signed-note, tlog-cosignature).

    key id      SHA256(NAME LF type ‖ public key)[:4]
    vkey        NAME+hex(key id)+base64(type ‖ public key); NAME has no space and no +
    type 01     Ed25519 over the note's text
    type 04     cosignature: u64 POSIX time ‖ Ed25519 over `cosignature/v1 LF time T LF` and the text
    base64      RFC 4648, section 4, padded

Signing and checking are left to whatever stands behind `NoteSigner` and `NoteVerifier`: a second algorithm is a second
such object, its signature a second line in the note, and readers that do not know it pass it over.

Rule kept here alone: base64, names and texts have one spelling; any other is refused.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from ledger.errors import LedgerError, SettingsError

ED25519 = 1
COSIGNATURE = 4
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")  # all but LF


class NoteError(LedgerError):
    """A signed text is malformed, or not signed by whom it should be."""


class NoteSigner(Protocol):
    """A key that signs note texts, by any algorithm."""

    @property
    def name(self) -> str:
        """The name that its signature lines bear."""

    @property
    def key_id(self) -> bytes:
        """The four bytes that tell it from other keys of that name."""

    def sign(self, text: str) -> bytes:
        """Return the signature, without the key id."""


class NoteVerifier(Protocol):
    """A key that checks signatures on note texts, by any algorithm."""

    @property
    def name(self) -> str:
        """The name that its signature lines bear."""

    @property
    def key_id(self) -> bytes:
        """The four bytes that tell it from other keys of that name."""

    def verify(self, text: str, signature: bytes) -> None:
        """Raise NoteError unless the signature, given without the key id, is this key's on that text."""


def key_id(name: str, key_type: int, public: bytes) -> bytes:
    """Compute the four bytes by which a signature names its key."""
    return sha256(f"{name}\n".encode() + bytes([key_type]) + public).digest()[:4]


@dataclass(frozen=True)
class Signer:
    """An Ed25519 private key under a name. It signs notes as they are; `cosign` uses it as a witness's key."""

    name: str
    key: Ed25519PrivateKey

    def __post_init__(self) -> None:
        check_name(self.name)

    @classmethod
    def from_seed(cls, name: str, seed: bytes) -> "Signer":
        """Make the key of a 32-byte seed."""
        return cls(name, Ed25519PrivateKey.from_private_bytes(seed))

    @classmethod
    def from_pem(cls, name: str, pem: bytes) -> "Signer":
        """
        Load an unencrypted PKCS #8 key.

        Raises:
            SettingsError: it is not one, or not an Ed25519 key.
        """
        try:
            key = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError) as error:
            raise SettingsError(f"签名密钥 {name} 读不出来：应为未加密的 PKCS #8 PEM 文件。") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise SettingsError(f"签名密钥 {name} 不是 Ed25519 密钥。")
        return cls(name, key)

    def to_pem(self) -> bytes:
        """Write the private key as unencrypted PKCS #8."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def public(self) -> bytes:
        """The public key, 32 bytes."""
        return self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @property
    def key_id(self) -> bytes:
        """The key id of this key's notes."""
        return key_id(self.name, ED25519, self.public)

    @property
    def vkey(self) -> str:
        """What others need to check this key's notes."""
        return Verifier(self.name, ED25519, self.public).vkey

    @property
    def cosigner_vkey(self) -> str:
        """What others need to check this key's cosignatures."""
        return Verifier(self.name, COSIGNATURE, self.public).vkey

    def sign(self, text: str) -> bytes:
        """Return the signature, without the key id."""
        return self.key.sign(text.encode())


@dataclass(frozen=True)
class Verifier:
    """An Ed25519 public key under a name, for notes (type 01) or for cosignatures (type 04)."""

    name: str
    key_type: int
    public: bytes

    @classmethod
    def from_vkey(cls, vkey: str) -> "Verifier":
        """
        Read a vkey string.

        Raises:
            NoteError: it is malformed, contradicts its own key id, or is of a type not known here.
        """
        name, _, encoded = (*vkey.split("+", 2), "", "")[:3]
        check_name(name)
        typed = decode64(encoded, "公钥")
        if len(typed) != 33 or typed[0] not in (ED25519, COSIGNATURE):
            raise NoteError("公钥类型不认识：应为 Ed25519（01）或见证人联署（04）。")
        verifier = cls(name, typed[0], typed[1:])
        if verifier.vkey != vkey:
            raise NoteError(f"公钥 {name} 的编号与公钥本身不符，可能抄错了。")
        return verifier

    @property
    def key_id(self) -> bytes:
        """The four bytes that signatures name this key by."""
        return key_id(self.name, self.key_type, self.public)

    @property
    def vkey(self) -> str:
        """The string that `from_vkey` reads back."""
        return f"{self.name}+{self.key_id.hex()}+{encode64(bytes([self.key_type]) + self.public)}"

    def verify(self, text: str, signature: bytes) -> None:
        """Raise NoteError unless the signature is this key's on that text."""
        signed = text
        if self.key_type == COSIGNATURE:
            time, signature = int.from_bytes(signature[:8], "big"), signature[8:]
            signed = cosigned_text(text, time)
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, signed.encode())
        except InvalidSignature as error:
            raise NoteError(f"{self.name} 的签名不对：内容在签名之后被改过，或签名是伪造的。") from error


def cosigned_text(text: str, time: int) -> str:
    """Write what a witness signs: a checkpoint's text at a POSIX time, in seconds."""
    return f"cosignature/v1\ntime {time}\n{text}"


def check_name(name: str) -> None:
    """Raise NoteError unless a key may bear that name."""
    if not name or "+" in name or any(letter.isspace() for letter in name) or CONTROL.search(name):
        raise NoteError("密钥名称不能为空，不能含空格、加号或控制字符。")


def decode_text(raw: bytes) -> str:
    """Decode UTF-8 without control characters but LF; raise NoteError otherwise."""
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise NoteError("签名文本不是 UTF-8 编码。") from error
    if CONTROL.search(text):
        raise NoteError("签名文本含有换行以外的控制字符。")
    return text


def encode64(raw: bytes) -> str:
    """Write base64."""
    return base64.b64encode(raw).decode()


def decode64(encoded: str, what: str) -> bytes:
    """Decode base64 of at least one byte, if canonical; otherwise raise NoteError about `what`."""
    try:
        raw = base64.b64decode(encoded.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raw = b""
    if not raw or encode64(raw) != encoded:
        raise NoteError(f"{what}不是规范的 base64。")
    return raw
