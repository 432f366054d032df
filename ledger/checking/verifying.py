"""
Verification: everything recomputed from the stored bytes, every difference reported, nothing taken on trust.

1. Each entry's bytes are re-hashed and compared with the stored leaf hash; they must decode strictly, carry their own index and id, and a time not
   before the one before them (walking.py).
2. `prev` must be the leaf hash of the entry before, and each subject chain must name its number and the leaf hash of the subject's entry before.
3. The recomputed leaves build the tree: each full tile, each commit's root and time, and each checkpoint's signature and root are compared
   (joining.py), and so is what was signed last, and a checkpoint that was kept elsewhere.
4. Every projection is remade in a scratch database and compared row by row, column by column, and what the vault holds is opened and compared with
   the commitments of the entries (comparing.py).

A fault never stops the verification. Blocks of entries are walked by as many processes as wanted and joined in order: the report is the same whatever
their number.

A verification may begin where the last one ended (resuming.py). Of the older part it then reads the tree only, as far as the roots that were signed
call for it, so an altered entry there waits for the next full one; so do projections and vault, but for the chains.
"""

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from itertools import islice

from sqlalchemy import Connection, Engine, func, or_, select

from ledger import cosignatures, log, merkle, tables
from ledger.checking import comparing
from ledger.checking.faults import Fault, Report
from ledger.checking.joining import Heads, Join, Place, unreached
from ledger.checking.resuming import Remembered
from ledger.checking.walking import BLOCK, Piece, Task, walk
from ledger.database import open_engine, read_transaction
from ledger.errors import Corrupt, LedgerError, NotFound, SettingsError, Unavailable
from ledger.history import scratch
from ledger.keyring import Keyring
from ledger.merkle import TILE_WIDTH
from ledger.store import Ledger
from ledger.tables import table
from ledger.tiles import LEVEL_MAX, tile_reader

__all__ = ["Fault", "Report", "verify"]

_ENTRY, _BATCH, _TILE, _CHECKPOINT = (table(model) for model in (tables.EntryRow, tables.BatchRow, tables.TileRow, tables.CheckpointRow))

Progress = Callable[[int, int], None]


def verify(
    ledger: Ledger,
    *,
    progress: Progress | None = None,
    against: bytes | None = None,
    remake: bool = True,
    jobs: int = 1,
    since_last: bool = False,
    remember: bool = False,
    block: int = BLOCK,
) -> Report:
    """Verify a ledger. *against*: an older checkpoint kept elsewhere, which the log must extend.

    *remake* False leaves step 4 out: the log alone, without projections and vault. *jobs*: how many processes walk the log. *since_last*: only what
    is newer than the last verification that was *remember*-ed, if there is one. *block*: entries walked at once, BLOCK or TILE_WIDTH.
    """
    report = Report()
    remembered = Remembered(ledger.settings)
    with ledger.read() as tx, ExitStack() as stack:
        judge = _Judge(tx.connection, ledger, report, block)
        signed = judge.signed_heads(against)
        checkpoint = judge.newest_checkpoint
        start = judge.start_from(remembered, signed) if since_last else Place()
        remade = None
        if remake and not since_last:
            remade = comparing.Remake(tx.connection, stack.enter_context(scratch()), report)
        join = Join(tx.connection, report, signed, block, start)
        remembered.drop_draft()
        if remember and start.size == checkpoint > 0:
            remembered.draft(start)
        tell = progress or (lambda done, total: None)
        tasks = judge.tasks(start, checkpoint, signed)
        for piece in _walked(tasks, tx.connection, ledger, jobs):
            join.take(piece)
            if remade:
                remade.follow(piece)
            if remember and piece.stop == checkpoint:
                remembered.draft(join.place)
            tell(piece.stop, judge.total)
        judge.finish(join.place, signed)
        tell(judge.total, judge.total)
        if remember:
            if not report.ok:
                remembered.drop_draft()
            remembered.keep()
        if remake:
            comparing.compare_chains(tx.connection, join.place.chains, report)
            join.place.chains.clear()
        if remade:
            remade.compare()
            comparing.compare_vault(tx.connection, ledger.vault, report)
    return report


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

    def start_from(self, remembered: Remembered, signed: Heads) -> Place:
        """Find where the last verification ended, if that still holds: its root is that of the stored tiles and of a checkpoint."""
        try:
            place = remembered.read()
            if place is None:
                return Place()
            if not 0 < place.size <= self.total or place.size not in signed:
                raise Corrupt(f"它说到 {place.size} 条为止，可那里没有检查点")
            read = tile_reader(place.size, lambda level, index, width: log.read_tile(self._connection, level, index, width))
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
        for block in range(start.size // self._block * self._block, self.total, self._block):
            first, stop = max(block, start.size), min(block + self._block, self.total)
            cuts = (checkpoint,) if first < checkpoint < stop else ()
            edge = start.edge if first > block else ()
            yield Task(block, first, stop, edge, cuts, frozenset(size for size in marks if first < size <= stop), rotations)

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
        twice = select(func.min(_ENTRY.c.index), func.max(_ENTRY.c.index)).group_by(_ENTRY.c.id).having(func.count() > 1)
        for first, again in self._connection.execute(twice):
            report.add(again, "entry.id", "只用一次的编号", f"与第 {first} 条相同")


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
    with read_transaction(_engine) as connection:
        return walk(connection, task)
