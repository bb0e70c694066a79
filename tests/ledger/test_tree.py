"""The tree is RFC 6962's, for every size up to 40, in two implementations."""

import hashlib

import pymerkle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp.ledger import tree

SIZE = 40
ENTRIES = [b"entry %d" % number for number in range(SIZE)]
LEAVES = [tree.leaf_hash(entry) for entry in ENTRIES]
ROOTS = [tree.root(LEAVES[:size]) for size in range(SIZE + 1)]


@pytest.fixture(scope="module")
def other() -> pymerkle.InmemoryTree:
    grown = pymerkle.InmemoryTree(algorithm="sha256")
    for entry in ENTRIES:
        grown.append_entry(entry)
    return grown


def test_the_empty_tree_and_one_leaf_are_as_the_rfc_says() -> None:
    assert ROOTS[0] == hashlib.sha256(b"").digest()
    assert tree.leaf_hash(b"") == hashlib.sha256(b"\0").digest()
    assert ROOTS[1] == LEAVES[0]


def test_every_root_is_the_other_librarys(other: pymerkle.InmemoryTree) -> None:
    assert [other.get_state(size) for size in range(1, SIZE + 1)] == ROOTS[1:]


def test_every_inclusion_proof_holds_for_its_leaf_and_for_no_other() -> None:
    for size in range(1, SIZE + 1):
        for index in range(size):
            path = tree.inclusion(LEAVES[:size], index)
            assert tree.included(LEAVES[index], index, size, path, ROOTS[size])
            assert not tree.included(LEAVES[(index + 1) % SIZE], index, size, path, ROOTS[size])
            assert not tree.included(LEAVES[index], index, size, path, ROOTS[size - 1])
            assert not tree.included(LEAVES[index], index, size, [*path, ROOTS[1]], ROOTS[size])
            assert not any(
                tree.included(LEAVES[index], at, size, path, ROOTS[size]) for at in range(-1, size + 1) if at != index
            )
            assert not path or not tree.included(LEAVES[index], index, size, path[:-1], ROOTS[size])


def test_every_consistency_proof_holds_between_its_heads_and_no_others() -> None:
    for size in range(1, SIZE + 1):
        for old in range(1, size + 1):
            path = tree.consistency(LEAVES[:size], old)
            assert tree.consistent(old, ROOTS[old], size, ROOTS[size], path)
            assert not tree.consistent(old, ROOTS[old - 1], size, ROOTS[size], path)
            assert not tree.consistent(old, ROOTS[old], size, ROOTS[size - 1], path)
            assert not tree.consistent(old, ROOTS[old], size, ROOTS[size], [*path, ROOTS[1]])
            assert not path or not tree.consistent(old, ROOTS[old], size, ROOTS[size], path[:-1])


def test_the_other_library_makes_the_same_proofs(other: pymerkle.InmemoryTree) -> None:
    for size in (1, 2, 3, 7, 8, 21, 40):
        for index in range(size):
            theirs = other.prove_inclusion(index + 1, size)
            assert tree.included(LEAVES[index], index, size, _siblings(theirs, LEAVES[index]), ROOTS[size])
            pymerkle.verify_inclusion(LEAVES[index], ROOTS[size], theirs)
    for old in range(1, SIZE):
        pymerkle.verify_consistency(ROOTS[old], ROOTS[SIZE], other.prove_consistency(old, SIZE))


@given(st.integers(1, SIZE), st.integers(1, SIZE), st.integers(0, 10), st.integers(0, 255))
def test_a_proof_with_one_bit_flipped_does_not_hold(size: int, old: int, at: int, bit: int) -> None:
    old = min(old, size)
    for path, holds in (
        (
            tree.inclusion(LEAVES[:size], old - 1),
            lambda p: tree.included(LEAVES[old - 1], old - 1, size, p, ROOTS[size]),
        ),
        (tree.consistency(LEAVES[:size], old), lambda p: tree.consistent(old, ROOTS[old], size, ROOTS[size], p)),
    ):
        assert holds(path)
        if path:
            node = bytearray(path[at % len(path)])
            node[bit // 8] ^= 1 << bit % 8
            path[at % len(path)] = bytes(node)
            assert not holds(path)


def test_a_growing_range_gives_the_root_of_every_size() -> None:
    grown = tree.Range()
    for size, leaf in enumerate(LEAVES, start=1):
        kept = grown.copy()
        grown.append(leaf)
        assert grown.root() == ROOTS[size] and kept.root() == ROOTS[size - 1]


@pytest.mark.parametrize("index", [-1, SIZE])
def test_a_leaf_that_is_not_there_cannot_be_proven(index: int) -> None:
    with pytest.raises(ValueError, match="no such leaf"):
        tree.inclusion(LEAVES, index)


@pytest.mark.parametrize("old", [0, SIZE + 1])
def test_a_size_that_never_was_cannot_be_proven(old: int) -> None:
    with pytest.raises(ValueError, match="no such tree"):
        tree.consistency(LEAVES, old)


def _siblings(proof: pymerkle.MerkleProof, leaf: bytes) -> list[bytes]:
    """pymerkle's path starts with the leaf itself."""
    return [node for node in proof.path if node != leaf] if proof.path[0] == leaf else list(proof.path)
