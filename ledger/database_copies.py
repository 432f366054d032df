"""
Copies of a whole database: taken while others write, and put in the place of the old one in one step.

                 taken by                                       put back by
    SQLite       the online backup API, in one step: one        a rename: readers find the old file or the new; the old one is kept
                 snapshot; writers go on into the WAL           beside. Refused while any process has the old one open
    PostgreSQL   pg_dump in custom format, from the snapshot    pg_restore in one transaction into an empty database only; the old
                 that the manifest is read from                 database stays what it is under its own name

The programs get the connection through the environment, never on their command line, which every user of the machine can read.
"""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from psycopg.pq import Conninfo
from sqlalchemy import Connection, Engine, make_url, text

from ledger.database import open_engine, read_transaction
from ledger.errors import Conflict, Corrupt, SettingsError, Unavailable
from ledger.people.key_files import sync_folder


def sqlite_file(url: str) -> Path | None:
    """The file behind a SQLite URL; None for PostgreSQL."""
    return Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy a SQLite database as it is at one moment, whoever writes to it. The copy is readable by its owner only. Raises sqlite3.Error."""
    target.touch(mode=0o600)
    with closing(sqlite3.connect(source, timeout=30)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


@contextmanager
def copied_out(engine: Engine, target: Path) -> Iterator[Connection]:
    """Copy the database behind *engine* to a file, and give a connection that sees exactly what was copied. Raises OSError, sqlite3.Error, Unavailable."""
    url = engine.url.render_as_string(hide_password=False)
    if source := sqlite_file(url):
        copy_sqlite(source, target)
        copy = open_engine(f"sqlite:///{target}", durable=False)
        with copy.begin() as connection:
            yield connection
        copy.dispose()
    else:
        with read_transaction(engine) as connection:
            snapshot = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
            _run(url, "pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}", f"--file={target}")
            yield connection


def replace_sqlite(live: Path, copy: Path, now: datetime) -> Path | None:
    """
    Put a copy, on the same file system and closed, in the place of a database. Returns where the old one is kept, if there was one.

    Raises:
        Unavailable: some process has the old one open. Nothing is changed then.
    """
    with copy.open("rb") as file:
        os.fsync(file.fileno())
    if not live.exists():
        copy.replace(live)
        sync_folder(live.parent)
        return None
    with _alone(live):
        shutil.copymode(live, copy)
        kept = _keep(live, f"{live.name}.{now:%Y%m%d-%H%M%S}")
        copy.replace(live)
        sync_folder(live.parent)
    return kept


def _keep(live: Path, name: str) -> Path:
    """Give a database a second name, which it keeps when another takes its own."""
    number = 1
    while (kept := live.with_name(f"{name}{f'-{number}' if number > 1 else ''}.before-restore")).exists():
        number += 1
    os.link(live, kept)
    for ending in ("-wal", "-shm"):  # of a damaged database: a whole one has none by now
        if (beside := live.with_name(live.name + ending)).exists():
            beside.replace(kept.with_name(kept.name + ending))
    return kept


@contextmanager
def _alone(live: Path) -> Iterator[None]:
    """Hold a SQLite database alone, its log folded in; one that is damaged cannot be held and is nobody's."""
    with closing(sqlite3.connect(live, timeout=1, isolation_level=None)) as db:
        try:
            mode = db.execute("PRAGMA journal_mode=DELETE").fetchone()[0]
            db.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            mode = "in use"
        except sqlite3.DatabaseError:
            mode = "damaged"
        if mode not in ("delete", "damaged"):
            raise Unavailable("账本正在使用，不能替换。请先停掉 shouwang serve 和 shouwang jobs，再恢复")
        yield


@contextmanager
def restored_postgresql(url: str, dump: Path) -> Iterator[None]:
    """
    Put a copy into an empty database. What the caller does with it decides: if it raises, the database is emptied again.

    Raises:
        Conflict: the database is not empty. Nothing is changed then.
    """
    engine = open_engine(url)
    try:
        with engine.begin() as connection:
            if _tables(connection):
                raise Conflict(
                    "PostgreSQL 上只恢复到空的数据库，以免动到现有的。请用 createdb 新建一个，把 SHOUWANG_DATABASE_URL 指向它再恢复；"
                    "旧的数据库原样留着"
                )
        try:
            name = make_url(url).database or ""
            _run(
                url, "pg_restore", "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", f"--dbname={name}", str(dump)
            )
            yield
        except BaseException:
            with engine.begin() as connection:
                _empty(connection)
            raise
    finally:
        engine.dispose()


def _tables(connection: Connection) -> list[str]:
    asked = "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = current_schema()"
    return list(connection.execute(text(asked)).scalars())


def _empty(connection: Connection) -> None:
    for name in _tables(connection):
        connection.exec_driver_sql(f"DROP TABLE {name} CASCADE")
    asked = "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = current_schema()::regnamespace AND prorettype = 'trigger'::regtype"
    for function in connection.execute(text(asked)).scalars():
        connection.exec_driver_sql(f"DROP FUNCTION {function}")


def _run(url: str, program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs on a database. Raises SettingsError without the program, Corrupt or Unavailable with what it said."""
    if shutil.which(program) is None:
        raise SettingsError(f"找不到 {program}。请安装 PostgreSQL 客户端程序（版本不低于服务器），并放进 PATH")
    names = {option.keyword.decode(): option.envvar.decode() for option in Conninfo.get_defaults() if option.envvar}
    said = make_url(url)
    given = said.get_dialect()().create_connect_args(said)[1]
    options = {names[keyword]: str(value) for keyword, value in given.items() if keyword in names}
    command = [program, "--no-password", *arguments]
    done = subprocess.run(command, env=os.environ | options, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"返回码 {done.returncode}"])[0]
        refusal = Corrupt if program == "pg_restore" else Unavailable
        raise refusal(f"{program} 没有做成：{reason}")
