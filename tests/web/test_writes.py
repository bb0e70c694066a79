"""What clients write: consent with its proof, withdrawals that hold, requests of data subjects, keys sent twice."""

import json
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.web.asking import ADA, BEN, CLEO, MEMBERS, consent, emails, identifier, kind, look_up
from tests.web.conftest import Site, consent_for


@pytest.fixture
def site(site_on_each_database: Site) -> Site:
    return site_on_each_database


def test_a_recorded_consent_answers_its_record_and_can_be_read_back(site: Site) -> None:
    header = site.bearer()
    record = site.browser.post("/api/consents", json=consent_for(ADA), headers=header).get_json()["record_id"]
    read = site.browser.post("/api/consents/lookup", json={"identifier": identifier(ADA)}, headers=header)
    assert [one["record_id"] for one in read.get_json()["data"]] == [record]
    named = {**header, "Sekisho-Identifier": '{"type": "email", "value": "ada@people.example"}'}
    assert site.browser.get("/api/consents", headers=named).get_json()["data"] == read.get_json()["data"]
    row = site.browser.get(MEMBERS, headers=header).get_json()["data"][0]
    by_name = site.browser.get(f"/api/consents?subject={row['id']}", headers=header)
    assert by_name.get_json()["data"] == read.get_json()["data"]


def test_consents_of_a_past_instant_are_those_received_by_then(site: Site) -> None:
    consent(site, ADA)
    before = site.clock.now()
    site.clock.pass_(hours=1)
    header = site.bearer()
    site.browser.post("/api/consents/withdraw", json={"identifier": identifier(ADA)}, headers=header)

    def statuses(**more: str) -> list[str]:
        asked = {"identifier": identifier(ADA), **more}
        answer = site.browser.post("/api/consents/lookup", json=asked, headers=header)
        return [one["status"] for one in answer.get_json()["data"]]

    assert statuses(as_of=before.isoformat()) == ["given"]
    assert statuses() == ["given", "withdrawn"]


def test_an_identifier_in_the_address_is_refused(site: Site) -> None:
    answer = site.browser.get(f"/api/consents?email={ADA}", headers=site.bearer())
    assert answer.status_code == 400
    assert ADA not in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("changed", "answer"),
    [
        ({"notice": "made_up"}, (400, "unknown_notice")),
        ({"notice_version": "99"}, (400, "unknown_notice")),
        ({"notice": ""}, (400, "invalid_input")),
        ({"identifier": {"type": "user_id", "value": "u1"}}, (400, "contact_needed")),
        ({"identifier": {"type": "pigeon", "value": "u1"}}, (400, "unknown_identifier_type")),
        ({"identifier": {"type": "email", "value": "no address"}}, (400, "unusable_identifier")),
        ({"identifier": {"type": "email_canon", "value": "eve@gmail.com"}}, (400, "unusable_identifier")),
        ({"status": "withdrawn"}, (400, "invalid_input")),
        ({"event_time": "yesterday"}, (400, "invalid_input")),
        ({"event_time": "0001-01-01T00:00:00+14:00"}, (400, "invalid_input")),
        ({"event_time": "9999-12-31T23:59:59-14:00"}, (400, "invalid_input")),
        ({"event_time": "9999-12-31T23:59:59Z"}, (400, "invalid_input")),
        ({"method": "x" * 33}, (400, "invalid_input")),
        ({"method": "ada@people.example"}, (400, "invalid_input")),
        ({"method": "checkbox\n"}, (400, "invalid_input")),
        ({"method": ""}, (400, "invalid_input")),
        ({"language": "japanese as spoken"}, (400, "invalid_input")),
        ({"language": "xx"}, (400, "unknown_notice")),
        ({"evidence": {"form": "\x00"}}, (400, "invalid_input")),
        ({"evidence": {"\ud800": 1}}, (400, "invalid_input")),
        ({"identifier": {"type": "email", "value": "ada\x00@people.example"}}, (400, "invalid_input")),
        ({"identifier": {"type": "email", "value": "\udc00@people.example"}}, (400, "invalid_input")),
        ({"identifier": {"type": "email", "value": "a@people.example", "scope": "\x00"}}, (400, "invalid_input")),
        ({"purpose": "\x00"}, (400, "invalid_input")),
        ({"notice_version": "\ud800"}, (400, "invalid_input")),
        ({"purpose": "ads_sharing"}, (403, "purpose_not_registered")),
    ],
)
def test_a_statement_without_what_proves_it_is_refused(
    site: Site, changed: dict[str, Any], answer: tuple[int, str]
) -> None:
    assert kind(post_ascii(site, "/api/consents", consent_for(ADA, **changed), site.bearer())) == answer


