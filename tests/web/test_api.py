"""The API answers as the contract promises: bodies, refusals by status, pages, cursors, keys sent twice."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.web.conftest import Site, consent_for

USE = "purpose=email_marketing&channel=email"
MEMBERS = f"/api/audiences/everyone/members?{USE}&fields=email"
ADA, BEN, CLEO = "ada@people.example", "ben@people.example", "cleo@people.example"


def identifier(email: str) -> dict[str, str]:
    return {"type": "email", "value": email}


def consent(site: Site, *emails: str, **more: Any) -> None:
    header = site.bearer()
    for email in emails:
        answer = site.browser.post("/api/consents", json=consent_for(email, **more), headers=header)
        assert answer.status_code == 201, answer.get_data(as_text=True)


def kind(answer: TestResponse) -> tuple[int, str]:
    assert answer.content_type == "application/problem+json"
    return answer.status_code, answer.get_json()["type"].removeprefix("urn:sekisho:problem:")


def emails(answer: TestResponse) -> list[str]:
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return [row["fields"]["email"] for row in answer.get_json()["data"]]


def test_members_are_those_who_consented_as_the_contract_says(site: Site) -> None:
    consent(site, ADA)
    consent(site, BEN, status="refused")
    answer = site.browser.get(MEMBERS, headers=site.bearer())
    body = answer.get_json()
    assert emails(answer) == [ADA]
    assert set(body) >= {"data", "next_cursor", "use_by", "disclosure"}
    assert set(body["data"][0]) >= {"id", "fields", "stage", "links"}
    assert body["next_cursor"] is None
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_unsubscribe_link_of_a_row_unsubscribes_that_person(site: Site) -> None:
    consent(site, ADA, BEN)
    rows = site.browser.get(MEMBERS, headers=site.bearer()).get_json()["data"]
    link = next(row["links"]["unsubscribe"] for row in rows if row["fields"]["email"] == ADA)
    site.browser.post(link.removeprefix(site.deployment.settings.base_url), data={"List-Unsubscribe": "One-Click"})
    assert emails(site.browser.get(MEMBERS, headers=site.bearer())) == [BEN]


def test_a_list_goes_on_with_its_cursor_and_names_each_once(site: Site) -> None:
    everybody = [f"p{n}@people.example" for n in range(7)]
    consent(site, *everybody)
    header, cursor, found = site.bearer(), "", []
    for _ in range(10):
        answer = site.browser.get(f"{MEMBERS}&limit=3&cursor={cursor}", headers=header)
        found += emails(answer)
        cursor = answer.get_json()["next_cursor"]
        if not cursor:
            break
    assert sorted(found) == everybody


def test_a_cursor_serves_the_client_and_the_question_it_was_given_for_only(site: Site) -> None:
    consent(site, ADA, BEN)
    header = site.bearer()
    cursor = site.browser.get(f"{MEMBERS}&limit=1", headers=header).get_json()["next_cursor"]
    invalid = (400, "invalid_cursor")
    assert site.browser.get(f"{MEMBERS}&limit=1&cursor={cursor}", headers=header).status_code == 200
    assert kind(site.browser.get(f"{MEMBERS}&limit=1&cursor={cursor}", headers=site.bearer())) == invalid
    other = f"/api/audiences/recent_buyers/members?{USE}&fields=email"
    assert kind(site.browser.get(f"{other}&cursor={cursor}", headers=header)) == invalid
    for wrong in (cursor[:-2] + "AA", "AAAA", "%F0%9F%98%80", "x" * 500):
        assert kind(site.browser.get(f"{MEMBERS}&cursor={wrong}", headers=header)) == invalid


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ("purpose=nonsense", (400, "unknown_purpose")),
        ("purpose=line_marketing", (403, "purpose_not_registered")),
        ("purpose=email_marketing&channel=pigeon", (400, "unknown_channel")),
        ("purpose=email_marketing&channel=sms", (403, "unknown_use")),
        ("purpose=service_delivery", (400, "channel_needed")),
        ("purpose=email_marketing&fields=address", (403, "field_not_allowed")),
        ("purpose=email_marketing&limit=0", (400, "invalid_input")),
        ("purpose=email_marketing&limit=100000", (400, "invalid_input")),
        ("purpose=email_marketing&feilds=email", (400, "invalid_input")),
        ("", (400, "invalid_input")),
    ],
)
def test_a_question_that_cannot_be_answered_says_which_kind_it_is(
    site: Site, query: str, answer: tuple[int, str]
) -> None:
    assert kind(site.browser.get(f"/api/audiences/everyone/members?{query}", headers=site.bearer())) == answer


def test_a_refusal_that_depends_on_no_person_names_its_article_in_both_languages(site: Site) -> None:
    answer = site.browser.get(
        "/api/audiences/everyone/members?purpose=email_marketing&channel=sms", headers=site.bearer()
    )
    assert all(answer.get_json()[name] for name in ("law", "article", "ja", "en"))


def test_an_audience_that_does_not_exist_is_404(site: Site) -> None:
    for path in ("", f"/count?{USE}", f"/members?{USE}"):
        answer = site.browser.get(f"/api/audiences/nobody{path}", headers=site.bearer())
        assert kind(answer) == (404, "unknown_audience")


def test_a_count_says_how_many_and_why_not_the_others(site: Site) -> None:
    consent(site, ADA, BEN)
    consent(site, CLEO, status="refused")
    body = site.browser.get(f"/api/audiences/everyone/count?{USE}", headers=site.bearer()).get_json()
    assert body["count"] == 2
    assert sum(body["refused"].values()) == 1
    assert body["as_of"]


def test_a_preview_counts_a_rule_and_points_at_its_mistakes(site: Site) -> None:
    consent(site, ADA)
    asked = {"rule": {"everyone": True}, "purpose": "email_marketing"}
    assert site.browser.post("/api/audiences/preview", json=asked, headers=site.bearer()).get_json()["count"] == 1
    wrong = {**asked, "rule": {"and": [{"trait": {"name": "shoe_size", "op": "eq", "value": 1}}]}}
    answer = site.browser.post("/api/audiences/preview", json=wrong, headers=site.bearer())
    assert kind(answer) == (422, "invalid_rule")
    assert answer.get_json()["errors"][0]["pointer"].startswith("/and/0/trait")


def test_an_explanation_gives_clauses_and_refusals_with_remedies(site: Site) -> None:
    consent(site, BEN, status="refused")
    body = {"identifier": identifier(BEN), "purpose": "email_marketing"}
    answer = site.browser.post("/api/audiences/everyone/explain", json=body, headers=site.bearer()).get_json()
    assert answer["member"] is True
    assert answer["reachable"] is False
    assert answer["clauses"][0]["clause"] == {"everyone": True}
    assert all(reason["article"] and reason["remedy_en"] for reason in answer["refusals"])
    assert (
        site.browser.post(
            "/api/audiences/everyone/explain", json=body, headers=site.bearer("audience:read")
        ).status_code
        == 403
    )


def look_up(site: Site, email: str, *scopes: str, **headers: str) -> TestResponse:
    body = {"identifier": identifier(email), "purpose": "email_marketing", "fields": ["email"]}
    return site.browser.post("/api/profiles/lookup", json=body, headers={**site.bearer(*scopes), **headers})


def test_a_lookup_finds_who_consented_and_nobody_else_alike(site: Site) -> None:
    consent(site, ADA)
    consent(site, BEN, status="refused")
    assert look_up(site, ADA).get_json()["fields"] == {"email": ADA}
    assert look_up(site, BEN).get_json() == look_up(site, "nobody@people.example").get_json()
    assert look_up(site, BEN).status_code == 404


def test_a_lookup_explains_its_404_to_those_who_may_ask(site: Site) -> None:
    consent(site, BEN, status="refused")
    explained = look_up(site, BEN, "profile:read", "decision:read", Prefer="explain").get_json()
    assert [reason["code"] for reason in explained["reasons"]]
    assert "reasons" not in look_up(site, BEN, "profile:read", Prefer="explain").get_json()


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
        ({"status": "withdrawn"}, (400, "invalid_input")),
        ({"event_time": "yesterday"}, (400, "invalid_input")),
        ({"purpose": "ads_sharing"}, (403, "purpose_not_registered")),
    ],
)
def test_a_statement_without_what_proves_it_is_refused(
    site: Site, changed: dict[str, Any], answer: tuple[int, str]
) -> None:
    sent = site.browser.post("/api/consents", json=consent_for(ADA, **changed), headers=site.bearer())
    assert kind(sent) == answer


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


def test_a_decision_says_yes_or_no_with_every_reason(site: Site) -> None:
    consent(site, ADA)
    consent(site, BEN, status="refused")
    header = site.bearer()
    for email, answer in ((ADA, "allow"), (BEN, "deny")):
        body = {"identifier": identifier(email), "purpose": "email_marketing"}
        told = site.browser.post("/api/decisions", json=body, headers=header).get_json()
        assert told["decision"] == answer
        assert set(told) >= {"reasons", "basis", "obligations", "expires_at", "policy_version"}
        assert all(reason["ja"] and reason["en"] and reason["article"] for reason in told["reasons"])
    unknown = {"identifier": identifier(CLEO), "purpose": "email_marketing"}
    assert site.browser.post("/api/decisions", json=unknown, headers=header).status_code == 404


def test_a_decision_about_an_undeclared_recipient_is_a_no_with_its_reason(site: Site) -> None:
    consent(site, ADA)
    body = {"identifier": identifier(ADA), "purpose": "email_marketing", "recipient": "ad_platform"}
    told = site.browser.post("/api/decisions", json=body, headers=site.bearer()).get_json()
    assert told["decision"] == "deny"
    assert "unknown_use" in [reason["code"] for reason in told["reasons"]]


def test_a_decision_needs_one_name_of_the_person(site: Site) -> None:
    for named in ({}, {"identifier": identifier(ADA), "subject": "x"}):
        body = {"purpose": "email_marketing", **named}
        assert site.browser.post("/api/decisions", json=body, headers=site.bearer()).status_code == 400


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


def test_a_request_of_a_client_that_cannot_vouch_waits_for_the_identity(site: Site) -> None:
    consent(site, ADA)
    header = site.bearer("request:write")
    body = {"right": "erasure", "identifier": identifier(ADA), "requester": "subject"}
    received = site.browser.post("/api/subject-requests", json=body, headers=header).get_json()
    assert received["state"] == "received"
    assert emails(site.browser.get(MEMBERS, headers=site.bearer())) == [ADA]


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


def test_journeys_tell_stages_and_sizes(site: Site) -> None:
    consent(site, ADA)
    header = site.bearer()
    [first, *_] = site.browser.get("/api/journeys", headers=header).get_json()["data"]
    body = site.browser.get(f"/api/journeys/{first['name']}?{USE}", headers=header).get_json()
    assert [stage["key"] for stage in body["stages"]] == [stage["key"] for stage in first["stages"]]
    assert all("size" in stage for stage in body["stages"])
    assert site.browser.get(f"/api/journeys/{first['name']}", headers=header).get_json()["purpose"]
    stage = first["stages"][0]["key"]
    members = site.browser.get(f"/api/journeys/{first['name']}/stages/{stage}/members?{USE}", headers=header)
    assert emails(members) == []
    unknown = site.browser.get(f"/api/journeys/{first['name']}/stages/none/members?{USE}", headers=header)
    assert kind(unknown) == (404, "unknown_stage")


def test_a_receipt_of_the_ledger_can_be_proved_once_it_is_sealed(site: Site) -> None:
    from cdp import ledger

    consent(site, ADA)
    header = site.bearer()
    body = {"identifier": identifier(ADA), "purpose": "email_marketing"}
    entry = site.browser.post("/api/decisions", json=body, headers=header).get_json()["entry"]
    assert kind(site.browser.get(f"/api/ledger/proof/{entry}", headers=header)) == (404, "not_sealed")
    with site.deployment.database.transaction() as session:
        ledger.seal(session, site.deployment.signer, site.clock.now())
    proof = site.browser.get(f"/api/ledger/proof/{entry}", headers=header).get_json()
    head = site.browser.get("/api/ledger/checkpoint", headers=header).get_json()
    assert proof["checkpoint"] == head["note"]
    assert ADA not in str(proof)


def test_connectors_are_for_integrators(site: Site) -> None:
    for path in ("/api/connectors", "/api/connector-types"):
        assert site.browser.get(path, headers=site.bearer("ingest:write")).status_code == 200
        assert kind(site.browser.get(path, headers=site.bearer())) == (403, "insufficient_scope")
    missing = site.browser.get("/api/connectors/none/drops", headers=site.bearer("ingest:write"))
    assert kind(missing) == (404, "unknown_connector")
