"""
The store: opening a ledger, and the only place where transactions begin and end.

`Ledger.write` runs one function as the writer: it reads the latest state, checks its rules, appends and projects, and all of it is durable together
when `write` returns. Leaving by an exception undoes everything. The cached head is only trusted while it is the head of the database, so several
processes may write to one store.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine

from ledger import migrating, policies
from ledger.actors import OPERATOR, Actor
from ledger.checkpoints import Signing, create_signing_key
from ledger.database import check_durability, open_engine, read_transaction, write_transaction
from ledger.errors import SettingsError, Unavailable
from ledger.log import Appender, Head, load_head, tree_head
from ledger.settings import Settings
from ledger.transactions import ReadTransaction, WriteTransaction
from ledger.vault import KeyStore, Vault, write_new_key

Result = TypeVar("Result")

CLOCK_SLIP_MAX = timedelta(minutes=2)
"""How far a clock may stand behind the newest entry before writing stops; within it, entries keep the newest time."""


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
        self._writer = threading.Lock()
        self._head: Head | None = None

    @contextmanager
    def read(self) -> Iterator[ReadTransaction]:
        """Read one snapshot."""
        with read_transaction(self.engine) as connection:
            yield ReadTransaction(connection, self.vault, self._clock())

    def write(self, work: Callable[[WriteTransaction], Result], actor: Actor, *, rehearse: bool = False) -> Result:
        """Run *work* as the writer and make what it did durable; with *rehearse*, give its answer and undo everything."""
        with self._writer:
            with write_transaction(self.engine) as connection:
                head = self._current(connection)
                now = self._now(head)
                tx = WriteTransaction(connection, self.vault, now, actor, Appender(connection, head, actor.account, now))
                result = work(tx)
                if rehearse:
                    connection.rollback()
                    return result
                head = tx.appender.finish()
                self.vault.store_keys(tx.new_keys)
            # The commit point is behind us: what was appended is durable.
            self._head = head
            return result

    def operate(self, work: Callable[[Connection, datetime], Result]) -> Result:
        """Change what is not in the log (accounts, uploads, job runs) in a transaction of its own."""
        with write_transaction(self.engine) as connection:
            return work(connection, self._clock())

    def now(self) -> datetime:
        """The ledger's clock."""
        return self._clock()

    def _current(self, connection: Connection) -> Head:
        newest, head = tree_head(connection), self._head
        if head is None or (head.tree.size, head.tree.root()) != (newest.size, newest.root):
            head = self._head = load_head(connection)
        return head

    def _now(self, head: Head) -> datetime:
        now = self._clock()
        if not head.recorded_at:
            return now
        newest = datetime.fromisoformat(head.recorded_at)
        if now < newest - CLOCK_SLIP_MAX:
            raise Unavailable(f"本机时钟（{now:%Y-%m-%d %H:%M}）比账本最后一条记录（{newest:%Y-%m-%d %H:%M}）还早，请先校准时钟")
        return max(now, newest)


def create_ledger(settings: Settings, clock: Callable[[], datetime] = utc_now) -> Ledger:
    """Make whatever of the store is missing: schema, keys, key store, the first policy. Safe to repeat; existing keys are never touched."""
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    for path in (settings.wrapping_key, settings.blind_key, settings.session_key):
        if not path.exists():
            write_new_key(path, os.urandom(32).hex().encode())
    if not settings.signing_key.exists():
        create_signing_key(settings)
    KeyStore(settings.key_store).create()
    migrating.upgrade(settings.database_url)
    ledger = open_ledger(settings, clock)

    def adopt_defaults(tx: WriteTransaction) -> None:
        if tx.tree_size == 0:
            policies.adopt(tx, effective_on="2000-01-01", rules=policies.DEFAULTS, document="初始规则")

    ledger.write(adopt_defaults, OPERATOR)
    return ledger


def open_ledger(settings: Settings, clock: Callable[[], datetime] = utc_now) -> Ledger:
    """Open an existing store. Refuses weak durability, a wrong schema, missing keys and a tip that does not verify.

    Raises SettingsError (what to set, what to run) or Corrupt.
    """
    if settings.database_url.startswith("sqlite") and not Path(settings.database_url.removeprefix("sqlite:///")).exists():
        raise SettingsError(f"{settings.home} 里还没有账本。请先运行 shouwang init")
    engine = open_engine(settings.database_url)
    with read_transaction(engine) as connection:
        found, wanted = MigrationContext.configure(connection).get_current_revision(), migrating.newest_revision()
        if found != wanted:
            raise SettingsError(f"数据库结构版本是 {found or '空'}，程序需要 {wanted}。请先备份，再运行 shouwang init 升级")
        check_durability(connection)
        load_head(connection)
    return Ledger(settings, engine, clock)
