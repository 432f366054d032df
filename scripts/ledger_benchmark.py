"""What the ledger does under load, beside a bare loop that inserts the same rows with the same grouping, and beside an empty endpoint."""

import random
import sqlite3
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import select

from ledger import activities, checkpoints, credit, log, merkle, service_records, stations, tables
from ledger.activities import Activity
from ledger.checking.verifying import verify
from ledger.ids import new_entry_id, new_number
from ledger.log import Fact
from ledger.merkle import Tree, leaf_hash
from ledger.people.actors import OPERATOR
from ledger.service_records import Draft
from ledger.settings import Settings
from ledger.store import Ledger, create_ledger
from ledger.tables import table
from ledger.tiles import tile_reader
from scripts import limits

_COMMITMENT = "A" * 43 + "="
_STATIONS = [f"3401040010{number:02d}" for number in range(1, 21)]


class Town:
    """A store with invented people and activities, and an endless supply of services that break no rule."""

    def __init__(self, home: Path, people: int, url: str | None = None) -> None:
        self.home = home
        self.ledger: Ledger = create_ledger(Settings(home, url or f"sqlite:///{home / 'ledger.db'}"))
        self._random = random.Random(7)  # noqa: S311 repeatable load
        self._served: dict[str, int] = {}
        self._batch = new_entry_id()
        self.people = [new_number() for _ in range(people)]
        self.ledger.write(_declare, OPERATOR)
        for at in range(0, people, 5_000):
            facts = [_registered(number, _STATIONS[at % 20]) for number in self.people[at : at + 5_000]]
            self.ledger.write(partial(_append, facts=facts), OPERATOR)
        offers = [Activity(code, "邻里守望", "neighbour-care", start="2025-03-01T09:00", end="2025-03-01T11:00") for code in _STATIONS]
        self._activities: list[str] = self.ledger.write(lambda tx: activities.find_or_publish(tx, offers), OPERATOR)

    def draft(self) -> Draft:
        """Give a service of somebody drawn at random, on the person's next free day."""
        person = self._random.choice(self.people)
        day = self._served[person] = self._served.get(person, -1) + 1
        at = self._random.randrange(20)
        start = datetime(2020, 1, 1, 9) + timedelta(days=day % 2_000, hours=2 * (day // 2_000))  # noqa: DTZ001 local times are naive
        return Draft(person, self._activities[at], _STATIONS[at], start, start + timedelta(minutes=90), "B", self._batch, id=new_entry_id())

    def drafts(self, count: int) -> list[Draft]:
        """Give many."""
        return [self.draft() for _ in range(count)]

    def append(self, drafts: list[Draft]) -> None:
        """Record drafts in one write."""
        items = [(OPERATOR, draft) for draft in drafts]
        answers = self.ledger.write(lambda tx: service_records.record_each(tx, items), OPERATOR)
        assert all(isinstance(answer, log.Receipt) for answer in answers), next(a for a in answers if not isinstance(a, log.Receipt))

    def size(self) -> int:
        """Count the entries."""
        with self.ledger.read() as tx:
            return log.tree_head(tx.connection).size


def _append(tx: Any, facts: list[Fact]) -> None:
    tx.append(facts)


def _declare(tx: Any) -> None:
    stations.declare(tx, stations.Station("340104000000", "区", "district", None))
    stations.declare(tx, stations.Station("340104001000", "中心", "centre", "340104000000"))
    for code in _STATIONS:
        stations.declare(tx, stations.Station(code, f"第 {code[-2:]} 站", "station", "340104001000"))


def _registered(number: str, station: str) -> Fact:
    body = {"volunteer": number, "station": station, "registered_on": "2019-01-01", "basis": "self", "identity": _COMMITMENT}
    return Fact("volunteer.registered", body)


def batches(town: Town, count: int, size: int = 256) -> float:
    """Append *count* services in batches; entries a second."""
    groups = [town.drafts(size) for _ in range(count // size)]

    def work() -> None:
        for group in groups:
            town.append(group)

    return size * len(groups) / limits.timed(work)


def singles(town: Town, threads: int, count: int) -> tuple[float, list[float]]:
    """Append one at a time from many threads, each its own transaction; appends a second, and every latency in seconds."""
    work = [town.drafts(count // threads) for _ in range(threads)]
    latencies: list[float] = []

    def go(mine: list[Draft]) -> None:
        for draft in mine:
            began = time.perf_counter()
            town.ledger.write_item(service_records.record_each, draft, OPERATOR)
            latencies.append(time.perf_counter() - began)

    workers = [threading.Thread(target=go, args=(mine,)) for mine in work]
    began = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return len(latencies) / (time.perf_counter() - began), latencies


def bare_loop(town: Town, before: Path, first: int) -> float:
    """Insert the rows that the log has from *first* on into the copy made before, grouped as they were; entries a second."""
    with town.ledger.read() as tx:
        groups = list(_groups(tx.connection, first))
    with closing(sqlite3.connect(before, isolation_level=None)) as db:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-65536", "wal_autocheckpoint=4000"):
            db.execute(f"PRAGMA {pragma}")
        began = time.perf_counter()
        for statements in groups:
            db.execute("BEGIN IMMEDIATE")
            for sql, rows in statements:
                db.executemany(sql, rows)
            db.execute("COMMIT")
        seconds = time.perf_counter() - began
    return sum(len(statements[0][1]) for statements in groups) / seconds


def _groups(connection: Any, first: int) -> Iterator[list[tuple[str, list[Any]]]]:
    entry, service, batch, tile = (table(m) for m in (tables.EntryRow, tables.ServiceRow, tables.BatchRow, tables.TileRow))
    tiles = {(row.level, row.index): tuple(row) for row in connection.execute(select(tile))}
    done = first
    for head in connection.execute(select(batch).where(batch.c.size > first).order_by(batch.c.size)).all():
        entries = connection.execute(select(entry).where(entry.c.index >= done, entry.c.index < head.size).order_by(entry.c.index)).all()
        services = connection.execute(select(service).where(service.c.entry_index >= done, service.c.entry_index < head.size)).all()
        full = [tiles[key] for key in sorted(tiles) if done < (key[1] + 1) * 256 ** (key[0] + 1) <= head.size]
        yield [
            (_insert("entry", 4), [tuple(row) for row in entries]),
            (_insert("service", len(service.columns)), [tuple(row) for row in services]),
            (_insert("tile", 4), full),
            (
                _insert("chain", 3) + " ON CONFLICT (subject) DO UPDATE SET length = excluded.length, leaf = excluded.leaf",
                chain_heads(row.body for row in entries),
            ),
            (_insert("batch", 3), [tuple(head)]),
        ]
        done = head.size


def chain_heads(bodies: Iterable[bytes]) -> list[tuple[str, int, str]]:
    """Give (subject, length, a hash) of the chains that these entries lengthen, in the order in which they are written."""
    heads = {subject: (subject, said[0], _COMMITMENT) for body in bodies for subject, said in orjson.loads(body)["chains"].items()}
    return sorted(heads.values())


def _insert(name: str, columns: int) -> str:
    return f"INSERT INTO {name} VALUES ({', '.join('?' * columns)})"  # noqa: S608 our own table names


def copy_of(town: Town, target: Path) -> Path:
    """Copy the database as it stands."""
    with closing(sqlite3.connect(town.home / "ledger.db")) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
    return target


def percentile(seconds: list[float], share: float) -> float:
    """Give a percentile in milliseconds."""
    return sorted(seconds)[min(int(len(seconds) * share), len(seconds) - 1)] * 1000


def run(row: Callable[..., None], sizes: list[int]) -> None:
    """Measure appends, verification and reads on SQLite, at each size of the log."""
    with tempfile.TemporaryDirectory() as folder:
        fsyncs = limits.fsyncs_per_second(Path(folder))
        row("raw 4 KiB append + fdatasync", f"{fsyncs:,.0f}/s", "")
        town = Town(Path(folder) / "town", 100_000)
        small = 0.0
        for size in sizes:
            while (missing := size - town.size()) > 0:
                town.append(town.drafts(min(missing, 1_000)))
            name = f"{size:,} entries"
            before, first = copy_of(town, Path(folder) / "before.db"), town.size()
            rate = batches(town, 256 * 60)
            bare = bare_loop(town, before, first)
            small = small or rate
            row(
                f"{name}: batches of 256 of 100,000 people",
                f"{rate:,.0f} entries/s",
                "30,000/s",
                f"{bare:,.0f} bare inserts/s",
                rate / bare,
            )
            before, first = copy_of(town, Path(folder) / "before.db"), town.size()
            rate, latencies = singles(town, 32, 12_800)
            bare = bare_loop(town, before, first)
            said = f"{rate:,.0f}/s, p50 {percentile(latencies, 0.5):.1f} ms, p99 {percentile(latencies, 0.99):.1f} ms"
            row(f"{name}: 32 threads, one append each", said, "70 %", f"{bare:,.0f} bare inserts/s, same grouping", rate / bare)
            _reads(row, town, name)
            if size == sizes[-1] and len(sizes) > 1:
                row(f"append rate at {size:,} beside that at {sizes[0]:,}", "", "80 %", "", batches(town, 256 * 60) / small)


def _reads(row: Callable[..., None], town: Town, name: str) -> None:
    ledger, draw = town.ledger, random.Random(3)  # noqa: S311 repeatable
    ledger.write(lambda tx: ledger.signing.sign(tx.connection), OPERATOR)
    with ledger.read() as tx:
        size = log.tree_head(tx.connection).size
        read = tile_reader(size, lambda *key: log.read_tile(tx.connection, *key))
        cold = [limits.timed(lambda: checkpoints.prove_entry(tx.connection, draw.randrange(size))) for _ in range(200)]
        warm = [limits.timed(lambda: merkle.inclusion_proof(draw.randrange(size), size, read)) for _ in range(200)]
        pages = [limits.timed(lambda: credit.statement(tx, draw.choice(town.people))) for _ in range(300)]
    row(f"{name}: .tlog-proof of a random entry, nothing cached", f"{statistics.median(cold) * 1000:.2f} ms", "0.5 ms")
    row(f"{name}: inclusion proof, upper tiles cached", f"{statistics.median(warm) * 1000:.2f} ms", "0.5 ms")
    row(f"{name}: one volunteer's credit, p99", f"{percentile(pages, 0.99):.1f} ms", "10 ms")
    if size > 2_000_000:
        return
    with ledger.read() as tx:
        bodies = [bytes(one.body) for one in log.scan(tx.connection, stop=200_000)]
    raw = limits.hashes_per_second(bodies)
    levels: list[tuple[str, str, int, Callable[[], object]]] = [
        ("leaves and tree", "450,000/s", len(bodies), lambda: Tree().extend([leaf_hash(body) for body in bodies])),
        ("and all chains, one core", "150,000/s", size, lambda: verify(ledger, remake=False, jobs=1)),
        ("and all chains, both cores", "", size, lambda: verify(ledger, remake=False, jobs=2)),
        ("and projections re-made", "25,000/s", size, lambda: verify(ledger, jobs=1)),
    ]
    for what, goal, count, work in levels:
        rate = count / limits.timed(work)
        row(f"{name}: verify {what}", f"{rate:,.0f} entries/s", goal, f"{raw:,.0f} bare SHA-256/s", rate / raw)
