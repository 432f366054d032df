"""
Joining what was found piece by piece into one judgement of the log: the part of a verification that knows everything before.

It keeps the tree over the roots of the tiles, what the next entry of every subject's chain has to say of it (about 240 bytes a subject, name and all) and
the newest time, and judges what the pieces handed back: first claims of chains, first times, and the root at each commit and each signed head.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection

from ledger.bulk import fetch
from ledger.checking.faults import Report
from ledger.checking.walking import FIRST, Piece, compare_tile, note_chain, note_time
from ledger.merkle import EMPTY_ROOT, TILE_WIDTH, Tile, Tree

Heads = dict[int, list[tuple[str, bytes]]]
"""Size -> what says that the log has a root there (name of the fault, root)."""


@dataclass
class Place:
    """How far a log has been verified: size, root, newest time, the tree's edge and what each chain has to go on with."""

    size: int = 0
    root: bytes = EMPTY_ROOT
    time: str = ""
    tiles: tuple[bytes, ...] = ()
    """Edge of the tree whose leaves are the roots of the tiles."""
    edge: bytes = b""
    """Leaf hashes of the unfinished tile, end to end."""
    chains: dict[bytes, bytes] = field(default_factory=dict)


class Join:
    """Takes pieces in order. Heads that have been compared are taken out of *signed*."""

    def __init__(self, connection: Connection, report: Report, signed: Heads, place: Place) -> None:
        self._connection = connection
        self._report = report
        self._signed = signed
        self._tree = Tree.resume(place.size // TILE_WIDTH, place.tiles)
        self.place = place

    def take(self, piece: Piece) -> None:
        """Judge a piece with what came before it."""
        self._report.take(piece.report)
        chains = self.place.chains
        for (subject, end), said, index in zip(piece.chains.items(), piece.claims, piece.claimed, strict=True):
            if said != (wanted := chains.get(subject, FIRST)):
                note_chain(self._report, index, subject, wanted, said)
            chains[subject] = end
        self._follow_time(piece)
        self._grow(piece)

    def _follow_time(self, piece: Piece) -> None:
        for size, time in piece.undated:
            self._report.compare(size - 1, "batch.recorded_at", self.place.time, time)
        if piece.began is not None:
            index, time, follows_commit = piece.began
            follows_commit |= index == 0 or (index == piece.first and piece.opens_commit)
            if time != self.place.time:
                note_time(self._report, index, self.place.time, time, follows_commit=follows_commit)
        self.place.time = piece.time or self.place.time

    def _grow(self, piece: Piece) -> None:
        """Put the roots of the tiles into the tree, as far as each head calls for, and compare what that gives."""
        at, end = self._tree.size, piece.stop // TILE_WIDTH
        roots = iter(piece.roots)
        for size, part, committed in [*piece.heads, (end * TILE_WIDTH, b"", None)]:
            self._extend([next(roots) for _ in range(at, size // TILE_WIDTH)])
            at = max(at, size // TILE_WIDTH)
            if committed is None and size not in self._signed:
                continue
            root = self._root(part)
            if committed is not None:
                self._report.compare(size - 1, "batch.root", root, committed)
            for what, expected in self._signed.pop(size, []):
                self._report.compare(size - 1, what, root, expected)
        rest = Tree.resume(len(piece.edge) // 32, [piece.edge] if piece.edge else [])
        place = self.place
        place.size, place.root, place.edge = piece.stop, self._root(rest.root() if rest.size else b""), piece.edge
        place.tiles = tuple(self._tree.edge())

    def _root(self, part: bytes) -> bytes:
        """Compute the root of the tiles so far and, if there is one, of the part of a tile after them."""
        return self._tree.root_before(part) if part else self._tree.root()

    def _extend(self, roots: list[bytes]) -> None:
        for tile in self._tree.extend(roots):
            level = tile.level + 1
            mark = "%s" if self._connection.dialect.name == "postgresql" else "?"
            query = f'SELECT hashes, root FROM tile WHERE level = {mark} AND "index" = {mark}'  # noqa: S608 only marks
            found = fetch(self._connection, query, (level, tile.index))
            compare_tile(Tile(level, tile.index, tile.hashes, tile.root), found[0] if found else None, self._report)


def unreached(signed: Mapping[int, list[tuple[str, bytes]]], size: int, report: Report) -> None:
    """Note heads that were signed of more entries than there are."""
    for wanted in sorted(signed):
        for what, _ in signed[wanted] if wanted else []:
            report.add(None, what, f"至少 {wanted} 条", f"只有 {size} 条")