def post_ascii(site: Site, path: str, body: Any, header: dict[str, str]) -> TestResponse:
    """Post with escapes, which can spell what UTF-8 cannot."""
    return site.browser.post(path, data=json.dumps(body), content_type="application/json", headers=header)


@pytest.mark.parametrize("said", ["\x00", "\ud800"])
def test_a_text_that_no_database_can_store_is_pointed_at(site: Site, said: str) -> None:
    header, known = site.bearer("admin:*"), {"type": "email", "value": f"a{said}@people.example"}
    rule = {"trait": {"name": "tier", "op": "eq", "value": said}}
    use = {"purpose": "email_marketing"}
    for path, body, pointer in (
        ("/api/consents/withdraw", {"identifier": known}, "/identifier/value"),
        ("/api/consents/lookup", {"identifier": known}, "/identifier/value"),
        ("/api/profiles/lookup", {"identifier": known, **use}, "/identifier/value"),
        ("/api/profiles/lookup", {"identifier": identifier(ADA), **use, "fields": [said]}, "/fields/0"),
        ("/api/decisions", {"subject": said, **use}, "/subject"),
        ("/api/audiences/preview", {"rule": rule, **use}, "/rule"),
        ("/api/audiences/preview", {"rule": {said: True}, **use}, "/rule"),
        ("/api/audiences/everyone/explain", {"identifier": known, **use}, "/identifier/value"),
        (
            "/api/subject-requests",
            {"right": "access", "identifier": identifier(ADA), "requester": "subject", "reason": said},
            "/reason",
        ),
    ):
        answer = post_ascii(site, path, body, header)
        assert kind(answer) == (400, "invalid_input"), path
        assert [error["pointer"] for error in answer.get_json()["errors"]] == [pointer], path


@pytest.mark.parametrize(
    "path",
    [
        "/api/connectors/a%00b/drops",
        "/api/audiences/a%00b",
        "/api/audiences/a%00b/count?purpose=email_marketing",
        "/api/journeys/a%00b",
        "/api/journeys/standard/stages/a%00b/members?purpose=email_marketing",
        "/api/subject-requests/a%00b",
        "/api/consents/a%00b/receipt",
        "/api/ledger/proof/a%00b",
        "/privacy/unsubscribe/a%00b",
    ],
)
def test_nothing_has_a_name_with_nul_in_it(site: Site, path: str) -> None:
    assert site.browser.get(path, headers=site.bearer("admin:*")).status_code == 404


def test_a_query_with_nul_in_it_is_pointed_at(site: Site) -> None:
    for query in ("subject=a%00b", "subject=x&as_of=0001-01-01T00:00:00%2B14:00"):
        answer = site.browser.get(f"/api/consents?{query}", headers=site.bearer())
        assert kind(answer) == (400, "invalid_input")
    answer = site.browser.get("/api/audiences/everyone/members?purpose=a%00b", headers=site.bearer())
    assert kind(answer) == (400, "invalid_input")


def test_a_withdrawal_holds_when_it_answers_and_also_for_the_unknown(site: Site) -> None:
    consent(site, ADA)
    header = site.bearer()
    answer = site.browser.post("/api/consents/withdraw", json={"identifier": identifier(ADA)}, headers=header)
    assert len(answer.get_json()["withdrawn"]) == 1
    assert answer.get_json()["effective_at"]
    assert emails(site.browser.get(MEMBERS, headers=header)) == []
    unknown = site.browser.post("/api/consents/withdraw", json={"identifier": identifier(CLEO)}, headers=header)
    assert (unknown.status_code, unknown.get_json()["withdrawn"]) == (200, [])


