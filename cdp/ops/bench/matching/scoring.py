"""How right a partition is, counted over pairs and over records; exact, and in time linear in the records.

Pairs are counted by sizes: of a cluster that holds n records of one person, n(n-1)/2 pairs are right.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Score:
    """What one method reached on one data set; shares are from 0 to 1."""

    records: int
    people: int
    precision: float
    """Of the pairs that were joined, the share that is one person. 1 where none was joined."""
    recall: float
    """Of the pairs that are one person, the share that was joined. 1 where there are none."""
    b3_precision: float
    b3_recall: float
    """B³: the same seen from each record, averaged over records, so that one large cluster counts as one."""
    wrong: int
    """Records in clusters that mix people."""
    mixed: int
    """Clusters that mix people."""
    largest: int
    """Records of the largest cluster."""

    @property
    def f1(self) -> float:
        return _mean(self.precision, self.recall)

    @property
    def b3(self) -> float:
        return _mean(self.b3_precision, self.b3_recall)


def score(labels: Sequence[Hashable], truth: Sequence[Hashable]) -> Score:
    """Compare labels with the truth, record by record; a pair counts as joined when its labels are equal."""
    if len(labels) != len(truth):
        raise ValueError("every record needs a label")
    together = Counter(zip(labels, truth, strict=True))
    clusters, people = Counter(labels), Counter(truth)
    right = _pairs(together.values())
    mixed = _mixed(together)
    return Score(
        records=len(labels),
        people=len(people),
        precision=_share(right, _pairs(clusters.values())),
        recall=_share(right, _pairs(people.values())),
        b3_precision=_share(sum(n * n / clusters[label] for (label, _), n in together.items()), len(labels)),
        b3_recall=_share(sum(n * n / people[person] for (_, person), n in together.items()), len(labels)),
        wrong=sum(clusters[label] for label in mixed),
        mixed=len(mixed),
        largest=max(clusters.values(), default=0),
    )


def _mixed(together: Iterable[tuple[Hashable, Hashable]]) -> list[Hashable]:
    found: dict[Hashable, int] = defaultdict(int)
    for label, _ in together:
        found[label] += 1
    return [label for label, people in found.items() if people > 1]


def _pairs(sizes: Iterable[int]) -> int:
    return sum(size * (size - 1) // 2 for size in sizes)


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 1.0


def _mean(one: float, other: float) -> float:
    return 2 * one * other / (one + other) if one + other else 0.0
