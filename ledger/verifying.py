"""
Verification: everything recomputed from the stored bytes, every difference reported, nothing taken on trust.

One pass over the entries, in order:

1. each entry's bytes are re-hashed and compared with the stored leaf hash; they must decode strictly, carry their own index and id, and a time
   not before the one before them;
2. `prev` must be the leaf hash of the entry before, and each subject chain must name its number and the leaf hash of the subject's entry before;
3. the recomputed leaves build the tree: each full tile, each batch's root and time, and each checkpoint's signature and root are compared;
4. every projection is remade in a scratch database and compared row by row, column by column, and what the vault holds is opened and compared with
   the commitments of the entries.

A fault never stops the walk. After a bad entry the walk goes on from the stored leaf hash, so that one altered byte is one fault at its own index and
not one at every later entry; the tree, which is built from what the bytes really hash to, shows it independently.
"""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Connection, Table, Text, func, select
from sqlalchemy.exc import SQLAlchemyError

from ledger import entries, log, merkle, notes, projections, tables
from ledger.entries import Entry, b64
from ledger.errors import Corrupt, LedgerError
from ledger.history import scratch
from ledger.merkle import TILE_WIDTH, Tree
from ledger.store import Ledger
from ledger.tables import table
from ledger.vault import Vault

_BATCH, _TILE, _CHECKPOINT = table(tables.BatchRow), table(tables.TileRow), table(tables.CheckpointRow)
_VOLUNTEER, _ORGANISATION = table(tables.VolunteerRow), table(tables.OrganisationRow)

_FAULTS_MAX = 10_000
"""Beyond this many the walk goes on but no longer lists: a wholesale rewrite is clear by then."""


@dataclass(frozen=True)
class Fault:
    """One difference: entry index (None when it is about no entry), what it is about, what should be there and what is."""

    index: int | None
    what: str
    expected: str
    found: str


@dataclass
class Report:
    """What a verification found. *ok* is True when there is no fault."""

    size: int = 0
    root: bytes = merkle.EMPTY_ROOT
    faults: list[Fault] = field(default_factory=list)
    fault_count: int = 0

    @property
    def ok(self) -> bool:
        """Tell whether everything held."""
        return self.fault_count == 0

    def add(self, index: int | None, what: str, expected: object, found: object) -> None:
        """Note a fault."""
        self.fault_count += 1
        if len(self.faults) < _FAULTS_MAX:
            self.faults.append(Fault(index, what, str(expected), str(found)))

    def as_json(self) -> dict[str, Any]:
        """Give the contract of `verify --json`."""
        return {"ok": self.ok, "size": self.size, "root": b64(self.root), "faults": [vars(fault) for fault in self.faults]}


def verify(
    ledger: Ledger, *, progress: Callable[[int, int], None] | None = None, against: bytes | None = None, remake: bool = True
) -> Report:
    """Verify a whole ledger. *against*: an older checkpoint kept elsewhere, which the log must extend.

    *remake* False leaves step 4 out: the log alone, without projections and vault.
    """
    report = Report()
    tell = progress or (lambda done, total: None)
    with ledger.read() as tx:
        if not remake:
            _Walk(tx.connection, ledger, report, None).run(against, tell)
            return report
        with scratch() as target:
            _Walk(tx.connection, ledger, report, projections.Replay(target)).run(against, tell)
            _compare_projections(tx.connection, target, report)
        _check_vault(tx.connection, ledger.vault, report)
    return report


