"""
Published rates counted again by anybody: from an exported log alone, without database, keys or names.

Each published figure says at which size of the tree it was counted, and on which day. The entries are replayed into a passing database up to each such
size in turn, the rates counted there by the code that counts them live, and compared number by number. An exported log is held to its own checkpoint
first: other entries give another root.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from pathlib import Path

from ledger import entries, history, projections, rates
from ledger.checking import offline
from ledger.entries import Entry
from ledger.errors import Corrupt, InvalidRequest
from ledger.kinds import Body
from ledger.merkle import leaf_hash

_PUBLISHED = b'"kind":"rates.published"'
"""Which entries are worth reading: whatever says so is decoded, and asked again."""


@dataclass(frozen=True)
class Difference:
    """A number that a published entry says, and what counting gives instead (None: no such unit then)."""

    index: int
    station: str
    what: str
    said: int
    counted: int | None


@dataclass(frozen=True)
class Recount:
    """What came out: how many published entries there are, at how many sizes of how long a log, and where they differ."""

    size: int
    published: int
    sizes: int
    differences: list[Difference]

    @property
    def ok(self) -> bool:
        """Whether every published number is what counting gives."""
        return not self.differences


def recount(folder: Path, *, year: int | None = None) -> Recount:
    """Count again what an exported log says was published (of one year, or all).

    Raises InvalidRequest when the folder is no exported log, its entries are not its checkpoint's, or one cannot be read.
    """
    size, published = 0, []
    for index, raw in enumerate(offline.entries(folder)):
        size = index + 1
        if _PUBLISHED in raw:
            entry = _decoded(index, raw)
            if entry.kind == "rates.published" and year in (None, int(entry.body["period_from"][:4])):
                published.append(entry)
    published.sort(key=_question)
    differences: list[Difference] = []
    at: set[int] = set()
    with history.scratch() as target:
        replay, found, fed = projections.Replay(target), offline.entries(folder), 0
        for (until, asked, first), group in groupby(published, key=_question):
            while fed < min(until, size):
                raw = next(found)
                replay.feed(_decoded(fed, raw), leaf_hash(raw))
                fed += 1
            replay.flush()
            at.add(until)
            now = {one.code: one for one in rates.count(target, int(first[:4]), date.fromisoformat(asked))}
            for entry in group:
                differences += _differences(entry, now.get(entry.body["station"]))
    return Recount(size, len(published), len(at), sorted(differences, key=lambda one: one.index))


def _question(entry: Entry) -> tuple[int, str, str]:
    """Tell what a published entry answers: at which size, asked on which day, for which year."""
    return entry.body["tree_size"], entry.body["counted_on"], entry.body["period_from"]


def _differences(entry: Entry, now: rates.StationRate | None) -> Iterator[Difference]:
    body: Body = entry.body
    if body["tree_size"] > entry.index:
        yield Difference(entry.index, body["station"], "tree_size", body["tree_size"], entry.index)
    for name in rates.COUNTS:
        counted = getattr(now, name) if now is not None else None
        if counted != body[name]:
            yield Difference(entry.index, body["station"], name, body[name], counted)


def _decoded(index: int, raw: bytes) -> Entry:
    try:
        return entries.decode(raw)
    except Corrupt as fault:
        raise InvalidRequest(f"导出的账本第 {index} 条读不懂：{fault}") from None
