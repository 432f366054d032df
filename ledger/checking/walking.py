"""
Walking the entries: the part of a verification that reads every byte, block by block, so that several processes can share it.

A task is a block of 65,536 entries (a whole tile of level 1) or the part of one that is to be walked. Within it everything is checked that can be
checked there: stored leaf hash, strict decoding, index, id, time, `prev`, the subject chains, the tiles and the times of the commits. What hangs on
the entries before the block is handed back with it, to be joined in order (joining.py): what each subject's first entry here says of its chain, the
first time, and for each tree head the root of the leaves of this block alone.

After a bad entry the walk goes on from the stored leaf hash, so that one altered byte is one fault at its own index and not one at every later entry;
the tree is built from what the bytes really hash to.
"""

import gc
from binascii import a2b_base64
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import orjson
from sqlalchemy import Connection, select

from ledger import tables
from ledger.checking.faults import Report
from ledger.entries import b64, parse
from ledger.errors import Corrupt
from ledger.keyring import KIND
from ledger.kinds.checks import INTEGER_MAX, digest
from ledger.merkle import HASH_BYTES, TILE_WIDTH, Tile, Tree
from ledger.tables import table

BLOCK = TILE_WIDTH**2
"""Entries of a block. It may also be TILE_WIDTH: blocks have to be whole tiles of one level."""

_TILE, _BATCH = table(tables.TileRow), table(tables.BatchRow)
_ROWS_AT_ONCE = 2_000
_ROWS = 'SELECT "index", id, leaf, body FROM entry WHERE "index" >= {0} AND "index" < {0} ORDER BY "index"'


@dataclass(frozen=True)
class Task:
    """What to walk: entries from *first* up to *stop*, in the block that begins at *block*.

    edge: of the block's own tree at *first* (`Tree.edge`), where that is not the block's beginning. cuts: sizes at which a piece of the answer has to
    end. marks: sizes whose root is wanted beside those of the commits. rotations: indexes of the key rotations that are known.
    """

    block: int
    first: int
    stop: int
    edge: tuple[bytes, ...] = ()
    cuts: tuple[int, ...] = ()
    marks: frozenset[int] = frozenset()
    rotations: frozenset[int] = frozenset()


@dataclass
class Piece:
    """What was found in the entries from *first* up to *stop*, and what is for those who know the entries before to judge."""

    block: int
    first: int
    stop: int
    report: Report = field(default_factory=Report)
    undecoded: set[int] = field(default_factory=set)
    """Indexes that hold no entry."""
    claims: list[tuple[int, str, bytes]] = field(default_factory=list)
    """(index, subject, how the subject's chain has to end before this piece) as the first entry here of each subject says."""
    chains: dict[str, bytes] = field(default_factory=dict)
    """Subject -> how its chain ends (`chain_end`)."""
    heads: list[tuple[int, bytes, object | None]] = field(default_factory=list)
    """(size, root of the block's leaves up to there, root in the commit's row if there is one) of each commit and mark."""
    opens_commit: bool = False
    """Whether a commit ends just before the first entry."""
    began: tuple[int, str, bool] | None = None
    """Index and time of the first decoded entry, and whether a commit in this piece ends just before it."""
    time: str | None = None
    """Time of the last one."""
    undated: list[tuple[int, object]] = field(default_factory=list)
    """(size, time in the commit's row) of commits before the first decoded entry."""
    edge: tuple[bytes, ...] = ()
    """Of the block's own tree at *stop*."""


def chain_end(length: int, leaf: bytes) -> bytes:
    """Pack how many entries a chain has and the leaf hash of the last: 40 bytes, because there may be millions of them. No entries: none."""
    return leaf + length.to_bytes(8, "big") if length else b""


def chain_length(end: bytes) -> int:
    """Read the length back; the leaf hash is the first 32 bytes."""
    return int.from_bytes(end[HASH_BYTES:], "big")


def chain_before(said: list[Any]) -> bytes:
    """Pack what an entry says of its chain: how that ended before it."""
    return chain_end(said[0] - 1, a2b_base64(said[1]) if len(said) > 1 and digest(said[1]) else bytes(HASH_BYTES))


def walk(connection: Connection, task: Task) -> list[Piece]:
    """Walk one task's entries. Answers a piece up to each cut and one up to the end."""
    ends = [*task.cuts, task.stop]
    collecting = gc.isenabled()
    gc.disable()  # what is made here is freed by counting, and looking for cycles in what is kept takes a third of the time
    try:
        walker = _Walker(connection, task)
        return [walker.piece(first, stop) for first, stop in zip([task.first, *ends], ends, strict=False)]
    finally:
        if collecting:
            gc.enable()


