"""
Walking the entries: the part of a verification that reads every byte, block by block, so that several processes can share it.

A task is a run of entries that begins with a tile (or where the last verification ended). Within it everything is checked that can be checked there:
stored leaf hash, strict decoding, index, id, time, `prev`, the subject chains, the tiles of level 0 and the times of the commits. What hangs on the
entries before is handed back with it, to be joined in order (joining.py): what each subject's first entry here says of its chain, the first time, the
roots of the tiles, and for each tree head the root of the leaves since the last whole tile.

Most entries are judged by the pattern of their kind (spelling.py), without being parsed; the others by `entries.parse`, with the same verdict.
What an entry says of a chain is kept as it is spelt there: `[12,"<leaf hash of its 11th>"]`.

After a bad entry the walk goes on from the stored leaf hash, so that one altered byte is one fault at its own index and not one at every later entry;
the tree is built from what the bytes really hash to.
"""

from binascii import a2b_hex, b2a_base64
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import orjson
from sqlalchemy import Connection, select

from ledger import tables
from ledger.checking.faults import Report
from ledger.checking.spelling import TIME_PLACE, reader
from ledger.checking.streaming import stream, stream_past, without_collecting
from ledger.entries import parse
from ledger.errors import Corrupt
from ledger.keyring import KIND
from ledger.kinds.checks import INTEGER_MAX, digest
from ledger.merkle import HASH_BYTES, TILE_WIDTH, Tile, Tree
from ledger.tables import table

BLOCK = 128 * TILE_WIDTH
"""Entries walked at once: any number of whole tiles. Fewer would have more said of chains that only the join can judge."""

_BATCH = table(tables.BatchRow)
_ENTRIES = 'SELECT "index", id, leaf, body FROM entry WHERE "index" >= ? AND "index" < ? ORDER BY "index"'
_TILES = 'SELECT "index", hashes, root FROM tile WHERE level = 0 AND "index" >= ? AND "index" < ?'
FIRST = b"[1]"
"""What the first entry of a chain says of it."""

_NUMBER_END = -len(b',"%b"]' % b2a_base64(bytes(HASH_BYTES), newline=False))
"""Where the number ends in what an entry says of a chain, unless that is [1]."""

Concerned = Iterable[tuple[Any, Any]]
"""Subject (None: no such chain), and what an entry says of its chain: both bytes."""


@dataclass(frozen=True)
class Task:
    """What to walk: entries from *first* up to *stop*.

    edge: leaf hashes of the unfinished tile at *first*, end to end. cuts: sizes at which a piece of the answer has to end. marks: sizes whose root is
    wanted beside those of the commits. rotations: indexes of the key rotations that are known.
    """

    first: int
    stop: int
    edge: bytes = b""
    cuts: tuple[int, ...] = ()
    marks: frozenset[int] = frozenset()
    rotations: frozenset[int] = frozenset()


@dataclass
class Piece:
    """What was found in the entries from *first* up to *stop*, and what is for those who know the entries before to judge."""

    first: int
    stop: int
    report: Report = field(default_factory=Report)
    undecoded: set[int] = field(default_factory=set)
    """Indexes that hold no entry."""
    chains: dict[bytes, bytes] = field(default_factory=dict)
    """Subject -> what its next entry has to say of its chain; in the order in which the subjects came first."""
    claims: list[bytes] = field(default_factory=list)
    """What each subject's first entry here says of its chain, in the same order."""
    claimed: list[int] = field(default_factory=list)
    """The indexes of those entries."""
    roots: list[bytes] = field(default_factory=list)
    """Roots of the tiles that were completed."""
    heads: list[tuple[int, bytes, object | None]] = field(default_factory=list)
    """(size, root of the leaves since the last whole tile, root in the commit's row if there is one) of each commit and mark."""
    opens_commit: bool = False
    """Whether a commit ends just before the first entry."""
    began: tuple[int, str, bool] | None = None
    """Index and time of the first decoded entry, and whether a commit in this piece ends just before it."""
    time: str | None = None
    """Time of the last one."""
    undated: list[tuple[int, object]] = field(default_factory=list)
    """(size, time in the commit's row) of commits before the first decoded entry."""
    edge: bytes = b""
    """Leaf hashes of the unfinished tile at *stop*."""