def test_a_withdrawal_needs_no_registration_for_the_purpose(site: Site) -> None:
    body = {"identifier": identifier(ADA), "purpose": "line_marketing"}
    assert site.browser.post("/api/consents/withdraw", json=body, headers=site.bearer()).status_code == 200


def test_a_write_sent_twice_under_one_key_happens_once(site: Site) -> None:
    header = {**site.bearer(), "Idempotency-Key": "form-7"}
    for body in (consent_for(ADA), consent_for(BEN, status="requested")):
        header["Idempotency-Key"] += "!"
        first = site.browser.post("/api/consents", json=body, headers=header)
        again = site.browser.post("/api/consents", json=body, headers=header)
        assert (first.status_code, first.get_json()) == (201, again.get_json())
    read = site.browser.post("/api/consents/lookup", json={"identifier": identifier(ADA)}, headers=header)
    assert len(read.get_json()["data"]) == 1


def test_a_key_of_one_write_does_not_serve_another(site: Site) -> None:
    header = {**site.bearer(), "Idempotency-Key": "form-7"}
    site.browser.post("/api/consents", json=consent_for(ADA), headers=header)
    answer = site.browser.post("/api/consents", json=consent_for(BEN), headers=header)
    assert kind(answer) == (422, "idempotency_key_reused")
    mine = {**site.bearer(), "Idempotency-Key": "form-7"}
    assert site.browser.post("/api/consents", json=consent_for(BEN), headers=mine).status_code == 201


def test_a_withdrawal_sent_twice_under_one_key_answers_alike(site: Site) -> None:
    consent(site, ADA)
    header, body = {**site.bearer(), "Idempotency-Key": "no"}, {"identifier": identifier(ADA)}
    first = site.browser.post("/api/consents/withdraw", json=body, headers=header).get_json()
    assert site.browser.post("/api/consents/withdraw", json=body, headers=header).get_json() == first


def test_a_stored_answer_is_sealed(site: Site) -> None:
    header = {**site.bearer(), "Idempotency-Key": "sealed"}
    sent = site.browser.post("/api/consents", json=consent_for(ADA, status="requested"), headers=header)
    secret = sent.get_json()["confirm_url"].rpartition("/")[2]
    with site.deployment.database.snapshot() as session:
        rows = session.connection().exec_driver_sql("SELECT * FROM idempotency").fetchall()
    assert len(rows) == 1
    assert secret not in str(rows)


def test_an_access_request_ends_in_a_package_for_who_brought_it(site: Site) -> None:
    consent(site, ADA)
    mine, other = site.bearer("admin:*"), site.bearer("request:write")
    body = {"right": "access", "identifier": identifier(ADA), "requester": "subject"}
    received = site.browser.post("/api/subject-requests", json=body, headers=mine)
    assert received.status_code == 202
    assert set(received.get_json()) >= {"id", "state", "due_at"}
    path = f"/api/subject-requests/{received.get_json()['id']}"
    state = site.browser.get(path, headers=mine).get_json()
    assert state["state"] == "completed"
    package = site.browser.get(state["package_url"].removeprefix(site.deployment.settings.base_url), headers=mine)
    assert ADA in package.get_data(as_text=True)
    assert site.browser.get(path, headers=other).status_code == 404
    assert site.browser.get(f"{path}/package", headers=other).status_code == 404


