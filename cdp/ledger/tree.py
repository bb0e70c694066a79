"""The Merkle tree of RFC 6962 (and RFC 9162): roots, proofs, and their verification.

The verifiers are what an auditor trusts; they follow RFC 9162 §2.1.3.2 and §2.1.4.2 step by step
and check the whole proof, nothing left over (immudb's GHSA-672p-m5jq-mrh8 was a part unchecked).
"""

import hmac
from collections.abc import Iterable, Sequence
from hashlib import sha256

EMPTY = sha256(b"").digest()


def leaf_hash(content: bytes) -> bytes:
    """Hash a leaf's content."""
    return sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two children."""
    return sha256(b"\x01" + left + right).digest()


class Range:
    """The compact range: the roots of the full subtrees under a growing tree's head."""

    __slots__ = ("_peaks", "size")

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self.size = 0
        self._peaks: list[bytes] = []
        for leaf in leaves:
            self.append(leaf)

    def append(self, leaf: bytes) -> None:
        node, size = leaf, self.size
        while size & 1:
            node = node_hash(self._peaks.pop(), node)
            size >>= 1
        self._peaks.append(node)
        self.size += 1

    def copy(self) -> "Range":
        other = Range()
        other.size, other._peaks = self.size, list(self._peaks)
        return other

    def root(self) -> bytes:
        if not self._peaks:
            return EMPTY
        node = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            node = node_hash(peak, node)
        return node


def root(leaves: Sequence[bytes]) -> bytes:
    """Return the tree head over these leaf hashes."""
    return Range(leaves).root()


def inclusion(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Prove that leaf `index` is in the tree over these leaves (RFC 9162 §2.1.3.1)."""
    if not 0 <= index < len(leaves):
        raise ValueError("no such leaf")
    if len(leaves) == 1:
        return []
    half = _half(len(leaves))
    if index < half:
        return [*inclusion(leaves[:half], index), root(leaves[half:])]
    return [*inclusion(leaves[half:], index - half), root(leaves[:half])]


def consistency(leaves: Sequence[bytes], size: int) -> list[bytes]:
    """Prove that the tree over these leaves only appends to its first `size` (RFC 9162 §2.1.4.1)."""
    if not 0 < size <= len(leaves):
        raise ValueError("no such tree")
    return _subproof(leaves, size, True)


def included(leaf: bytes, index: int, size: int, path: Sequence[bytes], head: bytes) -> bool:
    """Verify an inclusion proof (RFC 9162 §2.1.3.2)."""
    if not 0 <= index < size:
        return False
    fn, sn, node = index, size - 1, leaf
    for sibling in path:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            node = node_hash(sibling, node)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            node = node_hash(node, sibling)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and hmac.compare_digest(node, head)


def consistent(size: int, head: bytes, new_size: int, new_head: bytes, path: Sequence[bytes]) -> bool:
    """Verify a consistency proof between two heads (RFC 9162 §2.1.4.2)."""
    if not 0 < size <= new_size:
        return False
    if size == new_size:
        return not path and hmac.compare_digest(head, new_head)
    steps = list(path)
    if size & (size - 1) == 0:
        steps.insert(0, head)
    return bool(steps) and _climb(size - 1, new_size - 1, steps, head, new_head)


def _climb(fn: int, sn: int, steps: list[bytes], head: bytes, new_head: bytes) -> bool:
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    old = new = steps[0]
    for step in steps[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            old, new = node_hash(step, old), node_hash(step, new)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            new = node_hash(new, step)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and hmac.compare_digest(old, head) and hmac.compare_digest(new, new_head)


def _subproof(leaves: Sequence[bytes], size: int, whole: bool) -> list[bytes]:
    if size == len(leaves):
        return [] if whole else [root(leaves)]
    half = _half(len(leaves))
    if size <= half:
        return [*_subproof(leaves[:half], size, whole), root(leaves[half:])]
    return [*_subproof(leaves[half:], size - half, False), root(leaves[:half])]


def _half(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1
