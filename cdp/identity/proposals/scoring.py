"""How likely two people are one, by a frozen model; and of those pairs the ones in which each is the other's best.

No closure: a is like b and b like c says nothing of a and c. What is accepted joins, and the next run sees the
joined people as one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cdp.identity.proposals import rules
from cdp.identity.proposals.memory import Chamber
from cdp.identity.proposals.model import Model


@dataclass(frozen=True, slots=True)
class Pair:
    """Two clusters, the lower number first, and what the model says of them."""

    a: int
    b: int
    log2_odds: float
    """Of being one person to being two."""
    probability: float
    levels: Mapping[str, str] = field(hash=False)
    """Comparison → the step that the pair reached."""


def score(chamber: Chamber, model: Model, least: float = rules.BANDS[0]) -> list[Pair]:
    """Return every pair that agrees in two independent things and is likely enough, likeliest first."""
    steps = model.steps()
    found = chamber.linker(model.settings_for(chamber.people)).inference.predict(
        threshold_match_probability=least, warning_mode="never"
    )
    reached = "".join(f", gamma_{name}" for name in steps)
    rows = chamber.rows(
        f"SELECT cluster_l, cluster_r, match_weight, match_probability{reached} FROM {found.physical_name}"  # noqa: S608
    )
    pairs = [
        Pair(
            min(row[:2]),
            max(row[:2]),
            round(row[2], 6),
            row[3],
            {name: steps[name][number] for name, number in zip(steps, row[4:], strict=True)},
        )
        for row in rows
    ]
    return sorted(pairs, key=_likeliest)


def expected(chamber: Chamber, settings: Mapping[str, Any]) -> float:
    """Return λ as these settings themselves find it: what the probabilities add up to, by all possible pairs."""
    lean = {**settings, "retain_matching_columns": False}
    found = chamber.linker(lean).inference.predict(warning_mode="never")
    ((total,),) = chamber.rows(f"SELECT sum(match_probability) FROM {found.physical_name}")  # noqa: S608
    return max(total or 0.0, 0.5) / (chamber.people * (chamber.people - 1) / 2)


def mutual_best(pairs: Iterable[Pair]) -> list[Pair]:
    """Return the pairs in which each is the other's likeliest, likeliest first."""
    ordered = sorted(pairs, key=_likeliest)
    best: dict[int, Pair] = {}
    for pair in ordered:
        best.setdefault(pair.a, pair)
        best.setdefault(pair.b, pair)
    return [pair for pair in ordered if best[pair.a] is pair is best[pair.b]]


def _likeliest(pair: Pair) -> tuple[float, int, int]:
    return -pair.log2_odds, pair.a, pair.b
