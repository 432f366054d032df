"""
Backups: one file that holds the whole database as it was at one moment, and restoring it.

A backup is a ZIP of `manifest.json`, `checkpoint` (the newest one in it, if any was signed) and `database` (the SQLite file, or pg_dump's custom
format), in this order. The manifest is one JSON object:

    format       "shouwang-backup/1"              size, root   the tree head in it (root in base64)
    engine       "sqlite" or "postgresql"         schema       revision of its tables
    origin       whose log it is                  made_at      RFC 3339
    vkeys        the keys that signed then        members      name -> {"bytes", "sha256"} of each other member

What is not in it, and why:

- the keys folder: whoever finds a backup must not be able to sign, nor to open what is sealed. It is kept apart, once, in a safe place;
- the key store: erasing a person means to destroy their key there; a backup that held it would bring the person back. `--with-key-store` writes it
  to a file of its own, to be replaced by the next one and not to be collected;
- `last-signed.db` (guard.py) and the witness's memory: they exist to notice that an older database was put back, so they are never put back with it.

Rule kept here alone: nothing takes the place of anything before it was verified whole, and a state older than what was signed is put back only
when asked twice; even then it can be read but not signed.
"""

import hashlib
import os
import shutil
import sqlite3
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import orjson
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from ledger import checkpoints, history, log, migrating
from ledger.checking.verifying import verify
from ledger.checkpoints import Signing
from ledger.database import remake_indexes, write_transaction
from ledger.database_copies import copied_out, copy_sqlite, replace_sqlite, restored_postgresql, sqlite_file
from ledger.entries import SHANGHAI, b64, format_time
from ledger.errors import Conflict, Corrupt, InvalidRequest, SettingsError, Unavailable
from ledger.guard import Guard
from ledger.people import accounts, reveals, second_factors, sessions, tokens
from ledger.people.key_files import sync_folder
from ledger.settings import Settings
from ledger.store import Ledger, open_ledger, utc_now

FORMAT = "shouwang-backup/1"
_MANIFEST, _CHECKPOINT, _DATABASE = "manifest.json", "checkpoint", "database"
_SMALL_MAX = 1_000_000
"""Bytes that a manifest or a checkpoint may have."""
_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError, TypeError, NotImplementedError, RuntimeError, OSError)


@dataclass(frozen=True)
class Manifest:
    """What a backup says of itself."""

    engine: str
    origin: str
    size: int
    root: str
    vkeys: list[str]
    schema: str
    made_at: str
    members: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Restored:
    """How a restore went. kept: the old database's new name; behind: how many entries had been signed, if the restored log has fewer."""

    manifest: Manifest
    kept: Path | None
    behind: int | None


# --- making one


