"""
Secret files: written once, readable by their owner alone, refused when anybody else could read them.

A secret that is given from outside, through the environment, is either 32 bytes in hex or the absolute path of a file with them (a mounted secret).
"""

import os
from pathlib import Path

from ledger.errors import SettingsError


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


def check_private(path: Path, what: str) -> None:
    """Refuse a file that other users of the machine may read or write. Raises SettingsError; a file that is not there is no fault here."""
    if path.exists() and path.stat().st_mode & 0o077:
        raise SettingsError(f"{what} {path.name} 的权限太宽，别的用户也能读。请运行 chmod 600 {path}")


def read_secret(path: Path) -> bytes:
    """Read a secret file. Raises SettingsError when it is missing or others may read it."""
    if not path.exists():
        raise SettingsError(f"找不到密钥文件 {path.name}（应在 {path.parent}）。新建账本请运行 shouwang init；已有账本请从备份取回")
    check_private(path, "密钥文件")
    return path.read_bytes()


def read_key(path: Path) -> bytes:
    """Read a 32-byte key written in hex. Raises SettingsError."""
    return _parse(read_secret(path).decode(errors="replace"), f"密钥文件 {path.name} ")


def read_given_key(said: str, name: str) -> bytes:
    """Read a key given through the environment variable *name*: the key in hex, or the absolute path of its file. Raises SettingsError."""
    return read_key(Path(said)) if said.startswith("/") else _parse(said, name)


def _parse(text: str, what: str) -> bytes:
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        raise SettingsError(f"{what}的内容不是 64 位十六进制数") from None
    if len(key) != 32:
        raise SettingsError(f"{what}应为 32 字节，现在是 {len(key)} 字节")
    return key
