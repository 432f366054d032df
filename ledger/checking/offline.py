"""
An exported log judged from its folder alone (exporting.py writes it): no database, no package but `cryptography`, nothing taken on trust.

Every entry bundle is re-hashed and its entries are read and followed (reading.py), every tile, full or partial, is recomputed from them, and the root
is compared with the checkpoint's, whose signature must hold for whoever asks (trusting.py). An older checkpoint that was kept must be how this log
began. After an altered entry the walk goes on from the hash that the tile has for it, so that later entries are not blamed.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from ledger import merkle
from ledger.checking.faults import Report
from ledger.checking.reading import Follower, Said, read_entry
from ledger.checking.trusting import Trust
from ledger.errors import InvalidRequest, LedgerError
from ledger.merkle import HASH_BYTES, TILE_WIDTH, Tile, Tree
from ledger.notes import Checkpoint, note_parts, parse_checkpoint
from ledger.tiles import bundle_path, decode_bundle, partial_width, tile_path

Progress = Callable[[int, int], None]


def verify_folder(folder: Path, trust: Trust, *, against: bytes | None = None, progress: Progress | None = None) -> Report:
    """Verify an exported log. *against*: an older checkpoint kept elsewhere. Raises InvalidRequest when the folder holds no log at all."""
    path = folder / "checkpoint"
    if not path.is_file():
        raise InvalidRequest(f"文件夹 {folder} 里没有 checkpoint 文件，不是导出的账本")
    report = Report()
    note = path.read_bytes()
    claimed = _claimed(note, "checkpoint", report)
    older = _claimed(against, "against", report) if against is not None else None
    if claimed is None:
        return report
    walk = _Walk(folder, _size(folder, claimed, report), report, {older.size} if older else set())
    walk.run(progress or (lambda done, total: None))
    report.size, report.root = walk.tree.size, walk.tree.root()
    _judge(trust, note, "checkpoint", report.root, walk, report)
    if against is not None and older is not None:
        root = walk.roots.get(older.size)
        if root is None:
            report.add(None, "against.size", f"至少 {older.size} 条", f"只有 {claimed.size} 条")
        else:
            _judge(trust, against, "against", root, walk, report)
    return report


def entries(folder: Path) -> Iterator[bytes]:
    """Give every entry of an exported log, in order, and hold them to the root of its checkpoint at the end. Raises InvalidRequest when it is another."""
    path = folder / "checkpoint"
    if not path.is_file():
        raise InvalidRequest(f"文件夹 {folder} 里没有 checkpoint 文件，不是导出的账本")
    checkpoint = parse_checkpoint(note_parts(path.read_bytes())[0])
    walk = _Walk(folder, checkpoint.size, Report(), set())
    for first in range(0, checkpoint.size, TILE_WIDTH):
        found = walk.entries(first, min(TILE_WIDTH, checkpoint.size - first))
        walk.tree.extend([merkle.leaf_hash(raw) for raw in found])
        if not all(found):
            break
        yield from found
    if walk.tree.root() != checkpoint.root:
        raise InvalidRequest(f"文件夹 {folder} 里的账本与它的检查点（{checkpoint.size} 条）不符，请先用 verify_bundle log 核验")


def entries_of_kinds(folder: Path, checkpoint: Checkpoint, kinds: Collection[str]) -> list[Said]:
    """List the entries of some kinds among those of a checkpoint, in an exported log of at least that size. Raises InvalidRequest when it is another."""
    report, found = Report(), []
    walk = _Walk(folder, checkpoint.size, report, set())
    for first in range(0, checkpoint.size, TILE_WIDTH):
        for raw in walk.entries(first, min(TILE_WIDTH, checkpoint.size - first)):
            walk.tree.extend([merkle.leaf_hash(raw)])
            if raw and (said := read_entry(raw)).kind in kinds:
                found.append(said)
    if walk.tree.root() != checkpoint.root:
        raise InvalidRequest(f"文件夹 {folder} 里的账本与检查点（{checkpoint.size} 条）不符，请先用 verify_bundle log 核验")
    return found


def indexes_of_kind(folder: Path, checkpoint: Checkpoint, kind: str) -> list[int]:
    """List the indexes of the entries of a kind, as `entries_of_kinds` finds them."""
    return [said.index for said in entries_of_kinds(folder, checkpoint, (kind,))]


def _claimed(note: bytes, what: str, report: Report) -> Checkpoint | None:
    """Read what a checkpoint claims, believing nothing yet."""
    try:
        return parse_checkpoint(note_parts(note)[0])
    except LedgerError as error:
        report.add(None, what, "检查点", error)
        return None


def _size(folder: Path, claimed: Checkpoint, report: Report) -> int:
    """Tell how far to walk: as far as the checkpoint says, unless there are absurdly few bundles for that."""
    bundles = sum(path.is_file() for path in (folder / "tile" / "entries").rglob("*"))
    if claimed.size <= (2 * bundles + 16) * TILE_WIDTH:
        return claimed.size
    report.add(None, "checkpoint.size", f"最多 {bundles * TILE_WIDTH} 条（共 {bundles} 个条目包）", claimed.size)
    return bundles * TILE_WIDTH


def _judge(trust: Trust, note: bytes, what: str, root: bytes, walk: "_Walk", report: Report) -> None:
    try:
        opened = trust.open_checkpoint(note, walk.follower.rotations)
    except LedgerError as error:
        report.add(None, what, "账本自己签名的检查点", error)
        opened = parse_checkpoint(note_parts(note)[0])
    report.compare(opened.size - 1 if opened.size else None, f"{what}.root", root, opened.root)


@dataclass
class _Walk:
    """One pass over the bundles; *roots* of the sizes that are wanted are kept on the way."""

    folder: Path
    size: int
    report: Report
    wanted: set[int]

    def __post_init__(self) -> None:
        self.tree = Tree()
        self.follower = Follower(self.report)
        self.roots: dict[int, bytes] = {0: merkle.EMPTY_ROOT}

    def run(self, progress: Progress) -> None:
        """Read every bundle, then the partial tiles of the end."""
        for first in range(0, self.size, TILE_WIDTH):
            width = min(TILE_WIDTH, self.size - first)
            leaves = self._leaves(first, width)
            ends = sorted({size - first for size in self.wanted if first < size <= first + width} | {width})
            begin = 0
            for end in ends:
                for tile in self.tree.extend(leaves[begin:end]):
                    self._compare(tile, TILE_WIDTH)
                self.roots[self.tree.size] = self.tree.root() if self.tree.size in self.wanted else b""
                begin = end
            progress(first + width, self.size)
        self.roots = {size: root for size, root in self.roots.items() if root}
        for level, hashes in enumerate(self.tree.edge()):
            if width := partial_width(level, self.size):
                self._compare(Tile(level, self.size >> 8 * (level + 1), hashes, b""), width)

    def entries(self, first: int, width: int) -> list[bytes]:
        """Read a bundle, or as much of the full one. What is missing counts as empty, so that all after it keeps its place."""
        path, whole = (bundle_path(first // TILE_WIDTH, many) for many in (width, TILE_WIDTH))
        try:
            if (self.folder / path).exists():
                entries = decode_bundle((self.folder / path).read_bytes())
            else:
                entries = decode_bundle((self.folder / whole).read_bytes())[:width]
        except (OSError, InvalidRequest) as error:
            self.report.add(first, path, f"{width} 条记录", error)
            return [b""] * width
        if len(entries) != width:
            self.report.add(first + min(len(entries), width), path, f"{width} 条记录", f"{len(entries)} 条")
        return [*entries, *[b""] * (width - len(entries))][:width]

    def _leaves(self, first: int, width: int) -> list[bytes]:
        entries = self.entries(first, width)
        leaves = [merkle.leaf_hash(raw) for raw in entries]
        try:
            stored = (self.folder / tile_path(0, first // TILE_WIDTH, width)).read_bytes()
        except OSError:
            stored = b""
        for place, (raw, leaf) in enumerate(zip(entries, leaves, strict=True)):
            there = stored[place * HASH_BYTES : (place + 1) * HASH_BYTES]
            self.follower.follow(first + place, raw, there if len(there) == HASH_BYTES else leaf)
        return leaves

    def _compare(self, tile: Tile, width: int) -> None:
        path = tile_path(tile.level, tile.index, width)
        try:
            found = (self.folder / path).read_bytes()
        except OSError:
            self.report.add(None, path, f"{width} 个散列值", "缺失")
            return
        if len(found) != len(tile.hashes):
            self.report.add(None, path, f"{len(tile.hashes)} 字节", f"{len(found)} 字节")
            return
        for place in range(width if found != tile.hashes else 0):
            expected, stored = (hashes[place * HASH_BYTES : (place + 1) * HASH_BYTES] for hashes in (tile.hashes, found))
            self.report.compare((tile.index * TILE_WIDTH + place) * TILE_WIDTH**tile.level, f"{path}[{place}]", expected, stored)