def test_only_who_vouches_may_say_that_an_identifier_was_proved(site: Site) -> None:
    right = {**identifier("ada.right@people.example"), "verified": True}
    body = {"right": "rectification", "identifier": identifier(ADA), "requester": "subject"}
    body["corrections"] = {"identifiers": [{"add": right}]}
    answer = site.browser.post("/api/subject-requests", json=body, headers=site.bearer("request:write"))
    assert kind(answer) == (403, "insufficient_scope")
    assert answer.get_json()["scope"] == "admin:*"
    assert 'scope="admin:*"' in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    ("named", "type"),
    [
        ({"type": "pigeon", "value": "u1"}, "unknown_identifier_type"),
        ({"type": "email", "value": "no address"}, "unusable_identifier"),
    ],
)
def test_a_slip_in_an_identifier_is_the_same_mistake_everywhere(site: Site, named: dict[str, str], type: str) -> None:
    request = {"right": "access", "identifier": named, "requester": "subject"}
    for path, body in (
        ("/api/subject-requests", request),
        ("/api/profiles/lookup", {"identifier": named, "purpose": "email_marketing"}),
    ):
        answer = site.browser.post(path, json=body, headers=site.bearer("request:write", "profile:read"))
        assert kind(answer) == (400, type), path


def test_a_request_of_a_client_that_cannot_vouch_waits_for_the_identity(site: Site) -> None:
    consent(site, ADA)
    header = site.bearer("request:write")
    body = {"right": "erasure", "identifier": identifier(ADA), "requester": "subject"}
    received = site.browser.post("/api/subject-requests", json=body, headers=header).get_json()
    assert received["state"] == "received"
    assert emails(site.browser.get(MEMBERS, headers=site.bearer())) == [ADA]


def test_a_request_under_the_gdpr_is_extended_once(site: Site) -> None:
    """Whoever is put right to live in Germany has the GDPR alone; the rectification waits for nobody's word."""
    consent(site, ADA)
    header = site.bearer("admin:*")
    body = {"right": "rectification", "identifier": identifier(ADA), "requester": "subject"}
    moved = body | {"corrections": {"traits": {"country": "DE"}}}
    assert site.browser.post("/api/subject-requests", json=moved, headers=header).get_json()["state"] == "completed"
    waiting = site.browser.post("/api/subject-requests", json=body, headers=site.bearer("request:write")).get_json()
    told = {"at": site.deployment.clock.now().isoformat(), "reason": "many systems"}
    path = f"/api/subject-requests/{waiting['id']}/extend"
    extended = site.browser.post(path, json=told, headers=header)
    assert extended.status_code == 200 and extended.get_json()["due_at"] > waiting["due_at"]
    assert kind(site.browser.post(path, json=told, headers=header)) == (409, "extended_already")
    assert site.browser.post(path, json=told, headers=site.bearer("request:write")).status_code == 403


def test_an_erasure_ends_with_its_certificate_and_nobody_to_find(site: Site) -> None:
    consent(site, ADA)
    header = site.bearer("admin:*")
    body = {"right": "erasure", "identifier": identifier(ADA), "requester": "subject"}
    received = site.browser.post("/api/subject-requests", json=body, headers=header).get_json()
    state = site.browser.get(f"/api/subject-requests/{received['id']}", headers=header).get_json()
    assert state["state"] == "completed"
    assert state["certificate"]
    assert look_up(site, ADA).status_code == 404
    again = site.browser.post("/api/consents", json=consent_for(ADA), headers=site.bearer())
    assert again.status_code == 404, "erased people start anew through a source that readmits, not here"


def test_a_write_sent_many_times_at_once_under_one_key_happens_once(site: Site) -> None:
    from concurrent.futures import ThreadPoolExecutor

    header = {**site.bearer(), "Idempotency-Key": "at once"}

    def send(_: int) -> tuple[int, Any]:
        answer = site.browser.post("/api/consents", json=consent_for(ADA), headers=header)
        return answer.status_code, answer.get_json()["record_id"]

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(send, range(12)))
    assert len(set(answers)) == 1
    assert answers[0][0] == 201


def test_below_the_age_of_consent_only_a_verified_guardian_s_word_counts(site: Site) -> None:
    header = site.bearer()
    said = consent_for(ADA)

    def post(**more: str) -> TestResponse:
        return site.browser.post("/api/consents", json={**said, **more}, headers=header)

    refused = post(actor="guardian")
    assert (refused.status_code, refused.get_json()["errors"][0]["pointer"]) == (400, "/verification")
    assert post(verification="card").status_code == 400, "of the person nobody verifies a guardian"
    assert post(actor="guardian", verification="signed_form").status_code == 201
