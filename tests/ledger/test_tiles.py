"""Tile paths, widths, places and bundles: each has one spelling, and every subtree is found where the paths say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import merkle, tiles
from ledger.errors import Corrupt, InvalidRequest

LEAVES = [merkle.leaf_hash(f"entry {number}".encode()) for number in range(70_000)]


def stored(size):
    """Lay the tree's tiles out as (level, index) -> hashes, the unfinished ones too."""
    tree = merkle.Tree()
    laid = {(tile.level, tile.index): tile.hashes for tile in tree.extend(LEAVES[:size])}
    for level, hashes in enumerate(tree.edge()):
        if hashes:
            laid[level, size >> 8 * (level + 1)] = hashes
    return laid, tree


@pytest.mark.parametrize(
    ("level", "index", "width", "path"),
    [
        (0, 1234067, 256, "tile/0/x001/x234/067"),
        (0, 5, 256, "tile/0/005"),
        (0, 0, 3, "tile/0/000.p/3"),
        (1, 999, 17, "tile/1/999.p/17"),
        (2, 1000, 255, "tile/2/x001/000.p/255"),
        (63, 10**15 - 1, 1, "tile/63/x999/x999/x999/x999/999.p/1"),
    ],
)
def test_a_tile_has_one_path(level, index, width, path):
    assert tiles.tile_path(level, index, width) == path
    assert tiles.parse_path(path) == ("tile", level, index, width)


def test_a_bundle_has_one_path():
    assert tiles.bundle_path(4820) == "tile/entries/x004/820"
    assert tiles.parse_path("tile/entries/x004/820.p/9") == ("entries", None, 4820, 9)


@given(st.integers(-1, 63), st.integers(0, tiles.INDEX_MAX), st.integers(1, 256))
def test_every_path_reads_back(level, index, width):
    if level < 0:
        assert tiles.parse_path(tiles.bundle_path(index, width)) == ("entries", None, index, width)
    else:
        assert tiles.parse_path(tiles.tile_path(level, index, width)) == ("tile", level, index, width)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "checkpoint",
        "tile/0",
        "tile/0/5",
        "tile/0/0005",
        "tile/00/005",
        "tile/64/005",
        "tile/-1/005",
        "tile/8/0/005",
        "tile/data/005",
        "tile/0/x000/005",
        "tile/0/001/005",
        "tile/0/x001/x005",
        "tile/0/X001/005",
        "tile/0/x001//005",
        "tile/0/005/",
        "/tile/0/005",
        "tile/0/005\n",
        "tile/0/005.p/0",
        "tile/0/005.p/256",
        "tile/0/005.p/257",
        "tile/0/005.p/07",
        "tile/0/005.p/",
        "tile/0/005.p/1/2",
        "tile/0/٠٠٥",
        "tile/entries/005.p/256",
        "tile/entries/x000/005",
        "tile/0/../005",
        "tile/0/" + "x001/" * 5 + "000",
    ],
)
def test_any_other_spelling_of_a_path_is_refused(path):
    with pytest.raises(InvalidRequest, match="瓦片"):
        tiles.parse_path(path)


@pytest.mark.parametrize(("level", "index", "width"), [(64, 0, 1), (-1, 0, 1), (0, -1, 1), (0, 10**15, 1), (0, 0, 0), (0, 0, 257)])
def test_a_tile_that_cannot_be_has_no_path(level, index, width):
    with pytest.raises(InvalidRequest):
        tiles.tile_path(level, index, width)


def test_seventy_thousand_leaves_lie_in_the_tiles_that_the_format_says():
    listed = list(tiles.all_tiles(70_000))
    assert [each for each in listed if each[2] < 256] == [(0, 273, 112), (1, 1, 17), (2, 0, 1)]
    assert len(listed) == 274 + 2 + 1
    assert [tiles.partial_width(level, 70_000) for level in range(4)] == [112, 17, 1, 0]
    assert [tiles.tile_width(0, index, 70_000) for index in (0, 272, 273, 274)] == [256, 256, 112, 0]


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 65536, 70_000])
def test_the_listed_tiles_are_those_that_a_tree_leaves_behind(size):
    laid, _ = stored(size)
    assert {(level, index): width for level, index, width in tiles.all_tiles(size)} == {
        place: len(hashes) // 32 for place, hashes in laid.items()
    }


def test_a_subtree_is_found_in_the_tile_below_or_in_which_it_ends():
    assert tiles.locate(0, 1234067) == (0, 4820, 0, 147)
    assert tiles.locate(8, 4820) == (1, 18, 0, 212)
    assert tiles.locate(16, 18) == (2, 0, 0, 18)
    assert tiles.locate(7, 3) == (0, 1, 7, 1)
    assert tiles.locate(11, 5) == (1, 0, 3, 5)


@pytest.mark.parametrize("size", [1, 255, 256, 257, 65536, 70_000])
def test_proofs_read_from_tiles_hold_and_fetch_each_tile_once(size):
    laid, tree = stored(size)
    fetched = []

    def read_tile(level, index, width):
        fetched.append((level, index))
        assert len(laid[level, index]) == 32 * width
        return laid[level, index]

    read = tiles.tile_reader(size, read_tile)
    assert merkle.root(size, read) == tree.root()
    for index in {0, size // 3, size // 2, size - 1}:
        proof = merkle.inclusion_proof(index, size, read)
        merkle.verify_inclusion(proof, leaf=LEAVES[index], index=index, size=size, root=tree.root())
        old = merkle.Tree()
        old.extend(LEAVES[:index])
        proof = merkle.consistency_proof(index, size, read)
        roots = {"old_root": old.root(), "new_root": tree.root()}
        merkle.verify_consistency(proof, old_size=index, new_size=size, **roots)
    assert len(fetched) == len(set(fetched))


def test_a_tile_of_the_wrong_length_is_corrupt():
    read = tiles.tile_reader(257, lambda _level, _index, width: bytes(32 * width - 1))
    with pytest.raises(Corrupt, match="第 0 层第 1 块瓦片应有 1 个哈希，实有 31 字节"):
        read(0, 256)


def test_a_reader_answers_for_no_subtree_that_is_not_complete():
    read = tiles.tile_reader(255, lambda _level, _index, width: bytes(32 * width))
    with pytest.raises(ValueError, match="not complete"):
        read(8, 0)


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=256))
def test_a_bundle_reads_back_and_is_whole_or_refused(entries):
    bundle = tiles.encode_bundle(entries)
    assert tiles.decode_bundle(bundle) == entries
    for spoilt in (bundle + b"\x00", bundle + b"\x00\x01", bundle[:-1] if entries[-1] else bundle[:-2] + b"\x00"):
        with pytest.raises(InvalidRequest, match="条目包不完整"):
            tiles.decode_bundle(spoilt)


def test_a_bundle_holds_1_to_256_entries_of_at_most_65535_bytes():
    assert tiles.decode_bundle(tiles.encode_bundle([b"x" * 65_535])) == [b"x" * 65_535]
    for entries in ([], [b""] * 257, [b"x" * 65_536]):
        with pytest.raises(InvalidRequest):
            tiles.encode_bundle(entries)
    for bundle in (b"", b"\x00\x00" * 257):
        with pytest.raises(InvalidRequest, match="1 到 256 条"):
            tiles.decode_bundle(bundle)
