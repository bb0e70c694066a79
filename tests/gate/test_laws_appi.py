"""The APPI and the Japanese law of advertising mail, case by case (law.md, D and E)."""

from dataclasses import replace
from datetime import date

import pytest

from cdp.gate.decide import decide
from cdp.gate.question import Beyond
from cdp.policy.loading import vary
from cdp.policy.terms import Basis, Law, Transfer
from tests.policy.shipped import DAY, answer, codes, consent, person, reach, terms, use, with_purpose, with_recipient

MAIL = use("email_marketing", "ma_tool")
US = use("email_marketing", "ma_tool_us")
ADS = use("ads_sharing", "ad_platform", "ads")


@pytest.mark.parametrize(
    "purpose", ["personalisation", "analytics", "customer_care_insight", "support", "service_delivery"]
)
def test_a_notified_purpose_needs_no_consent_in_japan(purpose: str) -> None:
    what = use(purpose, "staff")
    assert answer(person("JP", reach(what.channel)), what).allow


def test_a_purpose_holds_from_the_day_it_was_told() -> None:
    notices = {key: replace(one, published=date(2026, 6, 1)) for key, one in terms().notices.items()}
    policy = replace(terms(), notices=notices)
    what = use("personalisation", "staff")
    assert codes(answer(person("JP"), what, date(2026, 5, 31), policy)) == ["out_of_purpose"]
    assert answer(person("JP"), what, date(2026, 6, 2), policy).allow


def test_data_collected_for_shipping_are_not_for_marketing() -> None:
    who = person("JP", reach("email", consent("email_marketing")), collected_for=("service_delivery",))
    assert codes(answer(who, MAIL)) == ["out_of_purpose"]
    assert answer(who, use("service_delivery", "ma_tool")).allow


def test_a_changed_purpose_holds_from_the_day_on_which_the_change_was_told() -> None:
    change = {"purposes/personalisation.yaml": {"extends": [{"purpose": "service_delivery", "told": "2026-06-01"}]}}
    what = use("personalisation", "staff")
    who = person("JP", collected_for=("service_delivery",))
    versions = {day: vary(terms(), [change], day) for day in (date(2026, 5, 31), date(2026, 6, 1))}
    before, since = (policy for policy, _ in versions.values())
    assert before is not None and since is not None and before.digest != since.digest
    assert codes(answer(who, what, date(2026, 5, 31), before)) == ["out_of_purpose"]
    told = answer(who, what, date(2026, 6, 1), since)
    assert told.allow
    assert [(one.code, one.article) for one in told.reasons][-1] == ("changed_purpose", "17(2), 21(3)")


@pytest.mark.parametrize(
    ("customer", "said", "first"),
    [
        (True, None, "no_consent"),
        (False, None, "no_consent"),
        (False, "given", ""),
        (True, "requested", "unconfirmed"),
        (True, "refused", "refused"),
        (True, "withdrawn", "withdrawn"),
        (True, "expired", "expired"),
        (True, "unknown", "no_optin_record"),
    ],
)
def test_advertising_mail_in_japan_needs_request_or_consent_on_record(
    customer: bool, said: str | None, first: str
) -> None:
    way = reach("email", *([consent("email_marketing", said)] if said else []))
    assert answer(person("JP", way, customer=customer), MAIL).first_refusal == first


def test_what_is_asked_beyond_the_items_lies_outside_the_joint_use() -> None:
    what = use("customer_care_insight", "group_company")
    within, outside = (Beyond(categories=frozenset({name})) for name in ("membership", "health"))
    assert decide(terms(), what, person("JP"), None, DAY, within).allow
    refused = decide(terms(), what, person("JP"), None, DAY, outside)
    assert codes(refused) == ["category_not_declared", "outside_joint_use"]


def test_a_reported_state_is_no_record_of_a_request() -> None:
    way = reach("email", consent("email_marketing", explicit=False))
    assert codes(answer(person("JP", way), MAIL)) == ["no_optin_record"]


def test_messages_about_an_order_pass_an_unsubscribe() -> None:
    way = reach("email", suppressed=("unsubscribe", "objection"))
    assert answer(person("JP", way, customer=True), use("service_delivery", "ma_tool")).allow


@pytest.mark.parametrize("silenced", ["complaint", "bounce", "erasure"])
def test_a_dead_or_hostile_address_stays_silent_for_service_too(silenced: str) -> None:
    way = reach("email", suppressed=(silenced,))
    assert not answer(person("JP", way, customer=True), use("service_delivery", "ma_tool")).allow