class _Walk:
    """The one pass over the entries: keeps the tree, the chain heads, the newest time."""

    def __init__(self, connection: Connection, ledger: Ledger, report: Report, replay: projections.Replay | None) -> None:
        self._connection = connection
        self._ledger = ledger
        self._report = report
        self._replay = replay
        self._tree = Tree()
        self._waiting: list[bytes] = []
        self._chains: dict[str, tuple[int, str]] = {}
        self._previous: str | None = None
        self._time = ""

    def run(self, against: bytes | None, progress: Callable[[int, int], None]) -> None:
        """Walk the log; compare tiles, batches and checkpoints on the way and at the end."""
        total = log.entry_count(self._connection)
        batches = self._connection.execution_options(yield_per=1_000).execute(select(_BATCH).order_by(_BATCH.c.size))
        batch = next(batches, None)
        signed = self._signed_heads(against)
        for number, row in enumerate(log.scan(self._connection)):
            self._entry(number, row)
            size = number + 1
            if len(self._waiting) >= TILE_WIDTH * 8 or size in signed or (batch is not None and size == batch.size):
                self._grow()
            while batch is not None and batch.size <= size:
                self._batch(size, batch)
                batch = next(batches, None)
            for what, expected in signed.pop(size, []):
                self._compare(size - 1, what, b64(self._tree.root()), b64(expected))
            if not size % 10_000:
                progress(size, total)
        self._finish(total, batch, signed)
        progress(total, total)

    def _compare(self, index: int | None, what: str, expected: object, found: object) -> None:
        if expected != found:
            self._report.add(index, what, expected, found)

    def _entry(self, number: int, row: Any) -> None:
        leaf = merkle.leaf_hash(row.body)
        self._waiting.append(leaf)
        self._compare(number, "entry.index", number, row.index)
        if leaf != row.leaf:
            self._report.add(number, "entry.leaf", b64(leaf), b64(row.leaf))
        stored = b64(row.leaf)
        try:
            entry = entries.decode(row.body)
        except (Corrupt, KeyError, TypeError, AttributeError) as error:
            self._report.add(number, "entry.body", "按规范写成的记录", str(error)[:200])
            self._follow(number, _chains_of(row.body), stored)
        else:
            self._fields(number, row, entry)
            self._follow(number, entry.chains, stored)
            self._replay_entry(number, entry, row.leaf)
        self._previous = stored

    def _fields(self, number: int, row: Any, entry: Entry) -> None:
        self._compare(number, "entry.body.index", number, entry.index)
        self._compare(number, "entry.body.prev", self._previous, entry.prev)
        if uuid.UUID(bytes=row.id).hex != entry.id.replace("-", ""):
            self._report.add(number, "entry.id", entry.id, row.id.hex())
        if entry.recorded_at < self._time:
            self._report.add(number, "entry.body.recorded_at", f"不早于 {self._time}", entry.recorded_at)
        self._time = entry.recorded_at

    def _follow(self, number: int, chains: dict[str, list[Any]], stored: str) -> None:
        for subject, said in chains.items():
            count, leaf = self._chains.get(subject, (0, ""))
            wanted = [count + 1, leaf] if count else [1]
            if said != wanted:
                self._report.add(number, f"entry.body.chains.{subject}", wanted, said)
                count = said[0] - 1 if said and type(said[0]) is int else count
            self._chains[subject] = (count + 1, stored)

    def _replay_entry(self, number: int, entry: Entry, leaf: bytes) -> None:
        if self._replay is None:
            return
        try:
            self._replay.feed(entry, leaf)
        except SQLAlchemyError as error:
            self._report.add(number, "replay", "可以重放", type(error).__name__)

    def _grow(self) -> None:
        """Fold the waiting leaves into the tree and compare each tile this completes."""
        for tile in self._tree.extend(self._waiting):
            key = (_TILE.c.level == tile.level, _TILE.c.index == tile.index)
            row = self._connection.execute(select(_TILE).where(*key)).one_or_none()
            if row is None:
                self._report.add(None, f"tile/{tile.level}/{tile.index}", "一整片", "缺失")
                continue
            for place in range(TILE_WIDTH):
                expected, found = (hashes[place * 32 : place * 32 + 32] for hashes in (tile.hashes, row.hashes))
                if expected != found:
                    index = (tile.index * TILE_WIDTH + place) * TILE_WIDTH**tile.level
                    self._report.add(index, f"tile/{tile.level}/{tile.index}[{place}]", b64(expected), b64(found))
            self._compare(None, f"tile/{tile.level}/{tile.index}.root", b64(tile.root), b64(row.root))
            self._compare(None, f"tile/{tile.level}/{tile.index}.length", TILE_WIDTH * 32, len(row.hashes))
        self._waiting = []

    def _batch(self, size: int, batch: Any) -> None:
        if batch.size != size:
            self._report.add(size - 1, "batch.size", f"大于前一批且等于 {size}", batch.size)
            return
        self._compare(size - 1, "batch.root", b64(self._tree.root()), b64(batch.root))
        self._compare(size - 1, "batch.recorded_at", self._time, batch.recorded_at)

    def _signed_heads(self, against: bytes | None) -> dict[int, list[tuple[str, bytes]]]:
        """Open every checkpoint: size -> what is said of the root there. Bad signatures are faults at once."""
        signed: dict[int, list[tuple[str, bytes]]] = {}
        verifier, origin = self._ledger.signing.verifier(), self._ledger.settings.origin
        notes_ = [(f"checkpoint/{row.size}", row.size, row.note.encode()) for row in self._connection.execute(select(_CHECKPOINT))]
        if against is not None:
            notes_.append(("against", None, against))
        for what, size, note in notes_:
            try:
                opened = notes.open_checkpoint(note, [verifier], origin)
            except LedgerError as error:
                self._report.add(None, what, "本账本签名的检查点", str(error)[:200])
                continue
            if size is not None:
                self._compare(None, f"{what}.size", size, opened.size)
            signed.setdefault(opened.size, []).append((f"{what}.root", opened.root))
        size, root = self._ledger.signing.last_signed()
        if size:
            signed.setdefault(size, []).append(("last-signed.root", root))
        return signed

    def _finish(self, total: int, batch: Any, signed: dict[int, list[tuple[str, bytes]]]) -> None:
        self._grow()
        if self._replay is not None:
            self._replay.finish()
        report, size = self._report, self._tree.size
        report.size, report.root = size, self._tree.root()
        newest = self._connection.execute(select(func.max(_BATCH.c.size))).scalar() or 0
        if batch is not None or newest != size:
            report.add(None, "batch.size", size, newest)
        for unreached in sorted(signed):
            for what, _ in signed[unreached]:
                if unreached:
                    report.add(None, what, f"至少 {unreached} 条", f"只有 {total} 条")
        for row in self._connection.execute(select(_TILE.c.level, _TILE.c.index)):
            if (row[1] + 1) * TILE_WIDTH ** (row[0] + 1) > size:
                report.add(None, f"tile/{row[0]}/{row[1]}", "不应有", "多出的片")


