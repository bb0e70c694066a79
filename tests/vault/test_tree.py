"""Puncturing takes one leaf and leaves every other as it was."""

import copy
import pickle
import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp.errors import KeyDestroyed
from cdp.vault.tree import Tree

SUBJECTS = st.integers(0, 60) | st.integers(4090, 4100) | st.integers(0, 2**32 - 1)
TREE = Tree.grow()


@given(st.sets(SUBJECTS, max_size=12), st.sets(SUBJECTS, max_size=12))
def test_a_punctured_leaf_is_gone_and_every_other_derives_as_before(gone: set[int], asked: set[int]) -> None:
    punctured = TREE.punctured(gone)
    for subject in asked - gone:
        assert punctured.leaf(subject) == TREE.leaf(subject)
        assert punctured.has(subject)
    for subject in gone:
        assert not punctured.has(subject)
        with pytest.raises(KeyDestroyed):
            punctured.leaf(subject)


@given(st.lists(SUBJECTS, min_size=1, max_size=10), st.randoms(use_true_random=False))
def test_the_order_of_puncturing_leaves_no_trace(gone: list[int], dice: random.Random) -> None:
    shuffled = dice.sample(gone, len(gone))
    one_by_one = TREE
    for subject in shuffled:
        one_by_one = one_by_one.punctured([subject])
    assert one_by_one == TREE.punctured(gone) == TREE.punctured(gone + gone)


@given(st.sets(SUBJECTS, max_size=10))
def test_a_cover_holds_no_ancestor_of_what_is_gone(gone: set[int]) -> None:
    packed = TREE.punctured(gone).pack()
    numbers = {int.from_bytes(packed[i : i + 5], "big") for i in range(0, len(packed), 37)}
    for subject in gone:
        assert not numbers & {2**32 + subject >> up for up in range(33)}


@given(st.sets(SUBJECTS, max_size=10), SUBJECTS)
def test_a_regrown_tree_is_unrelated_and_keeps_the_dead_dead(gone: set[int], asked: int) -> None:
    old = TREE.punctured(gone)
    new = old.regrow()
    assert new.has(asked) == old.has(asked)
    assert asked in gone or new.leaf(asked) != old.leaf(asked)


@given(st.sets(SUBJECTS, max_size=10))
def test_a_tree_is_read_as_it_was_written(gone: set[int]) -> None:
    tree = TREE.punctured(gone)
    assert Tree.unpack(tree.pack()) == tree


@pytest.mark.parametrize(
    "packed",
    [b"x", bytes(37), (2**33).to_bytes(5, "big") + bytes(32), TREE.pack() * 2],
    ids=["too short", "no number", "too deep", "twice"],
)
def test_an_impossible_cover_is_refused(packed: bytes) -> None:
    with pytest.raises(ValueError, match="tree"):
        Tree.unpack(packed)


@pytest.mark.parametrize("subject", [-1, 2**32])
def test_a_number_outside_the_tree_is_refused(subject: int) -> None:
    with pytest.raises(ValueError, match="outside"):
        TREE.leaf(subject)


def test_a_tree_shows_nothing_and_stays_where_it_is() -> None:
    assert repr(TREE) == "<Tree of 1 nodes>"
    for leave in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError):
            leave(TREE)


def test_a_remembered_path_changes_no_leaf() -> None:
    subjects = [*range(20), *range(4090, 4100), 2**32 - 1]
    fresh = {subject: Tree.unpack(TREE.pack()).leaf(subject) for subject in subjects}
    assert {subject: TREE.leaf(subject) for subject in (*subjects, *reversed(subjects))} == fresh


@pytest.mark.deep
def test_ten_thousand_erasures_stay_small_and_quick() -> None:
    gone = random.Random(1).sample(range(1, 100_000), 10_000)
    began = time.perf_counter()
    tree = TREE.punctured(gone)
    assert time.perf_counter() - began < 5
    assert len(tree.pack()) < 1_300_000
    assert all(tree.has(subject) == (subject not in set(gone)) for subject in range(1, 2000))
