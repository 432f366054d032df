"""Appends on PostgreSQL beside a bare loop that sends the same statements with the same grouping, and nothing else."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, make_url, select, text

from ledger import tables
from ledger.bulk import insert_rows, upsert_rows
from ledger.database import open_engine, write_transaction
from ledger.tables import table
from scripts import limits
from scripts.ledger_benchmark import Town, batches, chain_heads, percentile, singles

_ENTRY, _TILE, _BATCH, _CHAIN, _SERVICE = (
    table(model) for model in (tables.EntryRow, tables.TileRow, tables.BatchRow, tables.ChainRow, tables.ServiceRow)
)


def run(row: Callable[..., None], server: str) -> None:
    """Measure batches and single appends of 100,000 people."""
    with tempfile.TemporaryDirectory() as folder, database(server, "shouwang_bench") as url:
        town = Town(Path(folder), 100_000, url)
        for _ in range(10):
            town.append(town.drafts(1_000))
        rate, bare = _beside_bare(town, server, lambda: batches(town, 256 * 60))
        row("batches of 256 of 100,000 people", f"{rate:,.0f} entries/s", "20,000/s", f"{bare:,.0f} bare inserts/s", rate / bare)
        latencies: list[float] = []

        def one_by_one() -> float:
            rate, seconds = singles(town, 32, 12_800)
            latencies.extend(seconds)
            return rate

        rate, bare = _beside_bare(town, server, one_by_one)
        said = f"{rate:,.0f}/s, p50 {percentile(latencies, 0.5):.1f} ms, p99 {percentile(latencies, 0.99):.1f} ms"
        row("32 threads, one append each", said, "70 %", f"{bare:,.0f} bare inserts/s, same grouping", rate / bare)
        town.ledger.close()


def _beside_bare(town: Town, server: str, work: Callable[[], float]) -> tuple[float, float]:
    """Run *work*, then send what it wrote again to a copy of the database made before; entries a second of both."""
    first = town.size()
    town.ledger.engine.dispose()
    with database(server, "shouwang_bench_bare", template="shouwang_bench") as copy:
        rate = work()
        with town.ledger.read() as tx:
            groups = list(_groups(tx.connection, first))
        engine = open_engine(copy)
        seconds = limits.timed(lambda: _insert_all(engine, groups))
        engine.dispose()
    return rate, sum(len(group[0]) for group in groups) / seconds


def _insert_all(engine: Engine, groups: list[tuple[Any, ...]]) -> None:
    for entries, services, tiles, chains, batch in groups:
        with write_transaction(engine) as connection:
            insert_rows(connection, _ENTRY, entries)
            insert_rows(connection, _SERVICE, services)
            insert_rows(connection, _TILE, tiles)
            upsert_rows(connection, _CHAIN, chains)
            insert_rows(connection, _BATCH, batch)


def _groups(connection: Any, first: int) -> Iterator[tuple[Any, ...]]:
    """Give the rows of each commit since *first*, by table."""
    tiles = {(row["level"], row["index"]): dict(row) for row in connection.execute(select(_TILE)).mappings()}
    done = first
    for head in connection.execute(select(_BATCH).where(_BATCH.c.size > first).order_by(_BATCH.c.size)).mappings().all():
        size = head["size"]
        of_entry, of_service = _ENTRY.c.index, _SERVICE.c.entry_index
        entries = connection.execute(select(_ENTRY).where(of_entry >= done, of_entry < size).order_by(of_entry)).mappings().all()
        services = connection.execute(select(_SERVICE).where(of_service >= done, of_service < size)).mappings().all()
        full = [tiles[key] for key in sorted(tiles) if done < (key[1] + 1) * 256 ** (key[0] + 1) <= size]
        heads = [dict(zip(("subject", "length", "leaf"), head, strict=True)) for head in chain_heads(entry["body"] for entry in entries)]
        yield entries, services, full, heads, [dict(head)]
        done = size


@contextmanager
def database(server: str, name: str, template: str = "template0") -> Iterator[str]:
    """Make a database for the time being."""
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {name}"))
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        engine.dispose()
