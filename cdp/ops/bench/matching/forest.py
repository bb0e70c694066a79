"""Disjoint sets over whatever stands on the records: the whole of plain union-find."""

from collections.abc import Hashable, Iterable, Sequence


class Forest:
    """Numbered trees; whoever shares a root is one."""

    def __init__(self, size: int) -> None:
        self.above = list(range(size))

    def root(self, one: int) -> int:
        """Return the root, and shorten the way to it for whoever asks next."""
        above = self.above
        while above[one] != one:
            above[one] = above[above[one]]
            one = above[one]
        return one

    def join(self, one: int, other: int) -> None:
        """Make two trees one, under the lower number."""
        first, second = sorted((self.root(one), self.root(other)))
        self.above[second] = first


def join_by(marks: Sequence[Iterable[Hashable]]) -> list[int]:
    """Return a label for each record: those that share a mark, directly or through others, get the same."""
    forest, first = Forest(len(marks)), dict[Hashable, int]()
    for number, some in enumerate(marks):
        for mark in some:
            forest.join(number, first.setdefault(mark, number))
    return [forest.root(number) for number in range(len(marks))]
