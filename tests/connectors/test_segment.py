"""Segment and RudderStack as their SDKs speak, and as nobody should."""

from datetime import timedelta
from typing import Any

import pytest

from cdp.connector.kit import Claim, Item
from cdp.errors import Problem, Refusal
from tests.connectors.desk import NOW, configured, incoming, only, read, with_

SERVER = configured("segment", key="server", residence_default="JP")
PUBLIC = configured("segment")
ADA = {"userId": "ada", "anonymousId": "browser-1"}


def track(event: str = "Product Viewed", **more: Any) -> dict[str, Any]:
    return {"event": event, **ADA, **more}


def signals(item: Item) -> dict[tuple[str, str], tuple[str, bool, str]]:
    return {(one.purpose, one.channel): (one.status, one.act, one.evidence) for one in item.signals}


@pytest.mark.parametrize("call", ["t", "track"])
def test_a_track_is_a_fact_of_everyone_it_names(call: str) -> None:
    item = only(read(SERVER, incoming(track(properties={"product_id": "tea-01"}, messageId="m1"), call)))
    assert (item.event, item.channel, item.message_id, item.at) == ("Product Viewed", "web", "m1", NOW)
    assert item.properties == {"product_id": "tea-01"}
    assert [(claim.type, claim.value, claim.verified) for claim in item.claims] == [
        ("user_id", "ada", True),
        ("anonymous_id", "browser-1", True),
    ]


def test_an_identifier_through_a_public_key_is_unverified() -> None:
    call = {**ADA, "traits": {"email": "ada@example.com", "phone": "+819012345678"}}
    item = only(read(PUBLIC, incoming(call, "identify")))
    assert {claim.type for claim in item.claims} == {"user_id", "anonymous_id", "email", "phone"}
    assert not any(claim.verified for claim in item.claims)


def test_traits_get_our_names_and_undeclared_ones_are_named_without_values() -> None:
    traits = {"firstName": "Ada", "address": {"country": "JP", "planet": "Earth"}, "shoeSize": 39, "ada@example.com": 1}
    item = only(read(SERVER, incoming({**ADA, "traits": traits}, "identify")))
    assert item.traits == {"given_name": "Ada", "address": {"country": "JP"}}
    assert set(item.dropped) == {"traits.address.planet", "traits.shoeSize", "traits.*"}


def test_a_groups_traits_are_not_the_persons() -> None:
    item = only(
        read(
            SERVER, incoming({**ADA, "groupId": "acme", "traits": {"name": "Acme", "email": "x@example.com"}}, "group")
        )
    )
    assert item.traits == {}
    assert {claim.type for claim in item.claims} == {"user_id", "anonymous_id"}
    assert (item.event, item.dropped) == ("", ("group",))


def test_an_alias_joins_two_names() -> None:
    item = only(read(SERVER, incoming({"previousId": "browser-1", "userId": "ada"}, "a")))
    assert {(claim.type, claim.value) for claim in item.claims} == {("user_id", "ada"), ("anonymous_id", "browser-1")}
    assert item.event == ""


@pytest.mark.parametrize(("call", "event"), [("page", "Page Viewed"), ("p", "Page Viewed"), ("s", "Screen Viewed")])
def test_pages_and_screens_are_facts_with_their_name(call: str, event: str) -> None:
    item = only(read(SERVER, incoming({**ADA, "name": "Home", "properties": {"path": "/"}}, call)))
    assert (item.event, item.properties) == (event, {"name": "Home", "path": "/"})


