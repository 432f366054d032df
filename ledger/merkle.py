"""
The Merkle tree of RFC 6962 over SHA-256: growing it, proving and verifying what is in it.

    MTH({})     = SHA256("")
    MTH({d})    = SHA256(00 ‖ d)                                   leaf hash        (RFC 6962, section 2.1)
    MTH(D[0:n]) = SHA256(01 ‖ MTH(D[0:k]) ‖ MTH(D[k:n]))           k = the largest power of two below n

A subtree (level, index) is *complete* when all its 2**level leaves, from index * 2**level on, exist. Its hash never
changes again, so such hashes are the only ones worth storing or reading, and every proof is built from them through a
`Reader`. They are kept in tiles of eight levels (256 wide), as C2SP tlog-tiles has it: hash i of tile (level, index) is
that of the complete subtree (8 * level, 256 * index + i).

Rules kept here alone: leaves and nodes are hashed apart (00 and 01); a proof is judged by its position first, then by
its length, then by its hashes, and one hash too many or too few is as wrong as a false one. Nothing here reads or
stores anything.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise

from ledger.errors import Corrupt, LedgerError

HASH_BYTES = 32
TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
EMPTY_ROOT = sha256(b"").digest()

Reader = Callable[[int, int], bytes]
"""(level, index) -> the hash of that complete subtree of 2**level leaves."""


class ProofError(LedgerError):
    """The proof does not show what it is said to show."""


def leaf_hash(entry: bytes) -> bytes:
    """Hash one entry as a leaf."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two neighbouring subtrees into their parent."""
    return sha256(b"\x01" + left + right).digest()


# --- growing


