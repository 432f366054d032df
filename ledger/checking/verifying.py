"""
Verification: everything recomputed from the stored bytes, every difference reported, nothing taken on trust.

1. Each entry's bytes are re-hashed and compared with the stored leaf hash; they must decode strictly, carry their own index and id, and a time not
   before the one before them (walking.py).
2. `prev` must be the leaf hash of the entry before, and each subject chain must name its number and the leaf hash of the subject's entry before.
3. The recomputed leaves build the tree: each full tile, each commit's root and time, and each checkpoint's signature and root are compared
   (joining.py), and so is what was signed last, and a checkpoint that was kept elsewhere.
4. Every projection is remade in a scratch database and compared row by row, column by column, and what the vault holds is opened and compared with
   the commitments of the entries, and SQLite's indexes with their tables (comparing.py).

A fault never stops the verification. Blocks of entries are walked by as many processes as wanted and joined in order: the report is the same whatever
their number.

One that is broken off may go on from where it was (pausing.py). One may also begin where the last one ended (resuming.py). Of the older part it then
reads the tree only, as far as the roots that were signed call for it, so an altered entry there waits for the next full one; so do projections and
vault, but for the chains.
"""

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Engine, func, or_, select

from ledger import cosignatures, log, merkle, tables
from ledger.checking import comparing
from ledger.checking.faults import Fault, Report
from ledger.checking.joining import Heads, Join, Place, unreached
from ledger.checking.pausing import Broken, Pause, hold
from ledger.checking.resuming import Remembered
from ledger.checking.streaming import DRIVER_ERRORS, damage, small_cache
from ledger.checking.walking import BLOCK, Piece, Task, walk
from ledger.database import open_engine, read_transaction
from ledger.errors import Corrupt, LedgerError, NotFound, SettingsError, Unavailable
from ledger.history import scratch
from ledger.keyring import Keyring
from ledger.merkle import TILE_WIDTH
from ledger.store import Ledger
from ledger.tables import table
from ledger.tiles import LEVEL_MAX, tile_reader

__all__ = ["Fault", "Report", "Wanted", "verify"]

_ENTRY, _BATCH, _TILE, _CHECKPOINT = (table(model) for model in (tables.EntryRow, tables.BatchRow, tables.TileRow, tables.CheckpointRow))

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Wanted:
    """What a verification is to do.

    against: an older checkpoint kept elsewhere, which the log must extend. remake: step 4 too; without it the log alone; vault: of step 4 the vault too.
    jobs: how many processes walk the log. since_last: only what is newer than the last verification that was remembered, if there is one; remember: note
    where this one ends. pause: write down every so many seconds how far it is; resume: go on from there, if it was broken off. block: entries walked at
    once, whole tiles.
    """

    against: bytes | None = None
    remake: bool = True
    vault: bool = True
    jobs: int = 1
    since_last: bool = False
    remember: bool = False
    pause: float | None = None
    resume: bool = False
    block: int = BLOCK


def verify(ledger: Ledger, *, progress: Progress | None = None, **wanted: Any) -> Report:
    """Verify a ledger: as is *wanted* (`Wanted`), telling how far it is."""
    report = Report()
    try:
        with ledger.read() as tx, ExitStack() as stack:
            stack.enter_context(small_cache(tx.connection))
            run = _Run(ledger, tx.connection, Wanted(**wanted), stack, report)
            run.walk(progress or (lambda done, total: None))
            run.compare()
    except DRIVER_ERRORS as error:
        report.add(None, "database", "可以读出的数据库文件", damage(error))
    return report


