"""The API answers as the contract promises: bodies, refusals by status, pages and cursors."""

from typing import Any

import pytest
from sqlmodel import select
from werkzeug.test import TestResponse

from cdp.gate.model import Disclosed
from cdp.ledger.model import LedgerEntry
from tests.web.asking import ADA, BEN, CLEO, MEMBERS, USE, consent, emails, identifier, kind, look_up
from tests.web.conftest import Site


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
    consent(site, *(f"p{n}@people.example" for n in range(19)))
    asked = {"rule": {"everyone": True}, "purpose": "email_marketing"}
    assert site.browser.post("/api/audiences/preview", json=asked, headers=site.bearer()).get_json()["count"] == 20
    wrong = {**asked, "rule": {"and": [{"trait": {"name": "shoe_size", "op": "eq", "value": 1}}]}}
    answer = site.browser.post("/api/audiences/preview", json=wrong, headers=site.bearer())
    assert kind(answer) == (422, "invalid_rule")
    assert answer.get_json()["errors"][0]["pointer"].startswith("/and/0/trait")


def test_an_explanation_gives_clauses_and_refusals_with_remedies(site: Site) -> None:
    consent(site, ADA)
    consent(site, BEN, status="refused")
    allowed, refused = (explained(site, email).get_json() for email in (ADA, BEN))
    assert (allowed["member"], allowed["reachable"], allowed["refusals"]) == (True, True, [])
    assert allowed["clauses"] == [{"pointer": "", "clause": {"everyone": True}, "holds": True}]
    assert refused["reachable"] is False
    assert refused["refusals"]
    assert all(reason["article"] and reason["remedy_en"] for reason in refused["refusals"])
    body = {"identifier": identifier(BEN), "purpose": "email_marketing"}
    assert (
        site.browser.post(
            "/api/audiences/everyone/explain", json=body, headers=site.bearer("audience:read")
        ).status_code
        == 403
    )


def test_what_a_rule_says_of_somebody_is_not_told_where_the_use_is_refused(site: Site) -> None:
    consent(site, BEN, status="refused")
    for name in ("everyone", "recent_buyers", "birthday_today"):
        told = explained(site, BEN, name).get_json()
        assert told["member"] is None
        assert {clause["holds"] for clause in told["clauses"]} == {None}


def test_an_explanation_is_a_disclosure_like_any_other(site: Site) -> None:
    consent(site, ADA)
    consent(site, BEN, status="refused")
    entries = [explained(site, email).get_json()["entry"] for email in (ADA, BEN)]
    with site.deployment.database.snapshot() as session:
        rows = session.exec(select(Disclosed).where(Disclosed.kind == "explain")).all()
        assert sorted(row.entry for row in rows) == sorted(entries)
    assert {(row.recipient, row.purpose, row.audience, row.count, row.state) for row in rows} == {
        ("ma_tool", "email_marketing", "everyone", 1, "closed")
    }
    assert sorted(row.fields for row in rows) == ["", "clauses"]


def test_who_is_restricted_is_explained_like_the_unknown(site: Site) -> None:
    consent(site, ADA)
    body = {"right": "restriction", "identifier": identifier(ADA), "requester": "subject"}
    assert site.browser.post("/api/subject-requests", json=body, headers=site.bearer("admin:*")).status_code == 202
    restricted, unknown = explained(site, ADA), explained(site, CLEO)
    assert kind(restricted) == (404, "not_found")
    assert restricted.get_json() == unknown.get_json()


def test_a_preview_of_few_people_tells_nothing_even_to_who_may_list(site: Site) -> None:
    consent(site, *(f"p{n}@people.example" for n in range(19)))
    answer = previewed(site, {"everyone": True}).get_json()
    assert (answer["count"], answer["suppressed"], answer["refused"]) == (None, True, {})
    count = site.browser.get(f"/api/audiences/everyone/count?{USE}", headers=site.bearer()).get_json()
    assert count["count"] == 19, "a declared audience is counted exactly for who may list it"


def test_a_preview_merges_small_reasons(site: Site) -> None:
    consent(site, *(f"p{n}@people.example" for n in range(20)))
    consent(site, BEN, status="refused")
    answer = previewed(site, {"everyone": True}).get_json()
    assert (answer["count"], answer["refused"]) == (20, {})


@pytest.mark.parametrize(
    ("rule", "pointer"),
    [
        ({"trait": {"name": "nps", "op": "gte", "value": 9}}, "/"),
        ({"and": [{"everyone": True}, {"not": {"trait": {"name": "nps", "op": "exists"}}}]}, "/and/1/not"),
    ],
)
def test_a_preview_asks_for_what_the_purpose_uses_only(site: Site, rule: dict[str, Any], pointer: str) -> None:
    answer = previewed(site, rule)
    assert kind(answer) == (422, "field_not_allowed")
    assert [error["pointer"] for error in answer.get_json()["errors"]] == [pointer]


@pytest.mark.parametrize("name", ["country", "tier"])
def test_a_preview_may_ask_for_what_the_purpose_uses(site: Site, name: str) -> None:
    assert previewed(site, {"trait": {"name": name, "op": "exists"}}).status_code == 200


def test_a_birthday_is_asked_for_where_the_purpose_uses_it_only(site: Site) -> None:
    assert previewed(site, {"birthday": "today"}).status_code == 200
    assert kind(previewed(site, {"birthday": "today"}, purpose="analytics")) == (422, "field_not_allowed")


def test_who_gets_no_short_list_looks_nobody_up(site: Site) -> None:
    header = site.bearer(purposes=("ads_sharing",), recipient="ad_platform")
    for email in (ADA, CLEO):
        body = {"identifier": identifier(email), "purpose": "ads_sharing", "channel": "ads"}
        answer = site.browser.post("/api/profiles/lookup", json=body, headers=header)
        assert kind(answer) == (403, "small_audience")


def explained(site: Site, email: str, name: str = "everyone") -> TestResponse:
    body = {"identifier": identifier(email), "purpose": "email_marketing"}
    return site.browser.post(f"/api/audiences/{name}/explain", json=body, headers=site.bearer())


def previewed(site: Site, rule: dict[str, Any], purpose: str = "email_marketing") -> TestResponse:
    body = {"rule": rule, "purpose": purpose}
    return site.browser.post("/api/audiences/preview", json=body, headers=site.bearer())


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


def test_the_numbers_of_a_journey_are_noted_as_other_counts_are(site: Site) -> None:
    [first, *_] = site.browser.get("/api/journeys", headers=site.bearer()).get_json()["data"]

    def noted() -> int:
        with site.deployment.database.snapshot() as session:
            return len(session.exec(select(LedgerEntry).where(LedgerEntry.act == "count.answered")).all())

    before = noted()
    assert site.browser.get(f"/api/journeys/{first['name']}?{USE}", headers=site.bearer()).status_code == 200
    assert noted() == before + 1


def test_a_journey_is_not_counted_while_the_keyring_is_away(site: Site) -> None:
    header = site.bearer()
    [first, *_] = site.browser.get("/api/journeys", headers=header).get_json()["data"]
    for path in (site.deployment.settings.home / "keyring").iterdir():
        path.unlink()
    paths = (f"/api/journeys/{first['name']}?{USE}", f"/api/audiences/everyone/count?{USE}")
    assert len({site.browser.get(path, headers=header).status_code for path in paths}) == 1


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
    assert kind(missing) == (404, "unknown_source")
