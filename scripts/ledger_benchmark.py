"""What the ledger does under load, beside a bare loop that inserts the same rows with the same grouping, and beside an empty endpoint."""

import gc
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

from ledger import activities, checkpoints, credit, log, merkle, stations, tables
from ledger.activities import Activity
from ledger.ids import new_entry_id, new_number
from ledger.log import Fact
from ledger.people.actors import OPERATOR
from ledger.service import recording
from ledger.service.drafts import Draft
from ledger.settings import Settings
from ledger.store import Ledger, create_ledger
from ledger.tables import table
from ledger.tiles import tile_reader
from scripts import limits, page_benchmark, verification_benchmark

_COMMITMENT = "A" * 43 + "="
_STATIONS = [f"3401040010{number:02d}" for number in range(1, 21)]


class Town:
    """A store with invented people and activities, and an endless supply of services that break no rule. One that is there is taken up again."""

    def __init__(self, home: Path, people: int, url: str | None = None) -> None:
        self.home = home
        self.ledger: Ledger = create_ledger(Settings(home, url or f"sqlite:///{home / 'ledger.db'}"))
        self._random = random.Random(7)  # noqa: S311 repeatable load
        self._served: dict[str, int] = {}
        self._batch = new_entry_id()
        self.people = self._take_up()
        if not self.people:
            self.ledger.write(_declare, OPERATOR)
        for at in range(len(self.people), people, 5_000):
            facts = [_registered(new_number(), _STATIONS[at % 20]) for _ in range(min(5_000, people - at))]
            self.ledger.write(partial(_append, facts=facts), OPERATOR)
            self.people += [fact.body["volunteer"] for fact in facts]
        offers = [Activity(code, "邻里守望", "neighbour-care", start="2025-03-01T09:00", end="2025-03-01T11:00") for code in _STATIONS]
        self.activities: list[str] = self.ledger.write(lambda tx: activities.find_or_publish(tx, offers), OPERATOR)
        gc.freeze()  # the town's own lists are not the ledger's garbage to look through

    def _take_up(self) -> list[str]:
        """Find the people who are there already, and how often each has served."""
        with self.ledger.read() as tx:
            said = tx.connection.exec_driver_sql("SELECT volunteer, count(*) FROM service GROUP BY volunteer").all()
            self._served = {volunteer: count - 1 for volunteer, count in said}
            return list(tx.connection.exec_driver_sql("SELECT number FROM volunteer ORDER BY entry_index").scalars())

    def draft(self) -> Draft:
        """Give a service of somebody drawn at random, on the person's next free day."""
        person = self._random.choice(self.people)
        day = self._served[person] = self._served.get(person, -1) + 1
        at = self._random.randrange(20)
        start = datetime(2020, 1, 1, 9) + timedelta(days=day % 2_000, hours=2 * (day // 2_000))  # noqa: DTZ001 local times are naive
        return Draft(person, self.activities[at], _STATIONS[at], start, start + timedelta(minutes=90), "B", self._batch, id=new_entry_id())

    def drafts(self, count: int) -> list[Draft]:
        """Give many."""
        return [self.draft() for _ in range(count)]

    def append(self, drafts: list[Draft]) -> None:
        """Record drafts in one write."""
        items = [(OPERATOR, draft) for draft in drafts]
        answers = self.ledger.write(lambda tx: recording.record_each(tx, items), OPERATOR)
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
            town.ledger.write_item(recording.record_each, draft, OPERATOR)
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


def run(row: Callable[..., None], sizes: list[int], keep: Path | None = None) -> None:
    """Measure appends, verification and reads on SQLite, at each size of the log.

    *keep*: the folder that the town is kept in, to be taken up again; sizes that it has outgrown are left out.
    """
    with tempfile.TemporaryDirectory() as passing:
        folder = keep or Path(passing)
        folder.mkdir(parents=True, exist_ok=True)
        fsyncs = limits.fsyncs_per_second(Path(folder))
        row("raw 4 KiB append + fdatasync", f"{fsyncs:,.0f}/s", "")
        town = Town(Path(folder) / "town", 100_000)
        small = 0.0
        for size in (size for size in sizes if size >= town.size() or size == sizes[0]):  # the first is measured on the founded town
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
    shown = page_benchmark.seconds(ledger, _STATIONS[0], town.activities[0])
    said = f"p50 {percentile(shown, 0.5):.1f} ms, p99 {percentile(shown, 0.99):.1f} ms"
    row(f"{name}: 「我的服务」 of somebody with {page_benchmark.RECORDS} records, server time", said, "10 ms")
    verification_benchmark.rows(row, ledger.settings, name)
