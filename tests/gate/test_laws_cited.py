"""An answer names the articles that it truly rests on."""

from dataclasses import replace

import pytest

from cdp.gate import reasons
from cdp.gate.decide import decide
from cdp.gate.question import Beyond, Decision, Reach, Requester
from cdp.policy.terms import Basis, Law
from tests.policy.shipped import DAY, answer, consent, person, reach, terms, use, with_purpose

RIGHTS = use("subject_rights", "subject")


def _cited(decision: Decision) -> set[str]:
    return {f"{law} {one}" for said in decision.reasons for law, one in reasons.references(said.law, said.article)}


def _by_phone():
    return replace(terms().purposes["support"], kind="direct_marketing", advertising=True)


@pytest.mark.parametrize(("country", "article"), [("DE", "EPRIVACY 13(3)"), ("JP", "ASCT 17")])
def test_calls_that_were_refused_are_spoken_of_by_the_law_of_calls(country: str, article: str) -> None:
    who = person(country, Reach("phone", suppressed=("do_not_call",)))
    decision = answer(who, use("support", "staff", "phone"), of=with_purpose(_by_phone()))
    assert decision.first_refusal == "do_not_call"
    assert article in _cited(decision)


def test_a_disclosure_is_written_down_to_tell_whom_and_to_tell_them() -> None:
    assert reasons.cited_by("log_disclosure") == ("GDPR 5(2)", "GDPR 15(1)(c)", "GDPR 19")


@pytest.mark.parametrize(("country", "ground"), [("FR", "mail_to_entity"), ("DE", "")])
def test_mail_to_a_legal_entity_names_the_ground_that_its_country_gives(country: str, ground: str) -> None:
    interests = Basis("legitimate_interests", assessment="LIA-1", reviewed=DAY)
    bases = ((Law.GDPR, interests), (Law.APPI, Basis("notified_purpose")))
    policy = with_purpose(replace(terms().purposes["email_marketing"], bases=bases))
    decision = answer(person(country, Reach("email", address="entity")), use("email_marketing", "ma_tool"), of=policy)
    assert decision.allow is bool(ground)
    assert ("EPRIVACY 13(5)" in _cited(decision)) is bool(ground)


def test_joint_use_of_pseudonymised_information_says_why_it_is_no_provision() -> None:
    policy = with_purpose(replace(terms().purposes["customer_care_insight"], data_class="pseudonymised"))
    decision = answer(person("JP", reach("none")), use("customer_care_insight", "group_company"), of=policy)
    assert decision.allow
    assert {"APPI 41(6)", "APPI Q&A 14-18"} <= _cited(decision)


def test_an_inferred_special_category_names_the_case_that_says_so() -> None:
    who = person("DE", way := reach("email", consent("email_marketing")))
    decision = decide(terms(), use("email_marketing", "ma_tool"), who, way, DAY, Beyond(frozenset({"belief"})))
    assert "GDPR C-184/20" in _cited(decision)


@pytest.mark.parametrize("state", ["erasing", "restricted", "held", "deceased"])
def test_somebody_unverified_learns_nothing_of_whom_they_ask_about(state: str) -> None:
    asks = Beyond(requester=Requester(verified=False))
    decision = decide(terms(), RIGHTS, person("DE", **{state: True}), None, DAY, asks)
    assert decision.first_refusal == "requester_unverified"
