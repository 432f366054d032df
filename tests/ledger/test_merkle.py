"""The tree, against a reference to the letter of RFC 6962, published roots, and another author's tree."""

from itertools import pairwise

import pymerkle
import pytest
from pymerkle.core import _inclusion_path_layout
from pymerkle.proof import InclusionProof, InvalidProof
from rfc6962 import mth, path, subproof

from ledger import merkle
from ledger.errors import Corrupt
from ledger.merkle import ProofError, Tree

EXHAUSTIVE_SIZE = 100
AROUND_TILES = [1, 2, 255, 256, 257, 511, 512, 513, 1000, 65535, 65536, 65537, 65792, 65793]

# The eight leaves that RFC 6962 implementations have in common, and the first four bytes of each root.
PUBLISHED_LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
PUBLISHED_ROOTS = ["6e340b9c", "fac54203", "aeb6bcfe", "d37ee418", "4e3bbb1f", "76e67dad", "ddb89be4", "5dc9da79"]


def reader(leaves):
    """Answer from the leaves, and only for complete subtrees."""

    def read(level, index):
        subtree = leaves[index << level : (index + 1) << level]
        assert len(subtree) == 1 << level
        return mth(subtree)

    return read


def bent(hashes, turn):
    """Each hash with one bit flipped, each left out, and one too many. Over 256 turns each bit of each hash has been flipped."""
    for at, each in enumerate(hashes):
        bit = (turn + 37 * at) % 256
        flipped = bytearray(each)
        flipped[bit // 8] ^= 1 << bit % 8
        yield [*hashes[:at], bytes(flipped), *hashes[at + 1 :]]
        yield [*hashes[:at], *hashes[at + 1 :]]
    yield [*hashes, bytes(32)]


@pytest.fixture(scope="module")
def leaves():
    return [merkle.leaf_hash(f"entry {number}".encode()) for number in range(AROUND_TILES[-1])]


@pytest.fixture(scope="module")
def roots(leaves):
    return [mth(leaves[:size]) for size in range(EXHAUSTIVE_SIZE + 1)]


def test_every_inclusion_proof_up_to_a_hundred_leaves_holds_and_no_bent_one_does(leaves, roots):
    for size in range(1, EXHAUSTIVE_SIZE + 1):
        for index in range(size):
            proof = merkle.inclusion_proof(index, size, reader(leaves))
            at = {"leaf": leaves[index], "index": index, "size": size, "root": roots[size]}
            assert proof == path(index, leaves[:size])
            merkle.verify_inclusion(proof, **at)
            for wrong in bent(proof, size * EXHAUSTIVE_SIZE + index):
                with pytest.raises(ProofError):
                    merkle.verify_inclusion(wrong, **at)


def test_every_consistency_proof_up_to_a_hundred_leaves_holds_and_no_bent_one_does(leaves, roots):
    for new in range(EXHAUSTIVE_SIZE + 1):
        for old in range(new + 1):
            proof = merkle.consistency_proof(old, new, reader(leaves))
            sizes = {"old_size": old, "new_size": new}
            assert proof == (subproof(old, leaves[:new]) if old else [])
            merkle.verify_consistency(proof, old_root=roots[old], new_root=roots[new], **sizes)
            for wrong in bent(proof, new * EXHAUSTIVE_SIZE + old):
                with pytest.raises(ProofError):
                    merkle.verify_consistency(wrong, old_root=roots[old], new_root=roots[new], **sizes)
            other = merkle.leaf_hash(b"other")
            with pytest.raises(ProofError):
                merkle.verify_consistency(proof, old_root=other, new_root=roots[new], **sizes)
            if old:
                with pytest.raises(ProofError):
                    merkle.verify_consistency(proof, old_root=roots[old], new_root=other, **sizes)


def test_a_proof_holds_for_no_other_leaf_index_or_root(leaves, roots):
    for size in (1, 2, 7, 64, 100):
        for index in range(size):
            proof = merkle.inclusion_proof(index, size, reader(leaves))
            right = {"leaf": leaves[index], "index": index, "size": size, "root": roots[size]}
            others = {"leaf": leaves[index + 1], "index": index ^ 1, "root": roots[size - 1]}
            for what, wrong in others.items():
                with pytest.raises(ProofError):
                    merkle.verify_inclusion(proof, **{**right, what: wrong})


def test_the_tree_has_the_published_roots():
    tree = Tree()
    assert tree.root() == merkle.EMPTY_ROOT == bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    for leaf, root in zip(PUBLISHED_LEAVES, PUBLISHED_ROOTS, strict=True):
        tree.extend([merkle.leaf_hash(bytes.fromhex(leaf))])
        assert tree.root().hex().startswith(root)


@pytest.mark.parametrize("step", [1, 7, 256, 1000, 70_000])
def test_a_tree_grown_in_any_steps_has_the_reference_root_around_every_tile_border(leaves, step):
    tree, full, size = Tree(), [], 0
    for stop in AROUND_TILES:
        while size < stop:
            chunk = leaves[size : min(size + step, stop)]
            full += tree.extend(chunk)
            size += len(chunk)
        assert (tree.size, tree.root()) == (stop, mth(leaves[:stop]))
    assert [(tile.level, tile.index) for tile in full[:256]] == [(0, index) for index in range(256)]
    assert [(tile.level, tile.index) for tile in full[256:]] == [(1, 0), (0, 256)]
    for tile in full:
        if tile.level == 0:
            assert tile.hashes == b"".join(leaves[256 * tile.index : 256 * tile.index + 256])
        assert tile.root == mth([tile.hashes[at : at + 32] for at in range(0, 8192, 32)])
    assert full[256].hashes == b"".join(tile.root for tile in full[:256])


@pytest.mark.parametrize("size", [0, *AROUND_TILES])
def test_a_tree_taken_up_from_its_edge_grows_as_if_it_had_never_stopped(leaves, size):
    tree = Tree()
    tree.extend(leaves[:size])
    again = Tree.resume(tree.size, tree.edge())
    assert again.root() == tree.root()
    assert again.extend(leaves[:300]) == tree.extend(leaves[:300])
    assert (again.size, again.edge(), again.root()) == (tree.size, tree.edge(), tree.root())


def test_an_edge_that_does_not_fit_its_size_is_corrupt(leaves):
    tree = Tree()
    tree.extend(leaves[:513])
    for size, edge in [(512, tree.edge()), (513, tree.edge()[:1]), (513, [*tree.edge(), b""]), (1, [b"x"]), (0, [b""])]:
        with pytest.raises(Corrupt, match="右缘"):
            Tree.resume(size, edge)


def test_what_is_not_a_leaf_hash_leaves_the_tree_as_it_was(leaves):
    tree = Tree()
    with pytest.raises(ValueError, match="32 bytes"):
        tree.extend([leaves[0], b"short"])
    assert tree.size == 0


def test_position_is_judged_before_length_and_length_before_hashes(leaves, roots):
    with pytest.raises(ProofError, match="没有第 5 条"):
        merkle.verify_inclusion([b"?"], leaf=leaves[0], index=5, size=5, root=roots[5])
    with pytest.raises(ProofError, match="没有第 -1 条"):
        merkle.inclusion_proof(-1, 5, reader(leaves))
    with pytest.raises(ProofError, match="应有 3 个哈希，实有 1 个"):
        merkle.verify_inclusion([b"?"], leaf=leaves[0], index=0, size=5, root=roots[5])
    with pytest.raises(ProofError, match="不是 32 字节"):
        merkle.verify_inclusion([leaves[1], leaves[1], b"?"], leaf=leaves[0], index=0, size=5, root=roots[5])
    with pytest.raises(ProofError, match="与账本"):
        merkle.verify_inclusion([leaves[1]] * 3, leaf=leaves[0], index=0, size=5, root=roots[5])
    with pytest.raises(ProofError, match="不能大于"):
        merkle.consistency_proof(6, 5, reader(leaves))
    with pytest.raises(ProofError, match="不能大于"):
        merkle.verify_consistency([], old_size=6, old_root=roots[6], new_size=5, new_root=roots[5])


def test_the_root_of_many_leaves_needs_one_hash_a_level(leaves):
    asked = []

    def read(level, index):
        asked.append(level)
        return reader(leaves)(level, index)

    assert merkle.root(1000, read) == mth(leaves[:1000])
    assert asked == [3, 5, 6, 7, 8, 9]
    assert all(lower < higher for lower, higher in pairwise(asked))


def test_another_authors_tree_agrees_and_accepts_our_proofs(leaves):
    theirs = pymerkle.InmemoryTree(algorithm="sha256")
    for number in range(70):
        theirs.append_entry(f"entry {number}".encode())
    for size in (1, 2, 31, 64, 70):
        root = merkle.root(size, reader(leaves))
        assert theirs.get_root(size) == root
        for index in range(size):
            rule, _ = _inclusion_path_layout(index + 1, size)
            ours = [leaves[index], *merkle.inclusion_proof(index, size, reader(leaves))]
            InclusionProof("sha256", True, size, index + 1, rule, ours).verify(leaves[index], root, index + 1, size)
            ours[-1] = bytes(32)
            with pytest.raises(InvalidProof):
                InclusionProof("sha256", True, size, index + 1, rule, ours).verify(leaves[index], root)
