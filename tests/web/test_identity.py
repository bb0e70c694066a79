"""Who is who over the API: numbers that no row can have, words without a reason; what was said, listed, taken back."""

import json
from typing import Any

import pytest
from sqlmodel import col, select

from cdp.identity import breaker, explaining, graph
from cdp.identity.model import Override
from cdp.ids import GREATEST
from cdp.ledger.model import LedgerEntry
from tests.web.asking import ADA, BEN, consent, kind
from tests.web.conftest import Site

PAIR = {"one": 1, "other": 2}
WORD = {**PAIR, "kind": "must", "reason": "the same customer card"}
ASIDE = {"subject": 1, "value": "email ●3fa2b1", "reason": "typed by somebody else"}
ASKED = (("explanations", PAIR, "other"), ("decisions", WORD, "one"), ("retractions", ASIDE, "subject"))
BEYOND = (GREATEST + 1, 2**53, 2**63, 10**25)


@pytest.fixture
def site(site_on_each_database: Site) -> Site:
    """Two records that share nothing."""
    consent(site_on_each_database, ADA, BEN)
    return site_on_each_database


@pytest.fixture
def header(site: Site) -> dict[str, str]:
    return site.bearer("identity:review")


def pointers(answer: Any) -> list[str]:
    assert kind(answer) == (400, "invalid_input")
    return [error["pointer"] for error in answer.get_json()["errors"]]


def test_what_is_no_number_of_a_row_is_pointed_at(site: Site, header: dict[str, str]) -> None:
    for number in (*BEYOND, 0, -1, 1.7, "1", True, None):
        for path, body, name in ASKED:
            answer = site.browser.post(f"/api/identity/{path}", json={**body, name: number}, headers=header)
            assert pointers(answer) == [f"/{name}"], (path, number)
    with site.deployment.database.snapshot() as session:
        assert session.scalars(select(Override)).all() == []


def test_a_number_that_a_row_may_have_is_unknown(site: Site, header: dict[str, str]) -> None:
    whole = site.browser.post("/api/identity/explanations", json={"one": 1.0, "other": 2}, headers=header)
    assert whole.get_json()["people"] == [1, 2], "JSON knows one kind of number"
    for path, body, name in ASKED:
        answer = site.browser.post(f"/api/identity/{path}", json={**body, name: GREATEST}, headers=header)
        assert answer.status_code == 404, path


def test_a_list_goes_on_after_a_number_that_a_row_may_have(site: Site, header: dict[str, str]) -> None:
    for path in ("cases", "proposals"):
        last = site.browser.get(f"/api/identity/{path}?after={GREATEST}", headers=header)
        assert last.get_json() == {"data": [], "next_after": None}
        for number in (*BEYOND, -1, "1.5"):
            answer = site.browser.get(f"/api/identity/{path}?after={number}", headers=header)
            assert pointers(answer) == ["/query/after"], (path, number)


def test_a_reason_that_nobody_could_read_is_none(site: Site, header: dict[str, str]) -> None:
    made = site.browser.post("/api/identity/decisions", json=WORD, headers=header).get_json()["decision"]
    for method, path, body in (
        ("POST", "decisions", WORD),
        ("POST", "retractions", ASIDE),
        ("POST", "cases/1/decision", {"action": "block"}),
        ("POST", "cases/1/undo", {}),
        ("POST", "proposals/1/decision", {"action": "accept"}),
        ("DELETE", "proposals/1/decision", {}),
        ("DELETE", f"decisions/{made}", {}),
    ):
        for reason in (" ", "\u3000\t", "\u200b"):
            said = {**body, "reason": reason}
            answer = site.browser.open(f"/api/identity/{path}", method=method, json=said, headers=header)
            assert kind(answer) == (422, "reason_missing"), path
            assert [error["pointer"] for error in answer.get_json()["errors"]] == ["/reason"], path


def test_a_decision_is_taken_back_with_a_reason_or_without(site: Site, header: dict[str, str]) -> None:
    for body, kept in (({"reason": " another customer "}, "another customer"), (None, "")):
        made = site.browser.post("/api/identity/decisions", json=WORD, headers=header).get_json()["decision"]
        path = f"/api/identity/decisions/{made}"
        named = site.browser.delete(path, json={"reason": f"it was {ADA}"}, headers=header)
        assert kind(named) == (422, "reason_unusable")
        assert site.browser.delete(path, json=body, headers=header).status_code == 204
        assert revocations(site)[-1] == (made, kept)


def test_what_was_decided_is_listed_in_pages_also_what_was_taken_back(site: Site, header: dict[str, str]) -> None:
    with site.deployment.database.snapshot() as session:
        (key,) = [key for key in graph.keys_of(session, [1]) if key[0] == "email"]
        value = explaining.shown(session, key)
    with site.deployment.database.transaction() as session:
        breaker.hold(session, "crm", "joined too many", site.deployment.clock.now())  # is nobody's word
    said = (("decisions", WORD), ("retractions", ASIDE | {"value": value}))
    made = [
        site.browser.post(f"/api/identity/{path}", json=body, headers=header).get_json()["decision"]
        for path, body in said
    ]
    site.browser.delete(f"/api/identity/decisions/{made[0]}", headers=header)
    first = site.browser.get("/api/identity/decisions?limit=1", headers=header).get_json()
    rest = site.browser.get(f"/api/identity/decisions?after={first['next_after']}", headers=header).get_json()
    (must,), (retract,) = first["data"], rest["data"]
    assert (must["id"], must["kind"], must["subjects"], must["shown"]) == (made[0], "must", [1, 2], "")
    assert must["revoked_at"] and must["case"] is None and rest["next_after"] is None
    assert (retract["id"], retract["kind"], retract["subjects"], retract["shown"]) == (made[1], "retract", [1], value)
    assert retract["revoked_at"] is None and retract["actor"] == must["actor"]
    assert "@" not in json.dumps([first, rest])


def revocations(site: Site) -> list[tuple[int, str]]:
    """Return which decisions were taken back, and why."""
    with site.deployment.database.snapshot() as session:
        headers = select(LedgerEntry.header).where(LedgerEntry.act == "identity.revoked").order_by(col(LedgerEntry.id))
        said = [json.loads(text)["header"] for text in session.scalars(headers)]
    return [(one["decision"], one["reason"]) for one in said]
