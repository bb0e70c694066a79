"""The record of processing is whole for the policies that ship, and says which field would be missing."""

from dataclasses import replace

import pytest

from cdp.policy import processing
from cdp.policy.processing import Feed, Holdings, Reader
from cdp.policy.processing.words import LANGUAGES
from cdp.policy.terms import Policy, Recipient
from tests.policy.shipped import DAY, terms

SHOP = Feed(
    "shop",
    "サイト",
    "Site",
    purposes=frozenset({"email_marketing"}),
    events={"Order Completed": frozenset({"service_delivery"}), "Product Viewed": frozenset({"analytics"})},
)
HOLDINGS = Holdings(
    feeds=(SHOP,),
    readers=(Reader("mailer", "ma_tool", frozenset({"email_marketing"})),),
    people={"name": 1250, "contact": None},
    store="PostgreSQL",
)


def record(language: str, of: Policy | None = None, holdings: Holdings = HOLDINGS) -> processing.Record:
    return processing.describe(of or terms(), holdings, DAY, language)


def activity(name: str, language: str = "en"):
    return next(one for one in record(language).activities if one.purpose == name)


def item(title: str):
    return next(one for one in record("en").inventory if one.name == title)


def without(recipient: str, **what: object) -> Policy:
    changed: Recipient = replace(terms().recipients[recipient], **what)
    return replace(terms(), recipients={**terms().recipients, recipient: changed})


def controlled(**what: object) -> Policy:
    return replace(terms(), controller=replace(terms().controller, **what))


def test_the_policies_that_ship_leave_no_gap_in_the_record() -> None:
    assert processing.gaps(terms(), Holdings(), DAY) == []
    assert processing.gaps(terms(), HOLDINGS, DAY) == []


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (controlled(dpo_contact=""), "controller.yaml: dpo_contact"),
        (controlled(eu_representative=""), "controller.yaml: eu_representative"),
        (controlled(address=""), "controller.yaml: address"),
        (without("ma_tool", address=""), "recipients/ma_tool.yaml: address"),
        (without("ad_platform", representative=""), "recipients/ad_platform.yaml: representative"),
        (without("ma_tool_us", transfers=()), "recipients/ma_tool_us.yaml: no"),
        (without("staff", title_en=""), "recipients/staff.yaml: title"),
        (replace(terms(), retention=terms().retention[1:]), "retention.yaml: nothing says"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_field_that_is_missing_is_named_with_its_file(broken: Policy, told: str) -> None:
    found = processing.gaps(broken, Holdings(), DAY)
    assert found and all(line.startswith(told) for line in found), found


def test_a_kind_of_purpose_that_the_record_has_no_words_for_is_a_gap() -> None:
    strange = replace(terms().purposes["analytics"], kind="divination")
    broken = replace(terms(), purposes={**terms().purposes, "analytics": strange})
    assert processing.gaps(broken, Holdings(), DAY) == ["the record has no words for the kind divination"]


def test_an_establishment_in_the_union_needs_no_representative_there() -> None:
    there = controlled(eu_representative="", establishments=("JP", "DE"))
    assert processing.gaps(there, Holdings(), DAY) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_purpose_is_an_activity_with_all_that_article_30_asks_for(language: str) -> None:
    activities = record(language).activities
    assert [one.purpose for one in activities] == list(terms().purposes)
    for one in activities:
        assert one.title and one.text and one.grounds and one.people and one.receivers, one.purpose
        assert all(category.title and category.items and category.limits for category in one.categories)


def test_the_languages_differ_and_neither_holds_the_names_of_the_code() -> None:
    japanese, english = activity("email_marketing", "ja"), activity("email_marketing", "en")
    assert japanese.title == "メールによるご案内" and english.title == "Offers by e-mail"
    assert japanese.categories[0].title == "氏名" and "Full name" in english.categories[0].items
    assert not {"full_name", "email"} & {name for one in english.categories for name in one.items}


def test_a_third_country_is_named_with_its_safeguard_under_each_law() -> None:
    platform = activity("ads_sharing").receivers[0]
    assert (platform.country, platform.representative) == ("US", "Alex Example, Chief Executive Officer")
    assert platform.transfer_gdpr.startswith("Data Privacy Framework (45): ")
    assert platform.transfer_appi.startswith("the person's consent (28(1)): ")
    inside = next(one for one in activity("email_marketing").receivers if one.name == "ma_tool")
    assert (inside.transfer_gdpr, inside.transfer_appi) == ("adequacy decision (45)", "inside Japan")


def test_what_a_source_brings_for_a_purpose_is_among_its_data_and_its_sources() -> None:
    delivery = activity("service_delivery")
    purchases = next(one for one in delivery.categories if one.name == "purchase")
    assert purchases.items == ("Order completed",)
    assert delivery.sources == ("shop: Site, from the person",)
    assert not any(one.name == "purchase" for one in activity("line_marketing").categories)


def test_the_ledger_of_personal_information_says_who_how_many_and_until_when() -> None:
    name = item("Name")
    assert name.people == "1,250"
    assert "API: mailer (ma_tool)" in name.access and "Our staff" in name.access
    assert name.processors.startswith("Marketing automation tool")
    assert name.limit == "erased 36 months after the last activity"
    assert "PostgreSQL" in name.place and "AES-256-GCM" in name.method
    assert item("Contact").people == "fewer than 20", "few people are not told by number"
    assert "Advertising platform" in item("Contact").third_parties
    assert item("Region").people == "not counted"


def test_what_is_never_collected_stands_in_the_ledger_as_not_held() -> None:
    health = item("Health")
    assert (health.special_care, health.people, health.method) == ("yes", "0", "not held")


def test_a_document_of_the_record_is_plain_json() -> None:
    import json

    document = json.loads(json.dumps(record("ja").document()))
    assert document["form"] == processing.FORM
    assert document["made_on"] == "2026-06-01"
    assert document["processor_view"].startswith("該当なし")
