"""A receipt proves what was said: whole by ISO/IEC TS 27560, true to the record, and the same every time."""

import hashlib
import re
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from cdp import consent
from cdp.clock import EARLIEST
from cdp.consent import receipts
from cdp.policy.vocabulary import DPV, EU_GDPR, JP_APPI, PROFILE
from tests.conftest import ROOT
from tests.consent.speaking import ADA, BASE, Desk

MANDATORY = {
    "header": ["schema_version", "record_id", "receipt_id", "pii_principal_id"],
    "processing": ["privacy_notice", "language", "purposes"],
    "processing.purposes.0": [
        *("purpose", "pii_information", "pii_controllers", "storage_locations", "retention_period"),
        *("jurisdiction", "recipient_third_parties", "withdrawal_method", "privacy_rights"),
        # What the GDPR makes mandatory of what is optional:
        *("lawful_basis", "processing_locations"),
    ],
    "processing.purposes.0.pii_information.0": ["pii_type"],
    "parties.0": ["party_id", "party_address", "party_name", "party_contact", "party_type"],
    "events.0": ["event_time", "validity_duration", "entity_id", "event_type", "event_state"],
}
"""What ISO/IEC TS 27560 makes mandatory, by where it stands."""


def at(document: Any, path: str) -> Any:
    for part in path.split("."):
        document = document[int(part)] if part.isdigit() else document[part]
    return document


def test_a_receipt_has_every_mandatory_field_and_something_in_it(desk: Desk) -> None:
    read = desk.read(desk.say("given"))
    paths = [f"{place}.{name}" for place, names in MANDATORY.items() for name in names]
    assert len(paths) == 29
    assert [path for path in paths if at(read, path) in (None, "", [], {})] == []


def test_the_receipt_for_every_shipped_purpose_is_whole(desk: Desk) -> None:
    for purpose in desk.house.context["policy"].purposes.values():
        read = desk.read(desk.say("given", purpose=purpose.name, channel=purpose.channels[0]))
        section = read["processing"]["purposes"][0]
        assert section["purpose"].startswith(DPV) and section["purpose"] != f"{DPV}Purpose"
        assert section["purpose_id"] == purpose.name and section["declared"]
        assert all(section[name] for name in ("lawful_basis", "pii_information", "retention_period", "privacy_rights"))
        parties = {party["party_id"] for party in read["parties"]}
        assert {*section["recipient_third_parties"], *section["pii_controllers"]} <= parties
        assert {place["party_id"] for place in section["storage_locations"]} <= parties


def test_a_receipt_names_the_person_by_a_pseudonym_that_is_nobody_elses(desk: Desk) -> None:
    first, second = desk.say("given"), desk.say("given", mail="ben@people.example")
    names = [desk.read(record)["header"]["pii_principal_id"] for record in (first, second)]
    assert all(re.fullmatch("[0-9a-f]{32}", name) for name in names) and names[0] != names[1]
    assert ADA.encode() not in desk.bytes_of(first)
    with desk.house.snapshot() as session:
        token = consent.point(session, "email", "", ADA).token
    assert token.hex().encode() not in desk.bytes_of(first), "nor by the blind index"


def test_the_profile_and_the_controller_are_named(desk: Desk) -> None:
    read, terms = desk.read(desk.say("given")), desk.house.context["policy"]
    assert read["header"]["schema_version"] == f"{PROFILE}receipt-eu-gdpr"
    assert read["header"]["profiles"] == [f"{PROFILE}receipt", f"{PROFILE}receipt-eu-gdpr"]
    assert read["parties"][0]["party_name"] == {"ja": terms.controller.name_ja, "en": terms.controller.name_en}
    assert read["parties"][0]["party_contact"] == terms.controller.contact


def test_each_law_gives_its_ground_and_its_rights_by_whole_iris(desk: Desk) -> None:
    section = desk.read(desk.say("given"))["processing"]["purposes"][0]
    grounds = {basis["iri"] for basis in section["lawful_basis"]}
    assert grounds == {f"{EU_GDPR}A6-1-a", "urn:sekisho:eprivacy:A13-2", f"{JP_APPI}A17-PurposeOfUse"}
    rights = {right["right"] for right in section["privacy_rights"]}
    assert {f"{EU_GDPR}A7-3", f"{EU_GDPR}A15", f"{JP_APPI}A33-Disclosure", f"{JP_APPI}A35-1-CeaseUse"} <= rights


