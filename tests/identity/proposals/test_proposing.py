"""Whom a run proposes, and whom it never does."""

from dataclasses import replace

import pytest

from cdp.identity.proposals import BANDS, Described, Model, Proposal, Run, propose
from cdp.identity.proposals.scoring import Pair, mutual_best
from tests.identity.proposals.conftest import OF_FEBRL
from tests.identity.proposals.crowd import Crowd

NAMED = Described(0, family="Quatermain", given="Zebulon")
MORETON = Described(0, family="Moreton", given="Thaddeus", birth_date="1971-03-17")
HOUSE = {"postal": "9911", "block": "77 Sekisho Crescent"}
KANJI = Described(0, family="関所", given="守", birth_date="1969-11-23")
KANA = {"kana_family": "セキショ", "kana_given": "マモル"}

CASES = {
    "only the name": (NAMED, NAMED),
    "name and birth": (MORETON, MORETON),
    "same name, another birth and place": (
        Described(0, family="Okonkwo", given="Philippa", birth_date="1950-01-02", postal="9001", block="1 Elm Row"),
        Described(0, family="Okonkwo", given="Philippa", birth_date="1988-09-30", postal="9442", block="5 Oak Way"),
    ),
    "twins": (
        Described(0, family="Vandermeer", given="Castor", birth_date="1977-07-07", **HOUSE),
        Described(0, family="Vandermeer", given="Pollux", birth_date="1977-07-07", **HOUSE),
    ),
    "kanji and kana": (
        replace(KANJI, postal="9888", block="箱根町1-2-3"),
        Described(0, **KANA, birth_date="1969-11-23", postal="9888", block="箱根町1-2-3"),
    ),
}
AT = {name: (900_000 + 10 * n, 900_001 + 10 * n) for n, name in enumerate(CASES)}


@pytest.fixture(scope="module")
def people(some: Crowd) -> list[Described]:
    """FEBRL, and the cases in its midst."""
    added = [
        replace(one, cluster=number) for name, pair in CASES.items() for one, number in zip(pair, AT[name], strict=True)
    ]
    return some.people + added


@pytest.fixture(scope="module")
def run(people: list[Described], model: Model) -> Run:
    return propose(people, model, OF_FEBRL)


def proposed(run: Run, name: str) -> Proposal | None:
    return next((one for one in run.proposals if (one.a, one.b) == AT[name]), None)


def test_a_name_alone_never_proposes(run: Run) -> None:
    assert proposed(run, "only the name") is None
    assert proposed(run, "same name, another birth and place") is None
    for one in run.proposals:
        assert {one.levels["birth"], one.levels["place"]} - {"other", "unknown"}


def test_a_name_and_a_date_of_birth_are_a_proposal(run: Run) -> None:
    found = proposed(run, "name and birth")
    assert found is not None
    assert found.levels == {"given": "same", "family": "same", "birth": "same", "place": "unknown"}
    assert not found.vetoed


def test_twins_are_shown_with_a_veto_and_not_discarded(run: Run) -> None:
    found = proposed(run, "twins")
    assert found is not None
    assert found.vetoed
    assert found.levels["given"] == "other"


def test_names_in_different_writings_do_not_disagree(run: Run) -> None:
    found = proposed(run, "kanji and kana")
    assert found is not None
    assert (found.levels["given"], found.levels["family"]) == ("unknown", "unknown")
    assert not found.vetoed


def test_each_person_is_in_one_proposal_at_most(run: Run) -> None:
    people = [number for one in run.proposals for number in (one.a, one.b)]
    assert len(people) == len(set(people)) == run.counts["touched"]


def test_a_run_counts_what_it_found_and_names_its_model(run: Run, people: list[Described], model: Model) -> None:
    assert run.counts["people"] == len(people)
    assert run.counts["proposed"] == len(run.proposals) == sum(run.counts[f"from {start}"] for start in BANDS)
    assert {one.model_version for one in run.proposals} == {run.model_version} == {model.version}
    assert all(one.band <= one.probability for one in run.proposals)


def test_nothing_that_describes_a_person_is_in_a_repr(run: Run) -> None:
    assert repr(MORETON) == "Described(cluster=0)"
    shown = repr(run).casefold()
    assert not any(value in shown for value in ("quatermain", "moreton", "1971-03-17", "関所", "sekisho"))


def test_only_pairs_that_are_best_for_both_are_kept() -> None:
    def pair(a: int, b: int, odds: float) -> Pair:
        return Pair(a, b, odds, 0.99, {})

    kept = mutual_best([pair(1, 2, 5.0), pair(2, 3, 9.0), pair(3, 4, 7.0), pair(4, 5, 2.0), pair(6, 7, 1.0)])
    assert [(one.a, one.b) for one in kept] == [(2, 3), (6, 7)]


def test_equal_pairs_are_taken_in_the_order_of_their_numbers() -> None:
    kept = mutual_best([Pair(a, b, 3.0, 0.9, {}) for a, b in ((2, 3), (1, 3), (1, 2))])
    assert [(one.a, one.b) for one in kept] == [(1, 2)]