@pytest.mark.parametrize(
    ("purpose", "recipient", "allowed"),
    [
        ("ads_sharing", "ad_platform", False),
        ("email_marketing", "ma_tool", False),
        ("line_marketing", "ma_tool", False),
        ("personalisation", "staff", True),
        ("service_delivery", "ma_tool", True),
    ],
)
def test_a_minor_needs_a_guardian_only_for_acts_of_consent(purpose: str, recipient: str, allowed: bool) -> None:
    what = use(purpose, recipient)
    alone = answer(person("JP", reach(what.channel, consent(purpose)), age=13), what)
    assert alone.allow is allowed
    assert allowed or codes(alone) == ["child"]
    guarded = answer(person("JP", reach(what.channel, consent(purpose, by_guardian=True)), age=13), what)
    assert guarded.allow


def test_a_processor_inside_the_purpose_is_no_third_party() -> None:
    decision = answer(person("JP", reach("email", consent("email_marketing"))), MAIL)
    assert [one.code for one in decision.reasons] == ["notified_purpose", "entrustment"]
    assert "supervise_entrustee" in decision.obligations
    assert "record_provision_three_years" not in decision.obligations


def test_a_processor_that_uses_the_data_for_itself_is_a_third_party() -> None:
    policy = with_recipient(replace(terms().recipients["ma_tool"], role="third_party"))
    assert codes(answer(person("JP", reach("none")), use("analytics", "ma_tool"), of=policy)) == ["third_party"]


@pytest.mark.parametrize(
    ("purpose", "allowed"), [("customer_care_insight", True), ("analytics", False), ("personalisation", False)]
)
def test_joint_use_reaches_as_far_as_it_was_notified(purpose: str, allowed: bool) -> None:
    declared = terms().purposes[purpose]
    policy = with_purpose(replace(declared, recipients=(*declared.recipients, "group_company")))
    what = use("customer_care_insight", "group_company")
    if not allowed:
        moved = replace(what, index=len(policy.uses), purpose=purpose, channel=declared.channels[0])
        policy = replace(policy, uses=(*policy.uses, moved))
        what = moved
    decision = answer(person("JP"), what, of=policy)
    assert decision.allow is allowed
    assert allowed or codes(decision)[0] == "outside_joint_use"


@pytest.mark.parametrize(
    ("country", "transfer", "first"),
    [
        ("JP", None, ""),
        ("FR", None, ""),
        ("GB", None, ""),
        ("US", None, "foreign_third_party"),
        ("US", Transfer("scc", "x", date(2026, 5, 1)), "foreign_third_party"),
        ("US", Transfer("jp_equivalent", "x", date(2025, 7, 1)), ""),
        ("US", Transfer("jp_equivalent", "x", date(2025, 5, 1)), "jp_equivalent_check_overdue"),
        ("US", Transfer("jp_equivalent", "x"), "jp_equivalent_check_overdue"),
        ("US", Transfer("jp_certified", "CBPR", date(2025, 7, 1)), ""),
        ("US", Transfer("jp_certified", "CBPR", date(2025, 5, 1)), "jp_equivalent_check_overdue"),
    ],
)
def test_entrusting_abroad_needs_a_designated_country_or_a_system_that_is_checked(
    country: str, transfer: Transfer | None, first: str
) -> None:
    transfers = ((Law.APPI, transfer),) if transfer else ()
    policy = with_recipient(replace(terms().recipients["ma_tool_us"], country=country, transfers=transfers))
    who = person("JP", reach("email", consent("email_marketing")))
    assert answer(who, US, of=policy).first_refusal == first


@pytest.mark.parametrize(("kind", "first"), [("jp_equivalent", ""), ("jp_certified", "eu_onward_transfer")])
def test_a_certificate_carries_no_data_from_the_union_abroad(kind: str, first: str) -> None:
    transfer = ((Law.APPI, Transfer(kind, "x", date(2026, 5, 1))),)
    policy = with_recipient(replace(terms().recipients["ma_tool_us"], transfers=transfer))
    who = person("JP", reach("email", consent("email_marketing")), eu_adequacy=True)
    assert answer(who, US, of=policy).first_refusal == first


def test_a_duty_of_law_carries_data_from_the_union_abroad() -> None:
    duty = replace(terms().purposes["analytics"], bases=((Law.APPI, Basis("legal_obligation")),))
    policy = with_purpose(duty)
    abroad = replace(terms().recipients["ma_tool"], country="US")
    policy = replace(policy, recipients={**policy.recipients, "ma_tool": abroad})
    assert answer(person("JP", reach("none"), eu_adequacy=True), use("analytics", "ma_tool"), of=policy).allow


def test_designation_lifts_28_but_not_27() -> None:
    agency = replace(terms().recipients["ma_tool"], role="third_party", country="FR")
    decision = answer(person("JP", reach("none")), use("analytics", "ma_tool"), of=with_recipient(agency))
    assert codes(decision) == ["third_party"]


