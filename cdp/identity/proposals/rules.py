"""What may become of a pair: its band, its veto, whether it may be proposed or, guarded, accepted by itself.

A probability is not a permission. Households break its calibration, so a pair whose given names differ goes to a
person whatever its odds, and one whose only agreement is the name is nobody's to decide.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

from cdp.identity.proposals.comparisons import OTHER, UNKNOWN

NAMES = {"given", "family"}

BANDS = (0.5, 0.9, 0.95, 0.99, 0.999)
"""Where a reviewer's bands begin; what is less likely than the first is not shown."""

ACCEPTED = 0.999
"""The least probability that may be accepted by itself, where that is turned on."""
PRECISION = 0.995
"""The least precision, with 95 % confidence, that reviewed samples must have shown (identity.md 4.11)."""
_Z = 1.959964

Levels = Mapping[str, str]
"""Comparison → step: {"given": "same", "birth": "unknown", …}"""


@dataclass(frozen=True, slots=True)
class Settled:
    """Pairs that nobody needs to be asked about again; left out before each one's best is looked for."""

    apart: frozenset[tuple[int, int]] = frozenset()
    """Somebody's word keeps them apart for good; the lower number first."""
    declined: frozenset[tuple[int, int, str]] = frozenset()
    """Declined with just these steps, as `written`: asked again only when another step is reached."""

    def covers(self, a: int, b: int, levels: Levels) -> bool:
        """Whether the pair is settled as it looks now."""
        return (a, b) in self.apart or (a, b, written(levels)) in self.declined


@dataclass(frozen=True, slots=True)
class Sample:
    """What reviewers found of proposals drawn at random from the highest band of this model."""

    model_version: str
    reviewed: int
    right: int

    @property
    def precision(self) -> float:
        """The lower bound of the share that was right (Wilson, 95 %): 765 of 765 are the fewest for 0.995."""
        if not self.reviewed:
            return 0.0
        share, n = self.right / self.reviewed, self.reviewed
        middle = share + _Z**2 / (2 * n)
        spread = _Z * sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
        return (middle - spread) / (1 + _Z**2 / n)


def band(probability: float) -> float | None:
    """Return where the probability's band begins; None below all bands."""
    return max((start for start in BANDS if probability >= start), default=None)


def vetoed(levels: Levels) -> bool:
    """Whether the given names disagree, or all that agrees is a household's: look twice, and never discard for it."""
    return levels.get("given") == OTHER or not {"given", "birth"} & _agreeing(levels)


def has_grounds(levels: Levels) -> bool:
    """Whether more than a name agrees: namesakes are common, and no model's odds make one of them the other."""
    return bool(_agreeing(levels) - NAMES)


def may_accept(
    probability: float, levels: Levels, model_version: str, sample: Sample | None, turned_on: bool = False
) -> bool:
    """Whether a proposal may be accepted without a person: off unless turned on, and then only as measured.

    Needs the highest probability, given names that are known to agree, and a reviewed sample of the same model
    whose precision is at least 0.995.
    """
    if not turned_on or sample is None or sample.model_version != model_version:
        return False
    return is_sure(probability, levels) and sample.precision >= PRECISION


def is_sure(probability: float, levels: Levels) -> bool:
    """Whether it is of the kind that samples are drawn from, and that may be accepted without a person at all."""
    sure = "given" in _agreeing(levels) and has_grounds(levels) and not vetoed(levels)
    return sure and probability >= ACCEPTED


def written(levels: Levels) -> str:
    """Return the steps as they are kept: words of `comparisons`, no value and no token."""
    return json.dumps(dict(levels), sort_keys=True)


def _agreeing(levels: Levels) -> set[str]:
    return {name for name, level in levels.items() if level not in (OTHER, UNKNOWN)}
