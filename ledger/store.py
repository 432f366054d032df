"""
The store: opening a ledger, and the doors through which everything reads and writes.

`Ledger.write` hands one function to the writer (writer.py): it reads the latest state, checks its rules, appends and projects, and all of it is
durable together when `write` returns. Leaving by an exception undoes everything.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Engine

from ledger import migrating, policies
from ledger.certificates import credential_keys
from ledger.checkpoints import Signing
from ledger.database import check_durability, open_engine, read_transaction, write_transaction
from ledger.database_role import check_role
from ledger.errors import LedgerError, SettingsError
from ledger.log import load_head, tree_head
from ledger.people import bindings, grants
from ledger.people.actors import OPERATOR, SCHEDULER, Actor
from ledger.people.destruction import finish
from ledger.people.key_files import check_private, write_new_key
from ledger.people.key_store import KeyStore
from ledger.people.vault import Vault
from ledger.settings import Settings
from ledger.signing_keys import create_signing_key, some_key_file
from ledger.transactions import ReadTransaction, WriteTransaction
from ledger.writer import ItemWork, Writer

Result = TypeVar("Result")


def utc_now() -> datetime:
    """The clock: an aware time."""
    return datetime.now(UTC)


class Ledger:
    """An open ledger. *settings*, *vault* and *signing* are for reading; all writing goes through `write`."""

    def __init__(self, settings: Settings, engine: Engine, clock: Callable[[], datetime]) -> None:
        self.settings = settings
        self.engine = engine
        self.vault = Vault(settings)
        self.signing = Signing(settings)
        self._clock = clock
        self._writer = Writer(engine, self.vault, clock, self.signing.check_extends)

    @contextmanager
    def read(self) -> Iterator[ReadTransaction]:
        """Read one snapshot."""
        with read_transaction(self.engine) as connection:
            yield ReadTransaction(connection, self.vault, self._clock())

    def write(self, work: Callable[[WriteTransaction], Result], actor: Actor, *, rehearse: bool = False) -> Result:
        """Run *work* as the writer and return once what it did is durable; with *rehearse*, give its answer and undo everything.

        Raises what *work* raises, with nothing written; Unavailable when too much waits or the commit failed.
        """
        return cast("Result", self._writer.write(work, actor, rehearse=rehearse))

    def write_item(self, work: ItemWork, item: Any, actor: Actor) -> Any:
        """Have one item done by a function of many, such as `recording.record_each`, together with those of other callers."""
        return self._writer.write_item(work, item, actor)

    def sign_now(self) -> None:
        """Sign a checkpoint over what was written until now, once for all who ask for it at a time. Raises LedgerError; what was written stays."""
        self.write_item(_sign_once, self.signing, SCHEDULER)

    def close(self) -> None:
        """Finish what waits and let go of the database."""
        self._writer.close()
        self.engine.dispose()

    def operate(self, work: Callable[[Connection, datetime], Result]) -> Result:
        """Change what is not in the log (accounts, uploads, job runs) in a transaction of its own."""
        with write_transaction(self.engine) as connection:
            return work(connection, self._clock())

    def finish_erasures(self) -> int:
        """Destroy what is left of people who were erased, in this database and key store. Returns how many something was left of."""
        return finish(self.engine, self.vault, self._clock())

    def now(self) -> datetime:
        """The ledger's clock."""
        return self._clock()


def _sign_once(tx: WriteTransaction, waiting: Sequence[tuple[Actor, Signing]]) -> list[None]:
    waiting[0][1].sign(tx.connection)
    return [None for _ in waiting]


