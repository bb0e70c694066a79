"""How good the unification was, measured by pairs of records against the truth that the generator kept."""

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quality:
    """Pairs of records that were put together, and how many of them, and of the true ones, are right."""

    records: int
    people: int
    found: int
    right: int
    true: int

    @property
    def precision(self) -> float:
        """Share of the pairs put together that truly are one person."""
        return self.right / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        """Share of the pairs of one true person that were put together."""
        return self.right / self.true if self.true else 1.0


def measure(pairs: Iterable[tuple[Hashable, Hashable]]) -> Quality:
    """Compare records given as (cluster, true person), pair by pair, without listing the pairs."""
    rows = list(pairs)
    clusters = Counter(cluster for cluster, _ in rows)
    people = Counter(person for _, person in rows)
    both = Counter(rows)
    return Quality(len(rows), len(clusters), _pairs(clusters), _pairs(both), _pairs(people))


def _pairs(counts: Counter[Hashable] | Counter[tuple[Hashable, Hashable]]) -> int:
    return sum(count * (count - 1) // 2 for count in counts.values())
