"""
Wrapping keys (key-encryption keys): where they come from, how a data key is wrapped, and how one wrapping key takes the place of another.

A wrapped key is AES-256-GCM with the subject as additional data:

    0x01 nonce(12) ciphertext               under a key that is not named (older rows): every known key is tried
    0x02 key-id(8) nonce(12) ciphertext     key-id: the first 8 bytes of SHA-256("shouwang wrapping key v1" || key)

The key comes from SHOUWANG_WRAPPING_KEY, if that is set (in hex, or the path of a mounted secret), else from keys/wrapping.key. While it is being
replaced there is a second one: SHOUWANG_WRAPPING_KEY_NEXT, or keys/wrapping-next.key. Both are readable until no row needs the old one.

A rotation is: put the next key in force, wrap every row anew, and only then let the next key take the old one's place. Each step can be repeated and
the whole resumed after a crash; a server that meets a key it does not know reads the files again. Only data keys are wrapped anew, not the data:
what people's keys seal stays as it is. When the old key and every copy of it are gone, older copies of the key store open nothing any more.
"""

import hashlib
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ledger.entries import format_time
from ledger.errors import Corrupt, InvalidRequest
from ledger.guard import Guard
from ledger.people.key_files import read_given_key, read_key, sync_folder, write_new_key
from ledger.people.key_store import KeyStore
from ledger.settings import Settings


class WrappingKeys:
    """The wrapping keys that may be in use, read once and again whenever a row names one that is not known."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._read()

    def wrap(self, subject: str, key: bytes) -> bytes:
        """Wrap a subject's data key."""
        return self._wrap(subject, key, self._newest)

    def unwrap(self, subject: str, wrapped: bytes) -> bytes:
        """Unwrap a subject's data key. Raises Corrupt if it was altered or no known key opens it."""
        if wrapped[:1] == b"\x02":
            cipher, sealed = self._cipher(wrapped[1:9]), wrapped[9:]
            candidates = [cipher] if cipher else []
        elif wrapped[:1] == b"\x01":
            candidates, sealed = list(self._ciphers.values()), wrapped[1:]
        else:
            raise Corrupt(f"{subject}：加密版本 {wrapped[:1].hex()} 不认识")
        for cipher in candidates:
            try:
                return cipher.decrypt(bytes(sealed[:12]), bytes(sealed[12:]), subject.encode())
            except (InvalidTag, ValueError):  # ValueError: cut short
                continue
        raise Corrupt(f"{subject}：密文被改动，或密钥不对（主密钥不是封存时的那一把）")

    def under(self, subject: str, wrapped: bytes, key_id: bytes) -> bytes:
        """Give a wrapped key under the wrapping key of that id: as it is, or wrapped anew."""
        return wrapped if wrapped[:9] == b"\x02" + key_id else self._wrap(subject, self.unwrap(subject, wrapped), key_id)

    def _wrap(self, subject: str, key: bytes, key_id: bytes) -> bytes:
        cipher, nonce = self._cipher(key_id), os.urandom(12)
        if cipher is None:
            raise Corrupt("密钥库已换用新的主密钥，而本程序没有。请给它新的主密钥（SHOUWANG_WRAPPING_KEY 或 keys/wrapping.key）再启动")
        return b"\x02" + key_id + nonce + cipher.encrypt(nonce, key, subject.encode())

    def _cipher(self, key_id: bytes) -> AESGCM | None:
        if key_id not in self._ciphers:
            with self._lock:
                self._read()
        return self._ciphers.get(key_id)

    def _read(self) -> None:
        keys = [read_wrapping_key(self._settings), read_next_key(self._settings)]
        self._ciphers = {key_id(key): AESGCM(key) for key in keys if key}
        self._newest = next(iter(self._ciphers))


def key_id(key: bytes) -> bytes:
    """Name a wrapping key without telling anything of it."""
    return hashlib.sha256(b"shouwang wrapping key v1" + key).digest()[:8]


def read_wrapping_key(settings: Settings) -> bytes:
    """Read the wrapping key from where the settings say. Raises SettingsError."""
    if settings.wrapping_given:
        return read_given_key(settings.wrapping_given, "SHOUWANG_WRAPPING_KEY ")
    return read_key(settings.wrapping_key)


def read_next_key(settings: Settings) -> bytes | None:
    """Read the key that is to take its place; None unless a rotation is on."""
    if settings.wrapping_given or settings.wrapping_next:
        return read_given_key(settings.wrapping_next, "SHOUWANG_WRAPPING_KEY_NEXT ") if settings.wrapping_next else None
    return read_key(settings.next_wrapping_key) if settings.next_wrapping_key.exists() else None


def rotate_wrapping_key(settings: Settings, progress: Callable[[int], None] | None = None) -> int:
    """
    Put a new wrapping key in the place of the old one, while others go on working. Returns how many data keys were wrapped anew.

    A key in a file is made, and destroyed, here. One that is given through the environment is the operator's to make: this wraps everything under
    SHOUWANG_WRAPPING_KEY_NEXT, which can then be made SHOUWANG_WRAPPING_KEY.

    Raises:
        InvalidRequest: there is no next key, or it is the one in use.
        Corrupt: a row is not what it was. The rotation stands where it is and both keys are kept.
    """
    if settings.wrapping_given and not settings.wrapping_next:
        raise InvalidRequest(
            "主密钥由 SHOUWANG_WRAPPING_KEY 给出，程序换不了它。请先把新的主密钥放进 SHOUWANG_WRAPPING_KEY_NEXT，"
            "让 serve 和 jobs 也带上它重新启动，再运行本命令"
        )
    if not settings.wrapping_given and not settings.next_wrapping_key.exists():
        write_new_key(settings.next_wrapping_key, os.urandom(32).hex().encode())
    fresh = read_next_key(settings)
    assert fresh is not None
    if fresh == read_wrapping_key(settings):
        raise InvalidRequest("新的主密钥和现在的是同一把，没有换。请换一个新的值")
    began = datetime.fromtimestamp(settings.next_wrapping_key.stat().st_mtime, UTC) if not settings.wrapping_given else datetime.now(UTC)
    keys, store = WrappingKeys(settings), KeyStore(settings.key_store)
    store.put_in_force(key_id(fresh))
    total, at = 0, ""
    while step := store.rewrap_some(at, keys.under):
        at, total = step[0], total + step[1]
        if progress:
            progress(total)
    if not settings.wrapping_given:
        settings.next_wrapping_key.replace(settings.wrapping_key)
        sync_folder(settings.wrapping_key.parent)
    if settings.guard.exists():
        Guard(settings.guard).note_rotated(format_time(began))
    return total