def test_consent_to_provision_abroad_counts_once_the_three_items_were_told() -> None:
    who = person("JP", reach("ads", consent("ads_sharing")))
    told = answer(who, ADS)
    assert told.allow
    assert "record_provision_three_years" in told.obligations
    silent = {key: replace(one, items=("foreign_country",)) for key, one in terms().notices.items()}
    assert codes(answer(who, ADS, of=replace(terms(), notices=silent))) == ["foreign_information_missing"]


def test_a_host_that_handles_nothing_is_neither_provision_nor_entrustment() -> None:
    host = replace(terms().recipients["cloud_host"], country="US")
    decision = answer(person("JP", reach("none")), use("analytics", "cloud_host"), of=with_recipient(host))
    assert [one.code for one in decision.reasons] == ["notified_purpose", "not_handled"]


@pytest.mark.parametrize(("on", "allowed"), [(date(2027, 5, 1), True), (date(2027, 5, 2), False)])
def test_supervision_has_a_year_and_a_month(on: date, allowed: bool) -> None:
    decision = answer(person("JP", reach("none")), use("analytics", "ma_tool"), on)
    assert decision.allow is allowed
    assert allowed or codes(decision) == ["supervision_overdue"]


@pytest.mark.parametrize("purpose", ["email_marketing", "ads_sharing", "line_marketing", "personalisation"])
def test_a_demand_to_stop_marketing_is_honoured(purpose: str) -> None:
    what = use(purpose, terms().purposes[purpose].recipients[0])
    who = person("JP", reach(what.channel, consent(purpose)), objections=("direct_marketing",))
    assert codes(answer(who, what)) == ["objected"]


def test_interests_are_no_ground_in_japan_nor_an_objection_to_them() -> None:
    who = person("JP", objections=("legitimate_interests:*",))
    assert answer(who, use("customer_care_insight", "staff")).allow
    basis = Basis("legitimate_interests", assessment="LIA", reviewed=date(2026, 5, 1))
    policy = with_purpose(replace(terms().purposes["customer_care_insight"], bases=((Law.APPI, basis),)))
    assert codes(answer(who, use("customer_care_insight", "staff"), of=policy)) == ["out_of_purpose"]


def test_special_care_data_need_explicit_consent() -> None:
    categories = {**terms().categories, "membership": {"gdpr_class": "ordinary", "appi_class": "special_care"}}
    decision = answer(person("JP"), use("analytics", "staff"), of=replace(terms(), categories=categories))
    assert codes(decision) == ["special_category"]


@pytest.mark.parametrize(("honoured", "allowed"), [(True, False), (False, True)])
def test_a_browser_s_signal_is_honoured_as_the_pack_says(honoured: bool, allowed: bool) -> None:
    pack = terms().packs[Law.APPI]
    changed = replace(pack, values={**pack.values, "honour_gpc": honoured})
    policy = replace(terms(), packs={**terms().packs, Law.APPI: changed})
    assert answer(person("JP", gpc=True), use("analytics", "staff"), of=policy).allow is allowed


def test_line_is_no_electronic_mail_and_asks_for_consent_by_our_own_policy() -> None:
    what = use("line_marketing", "ma_tool")
    decision = answer(person("JP", reach("line")), what)
    assert [(one.code, one.law) for one in decision.reasons] == [("no_consent", "APPI")]


def test_the_pack_may_protect_everyone_whose_data_a_japanese_operator_handles() -> None:
    from cdp.gate.laws import laws_for

    pack = terms().packs[Law.APPI]
    changed = replace(pack, values={**pack.values, "protects_everyone": True})
    policy = replace(terms(), packs={**terms().packs, Law.APPI: changed})
    assert laws_for(policy, "DE") == Law.GDPR | Law.APPI
    assert laws_for(policy, "US") == Law.APPI


@pytest.mark.parametrize(
    ("country", "transfer", "ground"),
    [
        ("JP", None, None),
        ("FR", None, ("designated_country", "28(1), Rule 15")),
        ("US", Transfer("jp_equivalent", "contract", date(2026, 4, 1)), ("equivalent_system", "28(1), Rule 16")),
        ("US", Transfer("jp_consent", "notice"), ("foreign_consent", "28(1), 28(2), Rule 17")),
    ],
)
def test_provision_abroad_says_by_which_door(country: str, transfer: Transfer | None, ground: object) -> None:
    transfers = ((Law.APPI, transfer),) if transfer else ()
    policy = with_recipient(replace(terms().recipients["ad_platform"], country=country, transfers=transfers))
    decision = answer(person("JP", reach("ads", consent("ads_sharing"))), ADS, of=policy)
    assert decision.allow
    doors = [(one.code, one.article) for one in decision.reasons if "28(1)" in one.article]
    assert doors == ([ground] if ground else [])
