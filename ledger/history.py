"""
The ledger as it was known: projections of the first so many entries, and projections remade in place.

Both are the replay of stored bytes. A question as of an earlier tree size is answered from a scratch database that is thrown away; `rebuild` puts the
replay in place of the live projections in one transaction, so that readers see the old or the new and nothing between.
"""

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from ledger import bulk, entries, log, projections, tables
from ledger.checking import offline
from ledger.database import open_engine, remake_indexes
from ledger.errors import Corrupt, InvalidRequest
from ledger.merkle import leaf_hash
from ledger.people.actors import Actor
from ledger.store import Ledger
from ledger.tables import table


@contextmanager
def scratch(*, indexed: bool = True) -> Iterator[Connection]:
    """Give an empty database with the projections' tables, gone afterwards; their indexes too, unless told otherwise."""
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{Path(folder) / 'scratch.db'}", durable=False)
        with engine.begin() as connection:
            make_tables(connection)
            if indexed:
                make_indexes(connection)
            yield connection
        engine.dispose()


def make_tables(target: Connection) -> None:
    """Make what SQLite has not yet of the projections' tables, without their indexes."""
    for statement in _spelt()[0]:
        bulk.run(target, statement)


def make_indexes(target: Connection) -> None:
    """Make the indexes of the projections' tables that SQLite has not yet."""
    for statement in _spelt()[1].values():
        bulk.run(target, statement)


def drop_indexes(target: Connection) -> None:
    """Drop the indexes of the projections' tables that SQLite has."""
    for name in _spelt()[1]:
        bulk.run(target, f"DROP INDEX IF EXISTS {name}")


@cache
def _spelt() -> tuple[tuple[str, ...], dict[str, str]]:
    """Spell the tables, and the indexes by their names, once: that takes many times as long as making them."""
    found, dialect = [table(model) for model in tables.PROJECTIONS], sqlite.dialect()  # to spell types
    made = tuple(str(CreateTable(each, if_not_exists=True).compile(dialect=dialect)) for each in found)
    indexes = [index for each in found for index in each.indexes]
    return made, {str(index.name): str(CreateIndex(index, if_not_exists=True).compile(dialect=dialect)) for index in indexes}


@contextmanager
def as_known(connection: Connection, size: int) -> Iterator[Connection]:
    """Give the projections as they were when the log had *size* entries. Raises InvalidRequest for a size it never had."""
    total = log.tree_head(connection).size
    if not 0 <= size <= total:
        raise InvalidRequest(f"账本目前有 {total} 条，没有 {size} 条时的样子。请给出 0 到 {total} 之间的数")
    with scratch() as target:
        _replay(connection, target, size)
        yield target


@contextmanager
def known(connection: Connection, size: int | None) -> Iterator[tuple[Connection, int]]:
    """Give the projections as they were at a size, or as they are (None), and that size. Raises as `as_known`."""
    if size is None:
        yield connection, log.tree_head(connection).size
    else:
        with as_known(connection, size) as then:
            yield then, size


@contextmanager
def of_export(folder: Path) -> Iterator[Connection]:
    """Give the projections of an exported log, whose entries are held to its checkpoint. Raises InvalidRequest when it is none, or another."""
    with scratch() as target:
        replay = projections.Replay(target)
        try:
            for raw in offline.entries(folder):
                replay.feed(entries.decode(raw), leaf_hash(raw))
        except Corrupt as fault:
            raise InvalidRequest(f"导出的账本有一条读不懂：{fault}") from None
        replay.finish()
        yield target


def rebuild(ledger: Ledger, actor: Actor) -> int:
    """Remake every projection in place from the log, and the indexes. Returns how many entries were replayed."""
    return ledger.write(lambda tx: remake(tx.connection), actor)


def remake(connection: Connection) -> int:
    """Do what `rebuild` does, in the caller's transaction: also for a ledger that nothing may be added to."""
    remake_indexes(connection)
    projections.clear(connection)
    return _replay(connection, connection, log.tree_head(connection).size)


def _replay(connection: Connection, target: Connection, size: int) -> int:
    replay = projections.Replay(target)
    with closing(log.scan(connection, stop=size)) as rows:
        for row in rows:
            replay.feed(entries.decode(row.body), row.leaf)
    replay.finish()
    return size
