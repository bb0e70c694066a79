"""How good the proposals are on labelled people, without any strong identifier (identity.md 3.2, 6)."""

import pytest

from cdp.identity.proposals import Bounds, Model, propose, train
from cdp.identity.proposals.memory import holding
from cdp.identity.proposals.rules import has_grounds
from cdp.identity.proposals.scoring import score
from cdp.identity.proposals.veil import tokens
from tests.conftest import DEEP
from tests.figures import Figures
from tests.identity.proposals.conftest import OF_FEBRL
from tests.identity.proposals.crowd import Crowd, febrl, japan, merged

ENOUGH = 0.95


def test_all_likely_pairs_of_febrl3_closed_reach_what_plaintext_reached(
    febrl3: Crowd, model: Model, figures: Figures
) -> None:
    with holding(tokens(febrl3.people)) as chamber:
        pairs = score(chamber, model)
    found = febrl3.measured((one.a, one.b) for one in pairs if one.probability >= ENOUGH and has_grounds(one.levels))
    figures("proposals: FEBRL 3 without id, closure of one run at 0.95", **found)
    assert found["F1"] >= 0.979


def test_accepting_run_after_run_joins_febrl3(febrl3: Crowd, model: Model, figures: Figures) -> None:
    edges: list[tuple[int, int]] = []
    crowd, runs, first = febrl3 if DEEP else febrl3.first(0.4), 0, {}
    people = crowd.people
    while True:
        found = propose(people, model, OF_FEBRL)
        accepted = [(one.a, one.b) for one in found.proposals if one.probability >= ENOUGH]
        if not accepted:
            break
        runs, edges = runs + 1, edges + accepted
        first = first or crowd.measured(edges)
        people = merged(crowd.people, crowd.joined(edges))
    result = crowd.measured(edges)
    figures("proposals: FEBRL 3 without id, first run of mutual best pairs", **first)
    figures("proposals: FEBRL 3 without id, accepted run after run", **result, runs=runs)
    assert first["P"] >= 0.999
    assert result["F1"] >= 0.95
    assert result["P"] >= 0.995


def test_one_run_joins_febrl4(figures: Figures) -> None:
    crowd = febrl("dataset4a", "dataset4b").first(1.0 if DEEP else 0.2)
    found = propose(crowd.people, train(crowd.people, drawn=3_000_000 if DEEP else 300_000), OF_FEBRL)
    result = crowd.measured((one.a, one.b) for one in found.proposals if one.probability >= ENOUGH)
    figures("proposals: FEBRL 4 without id, one run of mutual best pairs at 0.95", **result)
    assert result["F1"] >= 0.95
    assert result["P"] >= 0.999


@pytest.mark.parametrize("size", [20_000 if DEEP else 1_500])
def test_namesakes_of_a_made_japan_stay_apart(size: int, figures: Figures) -> None:
    crowd = japan(size)
    found = propose(crowd.people, train(crowd.people, drawn=3_000_000 if DEEP else 300_000), Bounds(touched=0.2))
    assert not found.refusals
    result = crowd.measured((one.a, one.b) for one in found.proposals if one.probability >= ENOUGH)
    figures(f"proposals: {size:,} Japanese of 1,080 names, one run at 0.95", **result)
    assert result["P"] >= 0.98
    assert result["F1"] >= 0.85
