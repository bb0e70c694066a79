"""The receipt of a consent at the API: for who may know of its purpose, never cached, and noted."""

import json
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from cdp.consent import receipts
from cdp.ledger.keys import read_keys
from cdp.ledger.model import LedgerEntry
from tests.web.asking import ADA, identifier, kind
from tests.web.conftest import Site, consent_for


def recorded(site: Site, **more: Any) -> str:
    answer = site.browser.post("/api/consents", json=consent_for(ADA, **more), headers=site.bearer())
    assert answer.status_code == 201
    return str(answer.get_json()["record_id"])


def asked(site: Site, record: str, header: dict[str, str] | None = None, query: str = "") -> TestResponse:
    return site.browser.get(f"/api/consents/{record}/receipt{query}", headers=header or site.bearer())


def test_a_receipt_is_checked_with_the_published_key_alone(site_on_each_database: Site) -> None:
    site = site_on_each_database
    answer = asked(site, recorded(site))
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    keys = read_keys(site.browser.get("/api/ledger/jwks.json").data)
    verdict = receipts.check(answer.data, keys)
    assert verdict.document is not None, verdict.flaw
    assert verdict.document["header"]["record_id"] in str(answer.request.path)
    assert ADA not in answer.get_data(as_text=True)


def test_the_receipt_is_the_same_whoever_may_ask_for_it(site: Site) -> None:
    record = recorded(site)
    first = asked(site, record)
    site.clock.pass_(seconds=30)
    assert asked(site, record, site.bearer(recipient="staff")).data == first.data


def test_a_record_tells_of_the_withdrawal_that_followed(site: Site) -> None:
    record = recorded(site)
    site.clock.pass_(seconds=30)
    header = site.bearer()
    site.browser.post("/api/consents/withdraw", json={"identifier": identifier(ADA)}, headers=header)
    told = asked(site, record, header, "?format=record").get_json()
    assert [event["event_state"].rpartition("#")[2] for event in told["events"]] == ["ConsentGiven", "ConsentWithdrawn"]
    withdrawal = told["events"][1]["record_id"]
    assert asked(site, withdrawal, header).get_json()["events"][0]["event_state"].endswith("#ConsentWithdrawn")


def test_an_unknown_record_and_one_of_another_purpose_answer_alike(site: Site) -> None:
    record = recorded(site)
    other = site.bearer(purposes=("analytics",))
    hidden, absent = asked(site, record, other), asked(site, "0" * 32, other)
    assert kind(hidden) == kind(absent) == (404, "not_found")
    assert {**hidden.get_json(), "instance": ""} == {**absent.get_json(), "instance": ""}
    assert asked(site, record, site.bearer("audience:read")).status_code == 403
    assert site.browser.get(f"/api/consents/{record}/receipt").status_code == 401


def test_the_reading_is_in_the_ledger_without_the_person(site: Site) -> None:
    record = recorded(site)
    asked(site, record)
    asked(site, "0" * 32)
    with site.deployment.database.snapshot() as session:
        rows = session.scalars(select(LedgerEntry.header).where(LedgerEntry.act == "consent.receipt")).all()
    (noted,) = rows
    said = json.loads(noted)["header"]
    assert (said["record"], said["format"]) == (record, "receipt")
    assert said["client"] and len(said["person"]) == 32 and ADA not in noted


def test_who_was_erased_has_no_receipt_any_more(site: Site) -> None:
    record, header = recorded(site), site.bearer("admin:*")
    body = {"right": "erasure", "identifier": identifier(ADA), "requester": "subject"}
    assert site.browser.post("/api/subject-requests", json=body, headers=header).status_code == 202
    assert kind(asked(site, record)) == (404, "not_found")


@pytest.mark.parametrize("query", ["?format=xml", "?format=", "?colour=red"])
def test_a_format_that_there_is_not_is_named(site: Site, query: str) -> None:
    answer = asked(site, "0" * 32, query=query)
    assert kind(answer) == (400, "invalid_input")
    assert answer.get_json()["errors"]