def back_up(ledger: Ledger, path: Path, *, key_store: Path | None = None) -> Manifest:
    """
    Write a backup while others go on writing; with *key_store*, also the key store to a file of its own. Either is there whole or not at all.

    Raises:
        InvalidRequest: a file of that name is there, or there is no such folder.
        Unavailable: it could not be written; no part of it is left.
    """
    for target in (path, *([key_store] if key_store else [])):
        if target.exists() or not target.absolute().parent.is_dir():
            raise InvalidRequest(f"{target} {'已经存在，不会覆盖' if target.exists() else '所在的文件夹不存在'}。请换一个文件名")
    try:
        with _beside(path) as folder:
            manifest = _collect(ledger, folder)
            _pack(folder, manifest)
            if key_store:
                with _beside(key_store) as keys:
                    copy_sqlite(ledger.settings.key_store, keys / "keys")
                    _settle(keys / "keys", key_store)
            _settle(folder / "backup", path)
    except (OSError, sqlite3.Error, SQLAlchemyError, Unavailable) as error:
        raise Unavailable(
            f"备份没有写成，也没有留下半份文件：{_reason(error)}。请检查 {path.absolute().parent} 的剩余空间和权限"
        ) from error
    return manifest


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """Give a private folder on the same file system, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix=".shouwang-", dir=path.absolute().parent) as folder:
        yield Path(folder)


def _settle(made: Path, path: Path) -> None:
    """Give a finished file its name, durably."""
    with made.open("rb") as file:
        os.fsync(file.fileno())
    made.replace(path)
    sync_folder(path.absolute().parent)


def _collect(ledger: Ledger, folder: Path) -> Manifest:
    """Copy the database and its newest checkpoint, and describe exactly that copy."""
    made_at = format_time(ledger.now())
    with copied_out(ledger.engine, folder / _DATABASE) as connection:
        head, note = log.tree_head(connection), checkpoints.newest_checkpoint(connection)
        schema = migrating.current_revision(connection) or ""
    if note:
        (folder / _CHECKPOINT).write_text(note)
    members = {name: _describe(folder / name) for name in (_CHECKPOINT, _DATABASE) if (folder / name).exists()}
    engine, signing = ledger.engine.dialect.name, ledger.signing
    return Manifest(engine, ledger.settings.origin, head.size, b64(head.root), signing.vkeys, schema, made_at, members)


def _describe(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def _pack(folder: Path, manifest: Manifest) -> None:
    (folder / _MANIFEST).write_bytes(
        orjson.dumps({"format": FORMAT, **asdict(manifest)}, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
    )
    (folder / "backup").touch(mode=0o600)
    with zipfile.ZipFile(folder / "backup", "w", compresslevel=1) as archive:
        for name in (_MANIFEST, *manifest.members):
            member = zipfile.ZipInfo(name)  # dated 1980: the manifest says when
            packed = name == _DATABASE and manifest.engine == "postgresql"
            member.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
            with (folder / name).open("rb") as source, archive.open(member, "w", force_zip64=True) as target:
                shutil.copyfileobj(source, target, 1 << 20)


def _reason(error: Exception) -> str:
    return str(getattr(error, "orig", None) or getattr(error, "strerror", None) or error).splitlines()[0]


# --- putting one back


def restore(settings: Settings, path: Path, *, force: bool = False, clock: Callable[[], datetime] = utc_now) -> Restored:
    """
    Verify a backup and put it in the place of the database.

    On SQLite the old database is kept beside under another name. On PostgreSQL the backup goes into an empty database only. *force*: replace a
    database that is there, and put back a state older than what was signed.

    Raises:
        InvalidRequest: it is no backup, or not one of this log, engine and version.
        Conflict: it needs *force*.
        Corrupt: it is damaged or does not verify. After any of these nothing is changed.
        Unavailable: the old database is in use, or the disk is full.
    """
    with _reading(path) as archive:
        manifest = _read_manifest(archive)
        _check_fits(settings, manifest)
        behind = _check_asked(settings, manifest, force=force)
        live = sqlite_file(settings.database_url)
        try:
            with _beside(live or settings.guard) as folder:
                for name in manifest.members:
                    _extract(archive, name, manifest, folder / name)
                if live is None:
                    with restored_postgresql(settings.database_url, folder / _DATABASE):
                        _check_restored(settings, manifest, folder, clock, behind=behind)
                    return Restored(manifest, None, behind)
                there = replace(settings, database_url=f"sqlite:///{folder / _DATABASE}")
                _check_restored(there, manifest, folder, clock, behind=behind)
                return Restored(manifest, replace_sqlite(live, folder / _DATABASE, clock().astimezone(SHANGHAI)), behind)
        except SQLAlchemyError as error:
            raise Corrupt(f"备份里的数据库读不出来，没有恢复：{_reason(error)}") from error
        except OSError as error:
            raise Unavailable(f"没有恢复，原来的账本没有动：{_reason(error)}。请检查剩余空间和权限") from error


@contextmanager
def _reading(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(path)
    except _UNREADABLE as error:
        raise InvalidRequest(f"{path.name} 不是守望账本的备份文件，或者没有拷完整") from error
    with archive:
        yield archive


def _read_manifest(archive: zipfile.ZipFile) -> Manifest:
    try:
        if archive.getinfo(_MANIFEST).file_size > _SMALL_MAX:
            raise ValueError("too large")
        said = orjson.loads(archive.read(_MANIFEST))
        if said.pop("format") != FORMAT:
            raise ValueError("another format")
        manifest = Manifest(**said)
        texts = (manifest.engine, manifest.origin, manifest.root, manifest.schema, manifest.made_at)
        members = {name: (type(one["bytes"]), type(one["sha256"])) for name, one in manifest.members.items()}
        if not {_DATABASE} <= members.keys() <= {_CHECKPOINT, _DATABASE} or set(members.values()) != {(int, str)}:
            raise ValueError("other members")
        if type(manifest.size) is not int or not all(isinstance(one, str) for one in texts):
            raise ValueError("other types")
        return manifest
    except (*_UNREADABLE, AttributeError) as error:
        raise InvalidRequest("备份的清单读不出来：文件损坏，或不是守望账本的备份") from error


def _check_fits(settings: Settings, manifest: Manifest) -> None:
    """Refuse a backup of another log, another engine, or a newer program."""
    if manifest.origin != settings.origin:
        raise InvalidRequest(f"这是 {manifest.origin} 的备份，不是本账本（{settings.origin}）的")
    engine = settings.database_url.partition(":")[0].partition("+")[0]
    if manifest.engine != engine:
        raise InvalidRequest(f"备份来自 {manifest.engine} 数据库，SHOUWANG_DATABASE_URL 指的是 {engine}。请换成同一种数据库再恢复")
    if not migrating.knows(manifest.schema):
        raise InvalidRequest(f"备份来自更新版本的程序（数据库结构 {manifest.schema}）。请先升级本程序，再恢复")


def _check_asked(settings: Settings, manifest: Manifest, *, force: bool) -> int | None:
    """Tell how many entries had been signed if the backup has fewer; what would be lost or cannot be known must have been asked for."""
    signed, warnings = 0, []
    try:
        signed = Guard(settings.guard).last(settings.origin)[0]
    except SettingsError:
        warnings.append(f"这里没有防分叉记录 {settings.guard.name}，恢复后只能查阅，不能再签发检查点")
    if signed > manifest.size:
        warnings.append(
            f"备份有 {manifest.size} 条，而已对 {signed} 条签过检查点：缺了 {signed - manifest.size} 条，恢复后只能查阅，不能再签发检查点"
        )
    live = sqlite_file(settings.database_url)
    if live is not None and live.exists():
        warnings.append("这里已有账本，恢复会换下它（旧的改名留存）")
    if warnings and not force:
        raise Conflict("；".join(warnings) + "。确定要这样做，请加 --force")
    return signed if signed > manifest.size else None


def _extract(archive: zipfile.ZipFile, name: str, manifest: Manifest, target: Path) -> None:
    """Unpack a member, readable by its owner only; what is not what the manifest says is refused."""
    wanted = manifest.members[name]
    target.touch(mode=0o600)
    try:
        with archive.open(name) as source, target.open("wb") as file:
            digest, length = _copy(source, file, wanted["bytes"])
    except OSError:
        raise
    except _UNREADABLE as error:
        raise Corrupt(f"备份文件损坏：{name} 读不出来") from error
    if (digest, length) != (wanted["sha256"], wanted["bytes"]):
        raise Corrupt(f"备份文件损坏：{name} 的内容与清单不符")


def _copy(source: IO[bytes], target: IO[bytes], length_max: int) -> tuple[str, int]:
    digest, length = hashlib.sha256(), 0
    while length <= length_max and (part := source.read(1 << 20)):
        digest.update(part)
        length += len(part)
        target.write(part)
    return digest.hexdigest(), length


def _end_ways_in(connection: Connection, now: datetime) -> None:
    """End what a backup knows and may have been ended since: sessions, API tokens, one-time and recovery codes. Passwords stay as they were then."""
    sessions.end_everybodys(connection)
    tokens.end_everybodys(connection, now)
    accounts.end_codes(connection, now)
    second_factors.end_recovery_codes(connection)


def _check_restored(settings: Settings, manifest: Manifest, folder: Path, clock: Callable[[], datetime], *, behind: int | None) -> None:
    """Verify an unpacked database as a whole: against its manifest, its checkpoint, and what was signed last unless it is known to be behind that."""
    if manifest.schema != migrating.newest_revision():
        migrating.upgrade(settings.database_url)
    ledger = open_ledger(replace(settings, require_restricted_role=False), clock)
    try:
        with write_transaction(ledger.engine) as connection:
            if manifest.schema != migrating.newest_revision():
                history.remake(connection)
            else:
                remake_indexes(connection)
        if behind or not settings.guard.exists():
            unsigned = Guard(folder / "unsigned.db")
            unsigned.create()
            ledger.signing = Signing(settings, unsigned)
        note = folder / _CHECKPOINT
        report = verify(ledger, against=note.read_bytes() if note.exists() else None)
        with ledger.engine.begin() as connection:
            _end_ways_in(connection, clock())
    finally:
        ledger.close()
    if (report.size, b64(report.root)) != (manifest.size, manifest.root):
        raise Corrupt(f"备份里的账本有 {report.size} 条，与清单说的 {manifest.size} 条或树根不符，没有恢复")
    # A person who was erased since has no key any more: that is as it should be.
    faults = [fault for fault in report.faults if not (fault.what.startswith("person[") and fault.found == "缺失")]
    if behind:
        faults = [fault for fault in faults if fault.what != reveals.END]
    if manifest.schema != migrating.newest_revision():  # accounts of before they were in the log are said by the next `init`
        faults = [fault for fault in faults if not fault.what.startswith("account[")]
    if faults or report.fault_count > len(report.faults):
        first = faults[0] if faults else report.faults[0]
        raise Corrupt(
            f"备份里的账本校验不过，没有恢复：{first.what} 应为 {first.expected}，实为 {first.found}（共 {report.fault_count} 处）"
        )
