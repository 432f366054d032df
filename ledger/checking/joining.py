"""
Joining what was found block by block into one judgement of the log: the part of a verification that knows everything before.

It keeps the tree over whole blocks, how every subject's chain ends (40 bytes each) and the newest time, and judges what the pieces handed back:
first claims of chains, first times, and the root at each commit and each signed head.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from ledger.checking.faults import Report
from ledger.checking.walking import Piece, chain_length, compare_tile, note_time
from ledger.entries import b64
from ledger.merkle import EMPTY_ROOT, HASH_BYTES, TILE_HEIGHT, Tile, Tree

Heads = dict[int, list[tuple[str, bytes]]]
"""Size -> what says that the log has a root there (name of the fault, root)."""


@dataclass
class Place:
    """How far a log has been verified: size, root, newest time, the tree's edge and how each chain ends."""

    size: int = 0
    root: bytes = EMPTY_ROOT
    time: str = ""
    blocks: tuple[bytes, ...] = ()
    """Edge of the tree whose leaves are the roots of whole blocks."""
    edge: tuple[bytes, ...] = ()
    """Edge of the unfinished block's own tree."""
    chains: dict[str, bytes] = field(default_factory=dict)


class Join:
    """Takes pieces in order. Heads that have been compared are taken out of *signed*."""

    def __init__(self, connection: Connection, report: Report, signed: Heads, block: int, place: Place) -> None:
        self._connection = connection
        self._report = report
        self._signed = signed
        self._block = block
        self._levels = (block.bit_length() - 1) // TILE_HEIGHT
        self._tree = Tree.resume(place.size // block, place.blocks) if place.size >= block else Tree()
        self.place = place

    def take(self, piece: Piece) -> None:
        """Judge a piece with what came before it."""
        self._report.take(piece.report)
        chains = self.place.chains
        for index, subject, before in piece.claims:
            if chains.get(subject, b"") != before:
                self._report.add(index, f"entry.body.chains.{subject}", _next(chains.get(subject, b"")), _next(before))
        chains.update(piece.chains)
        self._follow_time(piece)
        for size, part, committed in piece.heads:
            root = self._tree.root_before(part)
            if committed is not None:
                self._report.compare(size - 1, "batch.root", root, committed)
            for what, expected in self._signed.pop(size, []):
                self._report.compare(size - 1, what, root, expected)
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
        place, tree = self.place, Tree.resume(piece.stop - piece.block, piece.edge)
        place.size, place.root, place.edge = piece.stop, self._tree.root_before(tree.root()), piece.edge
        if piece.stop == piece.block + self._block:
            for tile in self._tree.extend([tree.root()]):
                compare_tile(self._connection, Tile(tile.level + self._levels, tile.index, tile.hashes, tile.root), self._report)
            place.edge = ()
        place.blocks = tuple(self._tree.edge())


def _next(before: bytes) -> list[Any]:
    """Spell out what the next entry of a chain has to say of it."""
    return [chain_length(before) + 1, b64(before[:HASH_BYTES])] if before else [1]


def unreached(signed: Mapping[int, list[tuple[str, bytes]]], size: int, report: Report) -> None:
    """Note heads that were signed of more entries than there are."""
    for wanted in sorted(signed):
        for what, _ in signed[wanted] if wanted else []:
            report.add(None, what, f"至少 {wanted} 条", f"只有 {size} 条")
