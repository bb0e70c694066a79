"""The GDPR with ePrivacy, case by case (law.md, C and E)."""

from dataclasses import replace
from datetime import date

import pytest

from cdp.policy.terms import Basis, Law
from tests.policy.shipped import answer, codes, consent, person, reach, terms, use, with_purpose, with_recipient

MAIL = use("email_marketing", "ma_tool")


@pytest.mark.parametrize(
    ("customer", "said", "first"),
    [
        (True, None, ""),
        (True, "given", ""),
        (True, "requested", ""),
        (True, "expired", ""),
        (True, "unknown", ""),
        (True, "refused", "refused"),
        (True, "withdrawn", "withdrawn"),
        (False, None, "no_consent"),
        (False, "given", ""),
        (False, "requested", "unconfirmed"),
        (False, "expired", "expired"),
        (False, "unknown", "unproven"),
        (False, "invalidated", "invalidated"),
        (False, "refused", "refused"),
        (False, "withdrawn", "withdrawn"),
        (False, "something new", "unproven"),
    ],
)
def test_e_mail_in_the_eu_needs_consent_or_a_customer_who_never_said_no(
    customer: bool, said: str | None, first: str
) -> None:
    way = reach("email", *([consent("email_marketing", said)] if said else []))
    assert answer(person("DE", way, customer=customer), MAIL).first_refusal == first


@pytest.mark.parametrize("silenced", ["unsubscribe", "objection", "complaint", "bounce", "erasure"])
def test_a_soft_opt_in_ends_where_the_contact_point_is_silent(silenced: str) -> None:
    assert not answer(person("DE", reach("email", suppressed=(silenced,)), customer=True), MAIL).allow


def test_a_soft_opt_in_is_for_our_own_goods_only() -> None:
    policy = with_recipient(replace(terms().recipients["ma_tool"], role="third_party"))
    decision = answer(person("DE", reach("email"), customer=True), MAIL, of=policy)
    assert "no_consent" in codes(decision)
    assert "third_party" in codes(decision)


@pytest.mark.parametrize(
    ("country", "age", "by_guardian", "first"),
    [
        ("AT", 14, False, ""),
        ("DE", 14, False, "child"),
        ("FR", 14, False, "child"),
        ("BE", 14, False, ""),
        ("DE", 13, True, ""),
        ("DE", 16, True, ""),
        ("DK", 14, False, "child"),
        ("NO", 13, False, ""),
        ("", 15, False, "child"),
        ("DE", None, False, ""),
    ],
)
def test_below_the_country_s_age_a_guardian_consents(
    country: str, age: int | None, by_guardian: bool, first: str
) -> None:
    way = reach("email", consent("email_marketing", by_guardian=by_guardian))
    assert answer(person(country, way, age=age), MAIL).first_refusal == first


def test_a_child_s_purchase_is_no_soft_opt_in() -> None:
    assert codes(answer(person("DE", reach("email"), customer=True, age=15), MAIL)) == ["child"]


def test_a_child_who_withdraws_overrides_the_guardian() -> None:
    way = reach("email", consent("email_marketing", "withdrawn", by_guardian=True))
    assert "withdrawn" in codes(answer(person("DE", way, age=15), MAIL))


@pytest.mark.parametrize(
    ("purpose", "recipient", "allowed"),
    [
        ("email_marketing", "ma_tool", False),
        ("ads_sharing", "ad_platform", False),
        ("personalisation", "staff", False),
        ("service_delivery", "ma_tool", True),
        ("support", "staff", True),
        ("analytics", "staff", True),
        ("subject_rights", "subject", True),
    ],
)
def test_an_objection_ends_marketing_and_its_profiling_and_nothing_else(
    purpose: str, recipient: str, allowed: bool
) -> None:
    what = use(purpose, recipient)
    way = reach(what.channel, consent(purpose))
    decision = answer(person("DE", way, objections=("direct_marketing",)), what)
    assert decision.allow is allowed
    assert allowed or decision.first_refusal == "objected"