@pytest.mark.parametrize(
    "status, more, state",
    [
        ("given", {}, "ConsentGiven"),
        ("given", {"evidence": "partial"}, "ConsentUnknown"),
        ("given", {"evidence": "none"}, "ConsentUnknown"),
        ("given", {"method": "pre_ticked"}, "ConsentInvalidated"),
        ("refused", {}, "ConsentRefused"),
        ("requested", {}, "ConsentRequested"),
        ("withdrawn", {}, "ConsentWithdrawn"),
        ("invalidated", {}, "ConsentInvalidated"),
        ("unknown", {}, "ConsentUnknown"),
    ],
)
def test_the_state_is_a_word_of_the_vocabulary(desk: Desk, status: str, more: dict[str, Any], state: str) -> None:
    assert desk.read(desk.say(status, **more))["events"][-1]["event_state"] == f"{DPV}{state}"


def test_a_yes_on_top_of_a_yes_renews_it_and_one_after_a_no_does_not(desk: Desk) -> None:
    first, again = desk.say("given"), desk.say("given")
    desk.say("withdrawn", purpose="*", channel="*", token=b"", namespace="")
    anew = desk.say("given")
    assert [desk.states(one) for one in (first, again, anew)] == [
        ["ConsentGiven"],
        ["RenewedConsentGiven"],
        ["ConsentGiven"],
    ]


def test_a_confirmed_request_shows_both_the_asking_and_the_yes(desk: Desk) -> None:
    asked, token = desk.ask()
    desk.house.clock.pass_(hours=3)
    given = desk.confirm(token)
    events = desk.read(given)["events"]
    assert desk.states(given) == ["ConsentRequested", "ConsentGiven"]
    assert [event["record_id"] for event in events] == [asked, given]
    assert [event["entity_id"] for event in events] == ["controller", desk.read(given)["header"]["pii_principal_id"]]
    assert events[1]["collection_method"] == "double_opt_in"


def test_a_receipt_stays_the_same_and_a_record_goes_on(desk: Desk) -> None:
    given = desk.say("given")
    before = desk.bytes_of(given)
    desk.house.clock.pass_(days=1)
    with desk.house.transaction() as session:
        consent.withdraw(session, consent.point(session, "email", "", ADA), desk.now())
    assert desk.bytes_of(given) == before
    assert desk.states(given, "record") == ["ConsentGiven", "ConsentWithdrawn"]
    assert desk.read(given, "record")["header"]["as_of"] > desk.read(given)["events"][0]["event_time"]


def test_a_record_ends_with_its_expiry(desk: Desk) -> None:
    until = desk.house.clock.instant.replace(year=2026, month=9, day=1)
    given = desk.say("given", valid_until=until)
    assert desk.states(given, "record") == ["ConsentGiven"]
    assert desk.read(given)["events"][0]["valid_until"] == "2026-09-01T09:00:00.000000Z"
    receipt = desk.bytes_of(given)
    desk.house.clock.pass_(days=365)
    assert desk.states(given, "record") == ["ConsentGiven", "ConsentExpired"]
    assert desk.bytes_of(given) == receipt


def test_a_record_tells_what_was_said_through_another_subject_of_the_person(desk: Desk) -> None:
    given = desk.say("given", source="site")
    desk.say("refused", source="crm")
    assert desk.states(given, "record") == ["ConsentGiven", "ConsentRefused"]
    assert desk.states(given) == ["ConsentGiven"]


def test_what_is_said_of_another_purpose_or_address_is_no_event_of_this(desk: Desk) -> None:
    given = desk.say("given")
    desk.say("refused", purpose="analytics", channel="web", token=b"", namespace="")
    with desk.house.transaction() as session:
        other = desk.statement(session, "refused", "ada@other.example")
        consent.record(session, 1, other, desk.now())
    assert desk.states(given, "record") == ["ConsentGiven"]


def test_a_no_to_all_that_another_brand_says_is_no_event_of_this(desk: Desk) -> None:
    given = desk.say("given", brand="hakone")
    desk.say("withdrawn", purpose="*", channel="*", brand="arai")
    assert desk.states(given, "record") == ["ConsentGiven"]
    desk.say("withdrawn", purpose="*", channel="*", brand="hakone")
    assert desk.states(given, "record") == ["ConsentGiven", "ConsentWithdrawn"]


def test_an_instant_that_nobody_knew_is_told_as_unknown(desk: Desk) -> None:
    given = desk.say("given", event_time=EARLIEST)
    desk.house.clock.pass_(days=1)
    desk.say("withdrawn", token=b"", namespace="")
    assert [event["event_time"] is None for event in desk.read(given, "record")["events"]] == [True, False]