def test_a_bad_item_is_refused_with_its_pointer_and_the_good_ones_are_kept() -> None:
    batch = [
        {"type": "track", **track()},
        {"type": "dance", **ADA},
        {"type": "track", **ADA},
        {"type": "track", "event": "Product Viewed"},
        {"type": "track", **track(timestamp="yesterday")},
        {"type": "track", **track(properties={"deep": [[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]})},
        {"type": "track", **track(properties={"long": "x" * 32_000})},
        {"type": "track", "event": "Product Viewed", "userId": {"a": 1}},
        {"type": "track", **track(properties={"nul": "\x00"})},
        "no object",
        {"type": "identify", **ADA},
    ]
    found = read(SERVER, incoming({"batch": batch}, "batch"))
    assert isinstance(found[0], Item) and isinstance(found[-1], Item)
    assert found[1:-1] == [
        Refusal("unknown_type", "/batch/1/type"),
        Refusal("event_name_missing", "/batch/2/event"),
        Refusal("no_identifier", "/batch/3/userId"),
        Refusal("timestamp_malformed", "/batch/4/timestamp"),
        Refusal("too_deep", "/batch/5"),
        Refusal("too_large", "/batch/6"),
        Refusal("identifier_malformed", "/batch/7/userId"),
        Refusal("unprintable_text", "/batch/8"),
        Refusal("unknown_type", "/batch/9/type"),
    ]


@pytest.mark.parametrize(
    ("original", "sent", "ago"),
    [
        ("2026-06-01T08:00:00Z", None, timedelta(hours=1)),
        ("2026-06-01T08:00:00Z", "2026-06-01T08:00:05Z", timedelta(seconds=5)),
        ("2031-01-01T00:00:00Z", "2031-01-01T00:00:30Z", timedelta(seconds=30)),
        ("2031-01-01T00:00:00Z", None, timedelta(0)),
        ("2026-06-01T18:00:00+09:00", "2026-06-01T09:00:00Z", timedelta(0)),
        (None, "2026-06-01T08:00:05Z", timedelta(0)),
    ],
)
def test_the_senders_clock_is_corrected_by_when_it_said_it_sent(
    original: str | None, sent: str | None, ago: timedelta
) -> None:
    item = only(
        read(SERVER, incoming({"batch": [{"type": "track", **track(timestamp=original)}], "sentAt": sent}, "batch"))
    )
    assert NOW - item.at == ago


def test_an_import_keeps_its_times() -> None:
    batch = {"batch": [{"type": "track", **track(timestamp="2020-01-01T00:00:00Z")}], "sentAt": "2026-05-31T00:00:00Z"}
    assert only(read(SERVER, incoming(batch, "import"))).at.year == 2020


def test_no_consent_signal_is_never_a_yes() -> None:
    assert only(read(SERVER, incoming(track(), "track"))).signals == ()


def preferences(**said: bool) -> dict[str, Any]:
    return {"context": {"consent": {"categoryPreferences": said}}}


def test_preferences_on_an_ordinary_event_are_a_state_about_the_device() -> None:
    item = only(read(SERVER, incoming(track(**preferences(Advertising=True, Analytics=False, Unknown=True)), "track")))
    assert signals(item) == {
        ("ads_sharing", "web"): ("given", False, "full"),
        ("analytics", "none"): ("refused", False, "full"),
    }
    assert {one.contact for one in item.signals} == {Claim("anonymous_id", "browser-1", "", True)}


def test_the_declared_consent_event_is_the_act() -> None:
    call = track("Segment Consent Preference Updated", **preferences(Advertising=False, Functional=True))
    assert signals(only(read(PUBLIC, incoming(call, "track")))) == {
        ("ads_sharing", "web"): ("withdrawn", True, "full"),
        ("personalisation", "web"): ("given", True, "full"),
    }


def test_of_two_categories_for_one_purpose_a_no_wins() -> None:
    item = only(read(SERVER, incoming(track(**preferences(Advertising=True, Marketing=False)), "track")))
    assert signals(item)["ads_sharing", "web"][0] == "refused"


@pytest.mark.parametrize("said", ["true", 1, None, {"yes": True}, "false"])
def test_a_preference_that_is_not_true_or_false_says_nothing(said: Any) -> None:
    assert only(read(SERVER, incoming(track(**preferences(Advertising=said)), "track"))).signals == ()


def test_rudderstacks_consent_ids_are_read_alike() -> None:
    said = {"allowedConsentIds": ["C0002", "C0004"], "deniedConsentIds": ["C0004"], "resolutionStrategy": "or"}
    item = only(read(SERVER, incoming(track(context={"consentManagement": said}), "track")))
    assert {place: status for place, (status, _, _) in signals(item).items()} == {
        ("analytics", "none"): "given",
        ("ads_sharing", "web"): "refused",
    }


def test_a_banner_without_its_notice_is_no_evidence() -> None:
    blank = with_(SERVER, notice="")
    item = only(read(blank, incoming(track(**preferences(Advertising=True)), "track")))
    assert signals(item)["ads_sharing", "web"] == ("given", False, "none")


def test_a_grant_through_a_public_key_needs_a_device() -> None:
    call = {"event": "Product Viewed", "userId": "ada", **preferences(Advertising=True, Analytics=False)}
    item = only(read(PUBLIC, incoming(call, "track")))
    assert signals(item) == {("analytics", "none"): ("refused", False, "full")}


@pytest.mark.parametrize("config", [SERVER, PUBLIC])
def test_global_privacy_control_withdraws_for_the_device_with_every_item_of_a_call(config: Any) -> None:
    batch = {"batch": [{"type": "track", **track()}, {"type": "page", **ADA}]}
    first, second = read(config, incoming(batch, "batch", sec_gpc="1"))
    assert isinstance(first, Item) and isinstance(second, Item)
    assert signals(first) == {
        ("ads_sharing", "web"): ("withdrawn", True, "full"),
        ("analytics", "none"): ("withdrawn", True, "full"),
    }
    assert {one.method for one in first.signals} == {"gpc"}
    assert second.signals == first.signals, "the first may be a duplicate, and is dropped with what it says"


@pytest.mark.parametrize("value", ["0", "true", "", "01", "1.0", "1, 1", "1;", "?1", "yes", "2", "11", "-1", "\u00b9"])
def test_only_the_value_1_is_global_privacy_control(value: str) -> None:
    assert only(read(SERVER, incoming(track(), "track", sec_gpc=value))).signals == ()


def test_global_privacy_control_means_the_same_whatever_a_site_calls_its_categories() -> None:
    renamed = configured("segment", **{"banner.Advertising": "personalisation", "banner.Analytics": "personalisation"})
    item = only(read(renamed, incoming(track(), "track", sec_gpc="1")))
    assert {one.purpose for one in item.signals} == {"ads_sharing", "analytics"}


SHOWN = {"email": "ada@example.com", "notice": "email_marketing", "notice_version": "1", "language": "ja"}


def test_a_newsletter_form_on_a_server_is_consent_for_that_address() -> None:
    item = only(
        read(SERVER, incoming(track("Newsletter Subscribed", properties={**SHOWN, "method": "checkbox"}), "track"))
    )
    (signal,) = item.signals
    assert (signal.purpose, signal.channel, signal.status, signal.act) == ("email_marketing", "email", "given", True)
    assert (signal.notice, signal.notice_version, signal.language, signal.evidence) == (
        "email_marketing",
        "1",
        "ja",
        "full",
    )
    assert signal.contact == Claim("email", "ada@example.com", "", True)
    assert signal.contact in item.claims


@pytest.mark.parametrize("missing", ["notice", "notice_version", "language"])
def test_a_newsletter_form_that_does_not_say_what_it_showed_is_no_consent(missing: str) -> None:
    shown = {name: value for name, value in SHOWN.items() if name != missing}
    (signal,) = only(read(SERVER, incoming(track("Newsletter Subscribed", properties=shown), "track"))).signals
    assert (signal.status, signal.evidence) == ("unknown", "none")


def test_a_newsletter_form_through_a_public_key_grants_nothing() -> None:
    item = only(read(PUBLIC, incoming(track("Newsletter Subscribed", properties=SHOWN), "track")))
    assert item.signals == ()
    assert "email" not in {claim.type for claim in item.claims}


@pytest.mark.parametrize(
    "odd",
    [
        {"method": "x" * 33},
        {"method": "Clicked by ada@example.com"},
        {"method": ["checkbox"]},
        {"method": True},
        {"notice": "n" * 65},
        {"notice": "a notice"},
        {"notice_version": "1" * 300},
        {"language": "japanese as spoken"},
        {"language": "ja-x"},
    ],
)
def test_words_of_consent_that_are_none_refuse_the_signal_and_not_the_event(odd: dict[str, Any]) -> None:
    item = only(read(SERVER, incoming(track("Newsletter Subscribed", properties={**SHOWN, **odd}), "track")))
    assert item.signals == ()
    assert item.event == "Newsletter Subscribed"
    assert [f"properties.{name}" for name in odd] == [name for name in item.dropped if name.startswith("properties.")]


def test_odd_words_take_back_no_withdrawal() -> None:
    call = track("Newsletter Unsubscribed", properties={"email": "ada@example.com", "method": "x" * 5000})
    (signal,) = only(read(SERVER, incoming(call, "track"))).signals
    assert signal.status == "withdrawn"


@pytest.mark.parametrize(
    "times",
    [
        {"timestamp": "1970-01-01T00:00:00Z", "sentAt": "9999-12-31T23:59:59Z"},
        {"timestamp": "0001-01-01T00:00:00+14:00"},
        {"timestamp": "9999-12-31T23:59:59-14:00"},
        {"timestamp": "2026-06-01T00:00:00Z", "sentAt": "9999-12-31T23:59:59-14:00"},
    ],
)
def test_times_that_cannot_be_reckoned_with_refuse_their_item_alone(times: dict[str, str]) -> None:
    batch = {"batch": [{"type": "track", **track(), **times}, {"type": "track", **track()}]}
    first, second = read(SERVER, incoming(batch, "batch"))
    assert isinstance(first, Refusal)
    assert first.reason == "timestamp_malformed"
    assert isinstance(second, Item)


def test_leaving_the_newsletter_counts_through_any_key() -> None:
    call = track("Newsletter Unsubscribed", properties={"email": "ada@example.com"})
    (signal,) = only(read(PUBLIC, incoming(call, "track"))).signals
    assert (signal.status, signal.act, signal.contact.value if signal.contact else "") == (
        "withdrawn",
        True,
        "ada@example.com",
    )


def test_a_server_may_state_the_line_user_of_a_login() -> None:
    config = configured("segment", key="server", external_ids="line_uid", scope_line_uid="provider-1")
    listed = [{"id": "U" + "a" * 32, "type": "line_uid"}, {"id": "9", "type": "tax_number"}, "no object"]
    call = {**ADA, "context": {"externalIds": listed}}
    claims = only(read(config, incoming(call, "identify"))).claims
    assert Claim("line_uid", "U" + "a" * 32, "provider-1", True) in claims
    assert "tax_number" not in {claim.type for claim in claims}
    browser = configured("segment", external_ids="line_uid")
    assert "line_uid" not in {claim.type for claim in only(read(browser, incoming(call, "identify"))).claims}


@pytest.mark.parametrize("body", [b"{", b"[1]", b"\xff", b'{"a": NaN}', b'{"a": ' + b"9" * 5000 + b"}", b"[" * 50_000])
def test_a_body_that_is_no_json_object_is_the_callers_mistake(body: bytes) -> None:
    with pytest.raises(Problem) as raised:
        read(SERVER, incoming(body, "track"))
    assert raised.value.status == 400


def test_a_batch_without_a_list_is_the_callers_mistake() -> None:
    with pytest.raises(Problem):
        read(SERVER, incoming({"batch": {}}, "batch"))