@pytest.mark.parametrize("purpose", [name for name in terms().purposes if name != "subject_rights"])
def test_a_restriction_ends_every_use_but_the_person_s_own(purpose: str) -> None:
    what = use(purpose, terms().purposes[purpose].recipients[0])
    way = reach(what.channel, consent(purpose))
    assert answer(person("DE", way, restricted=True), what).first_refusal == "restricted"


def test_a_restricted_person_still_sees_their_own_data() -> None:
    assert answer(person("DE", restricted=True), use("subject_rights", "subject")).allow
    assert answer(person("DE", reach("email"), restricted=True), use("service_delivery", "subject")).allow


def test_an_objection_to_one_interest_leaves_the_others() -> None:
    who = person("DE", reach("email"), objections=("legitimate_interests:support",))
    assert codes(answer(who, use("support", "staff"))) == ["interests_objected"]
    assert answer(who, use("customer_care_insight", "staff")).allow


@pytest.mark.parametrize(
    ("reviewed", "on", "allowed"),
    [
        (date(2025, 6, 1), date(2026, 6, 1), True),
        (date(2025, 6, 1), date(2026, 6, 2), False),
        (date(2026, 6, 2), date(2026, 6, 1), False),
        (date(2024, 5, 31), date(2025, 5, 31), True),
        (date(2024, 5, 31), date(2025, 6, 1), False),
        (None, date(2026, 6, 1), False),
    ],
)
def test_interests_hold_for_twelve_months_after_their_review(reviewed: date | None, on: date, allowed: bool) -> None:
    basis = Basis("legitimate_interests", assessment="LIA", reviewed=reviewed)
    purpose = replace(terms().purposes["customer_care_insight"], bases=((Law.GDPR, basis),))
    assert answer(person("DE"), use(purpose.name, "staff"), on, with_purpose(purpose)).allow is allowed


def test_interests_carry_no_special_category() -> None:
    categories = {**terms().categories, "membership": {"gdpr_class": "special_9", "appi_class": "ordinary"}}
    decision = answer(person("DE"), use("customer_care_insight", "staff"), of=replace(terms(), categories=categories))
    assert codes(decision) == ["special_category"]


@pytest.mark.parametrize("kind", ["legal_obligation", "contract"])
def test_a_basis_swapped_to_interests_does_not_revive_a_withdrawn_consent_to_mail(kind: str) -> None:
    basis = Basis("legitimate_interests", assessment="LIA", reviewed=date(2026, 5, 1))
    purpose = replace(terms().purposes["email_marketing"], bases=((Law.GDPR, basis),))
    way = reach("email", consent("email_marketing", "withdrawn"))
    assert codes(answer(person("DE", way), MAIL, of=with_purpose(purpose))) == ["withdrawn"]


@pytest.mark.parametrize(("channel", "notice"), [("ads", "ads"), ("web", "cookies")])
def test_consent_to_a_third_party_must_name_it(channel: str, notice: str) -> None:
    what = use("ads_sharing", "ad_platform", channel)
    who = person("DE", reach(channel, consent("ads_sharing", notice=notice)))
    assert answer(who, what).allow
    silent = {key: replace(one, recipients=()) for key, one in terms().notices.items()}
    assert codes(answer(who, what, of=replace(terms(), notices=silent))) == ["needs_reconsent"]


def test_a_notice_that_nobody_knows_proves_nothing() -> None:
    who = person("DE", reach("email", consent("email_marketing", notice="made up")))
    assert "unproven" in codes(answer(who, MAIL))


def test_a_reported_state_opens_no_contact_channel() -> None:
    way = reach("email", consent("email_marketing", explicit=False))
    assert "unproven" in codes(answer(person("DE", way), MAIL))
    web = reach("web", consent("personalisation", explicit=False))
    assert answer(person("DE", web), use("personalisation", "staff")).allow


