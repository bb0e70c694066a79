"""Proposals over the API: shown without a value, decided by whoever reviews identities, undone by the same."""

import json

import pytest
from sqlmodel import col, select

from cdp import identity
from cdp.identity import explaining, graph
from cdp.identity.model import MatchProposal, Override
from cdp.profile.model import Subject
from tests.web.asking import ADA, BEN, CLEO, consent, kind
from tests.web.conftest import Site

PROPOSALS = "/api/identity/proposals"
LEVELS = {"given": "same", "family": "near", "birth": "same", "place": "unknown"}
SHOWN = {"id", "run", "model_version", "subjects", "probability", "log2_odds", "band", "levels", "vetoed", "sampled"}


@pytest.fixture
def reviewed(site: Site) -> Site:
    """Ada, Ben and Cleo, of whom the first two may be one, and the last two."""
    consent(site, ADA, BEN, CLEO)
    with site.deployment.database.transaction() as session:
        ada, ben, cleo = (identity.find_all(session, "email", "", mail)[0] for mail in (ADA, BEN, CLEO))
        for number, (one, other) in enumerate(((ada, ben), (ben, cleo)), 1):
            session.add(_proposal(number, one, other))
    return site


def _proposal(number: int, one: int, other: int) -> MatchProposal:
    return MatchProposal(
        id=number,
        run=1,
        model_version="a" * 64,
        subject_one=one,
        subject_other=other,
        log2_odds=12.5,
        probability=0.9998,
        band=0.999,
        levels=json.dumps(LEVELS),
        vetoed=False,
    )


def people(site: Site) -> list[int]:
    with site.deployment.database.snapshot() as session:
        return list(session.scalars(select(Subject.person).order_by(col(Subject.number))))


def word(site: Site, number: int, action: str, header: dict[str, str]):
    body = {"action": action, "reason": "the same customer card"}
    return site.browser.post(f"{PROPOSALS}/{number}/decision", json=body, headers=header)


def test_proposals_are_listed_by_steps_and_numbers_alone(reviewed: Site) -> None:
    header = reviewed.bearer("identity:review")
    answer = reviewed.browser.get(f"{PROPOSALS}?limit=1", headers=header).get_json()
    (shown,) = answer["data"]
    assert shown.keys() == SHOWN | {"state", "actor", "closed_at", "decision"}
    assert (shown["levels"], shown["state"], shown["subjects"]) == (LEVELS, "open", people(reviewed)[:2])
    (rest,) = reviewed.browser.get(f"{PROPOSALS}?after={answer['next_after']}", headers=header).get_json()["data"]
    assert rest["id"] == 2
    assert "@" not in json.dumps([answer, rest])


def test_accepted_joins_under_the_reviewer_s_name_and_undone_parts(reviewed: Site) -> None:
    header, before = reviewed.bearer("identity:review"), people(reviewed)
    answer = word(reviewed, 1, "accept", header)
    assert answer.status_code == 200 and answer.get_json()["state"] == "accepted"
    assert people(reviewed) == [before[0], before[0], before[2]]
    with reviewed.deployment.database.snapshot() as session:
        made = session.get(Override, answer.get_json()["decision"])
        assert made is not None and (made.kind, made.actor) == ("must", answer.get_json()["actor"])
    assert kind(word(reviewed, 1, "decline", header)) == (409, "proposal_closed")
    (left,) = [reviewed.browser.get(f"{PROPOSALS}/2", headers=header).get_json()]
    assert left["state"] == "gone", "Ben is not the person that he was"
    assert reviewed.browser.get(PROPOSALS, headers=header).get_json()["data"] == []
    assert kind(word(reviewed, 2, "accept", header)) == (409, "proposal_gone")
    undone = reviewed.browser.delete(f"{PROPOSALS}/1/decision", headers=header).get_json()
    assert (undone["state"], undone["decision"]) == ("open", None)
    assert people(reviewed) == before


def test_declined_joins_nobody_and_is_open_again_when_taken_back(reviewed: Site) -> None:
    header, before = reviewed.bearer("identity:review"), people(reviewed)
    assert word(reviewed, 1, "decline", header).get_json()["state"] == "declined"
    assert people(reviewed) == before
    assert reviewed.browser.delete(f"{PROPOSALS}/1/decision", headers=header).get_json()["state"] == "open"
    assert kind(reviewed.browser.delete(f"{PROPOSALS}/1/decision", headers=header)) == (409, "proposal_not_decided")


def test_a_reason_that_names_somebody_is_refused(reviewed: Site) -> None:
    body = {"action": "accept", "reason": f"I asked {ADA}"}
    header = reviewed.bearer("identity:review")
    answer = reviewed.browser.post(f"{PROPOSALS}/1/decision", json=body, headers=header)
    assert answer.status_code == 422 and ADA not in answer.get_data(as_text=True)
    assert reviewed.browser.get(f"{PROPOSALS}/1", headers=header).get_json()["state"] == "open"


def test_a_value_that_is_not_a_record_s_is_retracted_and_given_back(reviewed: Site) -> None:
    header = reviewed.bearer("identity:review")
    with reviewed.deployment.database.snapshot() as session:
        (key,) = [key for key in graph.keys_of(session, [1]) if key[0] == "email"]
        value = explaining.shown(session, key)
    body = {"subject": 1, "value": value, "reason": "typed by somebody else"}
    made = reviewed.browser.post("/api/identity/retractions", json=body, headers=header)
    assert made.status_code == 201 and "@" not in made.get_data(as_text=True)
    with reviewed.deployment.database.snapshot() as session:
        assert identity.find(session, "email", "", ADA) is None
    path = f"/api/identity/decisions/{made.get_json()['decision']}"
    assert reviewed.browser.delete(path, headers=header).status_code == 204
    with reviewed.deployment.database.snapshot() as session:
        assert identity.find(session, "email", "", ADA) == 1
    unknown = reviewed.browser.post("/api/identity/retractions", json=body | {"value": "email ●"}, headers=header)
    assert kind(unknown) == (404, "unknown_evidence")


def test_a_number_that_no_database_gives_is_nobodys(reviewed: Site) -> None:
    header = reviewed.bearer("identity:review")
    for path in (f"proposals/{2**31}", f"cases/{2**63}", f"cases/{10**25}"):
        assert reviewed.browser.get(f"/api/identity/{path}", headers=header).status_code == 404
    assert reviewed.browser.delete(f"/api/identity/decisions/{10**25}", headers=header).status_code == 404
