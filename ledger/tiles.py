"""
Where the tree and the entries lie on the wire and on disk: C2SP tlog-tiles paths, widths and entry bundles. Pure.

    tile/<level>/<N>[.p/<W>]      hashes of the complete subtrees of 256**level leaves, 256 a tile, 32 bytes each
    tile/entries/<N>[.p/<W>]      the entries under tile (0, N): of each two bytes of length, big-endian, then its bytes

<N> is written in groups of three digits, all but the last led by x: 1234067 is x001/x234/067. `.p/<W>` marks a tile
that is not full; a tree of n leaves has one such tile of W = (n // 256**level) % 256 hashes at the right edge of each
level, and none where W is 0.

Rule kept here alone: one tile has one path and one bundle one byte string; any other spelling is refused.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Literal

from ledger.errors import Corrupt, InvalidRequest
from ledger.merkle import HASH_BYTES, TILE_HEIGHT, TILE_WIDTH, Reader, Rows

LEVEL_MAX = 63
INDEX_MAX = 10**15 - 1  # five groups of digits; the last entry under it still has a 64-bit number
ENTRY_BYTES_MAX = 0xFFFF

ReadTile = Callable[[int, int, int], bytes]
"""(level, index, width) -> the tile's hashes, end to end."""

_PATH = re.compile(r"tile/(entries|[0-9]{1,2})/((?:x[0-9]{3}/){0,4}[0-9]{3})(?:\.p/([0-9]{1,3}))?")
_TILES_CACHED = 256  # 16 KiB each, with their rows: 4 MiB a reader


# --- paths


def tile_path(level: int, index: int, width: int = TILE_WIDTH) -> str:
    """
    Name the tile; with a width below 256, the partial one.

    Raises:
        InvalidRequest: level not 0..63, index not 0..INDEX_MAX, or width not 1..256.
    """
    if not 0 <= level <= LEVEL_MAX:
        raise InvalidRequest(f"瓦片层号应为 0 到 {LEVEL_MAX}，不是 {level}。")
    return f"tile/{level}/{_numbered(index, width)}"


def bundle_path(index: int, width: int = TILE_WIDTH) -> str:
    """
    Name the bundle of the entries under tile (0, index).

    Raises:
        InvalidRequest: index not 0..INDEX_MAX, or width not 1..256.
    """
    return f"tile/entries/{_numbered(index, width)}"


def parse_path(path: str) -> tuple[Literal["tile", "entries"], int | None, int, int]:
    """
    Read a path back into (kind, level, index, width); a bundle has no level.

    Raises:
        InvalidRequest: the path is not spelt exactly as `tile_path` or `bundle_path` would.
    """
    if match := _PATH.fullmatch(path):
        kind, number, partial = match.groups()
        index, width = int(re.sub("[x/]", "", number)), int(partial or TILE_WIDTH)
        if kind == "entries":
            if bundle_path(index, width) == path:
                return "entries", None, index, width
        elif tile_path(int(kind), index, width) == path:
            return "tile", int(kind), index, width
    raise InvalidRequest("没有这样的瓦片地址。应如 tile/0/x001/x234/067 或 tile/entries/000.p/17。")


def _numbered(index: int, width: int) -> str:
    if not (0 <= index <= INDEX_MAX and 1 <= width <= TILE_WIDTH):
        raise InvalidRequest(f"没有序号为 {index}、宽度为 {width} 的瓦片：宽度应为 1 到 {TILE_WIDTH}，序号不能为负。")
    digits = str(index)
    *leading, last = re.findall("...", digits.zfill(-(-len(digits) // 3) * 3))
    number = "/".join([*(f"x{group}" for group in leading), last])
    return number if width == TILE_WIDTH else f"{number}.p/{width}"


# --- widths and places


def partial_width(level: int, size: int) -> int:
    """Return the width of the unfinished tile of a level at a tree size: 0..255, 0 if there is none."""
    return (size >> TILE_HEIGHT * level) % TILE_WIDTH


def tile_width(level: int, index: int, size: int) -> int:
    """Return how many hashes of a tile there are at a tree size: 0..256."""
    return min(max((size >> TILE_HEIGHT * level) - TILE_WIDTH * index, 0), TILE_WIDTH)


def all_tiles(size: int) -> Iterator[tuple[int, int, int]]:
    """List (level, index, width) of every tile of a tree, from level 0 up; there is a bundle for each of level 0."""
    level = 0
    while hashes := size >> TILE_HEIGHT * level:
        for first in range(0, hashes, TILE_WIDTH):
            yield level, first // TILE_WIDTH, min(hashes - first, TILE_WIDTH)
        level += 1


def locate(level: int, index: int) -> tuple[int, int, int, int]:
    """Tell where a complete subtree is: the tile's level and index, which of its `Rows`, and the place in that row."""
    tile_level, height = divmod(level, TILE_HEIGHT)
    tile_index, place = divmod(index, TILE_WIDTH >> height)
    return tile_level, tile_index, height, place


def tile_reader(size: int, read_tile: ReadTile) -> Reader:
    """
    Read the complete subtrees of a tree from its tiles, each of which is fetched once, as wide as it is at that size.

    The reader raises Corrupt when a tile is not as long as it should be.
    """

    @lru_cache(maxsize=_TILES_CACHED)
    def rows(level: int, index: int) -> Rows:
        width = tile_width(level, index, size)
        hashes = read_tile(level, index, width)
        if len(hashes) != HASH_BYTES * width:
            raise Corrupt(f"第 {level} 层第 {index} 块瓦片应有 {width} 个哈希，实有 {len(hashes)} 字节。请运行 shouwang verify。")
        return Rows(hashes)

    def read(level: int, index: int) -> bytes:
        if index >= size >> level:
            raise ValueError(f"subtree {level}, {index} is not complete at size {size}")
        tile_level, tile_index, height, place = locate(level, index)
        return rows(tile_level, tile_index).subtree(height, place)

    return read


# --- bundles


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """
    Write entries as one bundle.

    Raises:
        InvalidRequest: not 1..256 entries, or one longer than 65,535 bytes.
    """
    if not 1 <= len(entries) <= TILE_WIDTH:
        raise InvalidRequest(f"一个条目包应有 1 到 {TILE_WIDTH} 条记录，不是 {len(entries)} 条。")
    if (longest := max(map(len, entries))) > ENTRY_BYTES_MAX:
        raise InvalidRequest(f"一条记录最多 {ENTRY_BYTES_MAX} 字节，这里有一条 {longest} 字节。")
    return b"".join([len(entry).to_bytes(2, "big") + entry for entry in entries])


def decode_bundle(bundle: bytes) -> list[bytes]:
    """
    Read a bundle back into its entries.

    Raises:
        InvalidRequest: it ends inside an entry, or does not hold 1..256 of them.
    """
    entries: list[bytes] = []
    at = 0
    while at < len(bundle):
        end = at + 2 + int.from_bytes(bundle[at : at + 2], "big")
        if at + 2 > len(bundle) or end > len(bundle):
            raise InvalidRequest(f"条目包不完整：第 {len(entries)} 条记录（从 0 数起）中断在第 {len(bundle)} 字节。")
        entries.append(bundle[at + 2 : end])
        at = end
    if not 1 <= len(entries) <= TILE_WIDTH:
        raise InvalidRequest(f"一个条目包应有 1 到 {TILE_WIDTH} 条记录，不是 {len(entries)} 条。")
    return entries
