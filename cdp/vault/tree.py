"""A puncturable tree of keys (Goldreich, Goldwasser, Micali 1986): one leaf key per subject.

A node is addressed by its heap number: the root is 1, the children of n are 2n and 2n + 1, the
leaf of a subject is 2**32 + subject. A child is BLAKE2b of its bit, keyed by its parent; that is
fixed for good, for the whole database hangs on it (frozen vectors in tests/vault).

A tree holds a *cover*: the fewest nodes from which every unpunctured leaf follows. Puncturing a
leaf puts the siblings on its path in place of its ancestor. Trees are values and never change.
"""

import os
from collections.abc import Iterable
from hashlib import blake2b

from cdp.errors import KeyDestroyed

LEVELS = 32
NODE_BYTES = 32
_NEAR = 8
_NEAR_KEPT = 16_384
_RECORD = 5 + NODE_BYTES
_BITS = (b"\x00", b"\x01")
_PERSON = b"cdp/tree/v1"


def child(node: bytes, bit: int) -> bytes:
    """Derive one of a node's two children."""
    return blake2b(_BITS[bit], key=node, digest_size=NODE_BYTES, person=_PERSON).digest()


def leaf_number(subject: int) -> int:
    """Address a subject's leaf; raises ValueError for a number outside the tree."""
    if not 0 <= subject < 1 << LEVELS:
        raise ValueError("a subject number lies outside the tree")
    return (1 << LEVELS) + subject


class Tree:
    """A cover of the unpunctured leaves."""

    __slots__ = ("_near", "_nodes")

    def __init__(self, nodes: dict[int, bytes]) -> None:
        self._nodes = nodes
        self._near: dict[int, bytes] = {}

    def __repr__(self) -> str:
        return f"<Tree of {len(self._nodes)} nodes>"

    def __reduce__(self) -> str:
        raise TypeError("keys are not pickled")

    def __len__(self) -> int:
        return len(self._nodes)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tree) and self._nodes == other._nodes

    __hash__ = None  # type: ignore[assignment]

    @classmethod
    def grow(cls) -> "Tree":
        """Start a tree with every leaf in it."""
        return cls({1: os.urandom(NODE_BYTES)})

    def regrow(self) -> "Tree":
        """Start an unrelated tree in which the same leaves are missing."""
        return Tree({number: os.urandom(NODE_BYTES) for number in self._nodes})

    def leaf(self, subject: int) -> bytes:
        """Derive a subject's key; raises KeyDestroyed when the leaf was punctured."""
        number = leaf_number(subject)
        near = self._near.get(number >> _NEAR)
        if near is not None:
            return _descend(near, number, _NEAR)
        above = _above(self._nodes, number)
        if above is None:
            raise KeyDestroyed("the key of this subject was destroyed")
        height = number.bit_length() - above.bit_length()
        node = self._nodes[above]
        if height <= _NEAR:
            return _descend(node, number, height)
        return _descend(self._remember(number >> _NEAR, node, height - _NEAR), number, _NEAR)

    def has(self, subject: int) -> bool:
        """Whether the subject's leaf still follows from the cover."""
        return _above(self._nodes, leaf_number(subject)) is not None

    def punctured(self, subjects: Iterable[int]) -> "Tree":
        """Return the tree without these leaves; those already missing are left out silently."""
        nodes = dict(self._nodes)
        for subject in subjects:
            _puncture(nodes, leaf_number(subject))
        return Tree(nodes)

    def pack(self) -> bytes:
        """Write the cover as records of number (5 bytes) and key, in no order."""
        return b"".join([number.to_bytes(5, "big") + node for number, node in self._nodes.items()])

    @classmethod
    def unpack(cls, packed: bytes) -> "Tree":
        """Read a packed cover; raises ValueError when it cannot be one."""
        if len(packed) % _RECORD:
            raise ValueError("a tree is truncated")
        nodes = {
            int.from_bytes(packed[at : at + 5], "big"): packed[at + 5 : at + _RECORD]
            for at in range(0, len(packed), _RECORD)
        }
        if len(nodes) * _RECORD != len(packed) or any(not 0 < number < 2 << LEVELS for number in nodes):
            raise ValueError("a tree has impossible nodes")
        return cls(nodes)

    def _remember(self, number: int, node: bytes, height: int) -> bytes:
        """Keep the node a few levels above a leaf: neighbours are asked for together."""
        if len(self._near) >= _NEAR_KEPT:
            self._near.clear()
        near = self._near[number] = _descend(node, number, height)
        return near


def _above(nodes: dict[int, bytes], number: int) -> int | None:
    while number:
        if number in nodes:
            return number
        number >>= 1
    return None


def _descend(node: bytes, number: int, height: int) -> bytes:
    for shift in range(height - 1, -1, -1):
        node = blake2b(_BITS[(number >> shift) & 1], key=node, digest_size=NODE_BYTES, person=_PERSON).digest()
    return node


def _puncture(nodes: dict[int, bytes], number: int) -> None:
    above = _above(nodes, number)
    if above is None:
        return
    node = nodes.pop(above)
    for shift in range(number.bit_length() - above.bit_length() - 1, -1, -1):
        bit = (number >> shift) & 1
        nodes[(number >> shift) ^ 1] = child(node, bit ^ 1)
        node = child(node, bit)