def chain_length(said: bytes) -> int:
    """Read how many entries a chain has from what its next entry has to say of it."""
    return int(orjson.loads(said)[0]) - 1


def chain_leaf(said: bytes) -> str:
    """Read the leaf hash of a chain's last entry, in base64, from what its next entry has to say of it."""
    return str(orjson.loads(said)[1])


def walk(connection: Connection, task: Task) -> list[Piece]:
    """Walk one task's entries. Answers a piece up to each cut and one up to the end."""
    ends = [*task.cuts, task.stop]
    with without_collecting():
        walker = _Walker(connection, task)
        return [walker.piece(first, stop) for first, stop in zip([task.first, *ends], ends, strict=False)]


def compare_tile(tile: Tile, stored: tuple[Any, Any] | None, report: Report) -> None:
    """Compare a full tile with the stored hashes and root, hash by hash."""
    name = f"tile/{tile.level}/{tile.index}"
    if stored is None:
        report.add(None, name, "一整片", "缺失")
        return
    hashes, root = stored
    report.compare(None, f"{name}.root", tile.root, root)
    if tile.hashes == hashes:
        return
    if not isinstance(hashes, bytes) or len(hashes) != len(tile.hashes):
        report.add(None, f"{name}.length", len(tile.hashes), len(hashes))
        return
    for place in range(TILE_WIDTH):
        expected, found = (each[place * HASH_BYTES : (place + 1) * HASH_BYTES] for each in (tile.hashes, hashes))
        report.compare((tile.index * TILE_WIDTH + place) * TILE_WIDTH**tile.level, f"{name}[{place}]", expected, found)