def create_ledger(settings: Settings, clock: Callable[[], datetime] = utc_now) -> Ledger:
    """Make whatever of the store is missing: schema, keys, key store, the first policy. Safe to repeat; existing keys are never touched.

    Raises SettingsError when a log that is there already has lost a key: a new one in its place would hide the loss.
    """
    wrapping = () if settings.wrapping_given else (settings.wrapping_key,)
    needed = (*wrapping, settings.blind_key, some_key_file(settings), settings.key_store)
    lost = [path.name for path in needed if not path.exists()]
    revision, entries = _look(settings.database_url)
    if lost and entries:
        raise SettingsError(
            f"数据库里已有账本，但找不到 {'、'.join(lost)}。请从备份取回这些文件；新建的密钥读不出原来的姓名，也不能代替原来的签名"
        )
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    for path in (*wrapping, settings.blind_key, settings.session_key):
        if not path.exists():
            write_new_key(path, os.urandom(32).hex().encode())
    create_signing_key(settings)
    credential_keys.create_key(settings)
    KeyStore(settings.key_store).create()
    _make_private(settings)
    if revision != migrating.newest_revision():
        migrating.upgrade(settings.database_url)
    ledger = open_ledger(replace(settings, require_restricted_role=False), clock)  # the owner makes what the restricted role then uses

    def adopt_defaults(tx: WriteTransaction) -> None:
        if tx.tree_size == 0:
            policies.adopt(tx, effective_on="1900-01-01", rules=policies.DEFAULTS, document="初始规则")
        grants.adopt_former(tx)
        bindings.adopt_former(tx)

    ledger.vault.make_drafts_key()
    ledger.write(adopt_defaults, OPERATOR)
    return ledger


def _make_private(settings: Settings) -> None:
    """Let nobody else of the machine read what lies in the home, also what an earlier version left open; SQLite's own files follow the database's mode."""
    if settings.database_url.startswith("sqlite"):
        Path(settings.database_url.removeprefix("sqlite:///")).touch(mode=0o600)
    for path in _stores(settings):
        if path.exists():
            path.chmod(0o600)


def _stores(settings: Settings) -> list[Path]:
    """The files beside the keys that nobody else may read: key store, second store, and the embedded database."""
    embedded = [Path(settings.database_url.removeprefix("sqlite:///"))] if settings.database_url.startswith("sqlite") else []
    return [settings.key_store, settings.guard, *embedded]


def _check_modes(settings: Settings) -> None:
    """Refuse stores that others may read, unless the folder they lie in keeps others out. Raises SettingsError."""
    for path in _stores(settings):
        if path.exists() and path.parent.stat().st_mode & 0o077:
            check_private(path, "数据文件")


def holds_entries(url: str) -> bool:
    """Tell whether a database holds a log with entries; it is not made by asking."""
    return _look(url)[1]


def _look(url: str) -> tuple[str | None, bool]:
    """Tell the version of a database's schema, and whether there are entries; it is not made by asking."""
    if url.startswith("sqlite") and not Path(url.removeprefix("sqlite:///")).exists():
        return None, False
    engine = open_engine(url)
    try:
        with read_transaction(engine) as connection:
            revision = migrating.current_revision(connection)
            return revision, revision is not None and tree_head(connection).size > 0
    finally:
        engine.dispose()


def open_ledger(settings: Settings, clock: Callable[[], datetime] = utc_now, *, damaged: bool = False) -> Ledger:
    """Open an existing store.

    Refuses weak durability, a wrong schema, another name, missing keys, stores that others may read, and (unless *damaged*: to find out how) a tip that
    does not verify.

    What was erased of people and is there again, or still, is destroyed before anybody can read it. On PostgreSQL a role that could change the log is
    refused, if the settings ask for that.

    Raises SettingsError (what to set, what to run) or Corrupt.
    """
    if settings.database_url.startswith("sqlite") and not Path(settings.database_url.removeprefix("sqlite:///")).exists():
        raise SettingsError(f"{settings.home} 里还没有账本。请先运行 shouwang init")
    _check_modes(settings)
    engine = open_engine(settings.database_url)
    try:
        with read_transaction(engine) as connection:
            found, wanted = migrating.current_revision(connection), migrating.newest_revision()
            if found != wanted:
                raise SettingsError(f"数据库结构版本是 {found or '空'}，程序需要 {wanted}。请先备份，再运行 shouwang init 升级")
            check_durability(connection)
            check_role(connection, required=settings.require_restricted_role)
            Signing(settings).check_origin(None if damaged else connection)
            if not damaged:
                load_head(connection)
        ledger = Ledger(settings, engine, clock)
        if not damaged:
            ledger.finish_erasures()
        return ledger
    except LedgerError:
        engine.dispose()
        raise
