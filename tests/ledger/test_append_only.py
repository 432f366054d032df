"""The database itself refuses whatever is not the next row of the log, whoever asks and however it is put."""

import sqlite3

import psycopg
import pytest

LOG = ("entry", "tile", "batch", "checkpoint")
SIZE = 260
REFUSED = (sqlite3.IntegrityError, psycopg.errors.RaiseException, psycopg.errors.UniqueViolation)


@pytest.fixture
def log(world):
    """A log of 260 entries with a full tile, batches at 1, 200 and 260, and a checkpoint at 200."""
    world.grow(200)
    world.sign()
    world.grow(SIZE)
    return world


def state(world):
    return [sorted(world.sql(f"SELECT * FROM {name}")) for name in LOG]


def refuse(world, statement, *values):
    before = state(world)
    with pytest.raises(REFUSED):
        world.sql(statement, *values)
    assert state(world) == before


def on(world):
    return world.ledger.engine.dialect.name


@pytest.mark.parametrize("name", LOG)
def test_a_row_is_never_changed_or_removed(log, name):
    columns = _columns(log, name)
    for column in columns:
        refuse(log, f'UPDATE {name} SET "{column}" = "{column}"')
    refuse(log, f"DELETE FROM {name}")
    key = columns[0]
    refuse(log, f'DELETE FROM {name} WHERE "{key}" = (SELECT max("{key}") FROM {name})')
    if on(log) == "postgresql":
        refuse(log, f"TRUNCATE {name}")
        refuse(log, f"TRUNCATE {name}, account CASCADE")
    else:
        for way in ("IGNORE", "REPLACE", "FAIL", "ROLLBACK"):
            refuse(log, f'UPDATE OR {way} {name} SET "{columns[-1]}" = "{columns[-1]}"')


def _columns(world, name):
    if on(world) == "sqlite":
        return [row[1] for row in world.sql(f"PRAGMA table_info({name})")]
    return [row[0] for row in world.sql("SELECT column_name::text FROM information_schema.columns WHERE table_name = ?", name)]


@pytest.mark.parametrize("name", LOG)
def test_a_row_is_not_replaced_by_inserting_it_again(log, name):
    columns = _columns(log, name)
    marks = ",".join("?" * len(columns))
    quoted = ",".join(f'"{column}"' for column in columns)
    for row in log.sql(f"SELECT {quoted} FROM {name}")[-2:]:
        forged = [*row[:-1], "forged" if isinstance(row[-1], str) else b"forged"]
        refuse(log, f"INSERT INTO {name} ({quoted}) VALUES ({marks})", *forged)
        keys = '"level", "index"' if name == "tile" else f'"{columns[0]}"'
        refuse(
            log,
            f"INSERT INTO {name} ({quoted}) VALUES ({marks}) ON CONFLICT ({keys}) DO UPDATE SET {columns[-1]} = excluded.{columns[-1]}",
            *forged,
        )
        if on(log) == "sqlite":
            refuse(log, f"REPLACE INTO {name} ({quoted}) VALUES ({marks})", *forged)
            refuse(log, f"INSERT OR REPLACE INTO {name} ({quoted}) VALUES ({marks})", *forged)
            refuse(log, f"INSERT OR IGNORE INTO {name} ({quoted}) VALUES ({marks})", *forged)


def test_an_entry_is_not_replaced_through_its_id(log):
    [(taken,)] = log.sql('SELECT id FROM entry WHERE "index" = 3')
    insert = 'INTO entry ("index", id, leaf, body) VALUES (?, ?, ?, ?)'
    row = (SIZE, taken, b"leaf", b"forged")
    refuse(log, f"INSERT {insert}", *row)
    refuse(log, f"INSERT {insert} ON CONFLICT (id) DO UPDATE SET body = excluded.body", *row)
    if on(log) == "sqlite":
        refuse(log, f"INSERT OR REPLACE {insert}", *row)


def test_no_row_is_replaced_through_the_row_number_that_sqlite_adds(log):
    if on(log) == "postgresql":
        return
    before = state(log)
    for hidden in ("rowid", "oid", "_rowid_"):
        for statement in (
            f'tile ({hidden}, level, "index", hashes, root) VALUES (1, 5, 0, ?, ?)',
            f"entry ({hidden}, id, leaf, body) VALUES (1, ?, ?, ?)",
            f"batch ({hidden}, root, recorded_at) VALUES (1, ?, ?)",
            f"checkpoint ({hidden}, note) VALUES (200, ?)",
        ):
            with pytest.raises(sqlite3.Error):
                log.sql(f"INSERT OR REPLACE INTO {statement}", *[b"forged"] * statement.count("?"))
    assert state(log) == before


@pytest.mark.parametrize("index", [-1, 0, 17, SIZE - 1, SIZE + 1, SIZE + 255])
def test_an_entry_out_of_order_is_refused(log, index):
    refuse(log, 'INSERT INTO entry ("index", id, leaf, body) VALUES (?, ?, ?, ?)', index, b"i" * 16, b"l" * 32, b"{}")


def test_entries_with_a_gap_between_them_are_refused(log):
    rows = f"({SIZE}, ?, ?, ?), ({SIZE + 2}, ?, ?, ?)"
    refuse(log, f'INSERT INTO entry ("index", id, leaf, body) VALUES {rows}', b"1" * 16, b"l", b"{}", b"2" * 16, b"l", b"{}")


@pytest.mark.parametrize("place", [(0, -1), (0, 0), (0, 2), (0, 257), (1, 1)])
def test_a_tile_out_of_order_is_refused(log, place):
    refuse(log, 'INSERT INTO tile (level, "index", hashes, root) VALUES (?, ?, ?, ?)', *place, b"h" * 8192, b"r" * 32)


@pytest.mark.parametrize("size", [-1, 0, 1, 100, 200, SIZE - 1, SIZE, SIZE + 1])
def test_a_tree_head_of_another_size_than_the_log_is_refused(log, size):
    refuse(log, "INSERT INTO batch (size, root, recorded_at) VALUES (?, ?, ?)", size, b"r" * 32, "2025-01-06T09:00:00.000+08:00")


@pytest.mark.parametrize("size", [0, 1, 200, SIZE - 1, SIZE + 1])
def test_a_checkpoint_of_no_tree_head_or_an_older_one_is_refused(log, size):
    refuse(log, "INSERT INTO checkpoint (size, note) VALUES (?, ?)", size, "forged")