class _Walker:
    """Goes through one task: keeps the unfinished tile and the leaf hash (base64) of the entry before, None when that is not there."""

    def __init__(self, connection: Connection, task: Task) -> None:
        self._connection = connection
        self._task = task
        self._tree = Tree.resume(task.first % TILE_WIDTH, [task.edge] if task.edge else [])
        self._previous = self._leaf_before(task.first)

    def _leaf_before(self, first: int) -> bytes | None:
        with closing(stream_past(self._connection, _ENTRIES, first - 1, first)) as rows:
            for _, _, stored, raw in rows:
                leaf = sha256(b"\x00" + (raw if isinstance(raw, bytes) else b"")).digest()
                return _text(_leaf_to_follow(leaf, stored))
        return None

    def piece(self, first: int, stop: int) -> Piece:
        """Walk the entries from *first* up to *stop*."""
        piece = Piece(first, stop)
        rows = self._connection.execute(select(_BATCH).where(_BATCH.c.size >= first, _BATCH.c.size <= stop)).all()
        batches = {row.size: row for row in rows}
        piece.opens_commit = batches.pop(first, None) is not None
        leaves = self._entries(piece, batches)
        self._grow(piece, leaves, batches)
        piece.edge = b"".join(self._tree.edge())
        return piece

    def _grow(self, piece: Piece, leaves: list[bytes], batches: dict[int, Any]) -> None:
        """Put the leaves into tiles, compare those that this fills, and note the heads."""
        with closing(stream(self._connection, _TILES, (piece.first // TILE_WIDTH, piece.stop // TILE_WIDTH), lenient=True)) as rows:
            stored = {index: (hashes, root) for index, hashes, root in rows}
        marks = {size for size in self._task.marks if piece.first < size <= piece.stop} | batches.keys()
        ends = range(piece.first // TILE_WIDTH * TILE_WIDTH + TILE_WIDTH, piece.stop, TILE_WIDTH)
        at = piece.first
        for size in sorted(marks | {*ends, piece.stop}):
            for tile in self._tree.extend(leaves[at - piece.first : size - piece.first]):
                piece.roots.append(tile.root)
                index = size // TILE_WIDTH - 1
                compare_tile(Tile(0, index, tile.hashes, tile.root), stored.get(index), piece.report)
                self._tree = Tree()
            at = size
            if size in marks:
                committed = batches[size].root if size in batches else None
                piece.heads.append((size, self._tree.root() if size % TILE_WIDTH else b"", committed))

    def _entries(self, piece: Piece, batches: dict[int, Any]) -> list[bytes]:  # noqa: C901, PLR0912 one check after the other, without a call between
        """Check the entries one by one. Returns what each really hashes to."""
        seen, read, start = _Seen(piece, batches, self._task.rotations, self._previous), reader(), sha256(b"\x00")
        chains, claims, claimed = piece.chains, piece.claims, piece.claimed
        leaves: list[bytes] = []
        concerned: Concerned
        expected = piece.first
        with closing(stream_past(self._connection, _ENTRIES, piece.first, piece.stop)) as rows:
            for index, entry_id, stored, raw in rows:  # the loop that everything waits for
                if index != expected:
                    if index < expected:  # the page lies about its numbers
                        continue
                    seen.missing(leaves, expected, index)
                hashed = start.copy()
                try:
                    hashed.update(raw)
                except TypeError:  # SQLite stores whatever it is given
                    raw = b""
                leaf = hashed.digest()
                leaves.append(leaf)
                text = b2a_base64(leaf, newline=False) if leaf == stored else seen.other_leaf(index, leaf, stored)
                spelt = read(raw, index, seen.previous)
                if spelt is None:
                    concerned = seen.parsed(index, entry_id, raw)
                else:
                    unit, of_unit, person, of_person, station, of_station, said_id = spelt
                    if (time := raw[TIME_PLACE]) != seen.time:
                        seen.follow_time(index, time)
                    if a2b_hex(said_id.replace(b"-", b"")) != entry_id:
                        seen.other_id(index, said_id, entry_id)
                    concerned = ((unit, of_unit), (person, of_person), (station, of_station))
                for subject, said in concerned:
                    if subject is not None:
                        wanted = chains.get(subject)
                        if wanted is None:  # of a subject's first entry here only the join can tell
                            claims.append(said)
                            claimed.append(index)
                        elif said != wanted:
                            note_chain(piece.report, index, subject, wanted, said)
                        chains[subject] = b'[%d,"%b"]' % (int(said[1:_NUMBER_END] or b"1") + 1, text)
                expected = index + 1
                seen.previous = text
                if expected in batches:
                    seen.commit(expected)
        if expected < piece.stop:
            seen.missing(leaves, expected, piece.stop)
        self._previous = seen.previous
        piece.time = seen.time.decode() if seen.time is not None else None
        return leaves


class _Seen:
    """What the entry before was (leaf hash in base64, time; None when not known here), and what is said when something differs."""

    def __init__(self, piece: Piece, batches: dict[int, Any], rotations: frozenset[int], previous: bytes | None) -> None:
        self._piece, self._report = piece, piece.report
        self._batches = batches
        self._rotations = rotations
        self.previous = previous
        self.time: bytes | None = None

    def missing(self, leaves: list[bytes], first: int, stop: int) -> None:
        """Note entries that are not there; the tree goes on over zeros in their places."""
        for index in range(first, stop):
            self._report.add(index, "entry", "一条记录", "缺失")
            leaves.append(bytes(HASH_BYTES))
        self.previous = None

    def other_leaf(self, index: int, leaf: bytes, stored: object) -> bytes:
        """Note a leaf hash that is not that of the bytes. Returns the one to go on from."""
        self._report.add(index, "entry.leaf", leaf, stored)
        return _text(_leaf_to_follow(leaf, stored))

    def parsed(self, index: int, entry_id: object, raw: bytes) -> Concerned:
        """Judge an entry by parsing it. Returns what it says of its chains."""
        try:
            _, _, chains, said_id, said_index, kind, prev, time, _ = parse(raw)
        except (Corrupt, LookupError, TypeError, ValueError, AttributeError) as error:
            return self.undecoded(index, raw, error)
        if kind == KIND and index not in self._rotations:
            self._report.add(index, "entry.key_rotation", "列在 key_rotation 里的换钥记录", "没有列入")
        self._report.compare(index, "entry.body.index", index, said_index)
        previous = self.previous.decode() if self.previous is not None else None
        if prev != previous and (previous is not None or index == 0):
            self._report.add(index, "entry.body.prev", previous, prev)
        self.follow_time(index, time.encode())
        if bytes.fromhex(said_id.replace("-", "")) != entry_id:
            self.other_id(index, said_id.encode(), entry_id)
        return [_spelt(subject, said) for subject, said in chains.items()]

    def undecoded(self, index: int, raw: bytes, error: Exception) -> Concerned:
        """Note bytes that are no entry. Returns what they say of their chains, if that can be read: later entries are not to be blamed."""
        self._report.add(index, "entry.body", "按规范写成的记录", str(error)[:200])
        self._piece.undecoded.add(index)
        try:
            chains = orjson.loads(raw)["chains"]
            return [_spelt(subject, said) for subject, said in chains.items() if type(said[0]) is int and 1 <= said[0] <= INTEGER_MAX]
        except (orjson.JSONDecodeError, LookupError, TypeError, AttributeError):
            return []

    def follow_time(self, index: int, time: bytes) -> None:
        """Compare an entry's time with that of the entry before."""
        if self.time is None:
            self._piece.began = (index, time.decode(), index in self._batches)
        elif time != self.time:
            note_time(self._report, index, self.time.decode(), time.decode(), follows_commit=index in self._batches)
        self.time = time

    def other_id(self, index: int, said: bytes, stored: object) -> None:
        """Note an id that is not the one in the bytes."""
        self._report.add(index, "entry.id", said.decode(), stored)

    def commit(self, size: int) -> None:
        """Compare the time of a commit with that of its last entry."""
        if self.time is None:
            self._piece.undated.append((size, self._batches[size].recorded_at))
        else:
            self._report.compare(size - 1, "batch.recorded_at", self.time.decode(), self._batches[size].recorded_at)


def note_chain(report: Report, index: int, subject: bytes, wanted: bytes, said: bytes) -> None:
    """Note what an entry says of a chain beside what it had to say."""
    report.compare(index, f"entry.body.chains.{subject.decode()}", wanted.decode(), said.decode())


def note_time(report: Report, index: int, before: str, time: str, *, follows_commit: bool) -> None:
    """Note what is wrong with an entry of another time than the entry before: it must be later, and in another commit."""
    if time < before:
        report.add(index, "entry.body.recorded_at", f"不早于 {before}", time)
    if not follows_commit:
        report.add(index - 1, "batch", f"{index} 条时的一行：下一条的时间不同，是另一次提交", "缺失")


def _spelt(subject: str, said: list[Any]) -> tuple[bytes, bytes]:
    """Spell again what was parsed of a chain, as it should have been spelt."""
    if said[0] == 1:
        return subject.encode(), FIRST
    leaf = said[1] if len(said) > 1 and isinstance(said[1], str) and digest(said[1]) else "?" * len(_text(bytes(HASH_BYTES)))
    return subject.encode(), b'[%d,"%b"]' % (said[0], leaf.encode())


def _text(leaf: bytes) -> bytes:
    return b2a_base64(leaf, newline=False)


def _leaf_to_follow(leaf: bytes, stored: object) -> bytes:
    return stored if isinstance(stored, bytes) and len(stored) == HASH_BYTES else leaf