class _Run:
    """One verification on one snapshot. What has to be closed after it is given to *stack*."""

    def __init__(self, ledger: Ledger, connection: Connection, wanted: Wanted, stack: ExitStack, report: Report) -> None:
        self._ledger, self._connection, self._wanted = ledger, connection, wanted
        self.report = report
        self._judge = _Judge(connection, ledger, self.report, wanted.block)
        self._signed = self._judge.signed_heads(wanted.against)
        self._heads = dict(self._signed)
        pausing = wanted.pause is not None and not wanted.since_last
        self._kept = stack.enter_context(hold(ledger.settings, wanted.pause or 0.0)) if pausing else None
        self._remembered = Remembered(ledger.settings, alone=self._kept is not None)
        self._ended = False
        stack.callback(self._let_go)
        self._state = self._begin()
        self._remade = None
        if wanted.remake and not wanted.since_last:
            target = stack.enter_context(self._kept.projections() if self._kept else scratch(indexed=False))
            self._remade = comparing.Remake(connection, target, self.report)
            self._remade.go_on(self._state.place.size, self._state.undecoded)

    def _begin(self) -> Broken:
        """Find where to begin: where one was broken off, where the last one ended, or with the first entry."""
        if self._kept and self._wanted.resume and (broken := self._judge.go_on(self._kept, self._signed)):
            return broken
        self._remembered.drop_draft()
        if self._kept:
            self._kept.drop()
        return Broken(self._judge.start_from(self._remembered, self._signed) if self._wanted.since_last else Place())

    def walk(self, tell: Progress) -> None:
        """Go through the entries, and judge the log."""
        state, judge, checkpoint = self._state, self._judge, self._judge.newest_checkpoint
        self._draft(state.place, checkpoint)
        join = Join(self._connection, state.walked, self._signed, state.place)
        for piece in _walked(judge.tasks(state.place, checkpoint, self._signed), self._connection, self._ledger, self._wanted.jobs):
            join.take(piece)
            state.undecoded |= piece.undecoded
            if self._remade:
                self._remade.follow(piece)
            self._draft(state.place, checkpoint)
            self._save()
            tell(piece.stop, judge.total)
        self.report.take(state.walked)
        judge.finish(state.place, self._signed)
        tell(judge.total, judge.total)
        if self._wanted.remember:
            if not self.report.ok:
                self._remembered.drop_draft()
            self._remembered.keep()

    def _let_go(self) -> None:
        if not self._kept:
            self._remembered.drop_draft()
        elif self._ended:
            self._kept.drop()

    def _draft(self, place: Place, checkpoint: int) -> None:
        if self._wanted.remember and place.size == checkpoint > 0:
            self._remembered.draft(place)

    def _save(self) -> None:
        if self._kept and self._kept.due():
            if self._remade:
                self._remade.save()
            self._state.stored = self._judge.stored_root(self._state.place)
            self._kept.save(self._state, self._heads)

    def compare(self) -> None:
        """Compare with the log what is not the log."""
        chains = self._state.place.chains
        if self._wanted.remake:
            comparing.compare_chains(self._connection, chains, self.report)
            chains.clear()
        if self._remade:
            self._remade.compare()
        if self._remade and self._wanted.vault:
            comparing.compare_vault(self._connection, self._ledger.vault, self.report)
            comparing.compare_indexes(self._connection, self.report)
        self._ended = True


