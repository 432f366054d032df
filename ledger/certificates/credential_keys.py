"""
The keys of Verifiable Credentials, as files, and who they say they are.

    keys/credentials-1.pem   the first; -2, -3 … by rotation: the newest signs credentials, each signs its own status lists for as long as it is there

They are not the log's keys: a status list must be signed by the issuer of its credentials at any hour and for ever, while the log's keys are changed and
destroyed (checking/credentials.py says how the log vouches for these). So a rotation keeps the old file. With did:key each key is an issuer of its own;
with did:web (SHOUWANG_CREDENTIALS) the site's name is the one issuer, whose keys, old ones too, stand in its document.
"""

import re
from pathlib import Path
from urllib.parse import quote, urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.checking.multikeys import did_key, multikey
from ledger.checking.securing import Key
from ledger.errors import SettingsError
from ledger.people.key_files import read_secret, write_new_key
from ledger.settings import Settings
from ledger.signing import Signer

_NAME = re.compile(r"credentials-([1-9][0-9]*)\.pem")


def create_key(settings: Settings) -> None:
    """Make the first key unless there is one."""
    if not _files(settings):
        _make(settings, 1)


def rotate(settings: Settings) -> Key:
    """Make a new key, which signs credentials from now on; the old ones go on signing their status lists."""
    _make(settings, max(_files(settings), default=0) + 1)
    return keys(settings)[0]


def keys(settings: Settings) -> list[Key]:
    """Load the keys, newest first. Raises SettingsError when there is none."""
    files = _files(settings)
    if not files:
        raise SettingsError("找不到可验证凭证的密钥 credentials-1.pem（应在 keys 文件夹）。请从备份取回，或运行 shouwang init 新建")
    loaded = [Signer.from_pem(settings.origin, read_secret(files[number])).key for number in sorted(files, reverse=True)]
    return [Key(key, _did(settings, key)) for key in loaded]


def web_did(address: str) -> str:
    """Give the did:web of an address; nothing for one that is not https, which did:web asks for."""
    parts = urlsplit(address)
    return f"did:web:{quote(parts.netloc, safe='')}" if parts.scheme == "https" else ""


def _did(settings: Settings, key: Ed25519PrivateKey) -> str:
    return web_did(settings.address) if settings.credentials_by_web else did_key(multikey(key.public_key().public_bytes_raw()))


def _files(settings: Settings) -> dict[int, Path]:
    found = ((_NAME.fullmatch(path.name), path) for path in settings.signing_key.parent.glob("credentials-*.pem"))
    return {int(match[1]): path for match, path in found if match}


def _make(settings: Settings, number: int) -> None:
    content = Signer(settings.origin, Ed25519PrivateKey.generate()).to_pem()
    write_new_key(settings.signing_key.parent / f"credentials-{number}.pem", content)