def test_the_same_record_gives_the_same_bytes_in_canonical_form(desk: Desk) -> None:
    import json

    given = desk.say("given")
    content = desk.bytes_of(given)
    desk.house.clock.pass_(days=3)
    assert desk.bytes_of(given) == content
    read = json.loads(content)
    # No floats and no member outside ASCII: then canonical is what the standard library sorts and packs.
    assert json.dumps(read, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() == content


def test_the_text_that_was_shown_is_proved_by_the_hash_kept_with_the_record(desk: Desk) -> None:
    file = ROOT / "policies" / "notices" / "newsletter.2.ja.md"
    notice = desk.read(desk.say("given"))["processing"]["privacy_notice"]
    assert notice["sha256"] == notice["declared_sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_text_that_was_changed_under_its_version_or_is_gone_stands_beside_what_was_shown(desk: Desk) -> None:
    given, terms = desk.say("given"), desk.house.context["policy"]
    key = ("newsletter", "2", "ja")
    shown = terms.notices[key].sha256
    altered = {**terms.notices, key: replace(terms.notices[key], sha256="f" * 64, recipients=())}
    desk.house.context["policy"] = replace(terms, notices=altered)
    read = desk.read(given)
    assert read["processing"]["privacy_notice"]["sha256"] == shown
    assert read["processing"]["privacy_notice"]["declared_sha256"] == "f" * 64
    assert read["processing"]["purposes"][0]["recipient_third_parties"], "who is named in another text says nothing"
    desk.house.context["policy"] = replace(terms, notices={})
    notice = desk.read(given)["processing"]["privacy_notice"]
    assert (notice["sha256"], notice["declared_sha256"], notice["title"]) == (shown, None, None)


def test_a_record_from_before_the_hash_was_kept_does_not_claim_one(desk: Desk) -> None:
    given = desk.say("given")
    with desk.house.transaction() as session:
        session.execute(text("UPDATE consent_record SET notice_sha256 = ''"))
    notice = desk.read(given)["processing"]["privacy_notice"]
    assert notice["sha256"] is None and notice["declared_sha256"]


def test_a_confirmation_keeps_the_hash_of_what_was_shown_at_the_request(desk: Desk) -> None:
    _, token = desk.ask()
    terms = desk.house.context["policy"]
    shown = terms.notices["newsletter", "2", "ja"].sha256
    altered = {key: replace(one, sha256="f" * 64) for key, one in terms.notices.items()}
    desk.house.context["policy"] = replace(terms, notices=altered)
    assert desk.read(desk.confirm(token))["processing"]["privacy_notice"]["sha256"] == shown


def test_of_a_purpose_that_is_gone_nothing_is_invented(desk: Desk) -> None:
    given, terms = desk.say("given"), desk.house.context["policy"]
    left = {name: one for name, one in terms.purposes.items() if name != "email_marketing"}
    desk.house.context["policy"] = replace(terms, purposes=left)
    read = desk.read(given)
    section = read["processing"]["purposes"][0]
    assert (section["purpose_id"], section["declared"], section["purpose"]) == ("email_marketing", False, None)
    for name in ("title", "lawful_basis", "pii_information", "retention_period", "recipient_third_parties"):
        assert section[name] is None, name
    assert receipts.check(desk.bytes_of(given), [desk.signer.public]).document is not None


def test_a_withdrawal_of_everything_has_a_receipt_too(desk: Desk) -> None:
    desk.say("given")
    with desk.house.transaction() as session:
        (withdrawn,), _ = consent.withdraw(session, consent.point(session, "email", "", ADA), desk.now())
    read = desk.read(withdrawn)
    section = read["processing"]["purposes"][0]
    assert (section["purpose"], section["purpose_id"], section["channel"]) == (f"{DPV}Purpose", "*", "*")
    assert read["events"][0]["event_state"] == f"{DPV}ConsentWithdrawn"
    assert (read["processing"]["privacy_notice"]["sha256"], read["processing"]["language"]) == (None, "und")


def test_only_recipients_that_the_notice_names_are_told_as_such(desk: Desk) -> None:
    first = desk.read(desk.say("given", notice_version="1"))["processing"]["purposes"][0]["recipient_third_parties"]
    named = desk.house.context["policy"].notices["newsletter", "1", "ja"].recipients
    assert set(first) <= set(named)


def test_a_guardian_is_known_by_the_role_alone(desk: Desk) -> None:
    event = desk.read(desk.say("given", actor="guardian"))["events"][0]
    assert (event["entity_id"], event["actor"]) == ("guardian", "guardian")


def test_a_receipt_is_for_who_may_know_of_the_purpose(desk: Desk) -> None:
    given = desk.say("given")
    with desk.house.snapshot() as session:
        for purposes, there in (({"email_marketing"}, True), ({"analytics"}, False), (set(), False)):
            issued = receipts.issue(session, given, desk.signer, BASE, desk.now(), purposes=purposes)
            assert (issued is not None) == there
        assert receipts.issue(session, "0" * 32, desk.signer, BASE, desk.now()) is None