def _chains_of(raw: bytes) -> dict[str, list[Any]]:
    """Read what an entry that does not decode says of its chains, so that their later entries are not blamed for it."""
    try:
        chains = orjson.loads(raw)["chains"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return {}
    return chains if isinstance(chains, dict) and all(isinstance(said, list) for said in chains.values()) else {}


def _compare_projections(live: Connection, remade: Connection, report: Report) -> None:
    """Compare every projection with its remake, merging both in order of their keys."""
    for model in tables.PROJECTIONS:
        target = table(model)
        keys = [column.name for column in target.primary_key]
        for expected, found in _merged(_ordered(remade, target), _ordered(live, target), keys):
            row = found or expected or {}
            name = f"{target.name}[{','.join(str(row[key]) for key in keys)}]"
            index = row.get("entry_index")
            if found is None:
                report.add(index, name, "这一行", "缺失")
            elif expected is None:
                report.add(index, name, "不应有", "多出的一行")
            else:
                for column in expected:
                    if expected[column] != found[column]:
                        report.add(index, f"{name}.{column}", expected[column], found[column])


def _ordered(connection: Connection, target: Table) -> Iterator[dict[str, Any]]:
    """Stream a table in order of its key; text by code point on PostgreSQL too."""
    keys = [
        column.collate("C") if connection.dialect.name == "postgresql" and isinstance(column.type, Text) else column
        for column in target.primary_key
    ]
    for row in connection.execution_options(yield_per=5_000).execute(select(target).order_by(*keys)):
        yield dict(row._mapping)  # noqa: SLF001 the public name of a row as a mapping


def _merged(
    left: Iterator[dict[str, Any]], right: Iterator[dict[str, Any]], keys: list[str]
) -> Iterator[tuple[dict[str, Any] | None, dict[str, Any] | None]]:
    """Pair the rows of two ordered streams by key; a row without a partner is paired with None."""
    one, other = next(left, None), next(right, None)
    while one is not None or other is not None:
        here = tuple(one[key] for key in keys) if one is not None else None
        there = tuple(other[key] for key in keys) if other is not None else None
        if here is not None and (there is None or here < there):
            yield one, None
            one = next(left, None)
        elif there is not None and (here is None or there < here):
            yield None, other
            other = next(right, None)
        else:
            yield one, other
            one, other = next(left, None), next(right, None)


def _check_vault(connection: Connection, vault: Vault, report: Report) -> None:
    """Open what is sealed and compare it with the commitments that entries hold."""
    said = {f"person/{row.number}": row for row in connection.execute(select(_VOLUNTEER))}
    said |= {f"organisation/{row.id}": row for row in connection.execute(select(_ORGANISATION))}
    subjects = vault.subjects(connection)
    for subject in sorted(set(subjects) - set(said)):
        report.add(None, f"person[{subject}]", "账本里有的人或组织", "多出的一行")
    for at in range(0, len(subjects), 1_000):
        for subject, made in vault.commitments(connection, subjects[at : at + 1_000]).items():
            row = said.get(subject)
            if row is None:
                continue
            if isinstance(made, Corrupt):
                report.add(row.entry_index, f"person[{subject}]", "可以打开的密文", str(made))
                continue
            for part in ("identity", "contact"):
                wanted, found = getattr(row, part, None), getattr(made, part)
                if wanted != found:
                    report.add(row.entry_index, f"person[{subject}].{part}", wanted, found)