class Rows:
    """
    One tile with all that can be computed from it: row h holds its complete subtrees h levels above its hashes.

    The ninth row of a full tile is its root alone. Each hash is computed once, when the last leaf under it comes.
    """

    __slots__ = ("_rows",)

    def __init__(self, hashes: bytes = b"") -> None:
        self._rows = [bytearray() for _ in range(TILE_HEIGHT + 1)]
        self.extend(hashes)

    def extend(self, hashes: bytes) -> None:
        """Append hashes, given end to end; together at most 256."""
        rows, sha = self._rows, sha256
        rows[0] += hashes
        for below, above in pairwise(rows):
            pairs = bytes(below[2 * len(above) : len(below) // 64 * 64])
            if not pairs:  # then nothing higher is completed either
                break
            above.extend(b"".join([sha(b"\x01" + pairs[at : at + 64]).digest() for at in range(0, len(pairs), 64)]))

    def subtree(self, height: int, index: int) -> bytes:
        """Return the hash of the index-th complete subtree, `height` levels above the tile's own hashes."""
        return bytes(self._rows[height][HASH_BYTES * index : HASH_BYTES * (index + 1)])

    @property
    def hashes(self) -> bytes:
        """The tile itself, as it is stored and served."""
        return bytes(self._rows[0])

    @property
    def is_full(self) -> bool:
        """Whether all 256 hashes are there."""
        return len(self._rows[0]) == TILE_WIDTH * HASH_BYTES


@dataclass(frozen=True, slots=True)
class Tile:
    """A full tile: its 256 hashes end to end, and their root, which is also hash `index % 256` of the tile above."""

    level: int
    index: int
    hashes: bytes
    root: bytes


class Tree:
    """
    The right edge of a growing tree: of each level the one tile that is not yet full.

    Memory grows with the logarithm of the size. Give it leaf hashes, store the full tiles it hands back, and keep `size`
    and `edge()` to take it up again.
    """

    __slots__ = ("_edge", "size")

    def __init__(self) -> None:
        self.size = 0
        self._edge: list[Rows] = []

    @classmethod
    def resume(cls, size: int, edge: Sequence[bytes]) -> "Tree":
        """
        Take up a tree of that size, edge[l] being the hashes of the unfinished tile of level l, end to end.

        Raises:
            Corrupt: the edge does not have the widths that the size calls for.
        """
        widths = [len(hashes) for hashes in edge]
        needed = [HASH_BYTES * ((size >> level) % TILE_WIDTH) for level in range(0, size.bit_length(), TILE_HEIGHT)]
        if widths != needed:
            raise Corrupt(f"账本有 {size} 条记录，树的右缘各层应为 {needed} 字节，实为 {widths}。请停止写入，并运行 shouwang verify。")
        tree = cls()
        tree.size = size
        tree._edge = [Rows(hashes) for hashes in edge]
        return tree

    def extend(self, leaves: Sequence[bytes]) -> list[Tile]:
        """Append leaf hashes in order; return the tiles that this filled, in the order in which it did."""
        joined = b"".join(leaves)
        if len(joined) != HASH_BYTES * len(leaves):
            raise ValueError("a leaf hash has 32 bytes")
        full: list[Tile] = []
        at = 0
        while at < len(joined):
            room = HASH_BYTES * (TILE_WIDTH - self.size % TILE_WIDTH)
            chunk = joined[at : at + room]
            self.size += len(chunk) // HASH_BYTES
            self._push(0, chunk, full)
            at += room
        return full

    def _push(self, level: int, hashes: bytes, full: list[Tile]) -> None:
        """Add hashes to the unfinished tile of a level, where they are known to fit."""
        if level == len(self._edge):
            self._edge.append(Rows())
        rows = self._edge[level]
        rows.extend(hashes)
        if rows.is_full:
            index = (self.size >> TILE_HEIGHT * (level + 1)) - 1
            tile = Tile(level, index, rows.hashes, rows.subtree(TILE_HEIGHT, 0))
            full.append(tile)
            self._edge[level] = Rows()
            self._push(level + 1, tile.root, full)

    def root(self) -> bytes:
        """Compute the root hash: at most one node a level."""
        return root(self.size, self._read)

    def root_before(self, last: bytes) -> bytes:
        """Compute the root hash of these leaves followed by a subtree that is no larger than the smallest complete one of this tree."""
        hashed, end = last, self.size
        while end:
            size = end & -end
            level = size.bit_length() - 1
            hashed = node_hash(self._read(level, (end >> level) - 1), hashed)
            end -= size
        return hashed

    def _read(self, level: int, index: int) -> bytes:
        """Answer for the complete subtrees that make up the root; they all lie in unfinished tiles."""
        tile_level, height = divmod(level, TILE_HEIGHT)
        return self._edge[tile_level].subtree(height, index % (TILE_WIDTH >> height))

    def edge(self) -> list[bytes]:
        """Return what `resume` needs beside the size."""
        return [rows.hashes for rows in self._edge]


# --- proving


def root(size: int, read: Reader) -> bytes:
    """Compute the root hash of the first `size` leaves."""
    return _range_root(0, size, read) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, read: Reader) -> list[bytes]:
    """
    Prove that leaf `index` is in the tree of `size` leaves (RFC 6962, section 2.1.1), the leaf's sibling first.

    Raises:
        ProofError: there is no such leaf.
    """
    _check_index(index, size)
    proof = []
    first, end = 0, size
    while end - first > 1:
        middle = _split(first, end)
        if index < middle:
            proof.append(_range_root(middle, end, read))
            end = middle
        else:
            proof.append(_range_root(first, middle, read))
            first = middle
    return proof[::-1]


def consistency_proof(old: int, new: int, read: Reader) -> list[bytes]:
    """
    Prove that the tree of `old` leaves is how the tree of `new` leaves began (RFC 6962, section 2.1.2).

    Nothing needs proving from the empty tree, or between equal sizes: the proof is empty.

    Raises:
        ProofError: the sizes are not in order.
    """
    _check_sizes(old, new)
    proof: list[bytes] = []
    if old in (0, new):
        return proof
    first, end = 0, new
    while old < end:
        middle = _split(first, end)
        if old <= middle:
            proof.append(_range_root(middle, end, read))
            end = middle
        else:
            proof.append(_range_root(first, middle, read))
            first = middle
    if first:  # otherwise this subtree is the whole old tree, whose root the verifier has
        proof.append(_range_root(first, end, read))
    return proof[::-1]


def _split(first: int, end: int) -> int:
    """Where RFC 6962 divides a subtree of at least two leaves."""
    return first + (1 << (end - first - 1).bit_length() - 1)


def _range_root(first: int, end: int, read: Reader) -> bytes:
    """Hash the leaves from first up to end, a subtree of RFC 6962: its complete parts, from the right."""
    hashed = b""
    while end > first:
        size = (end - first) & (first - end)  # the lowest bit: the smallest complete part is the last one
        level = size.bit_length() - 1
        part = read(level, (end >> level) - 1)
        hashed = node_hash(part, hashed) if hashed else part
        end -= size
    return hashed


# --- verifying


def root_from_inclusion(proof: Sequence[bytes], *, leaf: bytes, index: int, size: int) -> bytes:
    """
    Compute the root hash that a tree of `size` leaves has if the proof for leaf hash `leaf` at `index` is right.

    Raises:
        ProofError: index not below size, or a proof of another length than this place in the tree has.
    """
    _check_index(index, size)
    inner, border = _path_lengths(index, size)
    _check_lengths(proof, inner + border)
    _check_lengths([leaf], 1)
    return _climb(leaf, proof, index, inner)


def verify_inclusion(proof: Sequence[bytes], *, leaf: bytes, index: int, size: int, root: bytes) -> None:
    """
    Verify that the leaf hash stands at `index` in the tree of `size` leaves with that root.

    Raises:
        ProofError: it is not shown.
    """
    if root_from_inclusion(proof, leaf=leaf, index=index, size=size) != root:
        raise ProofError(f"第 {index} 条记录与账本（共 {size} 条）的根不符：记录、证明、账本有一样被改过。")


def verify_consistency(proof: Sequence[bytes], *, old_size: int, old_root: bytes, new_size: int, new_root: bytes) -> None:
    """
    Verify that the new tree begins with the old one, unchanged.

    The proof is the path in the new tree from the last complete subtree of the old one: climbing it with every
    sibling gives the new root, and with the left siblings alone the old one.

    Raises:
        ProofError: it is not shown.
    """
    _check_sizes(old_size, new_size)
    if old_size in (0, new_size):
        _check_lengths(proof, 0)
        old_found, new_found = (new_root if old_size else EMPTY_ROOT), new_root
    else:
        height = (old_size & -old_size).bit_length() - 1  # of the old tree's last complete subtree
        inner, border = _path_lengths(old_size - 1, new_size)
        inner -= height
        is_whole = old_size == 1 << height  # then its hash is the old root, and not in the proof
        _check_lengths(proof, inner + border + (not is_whole))
        start, path = (old_root, proof) if is_whole else (proof[0], proof[1:])
        position = (old_size - 1) >> height
        left = [sibling for step, sibling in enumerate(path) if step >= inner or position >> step & 1]
        old_found = _climb(start, left, 0, 0)
        new_found = _climb(start, path, position, inner)
    if old_found != old_root or new_found != new_root:
        raise ProofError(f"{new_size} 条的账本不是由 {old_size} 条的账本续写而成：历史被改写，或证明有误。")


def _path_lengths(index: int, size: int) -> tuple[int, int]:
    """Count the steps before the path from a leaf joins the right edge, and the left siblings it meets from there."""
    inner = (index ^ (size - 1)).bit_length()
    return inner, (index >> inner).bit_count()


def _climb(hashed: bytes, path: Sequence[bytes], index: int, inner: int) -> bytes:
    """Hash a subtree with its siblings: on the side that `index` tells for `inner` steps, then on the left."""
    for step, sibling in enumerate(path):
        is_right = step >= inner or index >> step & 1
        hashed = node_hash(sibling, hashed) if is_right else node_hash(hashed, sibling)
    return hashed


def _check_index(index: int, size: int) -> None:
    if not 0 <= index < size:
        raise ProofError(f"账本有 {size} 条记录，没有第 {index} 条（从 0 数起）。")


def _check_sizes(old: int, new: int) -> None:
    if not 0 <= old <= new:
        raise ProofError(f"较早的账本（{old} 条记录）不能大于较晚的账本（{new} 条记录）。")


def _check_lengths(hashes: Sequence[bytes], count: int) -> None:
    if len(hashes) != count:
        raise ProofError(f"证明应有 {count} 个哈希，实有 {len(hashes)} 个。")
    if any(len(each) != HASH_BYTES for each in hashes):
        raise ProofError("证明里有长度不是 32 字节的哈希。")