def compare_tile(connection: Connection, tile: Tile, report: Report) -> None:
    """Compare a full tile with the stored one, hash by hash."""
    row = connection.execute(select(_TILE).where(_TILE.c.level == tile.level, _TILE.c.index == tile.index)).one_or_none()
    name = f"tile/{tile.level}/{tile.index}"
    if row is None:
        report.add(None, name, "一整片", "缺失")
        return
    report.compare(None, f"{name}.root", tile.root, row.root)
    if tile.hashes == row.hashes:
        return
    if not isinstance(row.hashes, bytes) or len(row.hashes) != len(tile.hashes):
        report.add(None, f"{name}.length", len(tile.hashes), len(row.hashes))
        return
    for place in range(TILE_WIDTH):
        expected, found = (hashes[place * HASH_BYTES : (place + 1) * HASH_BYTES] for hashes in (tile.hashes, row.hashes))
        report.compare((tile.index * TILE_WIDTH + place) * TILE_WIDTH**tile.level, f"{name}[{place}]", expected, found)


class _Walker:
    """Goes through one block: keeps its tree and the leaf hash (base64) of the entry before, None when that is not there."""

    def __init__(self, connection: Connection, task: Task) -> None:
        self._connection = connection
        self._task = task
        self._tree = Tree.resume(task.first - task.block, task.edge) if task.first > task.block else Tree()
        self._previous = self._leaf_before(task.first)

    def _leaf_before(self, first: int) -> str | None:
        with closing(_stream(self._connection, first - 1, first)) as rows:
            for _, _, stored, raw in rows:
                leaf = sha256(b"\x00" + (raw if isinstance(raw, bytes) else b"")).digest()
                return b64(_leaf_to_follow(leaf, stored))
        return None

    def piece(self, first: int, stop: int) -> Piece:
        """Walk the entries from *first* up to *stop*."""
        piece = Piece(self._task.block, first, stop)
        rows = self._connection.execute(select(_BATCH).where(_BATCH.c.size >= first, _BATCH.c.size <= stop)).all()
        batches = {row.size: row for row in rows}
        piece.opens_commit = batches.pop(first, None) is not None
        leaves = self._entries(piece, batches)
        marks = {size for size in self._task.marks if first < size <= stop}
        at, tiles = first, []
        for size in sorted(marks | batches.keys()):
            tiles += self._tree.extend(leaves[at - first : size - first])
            at = size
            piece.heads.append((size, self._tree.root(), batches[size].root if size in batches else None))
        tiles += self._tree.extend(leaves[at - first :])
        for tile in tiles:
            index = tile.index + self._task.block // TILE_WIDTH ** (tile.level + 1)
            compare_tile(self._connection, Tile(tile.level, index, tile.hashes, tile.root), piece.report)
        piece.edge = tuple(self._tree.edge())
        return piece

    def _entries(self, piece: Piece, batches: dict[int, Any]) -> list[bytes]:  # noqa: C901 the loop that everything waits for
        """Check the entries one by one. Returns what each really hashes to."""
        seen = _Seen(piece, batches, self._task.rotations, self._previous)
        chains: dict[str, list[Any]] = {}  # subject -> what its next entry has to say of its chain
        leaves: list[bytes] = []
        claims: list[tuple[int, str, list[Any]]] = []
        sound, expected = {self._previous}, piece.first
        with closing(_stream(self._connection, piece.first, piece.stop)) as rows:
            for index, entry_id, stored, raw in rows:
                if index != expected:
                    seen.missing(leaves, expected, index)
                try:
                    leaf = sha256(b"\x00" + raw).digest()
                except TypeError:  # SQLite stores whatever it is given
                    leaf, raw = sha256(b"\x00").digest(), b""
                leaves.append(leaf)
                text = b64(leaf) if leaf == stored else seen.other_leaf(index, leaf, stored)
                try:
                    _, _, said_of, said_id, said_index, kind, prev, time, _ = parse(raw, sound)
                except (Corrupt, LookupError, TypeError, ValueError, AttributeError) as error:
                    said_of = seen.undecoded(index, raw, error)
                else:
                    if said_index != index or prev != seen.previous or time != seen.time or kind == KIND:
                        seen.compare(index, said_index, prev, time, kind)
                    if bytes.fromhex(said_id.replace("-", "")) != entry_id:
                        piece.report.add(index, "entry.id", said_id, entry_id)
                for subject, said in said_of.items():
                    wanted = chains.get(subject)
                    if wanted is None:
                        claims.append((index, subject, said))
                    elif said != wanted:
                        piece.report.add(index, f"entry.body.chains.{subject}", wanted, said)
                    chains[subject] = [said[0] + 1, text]
                expected = index + 1
                seen.previous = text
                if expected in batches:
                    seen.commit(expected)
                    sound.clear()  # the chains of a sheet's station and organisation are where it pays
                sound.add(text)
        if expected < piece.stop:
            seen.missing(leaves, expected, piece.stop)
        self._previous = seen.previous
        piece.time = seen.time
        piece.claims = [(index, subject, chain_before(said)) for index, subject, said in claims]
        piece.chains = {subject: chain_end(number - 1, a2b_base64(text)) for subject, (number, text) in chains.items()}
        return leaves


