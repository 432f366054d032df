"""
Backups by the clock: one of the database every night, the newest KEPT of them, and of the key store the newest alone.

An older copy of the key store would open what was erased since; so each night's takes the place of the one before.
"""

from datetime import datetime, timedelta
from pathlib import Path

from jobs.runs import last_done
from ledger.backups import back_up
from ledger.entries import SHANGHAI
from ledger.errors import Unavailable
from ledger.store import Ledger

JOB = "backup"
KEPT = 14
FRESH = timedelta(hours=50)
"""How old the newest copy may be: a night may fail once."""
_MADE = "%Y%m%d-%H%M%S"
_DATABASES, _KEY_STORES = "shouwang-*.backup", "shouwang-*.key-store"


def make(ledger: Ledger) -> int:
    """Write a night's backup and forget what is too old. Returns how many entries are in it. Raises Unavailable; then the older ones stay."""
    folder = ledger.settings.backups
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(f"备份文件夹 {folder} 建不了：{error.strerror}。请检查 SHOUWANG_BACKUPS 和权限") from error
    name = f"shouwang-{ledger.now().astimezone(SHANGHAI):{_MADE}}"
    manifest = back_up(ledger, folder / f"{name}.backup", key_store=folder / f"{name}.key-store")
    _forget(folder, _DATABASES, name, KEPT)
    _forget(folder, _KEY_STORES, name, 1)
    return manifest.size


def check(ledger: Ledger) -> int:
    """Look whether last night's backup is still there, readable, and beside it the key store's. Returns how many backups there are.

    Before the first was ever made there is nothing to look at. Raises Unavailable.
    """
    with ledger.read() as tx:
        made = last_done(tx.connection, JOB, before=tx.today + timedelta(days=1))
    if made is None:
        return 0
    folder = ledger.settings.backups
    for what, pattern in (("数据库备份", _DATABASES), ("密钥库副本", _KEY_STORES)):
        newest = max(folder.glob(pattern), default=None)
        if newest is None:
            raise Unavailable(f"备份文件夹 {folder} 里没有{what}了。请查明是谁移走的，并马上在「任务」里运行一次备份")
        made_at = datetime.strptime(newest.stem.removeprefix("shouwang-"), _MADE).replace(tzinfo=SHANGHAI)
        if ledger.now() - made_at > FRESH or not newest.stat().st_size:
            raise Unavailable(f"最新的{what} {newest.name} 太旧，或是空的。请看备份任务为什么没有做，并马上运行一次")
    return len(list(folder.glob(_DATABASES)))


def _forget(folder: Path, pattern: str, written: str, kept: int) -> None:
    """Remove all but the one just written and the newest of the others.

    Their names sort by time; after a clock that ran ahead, what is written is not the last of them.
    """
    others = sorted((path for path in folder.glob(pattern) if path.stem != written), reverse=True)
    for path in others[kept - 1 :]:
        path.unlink()
