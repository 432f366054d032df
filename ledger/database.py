"""
The database: one engine, and what has to be said differently to SQLite and PostgreSQL.

Durability is not a matter of configuration here. SQLite: WAL, synchronous=FULL (NORMAL may lose an acknowledged commit at power loss), foreign
keys on, every write transaction BEGIN IMMEDIATE. PostgreSQL: fsync, full_page_writes and synchronous_commit must be on (the last may be remote_apply,
which is more); write transactions take one advisory lock first, so that one writer at a time reads the head of the log. `check_durability` refuses
anything weaker.

No connection is carried over a fork: a child would share PostgreSQL's socket, and SQLite's locks would be neither's.
"""

import os
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text

from ledger.bulk import run
from ledger.errors import SettingsError

WRITER_LOCK = 7_401_966_962
"""Number of the advisory lock that PostgreSQL writers take."""


_POOL: dict[str, Any] = {"pool_size": 16, "max_overflow": 24, "pool_use_lifo": True}
"""Connections kept and lent out beyond them, enough for a server's threads and the writer. Those beyond are closed when given back, which costs more
than a short read, so the ones kept are many; the last one used is lent first, because its cache is warm."""

_engines: "weakref.WeakSet[Engine]" = weakref.WeakSet()


def _let_go() -> None:
    for engine in list(_engines):
        engine.dispose()


os.register_at_fork(before=_let_go)


def open_engine(url: str, *, durable: bool = True) -> Engine:
    """Open an engine. *durable* False is for scratch copies that may be lost."""
    if not url.startswith("sqlite"):
        engine = create_engine(url, **_POOL, pool_pre_ping=True, hide_parameters=True)
        _engines.add(engine)
        return engine
    engine = create_engine(url, **_POOL, connect_args={"timeout": 30, "check_same_thread": False}, hide_parameters=True)
    _engines.add(engine)

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        if durable:
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.execute("PRAGMA synchronous=FULL")
            cursor.execute("PRAGMA wal_autocheckpoint=4000")
        else:
            cursor.execute("PRAGMA journal_mode=OFF")
            cursor.execute("PRAGMA synchronous=OFF")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA cache_size=-65536")
        cursor.execute("PRAGMA temp_store=MEMORY")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get("writing", False)
        run(connection, "BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


@contextmanager
def write_transaction(engine: Engine) -> Iterator[Connection]:
    """Be the one writer: everything read here is the latest state, and it is committed together or not at all."""
    with engine.connect().execution_options(writing=True) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": WRITER_LOCK})
        yield connection


@contextmanager
def read_transaction(engine: Engine) -> Iterator[Connection]:
    """Read one snapshot, however many statements it takes."""
    options: dict[str, Any] = {}
    if engine.dialect.name == "postgresql":
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


@contextmanager
def sorting_on_disk(connection: Connection) -> Iterator[None]:
    """Let SQLite sort what is too much for memory in runs on the disk meanwhile, which is quicker, too. PostgreSQL does so by itself.

    A connection that temporary tables have been looked for on cannot change where they are, and sorts in memory.
    """
    sqlite = connection.dialect.name == "sqlite"
    if not sqlite or any(row.name == "temp" for row in connection.exec_driver_sql("PRAGMA database_list")):
        yield
        return
    connection.exec_driver_sql("PRAGMA temp_store=FILE")
    try:
        yield
    finally:
        connection.exec_driver_sql("PRAGMA temp_store=MEMORY")


def remake_indexes(connection: Connection) -> None:
    """Have SQLite make every index anew from its table: verification compares them. What PostgreSQL restores has new ones."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("REINDEX")


def check_durability(connection: Connection) -> None:
    """Refuse settings under which an acknowledged entry could be lost. Raises SettingsError naming the setting."""
    found: dict[str, tuple[Any, tuple[Any, ...]]]
    if connection.dialect.name == "sqlite":
        found = {
            "journal_mode": (connection.exec_driver_sql("PRAGMA journal_mode").scalar(), ("wal",)),
            "synchronous": (connection.exec_driver_sql("PRAGMA synchronous").scalar(), (2,)),
        }
    else:
        enough = {"fsync": ("on",), "synchronous_commit": ("on", "remote_apply"), "full_page_writes": ("on",)}
        found = {name: (connection.execute(text(f"SHOW {name}")).scalar(), wanted) for name, wanted in enough.items()}
    for name, (value, wanted) in found.items():
        if value not in wanted:
            raise SettingsError(f"数据库设置 {name} 现在是 {value}，应为 {wanted[0]}：否则断电时已确认的记录可能丢失。请改正后再启动")
