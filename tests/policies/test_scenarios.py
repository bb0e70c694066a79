"""The scenarios that ship are answered as they say, each shows something, and none of the rules is without one."""

from dataclasses import replace

import pytest

from cdp.gate.rehearsal import coverage, decisive, play
from cdp.gate.rehearsal.opposites import opposites
from cdp.ops.commands.scenarios import ALSO
from cdp.policy.documents import overlaid
from cdp.policy.loading import vary
from cdp.policy.terms import Scenario
from tests.policy.shipped import DAY, terms

_ON_WEB = {"purpose": "ads_sharing", "recipient": "ad_platform", "channel": "web", "given": {}, "about": ""}
_NOTHING = {"reasons": [], "references": [], "obligations": [], "no_obligations": [], "basis": [], "categories": []}
_SAID = {
    "status": "given",
    "purpose": "ads_sharing",
    "channel": "web",
    "notice": "cookies",
    "method": "checkbox",
    "act": True,
    "verified": False,
    "public": True,
    "evidence": "full",
    "by": "subject",
    "brand": "",
    "record": 1,
}


def _scenario(given: dict[str, object], **more: object) -> Scenario:
    ask = {**_ON_WEB, **_NOTHING, "then": "allow", "because": ""}
    tree = {"declares": {}, "unsound": [], "references": [], "people": {}, "given": given, "asks": [ask], **more}
    return Scenario("scenarios/x.yaml", "x", tree)


@pytest.mark.parametrize("scenario", terms().scenarios, ids=lambda one: one.name)
def test_a_scenario_is_answered_as_it_says(scenario: Scenario) -> None:
    assert play(terms(), scenario, DAY, ALSO).failures == ()


@pytest.mark.parametrize("scenario", terms().scenarios, ids=lambda one: one.name)
def test_the_opposite_of_one_of_its_facts_changes_an_answer(scenario: Scenario) -> None:
    assert decisive(terms(), scenario, DAY, ALSO) is not None


def test_every_rule_has_a_question_that_it_alone_decides() -> None:
    assert [rule for rule, questions in coverage(terms(), DAY, ALSO).items() if not questions] == []


def test_what_a_browser_said_counts_for_its_device_alone() -> None:
    assert play(terms(), _scenario({"country": "DE", "said": [_SAID]}), DAY).failures == ()
    by_mail = {**_SAID, "purpose": "line_marketing", "channel": "line", "notice": "line"}
    asked = {
        **_NOTHING,
        "purpose": "line_marketing",
        "recipient": "ma_tool",
        "channel": "line",
        "given": {},
        "about": "",
    }
    scenario = _scenario(
        {"country": "DE", "said": [by_mail]}, asks=[{**asked, "then": "deny", "because": "no_consent"}]
    )
    assert play(terms(), scenario, DAY).failures == ()


def test_a_scenario_may_say_its_day() -> None:
    late = terms().recipients["ad_platform"].transfers[0][1].checked
    assert late is not None
    scenario = _scenario({"country": "DE", "said": [_SAID]}, on=late.replace(year=late.year + 2))
    assert play(terms(), scenario, DAY).answers[0].because == "transfer"


def test_no_opposite_leaves_out_what_a_statement_cannot_be_without() -> None:
    scenario = _scenario({"country": "DE", "said": [_SAID]})
    for fact, tree in opposites(scenario.tree):
        for said in tree["given"].get("said", []):
            assert {"status", "purpose", "method", "act", "evidence"} <= set(said), fact
        play(terms(), replace(scenario, tree=tree), DAY)


def test_the_front_matter_of_a_notice_can_be_said_otherwise() -> None:
    said = {f"notices/line.1.{language}.md": {"purposes+": ["support"]} for language in ("ja", "en")}
    policy, wrong = vary(terms(), [said], DAY)
    assert policy is not None and wrong == []
    assert policy.notices["line", "1", "ja"].purposes == ("line_marketing", "support")
    assert policy.notices["line", "1", "ja"].body == terms().notices["line", "1", "ja"].body
    assert overlaid(terms().documents, {"notices/none.1.ja.md": {"purposes": []}}).notices["notices/none.1.ja.md"] == ""


def test_consent_to_a_transfer_needs_a_notice_that_tells_of_its_risks() -> None:
    said = {"recipients/ad_platform.yaml": {"delivery": "once", "transfers": {"GDPR": {"kind": "art49"}}}}
    _, wrong = vary(terms(), [said], DAY)
    assert {line.rpartition(" ")[2] for line in wrong} == {"transfer_risks"}


def test_a_standard_s_articles_stand_under_its_own_name() -> None:
    assert "J.8.7" in terms().articles["PMARK"]
    assert "J.8.7" not in terms().articles["APPI"]