class _Seen:
    """What the entry before was (leaf hash in base64, time; None when not known here), and what is said when something differs."""

    def __init__(self, piece: Piece, batches: dict[int, Any], rotations: frozenset[int], previous: str | None) -> None:
        self._piece, self._report = piece, piece.report
        self._batches = batches
        self._rotations = rotations
        self.previous = previous
        self.time: str | None = None

    def missing(self, leaves: list[bytes], first: int, stop: int) -> None:
        """Note entries that are not there; the tree goes on over zeros in their places."""
        for index in range(first, stop):
            self._report.add(index, "entry", "一条记录", "缺失")
            leaves.append(bytes(HASH_BYTES))
        self.previous = None

    def other_leaf(self, index: int, leaf: bytes, stored: object) -> str:
        """Note a leaf hash that is not that of the bytes. Returns the one to go on from."""
        self._report.add(index, "entry.leaf", leaf, stored)
        return b64(_leaf_to_follow(leaf, stored))

    def undecoded(self, index: int, raw: bytes, error: Exception) -> dict[str, Any]:
        """Note bytes that are no entry. Returns what they say of their chains, if that can be read: later entries are not to be blamed."""
        self._report.add(index, "entry.body", "按规范写成的记录", str(error)[:200])
        self._piece.undecoded.add(index)
        try:
            chains = orjson.loads(raw)["chains"]
            return {subject: said for subject, said in chains.items() if type(said[0]) is int and 1 <= said[0] <= INTEGER_MAX}
        except (orjson.JSONDecodeError, LookupError, TypeError, AttributeError):
            return {}

    def compare(self, index: int, said_index: int, prev: str | None, time: str, kind: str) -> None:
        """Compare what an entry says of its place with where it stands."""
        self._report.compare(index, "entry.body.index", index, said_index)
        if prev != self.previous and (self.previous is not None or index == 0):
            self._report.add(index, "entry.body.prev", self.previous, prev)
        if kind == KIND and index not in self._rotations:
            self._report.add(index, "entry.key_rotation", "列在 key_rotation 里的换钥记录", "没有列入")
        if self.time is None:
            self._piece.began = (index, time, index in self._batches)
        elif time != self.time:
            note_time(self._report, index, self.time, time, follows_commit=index in self._batches)
        self.time = time

    def commit(self, size: int) -> None:
        """Compare the time of a commit with that of its last entry."""
        if self.time is None:
            self._piece.undated.append((size, self._batches[size].recorded_at))
        else:
            self._report.compare(size - 1, "batch.recorded_at", self.time, self._batches[size].recorded_at)


def note_time(report: Report, index: int, before: str, time: str, *, follows_commit: bool) -> None:
    """Note what is wrong with an entry of another time than the entry before: it must be later, and in another commit."""
    if time < before:
        report.add(index, "entry.body.recorded_at", f"不早于 {before}", time)
    if not follows_commit:
        report.add(index - 1, "batch", f"{index} 条时的一行：下一条的时间不同，是另一次提交", "缺失")


def _leaf_to_follow(leaf: bytes, stored: object) -> bytes:
    return stored if isinstance(stored, bytes) and len(stored) == HASH_BYTES else leaf


def _stream(connection: Connection, first: int, stop: int) -> Generator[tuple[int, Any, Any, Any], None, None]:
    """Stream (index, id, leaf, body) straight from the driver, where a layer between would cost as much as the checks."""
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "postgresql":
        connection.execute(select(1))  # the snapshot begins with the first statement, and a cursor lives in it
        with driver.cursor("walk", binary=True) as cursor:
            cursor.itersize = _ROWS_AT_ONCE
            cursor.execute(_ROWS.format("%s"), (first, stop))
            yield from cursor
        return
    kept, driver.text_factory = driver.text_factory, bytes  # text where bytes should be is compared, not stumbled over
    try:
        yield from driver.execute(_ROWS.format("?"), (first, stop))
    finally:
        driver.text_factory = kept
