"""The policies that ship keep what the product promises, and every example in them is true."""

from datetime import date

import pytest

from cdp import audience
from cdp.gate.rehearsal import check, rehearse, run
from cdp.journey import declared
from cdp.ops.commands.scenarios import ALSO
from cdp.policy.terms import Law
from tests.policy.shipped import DAY, FOLDER, terms

PURPOSES = (
    "service_delivery support email_marketing line_marketing personalisation "
    "analytics customer_care_insight ads_sharing"
)
RECIPIENTS = "ma_tool ma_tool_us ad_platform group_company cloud_host staff subject"
AUDIENCES = "everyone recent_buyers cart_abandoners lapsed_buyers high_value birthday_today"


@pytest.mark.parametrize("example", terms().examples, ids=lambda example: example.where)
def test_an_example_of_the_policies_is_answered_as_it_says(example) -> None:
    assert run(terms(), example, DAY) == ""


def test_checking_the_folder_finds_nothing() -> None:
    assert check(FOLDER, DAY, ALSO) == []


def test_an_example_that_is_wrong_is_reported_with_both_answers() -> None:
    lines = rehearse(terms(), date(2029, 1, 1))
    assert any("expected allow; the answer is deny, because supervision_overdue" in line for line in lines)


def test_everything_that_was_promised_is_declared() -> None:
    assert set(PURPOSES.split()) <= set(terms().purposes)
    assert set(RECIPIENTS.split()) <= set(terms().recipients)
    assert set(AUDIENCES.split()) <= set(terms().audiences)
    assert {"standard", "considered_purchase"} <= set(terms().journeys)
    assert {notice.language for notice in terms().notices.values()} == {"ja", "en"}


def test_every_purpose_has_a_basis_under_every_law() -> None:
    for purpose in terms().purposes.values():
        assert {law for law, _ in purpose.bases} == set(Law), purpose.name


def test_audiences_and_journeys_can_be_read() -> None:
    assert audience.check(terms()) == []
    assert declared.check(terms()) == []


def test_a_clear_slot_never_holds_what_identifies() -> None:
    for term in terms().traits.values():
        if term.slot:
            assert not terms().categories[term.category]["direct"]


@pytest.mark.parametrize(
    ("country", "laws"),
    [
        ("DE", Law.GDPR),
        ("NO", Law.GDPR),
        ("GB", Law.GDPR),
        ("JP", Law.APPI),
        ("", Law.GDPR | Law.APPI),
        ("US", Law.GDPR | Law.APPI),
    ],
)
def test_residence_says_which_law_protects_and_nobody_goes_without(country: str, laws: Law) -> None:
    from cdp.gate.laws import laws_for

    assert laws_for(terms(), country) == laws
