"""What clients write: consent with its proof, withdrawals that hold, requests of data subjects, keys sent twice."""

from typing import Any

import pytest

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
