"""Learns a model from the people themselves, without anybody saying who is who (Fellegi-Sunter, by EM).

u, how often strangers agree, is counted on pairs drawn at random. Among few people such a draw is not free of
pairs that match, and where strangers agree almost never (a date of birth) those would be most of what is seen; so
what λ and m say of them is taken out of u, and EM is run again. m is learnt on pairs that agree in the whole name
or in the date of birth, never on pairs that agree in a place (identity.md 4.11).
"""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from cdp.identity.proposals import comparisons
from cdp.identity.proposals.described import Described
from cdp.identity.proposals.memory import LIMIT, Chamber, holding
from cdp.identity.proposals.model import Model, Weight, rounded
from cdp.identity.proposals.refusals import problem
from cdp.identity.proposals.scoring import expected
from cdp.identity.proposals.veil import Watch, tokens

if TYPE_CHECKING:
    from splink import Linker

FEWEST = 500
"""People below whom nothing is learnt."""
DRAWN = 5_000_000
"""Pairs drawn for u."""
EM_PAIRS = 5_000_000
ROUNDS = 2
"""Of EM with u corrected in between; a third changes λ by less than a thousandth."""
KEPT = 0.03
"""u stays at least this share of what was counted: λ and m are estimates, and nothing is impossible."""
LEAST = 0.002
"""m of a difference is at least this: people marry, move and mistype, even if none of these did."""
FIRST_PRIOR = 0.1
"""Matching pairs per person that training begins from; a tenth or ten times of it changes λ by a thousandth."""

Step = tuple[str, str]
"""(comparison, level)"""


def train(
    described: Iterable[Described],
    seed: int = 1,
    drawn: int = DRAWN,
    limit: str = LIMIT,
    watch: Watch | None = None,
) -> Model:
    """Return the model of these people; raises `too_few`, `name_alone`, and what `memory` raises.

    The key of the tokens is destroyed before they are first compared.
    """
    rows = tokens(described, watch)
    if len(rows) < FEWEST:
        raise problem("too_few")
    with holding(rows, limit) as chamber:
        settings = comparisons.settings(chamber.filled)
        if not {"birth", "place"} & {one["output_column_name"] for one in settings["comparisons"]}:
            raise problem("name_alone")
        while True:
            model = Model(_learnt(chamber, settings, seed, drawn), len(rows), seed)
            useless = {weight[:2] for weight in model.weights() if _says_nothing(weight)}
            if not useless:
                return model
            settings = _without(settings, useless)


def _says_nothing(one: Weight) -> bool:
    """Whether a similarity short of equality was never seen among pairs that match, or less than among others."""
    return one.agrees and one.level != comparisons.SAME and (one.m is None or one.m < (one.u or 0.0))


def _without(settings: dict[str, Any], steps: set[Step]) -> dict[str, Any]:
    """Return the settings without these steps; whoever reached them reaches a weaker one, or `other`."""
    fewer = deepcopy(settings)
    for one in fewer["comparisons"]:
        kept = [level for level in one["comparison_levels"] if _step(one, level) not in steps]
        one["comparison_levels"] = kept
    return fewer


def _step(comparison: Mapping[str, Any], level: Mapping[str, Any]) -> Step:
    return comparison["output_column_name"], level["label_for_charts"]


def _learnt(chamber: Chamber, declared: dict[str, Any], seed: int, drawn: int) -> dict[str, Any]:
    """Return the settings with all that can be learnt by them."""
    settings = {**declared, "probability_two_random_records_match": FIRST_PRIOR * 2 / chamber.people}
    seen = _seen(chamber, settings, seed, drawn)
    settings = _weighted(settings, {}, seen)
    for _ in range(ROUNDS):
        m = _m(chamber.linker(settings))
        settings = _weighted(settings, m, _of_strangers(settings, m, seen))
        settings["probability_two_random_records_match"] = rounded(expected(chamber, settings))
    return settings


def _seen(chamber: Chamber, settings: Mapping[str, Any], seed: int, drawn: int) -> dict[Step, float]:
    """Return how often each step was seen among pairs drawn at random; one never seen as if it was seen once."""
    linker = chamber.linker(settings)
    linker.training.estimate_u_using_random_sampling(max_pairs=drawn, seed=seed, min_count_per_level=None, num_chunks=1)
    once = 1 / min(drawn, chamber.people * (chamber.people - 1) // 2)
    return {one[:2]: one.u or once for one in Model(linker.misc.save_model_to_json(), 0, 0).weights()}


def _m(linker: "Linker") -> dict[Step, float]:
    """Return m of every step that EM saw."""
    from splink import block_on
    from splink.internals.exceptions import EMTrainingException

    for agreed in comparisons.TRAINED_ON:
        try:
            linker.training.estimate_parameters_using_expectation_maximisation(block_on(*agreed), max_pairs=EM_PAIRS)
        except EMTrainingException:
            raise problem("too_few") from None
    learnt = Model(linker.misc.save_model_to_json(), 0, 0)
    return {one[:2]: one.m for one in learnt.weights() if one.m is not None}


def _of_strangers(
    settings: Mapping[str, Any], m: Mapping[Step, float], seen: Mapping[Step, float]
) -> dict[Step, float]:
    """Return u without the pairs that match: what was seen is λ·m + (1 - λ)·u."""
    prior = settings["probability_two_random_records_match"]
    return {step: max((share - prior * m.get(step, 0.0)) / (1 - prior), KEPT * share) for step, share in seen.items()}


def _weighted(settings: dict[str, Any], m: Mapping[Step, float], u: Mapping[Step, float]) -> dict[str, Any]:
    """Return the settings with these weights and no other."""
    weighted = deepcopy(settings)
    for one in weighted["comparisons"]:
        for level in one["comparison_levels"][1:]:
            step = _step(one, level)
            level.pop("m_probability", None)
            level["u_probability"] = rounded(u[step])
            if step in m:
                least = LEAST if step[1] == comparisons.OTHER else 0.0
                level["m_probability"] = rounded(max(m[step], least))
    return weighted
