"""What is counted by sizes is what looking at each pair and each record would count."""

from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp.ops.bench.matching.scoring import score

partitions = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=30)
"""Records as (label, person)."""


def share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0


@given(partitions)
def test_pairs_are_counted_as_if_each_were_looked_at(records: list[tuple[int, int]]) -> None:
    found = score([label for label, _ in records], [person for _, person in records])
    pairs = list(combinations(records, 2))
    joined = [(one, other) for one, other in pairs if one[0] == other[0]]
    same = [(one, other) for one, other in pairs if one[1] == other[1]]
    right = sum(one[1] == other[1] for one, other in joined)
    assert found.precision == share(right, len(joined))
    assert found.recall == share(right, len(same))


@given(partitions)
def test_what_is_counted_from_each_record_is_as_if_each_were_asked(records: list[tuple[int, int]]) -> None:
    found = score([label for label, _ in records], [person for _, person in records])
    precisions, recalls, wrong = [], [], 0
    for label, person in records:
        cluster = [other for other in records if other[0] == label]
        true = [other for other in records if other[1] == person]
        both = [other for other in cluster if other[1] == person]
        precisions.append(len(both) / len(cluster))
        recalls.append(len(both) / len(true))
        wrong += any(other[1] != person for other in cluster)
    count = len(records)
    assert found.b3_precision == pytest.approx(sum(precisions) / count if count else 1)
    assert found.b3_recall == pytest.approx(sum(recalls) / count if count else 1)
    assert found.wrong == wrong
    assert found.largest == max(Counter(label for label, _ in records).values(), default=0)
    mixed = {label for label, _ in records if len({other[1] for other in records if other[0] == label}) > 1}
    assert found.mixed == len(mixed)


def test_a_record_without_a_label_is_not_scored_silently() -> None:
    with pytest.raises(ValueError, match="every record"):
        score([1], [1, 1])