class _Judge:
    """What is said of the log as a whole: how many entries, which keys, which heads."""

    def __init__(self, connection: Connection, ledger: Ledger, report: Report, block: int) -> None:
        self._connection = connection
        self._ledger = ledger
        self._report = report
        self._block = block
        self._keyring = self._read_keyring()
        self.total = self._count()
        self.newest_checkpoint = 0

    def _count(self) -> int:
        """Tell where the log ends: after its newest entry, but for one that lies absurdly far out."""
        count, newest = log.entry_count(self._connection), self._connection.execute(select(func.max(_ENTRY.c.index))).scalar()
        total = max(newest + 1, 0) if newest is not None and newest < 2 * count + self._block else count
        for index in self._connection.execute(select(_ENTRY.c.index).where(or_(_ENTRY.c.index < 0, _ENTRY.c.index >= total))).scalars():
            self._report.add(index, "entry.index", f"0 到 {total - 1}", index)
        return total

    def _read_keyring(self) -> Keyring:
        """Follow the log's keys; where the rotations do not bear it out, only the newest key is believed."""
        try:
            return self._ledger.signing.keyring(self._connection)
        except SettingsError:
            raise
        except LedgerError as error:
            self._report.add(None, "key_rotation", "由新旧两把密钥签名、一把接一把的换钥记录", str(error)[:200])
            return Keyring(((-1, self._ledger.signing.verifier()),))

    def signed_heads(self, against: bytes | None) -> Heads:
        """Open every checkpoint: size -> what is said of the root there. Bad signatures are faults at once."""
        signed: Heads = {}
        rows = self._connection.execute(select(_CHECKPOINT).order_by(_CHECKPOINT.c.size))
        notes = [(f"checkpoint/{row.size}", row.size, row.note) for row in rows]
        if against is not None:
            notes.append(("against", None, against))
        for what, size, note in notes:
            try:
                raw = note if isinstance(note, bytes) else str(note).encode()
                opened = self._keyring.open_checkpoint(raw, self._ledger.settings.origin)
            except LedgerError as error:
                self._report.add(None, what, "本账本签名的检查点", str(error)[:200])
                continue
            if size is not None:
                self._report.compare(None, f"{what}.size", size, opened.size)
                self.newest_checkpoint = max(self.newest_checkpoint, opened.size)
            signed.setdefault(opened.size, []).append((f"{what}.root", opened.root))
        for what, expected, found in cosignatures.faults(self._connection):
            self._report.add(None, what, expected, found)
        size, root = self._ledger.signing.last_signed()
        if size:
            signed.setdefault(size, []).append(("last-signed.root", root))
        return signed

    def go_on(self, kept: Pause, signed: Heads) -> Broken | None:
        """Find where a verification was broken off, if the stored tiles are still what they were. Heads up to there are taken out."""
        try:
            broken = kept.read(signed)
        except Corrupt as error:
            self._report.add(None, "verified", "上次校验中断的地方", error)
            return None
        if broken is None or broken.place.size > self.total or self.stored_root(broken.place) != broken.stored:
            return None
        known, read = {fault.what for fault in broken.walked.faults}, self._reader(broken.place)
        for size in [size for size in signed if 0 < size <= broken.place.size]:
            for what, root in signed.pop(size):
                if not what.startswith("checkpoint/") and what not in known:  # another one may be held against the log now
                    self._report.compare(size - 1, what, self._stored(size, read), root)
        return broken

    def stored_root(self, place: Place) -> str:
        """Compute the root that the stored tiles give at a place, or say that they give none."""
        found = self._stored(place.size, self._reader(place))
        return found if isinstance(found, str) else found.hex()

    @staticmethod
    def _stored(size: int, read: merkle.Reader) -> bytes | str:
        try:
            return merkle.root(size, read)
        except (Corrupt, NotFound) as error:
            return type(error).__name__

    def _reader(self, place: Place) -> merkle.Reader:
        return tile_reader(place.size, lambda level, index, width: log.read_tile(self._connection, level, index, width))

    def start_from(self, remembered: Remembered, signed: Heads) -> Place:
        """Find where the last verification ended, if that still holds: its root is that of the stored tiles and of a checkpoint."""
        try:
            place = remembered.read()
            if place is None:
                return Place()
            if not 0 < place.size <= self.total or place.size not in signed:
                raise Corrupt(f"它说到 {place.size} 条为止，可那里没有检查点")
            read = self._reader(place)
            for size in sorted(signed):
                for what, root in signed.pop(size) if 0 < size <= place.size else []:
                    self._report.compare(size - 1, what, merkle.root(size, read), root)
            if merkle.root(place.size, read) != place.root:
                raise Corrupt(f"前 {place.size} 条的树根与上次校验时不同")
        except (Corrupt, NotFound) as error:
            self._report.add(None, "verified", "上次校验到的地方", error)
            return Place()
        return place

    def tasks(self, start: Place, checkpoint: int, signed: Heads) -> Iterator[Task]:
        """Divide what is to be walked into blocks; a piece of the answer ends at the newest checkpoint."""
        rotations = frozenset(index for index, _ in self._keyring.keys)
        marks = sorted(size for size in signed if start.size < size <= self.total)
        first, edge = start.size, start.edge
        while first < self.total:
            stop = min(first // self._block * self._block + self._block, self.total)
            cuts = (checkpoint,) if first < checkpoint < stop else ()
            yield Task(first, stop, edge, cuts, frozenset(size for size in marks if first < size <= stop), rotations)
            first, edge = stop, b""

    def finish(self, place: Place, signed: Heads) -> None:
        """Judge what is left when all entries have been walked: heads, commits and tiles that reach further."""
        report, size = self._report, place.size
        report.size, report.root = size, place.root
        unreached(signed, size, report)
        newest = self._connection.execute(select(func.max(_BATCH.c.size))).scalar() or 0
        report.compare(None, "batch.size", size, newest)
        for early in self._connection.execute(select(_BATCH.c.size).where(_BATCH.c.size < 1)).scalars():
            report.add(None, "batch.size", "1 条以上", early)
        for level, index in self._connection.execute(select(_TILE.c.level, _TILE.c.index)):
            if not 0 <= level <= LEVEL_MAX or index < 0 or (index + 1) * TILE_WIDTH ** (level + 1) > size:
                report.add(None, f"tile/{level}/{index}", "不应有", "多出的片")
        if self._connection.execute(select(func.count(_ENTRY.c.id.distinct()))).scalar() != log.entry_count(self._connection):
            self._note_ids_used_twice()

    def _note_ids_used_twice(self) -> None:
        twice = select(func.min(_ENTRY.c.index), func.max(_ENTRY.c.index)).group_by(_ENTRY.c.id).having(func.count() > 1)
        for first, again in self._connection.execute(twice):
            self._report.add(again, "entry.id", "只用一次的编号", f"与第 {first} 条相同")


# --- processes

_engine: Engine | None = None  # of a process that walks


def _walked(tasks: Iterator[Task], connection: Connection, ledger: Ledger, jobs: int) -> Iterator[Piece]:
    """Walk the tasks and give their pieces in order; not many more are walked ahead than there are processes."""
    waiting: deque[Task] = deque(islice(tasks, 2))
    if jobs < 2 or len(waiting) < 2:
        while waiting:
            yield from walk(connection, waiting.popleft())
            waiting.extend(islice(tasks, 1))
        return
    spawn = multiprocessing.get_context("spawn")  # a fork would copy the writer's locks and the open database
    with ProcessPoolExecutor(jobs, spawn, _open, (ledger.settings.database_url,)) as pool:
        running: deque[Future[list[Piece]]] = deque(pool.submit(_walk_here, task) for task in [*waiting, *islice(tasks, jobs)])
        try:
            while running:
                yield from running.popleft().result()
                running.extend(pool.submit(_walk_here, task) for task in islice(tasks, 1))
        except BrokenProcessPool as error:
            raise Unavailable("校验用的进程被系统终止了（内存不够？）。请用 --jobs 1 再试") from error
        finally:
            pool.shutdown(cancel_futures=True)


def _open(database_url: str) -> None:
    global _engine  # noqa: PLW0603 one engine a process, opened when it starts
    _engine = open_engine(database_url)


def _walk_here(task: Task) -> list[Piece]:
    assert _engine is not None
    with read_transaction(_engine) as connection, small_cache(connection):
        return walk(connection, task)