@pytest.mark.parametrize("purpose", ["analytics", "personalisation"])
def test_a_device_is_read_only_with_consent_whatever_the_basis(purpose: str) -> None:
    basis = Basis("legitimate_interests", assessment="LIA", reviewed=date(2026, 5, 1))
    policy = with_purpose(replace(terms().purposes[purpose], bases=((Law.GDPR, basis),)))
    decision = answer(person("DE"), use(purpose, "staff"), of=policy)
    assert [(one.code, one.law) for one in decision.reasons] == [("no_consent", "EPRIVACY")]


@pytest.mark.parametrize(
    ("country", "allowed"), [("JP", True), ("DE", True), ("GB", True), ("KR", True), ("US", False), ("CN", False)]
)
def test_data_go_only_where_protection_is_adequate_or_safeguarded(country: str, allowed: bool) -> None:
    policy = with_recipient(replace(terms().recipients["ma_tool"], country=country))
    decision = answer(person("DE", reach("email"), customer=True), MAIL, of=policy)
    assert decision.allow is allowed
    assert allowed or codes(decision) == ["transfer"]


def test_adequacy_ends_with_its_last_day() -> None:
    receiver = replace(terms().recipients["ma_tool"], country="GB", contract_until=None, supervised=date(2031, 12, 1))
    who = person("DE", reach("email"), customer=True)
    assert answer(who, MAIL, date(2031, 12, 27), with_recipient(receiver)).allow
    assert codes(answer(who, MAIL, date(2031, 12, 28), with_recipient(receiver))) == ["transfer"]


def test_a_guardian_s_consent_carries_on_when_the_child_has_come_of_age() -> None:
    way = reach("email", consent("email_marketing", by_guardian=True, age=13))
    decision = answer(person("DE", way, age=16), MAIL)
    assert [one.code for one in decision.reasons] == ["consent", "guardian_consent"]
    alone = reach("email", consent("email_marketing", age=13))
    assert codes(answer(person("DE", alone, age=16), MAIL)) == ["child"]


def test_a_host_is_a_processor_under_the_gdpr() -> None:
    what = use("service_delivery", "cloud_host")
    policy = with_recipient(replace(terms().recipients["cloud_host"], country="US"))
    assert codes(answer(person("DE", reach("email")), what, of=policy)) == ["transfer"]
    assert answer(person("JP", reach("email")), what, of=policy).allow


@pytest.mark.parametrize(("purpose", "allowed"), [("analytics", False), ("personalisation", True)])
def test_a_browser_s_signal_overrides_consent_to_analytics_and_ads(purpose: str, allowed: bool) -> None:
    what = use(purpose, "staff")
    decision = answer(person("DE", reach(what.channel, consent(purpose)), gpc=True), what)
    assert decision.allow is allowed
    assert allowed or codes(decision) == ["gpc"]


def test_an_allowed_use_says_on_what_it_rests() -> None:
    soft = answer(person("DE", reach("email"), customer=True), MAIL)
    assert [one.code for one in soft.reasons] == ["soft_opt_in"]
    assert soft.bases == ("eprivacy:A13-2",)
    assert soft.obligations == ("identify_sender_and_offer_opt_out", "log_disclosure")
    asked = answer(person("DE", reach("email", consent("email_marketing"))), MAIL)
    assert [one.code for one in asked.reasons] == ["consent"]
    assert asked.bases == ("eu-gdpr:A6-1-a",)
    assert not any(one.deny for one in asked.reasons)


def test_a_customer_s_soft_opt_in_is_for_our_own_goods_alone() -> None:
    own = terms().purposes["email_marketing"]
    interests = Basis("legitimate_interests", assessment="LIA", reviewed=date(2026, 4, 1))
    others = replace(own, bases=tuple((law, interests if law is Law.GDPR else basis) for law, basis in own.bases))
    customer = person("DE", reach("email"), customer=True)
    assert answer(customer, MAIL).allow
    refused = answer(customer, MAIL, of=with_purpose(others))
    assert [(one.code, one.law, one.article) for one in refused.reasons] == [("no_consent", "EPRIVACY", "13(1)")]
