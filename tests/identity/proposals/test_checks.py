"""What is not believed is not published, and nothing is accepted by itself unless all of the guards agree."""

import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from cdp.errors import Problem, Refusal
from cdp.identity.proposals import BANDS, SENTENCES, Bounds, Model, Sample, band, may_accept, propose
from cdp.identity.proposals.refusals import problem
from cdp.identity.proposals.rules import has_grounds, vetoed
from tests.identity.proposals.conftest import OF_FEBRL
from tests.identity.proposals.crowd import Crowd


def weighing(model: Model, name: str, step: str, **weights: float | None) -> Model:
    """Return the model with other weights of one step; None takes one away."""
    settings: dict[str, Any] = deepcopy(dict(model.settings))
    for one in settings["comparisons"]:
        for level in one["comparison_levels"]:
            if (one["output_column_name"], level["label_for_charts"]) == (name, step):
                level |= {f"{key}_probability": value for key, value in weights.items() if value}
                for key in (key for key, value in weights.items() if value is None):
                    level.pop(f"{key}_probability")
    return replace(model, settings=settings)


def expecting(model: Model, prior: float) -> Model:
    return replace(model, settings={**model.settings, "probability_two_random_records_match": prior})


DOUBTS: dict[str, Callable[[Model], Model | None]] = {
    "not_trained": lambda model: None,
    "other_tokens": lambda model: replace(model, tokens=0),
    "prior_out_of_range": lambda model: expecting(model, 0.01),
    "level_not_observed": lambda model: weighing(model, "birth", "same", m=None),
    "agreement_speaks_against": lambda model: weighing(model, "place", "area", m=0.0001),
    "difference_speaks_for": lambda model: weighing(model, "given", "other", m=0.999),
}
BOUNDS = {
    "cluster_too_large": Bounds(most=2.0, touched=1.0, largest=5),
    "too_many_touched": Bounds(most=2.0, largest=10),
}


@pytest.mark.parametrize("code", DOUBTS)
def test_a_model_that_learnt_nonsense_proposes_nothing(code: str, model: Model) -> None:
    run = propose([], DOUBTS[code](model), OF_FEBRL)
    assert [one.reason for one in run.refusals] == [code]
    assert not run.published
    assert run.proposals == ()


def test_hardly_any_expected_match_is_out_of_range_too(model: Model) -> None:
    assert propose([], expecting(model, 1e-9), OF_FEBRL).refusals == (Refusal("prior_out_of_range", "2.5e-06"),)


@pytest.mark.parametrize("code", BOUNDS)
def test_too_much_at_once_is_counted_and_not_published(code: str, some: Crowd, model: Model) -> None:
    run = propose(some.people, model, BOUNDS[code])
    assert [one.reason for one in run.refusals] == [code]
    assert run.proposals == ()
    assert run.counts["proposed"] > 100


def test_every_refusal_has_a_sentence_in_both_languages_and_is_tried() -> None:
    raised = {"proposals_not_installed", "proposals_too_large", "too_few", "name_alone"}
    raised |= {"proposals_off", "no_purpose", "model_changed"}
    assert set(SENTENCES) == set(DOUBTS) | set(BOUNDS) | raised
    for code, said in SENTENCES.items():
        assert said.en.endswith(".") and said.ja.endswith("。")
        assert re.search("[ぁ-ん]", said.ja), code
        assert isinstance(problem(code), Problem)


def test_a_step_that_teaches_nothing_is_refused_with_its_name(model: Model) -> None:
    run = propose([], weighing(model, "family", "near", m=None), OF_FEBRL)
    assert run.refusals == (Refusal("level_not_observed", "family: near"),)


@pytest.mark.parametrize(
    ("probability", "start"),
    [(0.49, None), (0.5, 0.5), (0.8999, 0.5), (0.9, 0.9), (0.95, 0.95), (0.99, 0.99), (0.999, 0.999), (1.0, 0.999)],
)
def test_bands_begin_where_they_say(probability: float, start: float | None) -> None:
    assert band(probability) == start
    assert start is None or start in BANDS


AGREE = {"given": "same", "family": "same", "birth": "same", "place": "unknown"}


@pytest.mark.parametrize(
    ("change", "grounds", "veto"),
    [
        ({}, True, False),
        ({"birth": "unknown"}, False, False),
        ({"birth": "other", "place": "area"}, True, False),
        ({"given": "other"}, True, True),
        ({"given": "unknown"}, True, False),
        ({"given": "unknown", "birth": "unknown", "place": "same"}, True, True),
        ({"family": "other"}, True, False),
    ],
)
def test_a_name_is_no_ground_and_a_household_is_a_veto(change: dict[str, str], grounds: bool, veto: bool) -> None:
    levels = {**AGREE, **change}
    assert has_grounds(levels) is grounds
    assert vetoed(levels) is veto


ENOUGH = Sample("v1", reviewed=765, right=765)


@pytest.mark.parametrize(
    ("probability", "levels", "sample", "turned_on", "accepted"),
    [
        (0.9995, AGREE, ENOUGH, True, True),
        (0.9995, AGREE, ENOUGH, False, False),
        (0.9989, AGREE, ENOUGH, True, False),
        (0.9995, AGREE | {"given": "other"}, ENOUGH, True, False),
        (0.9995, AGREE | {"given": "unknown"}, ENOUGH, True, False),
        (0.9995, AGREE | {"birth": "unknown"}, ENOUGH, True, False),
        (0.9995, AGREE, None, True, False),
        (0.9995, AGREE, Sample("v0", 765, 765), True, False),
        (0.9995, AGREE, Sample("v1", 764, 764), True, False),
        (0.9995, AGREE, Sample("v1", 765, 764), True, False),
        (0.9995, AGREE, Sample("v1", 0, 0), True, False),
        (0.9995, AGREE, Sample("v1", 3000, 2993), True, True),
    ],
)
def test_accepting_by_itself_needs_every_guard(
    probability: float, levels: dict[str, str], sample: Sample | None, turned_on: bool, accepted: bool
) -> None:
    assert may_accept(probability, levels, "v1", sample, turned_on) is accepted


def test_accepting_by_itself_is_off() -> None:
    assert not may_accept(1.0, AGREE, "v1", ENOUGH)
