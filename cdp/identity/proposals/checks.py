"""Whether what was found may be shown at all: a model that learnt nonsense is stopped before anybody acts on it.

Every bound can be reached: the largest cluster is counted over all likely pairs, not over the proposals, which
never hold more than two.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cdp.errors import Refusal
from cdp.identity.proposals import veil
from cdp.identity.proposals.model import Model, Weight
from cdp.identity.proposals.scoring import Pair

LIKELY = 0.95
"""Pairs from here on count for the largest cluster."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is believable; outside of it nothing is published."""

    fewest: float = 0.0001
    most: float = 0.5
    """Pairs that match, per person, as λ has it: among those whom exact identifiers did not join already."""
    largest: int = 10
    """People that may hang together by likely pairs."""
    touched: float = 0.01
    """Share of all people that proposals may concern."""


def of_model(model: Model, bounds: Bounds) -> list[Refusal]:
    """Return what speaks against proposing by this model: `other_tokens`, `prior_out_of_range`, and of its steps
    `level_not_observed`, `agreement_speaks_against`, `difference_speaks_for`."""
    refused = [] if model.tokens == veil.VERSION else [Refusal("other_tokens", str(model.tokens))]
    per_person = model.prior * (model.people - 1) / 2
    if not bounds.fewest <= per_person <= bounds.most:
        refused.append(Refusal("prior_out_of_range", f"{per_person:.2g}"))
    return refused + list(_of_weights(model.weights()))


def of_pairs(pairs: list[Pair], proposed: list[Pair], people: int, bounds: Bounds) -> list[Refusal]:
    """Return what speaks against publishing these proposals: `cluster_too_large`, `too_many_touched`."""
    refused = []
    size = largest((pair.a, pair.b) for pair in pairs if pair.probability >= LIKELY)
    if size > bounds.largest:
        refused.append(Refusal("cluster_too_large", str(size)))
    share = touched(proposed) / max(people, 1)
    if share > bounds.touched:
        refused.append(Refusal("too_many_touched", f"{share:.1%}"))
    return refused


def touched(pairs: Iterable[Pair]) -> int:
    """Count the people whom the pairs concern."""
    return len({number for pair in pairs for number in (pair.a, pair.b)})


def largest(edges: Iterable[tuple[int, int]]) -> int:
    """Return how many people hang together at most."""
    above: dict[int, int] = {}

    def top(number: int) -> int:
        while above.setdefault(number, number) != number:
            above[number] = number = above[above[number]]
        return number

    for a, b in edges:
        above[top(a)] = top(b)
    return max(Counter(map(top, list(above))).values(), default=0)


def _of_weights(weights: Iterable[Weight]) -> Iterator[Refusal]:
    for one in weights:
        where = f"{one.comparison}: {one.level}"
        if one.m is None or one.u is None:
            yield Refusal("level_not_observed", where)
        elif one.agrees and one.m < one.u:
            yield Refusal("agreement_speaks_against", where)
        elif not one.agrees and one.m > one.u:
            yield Refusal("difference_speaks_for", where)
