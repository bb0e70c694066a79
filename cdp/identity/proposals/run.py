"""One run: people in, proposals for review out, or the reasons why none are published."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cdp.errors import Refusal
from cdp.identity.proposals import checks, rules
from cdp.identity.proposals.checks import Bounds
from cdp.identity.proposals.described import Described
from cdp.identity.proposals.memory import LIMIT, holding
from cdp.identity.proposals.model import Model
from cdp.identity.proposals.rules import Settled
from cdp.identity.proposals.scoring import Pair, mutual_best, score
from cdp.identity.proposals.veil import Watch, tokens

DEFAULT, NOTHING = Bounds(), Settled()


@dataclass(frozen=True, slots=True)
class Proposal:
    """Two clusters that may be one person; it holds nothing of what describes them."""

    a: int
    b: int
    """The higher number."""
    log2_odds: float
    probability: float
    band: float
    """Where its band begins: one of `BANDS`."""
    levels: Mapping[str, str] = field(hash=False)
    """Comparison → step; what a reviewer is told, in the words of `comparisons`."""
    vetoed: bool
    """The given names disagree: look twice."""
    model_version: str


@dataclass(frozen=True, slots=True)
class Run:
    """What one run found; with a refusal there are no proposals, only counts that say why."""

    proposals: tuple[Proposal, ...]
    """Likeliest first."""
    counts: Mapping[str, int]
    """people · pairs (likely, with grounds) · groundless · settled · proposed · vetoed · touched · largest · bands."""
    refusals: tuple[Refusal, ...]
    model_version: str

    @property
    def published(self) -> bool:
        """Whether the proposals may be shown."""
        return not self.refusals


def propose(
    described: Iterable[Described],
    model: Model | None,
    bounds: Bounds = DEFAULT,
    limit: str = LIMIT,
    watch: Watch | None = None,
    settled: Settled = NOTHING,
) -> Run:
    """Return the pairs of people in which each is the other's best match, for review; never what is settled.

    Refuses `not_trained`, and what `checks` doubts of the model and of what it found. Raises what `memory` raises.
    """
    if model is None:
        return Run((), {}, (Refusal("not_trained"),), "")
    version, doubts = model.version, checks.of_model(model, bounds)
    if doubts:
        return Run((), {}, tuple(doubts), version)
    rows = tokens(described, watch)
    with holding(rows, limit) as chamber:
        scored = score(chamber, model)
    grounded = [pair for pair in scored if rules.has_grounds(pair.levels)]
    pairs = [pair for pair in grounded if not settled.covers(pair.a, pair.b, pair.levels)]
    best = mutual_best(pairs)
    refused = tuple(checks.of_pairs(pairs, best, len(rows), bounds))
    found = [_proposal(pair, version) for pair in best]
    counts = {
        "people": len(rows),
        "groundless": len(scored) - len(grounded),
        "settled": len(grounded) - len(pairs),
        **_counts(pairs, found),
    }
    return Run(() if refused else tuple(found), counts, refused, version)


def _proposal(pair: Pair, version: str) -> Proposal:
    start = rules.band(pair.probability)
    assert start is not None, "score leaves out what is in no band"
    veto = rules.vetoed(pair.levels)
    return Proposal(pair.a, pair.b, pair.log2_odds, pair.probability, start, pair.levels, veto, version)


def _counts(pairs: list[Pair], found: list[Proposal]) -> dict[str, int]:
    bands = Counter(one.band for one in found)
    likely = [(pair.a, pair.b) for pair in pairs if pair.probability >= checks.LIKELY]
    return {
        "pairs": len(pairs),
        "proposed": len(found),
        "vetoed": sum(one.vetoed for one in found),
        "touched": 2 * len(found),
        "largest": checks.largest(likely),
        **{f"from {start}": bands[start] for start in rules.BANDS},
    }
