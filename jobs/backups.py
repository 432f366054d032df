"""
Backups by the clock: one of the database every night, the newest KEPT of them, and of the key store the newest alone.

An older copy of the key store would open what was erased since; so each night's takes the place of the one before.
"""

from pathlib import Path

from ledger.backups import back_up
from ledger.entries import SHANGHAI
from ledger.errors import Unavailable
from ledger.store import Ledger

KEPT = 14
_DATABASES, _KEY_STORES = "shouwang-*.backup", "shouwang-*.key-store"


def make(ledger: Ledger) -> int:
    """Write a night's backup and forget what is too old. Returns how many entries are in it. Raises Unavailable; then the older ones stay."""
    folder = ledger.settings.backups
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(f"备份文件夹 {folder} 建不了：{error.strerror}。请检查 SHOUWANG_BACKUPS 和权限") from error
    name = f"shouwang-{ledger.now().astimezone(SHANGHAI):%Y%m%d-%H%M%S}"
    manifest = back_up(ledger, folder / f"{name}.backup", key_store=folder / f"{name}.key-store")
    _forget(folder, _DATABASES, name, KEPT)
    _forget(folder, _KEY_STORES, name, 1)
    return manifest.size


def _forget(folder: Path, pattern: str, written: str, kept: int) -> None:
    """Remove all but the one just written and the newest of the others.

    Their names sort by time; after a clock that ran ahead, what is written is not the last of them.
    """
    others = sorted((path for path in folder.glob(pattern) if path.stem != written), reverse=True)
    for path in others[kept - 1 :]:
        path.unlink()
