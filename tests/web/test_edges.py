"""The edges of what can be sent: each is answered as a problem, at once, and changes nothing."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import SQLModel
from werkzeug.test import TestResponse

from tests.web.asking import ADA, BEN, MEMBERS, USE, consent, identifier, kind
from tests.web.conftest import Site, consent_for, opened

BEYOND_64_BITS = 2**70
WRITES: dict[str, dict[str, Any]] = {
    "/api/consents": consent_for(BEN),
    "/api/consents/withdraw": {"identifier": identifier(ADA)},
    "/api/subject-requests": {"right": "access", "identifier": identifier(ADA), "requester": "subject"},
}
READS: dict[str, dict[str, Any]] = {
    "/api/consents/lookup": {"identifier": identifier(ADA)},
    "/api/profiles/lookup": {"identifier": identifier(ADA), "purpose": "email_marketing"},
    "/api/decisions": {"identifier": identifier(ADA), "purpose": "email_marketing"},
    "/api/audiences/preview": {"rule": {"everyone": True}, "purpose": "email_marketing", "channel": "email"},
    "/api/audiences/everyone/explain": {"identifier": identifier(ADA), "purpose": "email_marketing"},
}
BODIES = {**WRITES, **READS}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One deployment with Ada in it: nothing here may change her."""
    for site in opened(tmp_path_factory.mktemp("edges"), ""):
        consent(site, ADA)
        yield site


@pytest.fixture(scope="module")
def officer(site: Site) -> dict[str, str]:
    return site.bearer("admin:*")


def state(site: Site) -> str:
    """A digest of every row of every table."""
    digest = hashlib.sha256()
    with site.deployment.database.snapshot() as session:
        for table in sorted(SQLModel.metadata.tables):
            digest.update(repr(sorted(map(repr, session.execute(text(f'SELECT * FROM "{table}"'))))).encode())
    return digest.hexdigest()


def post(
    site: Site, path: str, raw: str | bytes, header: dict[str, str], content: str = "application/json"
) -> TestResponse:
    return site.browser.post(path, data=raw, content_type=content, headers=header)


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize(
    "more",
    [
        {"id": "mine"},
        {"record_id": "mine", "verified": True},
        {"client": "another", "client_id": "another", "recipient_id": 1},
        {"state": "completed", "due_at": "2099-01-01T00:00:00Z", "certificate": {}},
        {"scopes": ["admin:*"], "purposes": ["ads_sharing"]},
        {"source": "crm", "lifts": "x", "token": "x", "proof": "x"},
        {"__proto__": {"admin": True}, "constructor": {}},
        {"": 1},
    ],
    ids=lambda more: next(iter(more)) or "empty",
)
def test_what_nobody_asked_for_is_refused_and_changes_nothing(
    site: Site, officer: dict[str, str], path: str, more: dict[str, Any]
) -> None:
    before = state(site)
    answer = site.browser.post(path, json={**BODIES[path], **more}, headers=officer)
    assert kind(answer) == (400, "invalid_input")
    nested = {**BODIES[path], "identifier": {**identifier(ADA), **more}}
    assert kind(site.browser.post(path, json=nested, headers=officer)) == (400, "invalid_input")
    assert state(site) == before


@pytest.mark.parametrize("path", BODIES)
def test_a_member_named_twice_is_refused_and_changes_nothing(site: Site, officer: dict[str, str], path: str) -> None:
    before = state(site)
    name, value = next(iter(BODIES[path].items()))
    twice = json.dumps(BODIES[path])[:-1] + f", {json.dumps(name)}: {json.dumps(value)}}}"
    answer = post(site, path, twice, officer)
    assert kind(answer)[0] == 400
    assert state(site) == before


@pytest.mark.parametrize("path", ["/api/consents", "/api/profiles/lookup"])
@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\xfe{}",
        b"\xef\xbb\xbf[]",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"7",
        b"[" * 100_000,
        b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
        b'{"identifier": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
        b'{"identifier": NaN}',
        b'{"identifier": Infinity}',
        b'{"identifier": ' + b"9" * 6_000 + b"}",
        b'{"identifier": {"type": "email", "value": ' + b"9" * 400 + b"}}",
        b'{"identifier": {"type": "email", "value": "\\ud800"}}',
        json.dumps({f"field_{n}": n for n in range(20_000)}).encode(),
        json.dumps({"identifier": {"type": "email", "value": "x" * 900_000}}).encode(),
    ],
    ids=lambda raw: raw[:24].decode("latin-1"),
)
def test_a_body_that_is_none_is_refused_and_changes_nothing(
    site: Site, officer: dict[str, str], path: str, raw: bytes
) -> None:
    before = state(site)
    answer = post(site, path, raw, officer)
    assert state(site) == before
    assert answer.status_code in (400, 413)
    assert answer.content_type == "application/problem+json"
    assert len(answer.data) < 20_000, "a thousand mistakes are not all told"


@pytest.mark.parametrize(
    "content",
    [
        "text/plain",
        "application/xml",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
        "",
        "json",
        "application/json; charset=utf-16",
        "application/jsonp",
    ],
)
def test_a_body_of_another_type_is_not_read(site: Site, officer: dict[str, str], content: str) -> None:
    before = state(site)
    raw = json.dumps(WRITES["/api/consents"]).encode("utf-16" if "utf-16" in content else "utf-8")
    answer = post(site, "/api/consents", raw, officer, content)
    assert answer.status_code in (400, 415)
    assert answer.content_type == "application/problem+json"
    assert state(site) == before


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "text/html",
        "application/xml;q=0.9",
        "a" * 5000,
        "application/json;q=2",
        ",,,",
        "\u00e9/\u00e9",
        "*/*;q=NaN",
    ],
)
def test_odd_wishes_for_an_answer_are_answered_in_json(site: Site, officer: dict[str, str], accept: str) -> None:
    answer = site.browser.get(MEMBERS, headers={**officer, "Accept": accept.encode().decode("latin-1")})
    assert answer.status_code == 200
    assert answer.content_type == "application/json"


@pytest.mark.parametrize(
    "name",
    ["../everyone", "..%2feveryone", "%2e%2e/%2e%2e/etc/passwd", "everyone/..", "everyone%00", "everyone%0d%0aX-A: 1",
     "\uff45\uff56\uff45\uff52\uff59\uff4f\uff4e\uff45", "e\u0301veryone",
     "EVERYONE", " everyone", "everyone ", "everyone;v=1",
     "x" * 20_000, "%ff%fe", "${7*7}", "{{7*7}}", "' OR 1=1 --", "*", "."],
    ids=lambda name: name[:20].encode("unicode_escape").decode(),
)  # fmt: skip
def test_a_name_is_that_name_and_no_path_pattern_or_spelling_of_it(
    site: Site, officer: dict[str, str], name: str
) -> None:
    for path in (f"/api/audiences/{name}", f"/api/journeys/{name}", f"/api/connectors/{name}/drops", f"/static/{name}"):
        answer = site.browser.get(path, headers=officer)
        assert answer.status_code == 404, path[:60]
        assert answer.content_type == "application/problem+json"
        assert "X-A" not in answer.headers


@pytest.mark.parametrize(
    ("limit", "status"),
    [
        (1, 200),
        (BEYOND_64_BITS, 400),
        (-1, 400),
        (0, 400),
        (2**31, 400),
        ("1e3", 400),
        ("1_000", 200),
        ("\u0661", 200),
        (" 1", 200),
        ("0x10", 400),
        ("", 400),
        ("null", 400),
        ("1" * 5000, 400),
    ],
)
def test_a_limit_is_a_small_whole_number(site: Site, officer: dict[str, str], limit: object, status: int) -> None:
    answer = site.browser.get("/api/audiences/everyone/members", query_string=f"{USE}&limit={limit}", headers=officer)
    assert answer.status_code == status


@pytest.mark.parametrize(
    "rule",
    [
        {"performed": {"event": "Order Completed", "count": {"gte": BEYOND_64_BITS}}},
        {"performed": {"event": "Order Completed", "count": {"gte": -BEYOND_64_BITS}}},
        {"performed": {"event": "Order Completed", "amount": {"JPY": BEYOND_64_BITS}}},
        {"performed": {"event": "Order Completed", "amount": {"JPY": 1e300}}},
        {"performed": {"event": "Order Completed", "amount": {"JPY": True}}},
        {"performed": {"event": "Order Completed", "within": "P999999999999D"}},
        {"performed": {"event": "Order Completed", "within": "P99999Y"}},
        {"performed": {"event": "Order Completed", "within": "-P30D"}},
        {"performed": {"event": ["Order Completed"] * 10_000}},
        {"trait": {"name": "tier", "op": "eq", "value": BEYOND_64_BITS}},
        {"trait": {"name": "tier", "op": "in", "value": ["gold"] * 40_000}},
        {"trait": {"name": "tier", "op": "in", "value": [["gold"]]}},
        {"trait": {"name": "tier", "op": "gte", "value": {"gte": 1}}},
        {"trait": {"name": ["tier"], "op": ["eq"], "value": None}},
        {"and": [{"everyone": True}] * 5_000},
        {"or": []},
        {"not": {"not": {"not": {}}}},
        {"stage": {"journey": "standard", "stage": ["purchase"]}},
        {"birthday": BEYOND_64_BITS},
        {"everyone": BEYOND_64_BITS},
        [{"everyone": True}],
        "everyone",
        BEYOND_64_BITS,
    ],
    ids=lambda rule: json.dumps(rule)[:60],
)  # fmt: skip
def test_a_rule_beyond_what_can_be_reckoned_is_refused(site: Site, officer: dict[str, str], rule: Any) -> None:
    body = {"rule": rule, "purpose": "email_marketing", "channel": "email"}
    answer = site.browser.post("/api/audiences/preview", json=body, headers=officer)
    assert kind(answer) == (422, "invalid_rule"), answer.get_data(as_text=True)[:300]
    assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize(
    "instant",
    ["0000-00-00", "10000-01-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-01-01T25:00:00Z",
     "2026-01-01T00:00:00+99:00",
     "now", "", "2026", BEYOND_64_BITS, -1, True, [], {}, "1969-12-31T23:59:59Z", "3000-01-01T00:00:00Z",
     "\uff12\uff10\uff12\uff16-01-01"],
    ids=repr,
)  # fmt: skip
def test_an_instant_beyond_the_calendar_is_refused(site: Site, officer: dict[str, str], instant: Any) -> None:
    before = state(site)
    answer = site.browser.post("/api/consents", json=consent_for(BEN, event_time=instant), headers=officer)
    assert kind(answer) == (400, "invalid_input")
    read = {"identifier": identifier(ADA), "as_of": instant}
    assert kind(site.browser.post("/api/consents/lookup", json=read, headers=officer)) == (400, "invalid_input")
    assert state(site) == before


@pytest.mark.parametrize(
    "spelled",
    [
        "ADA@people.example",
        " ada@people.example ",
        "\uff41\uff44\uff41@people.example",
        "ada@PEOPLE.EXAMPLE",
        "ada@people\u3002example",
    ],
)
def test_one_address_however_it_is_spelled_is_one_person(site: Site, officer: dict[str, str], spelled: str) -> None:
    answer = site.browser.post("/api/consents/lookup", json={"identifier": identifier(spelled)}, headers=officer)
    plain = site.browser.post("/api/consents/lookup", json={"identifier": identifier(ADA)}, headers=officer)
    assert (answer.status_code, plain.status_code) == (200, 200)
    assert answer.get_json()["data"] == plain.get_json()["data"]


@pytest.mark.parametrize("key", ["x" * 256, "x" * 60_000])
def test_a_key_for_repeating_has_an_end(site: Site, officer: dict[str, str], key: str) -> None:
    before = state(site)
    answer = site.browser.post("/api/consents", json=consent_for(BEN), headers={**officer, "Idempotency-Key": key})
    assert kind(answer) == (400, "invalid_idempotency_key")
    assert state(site) == before


def test_a_key_used_at_one_address_does_not_serve_another(site: Site) -> None:
    header = {**site.bearer("admin:*"), "Idempotency-Key": "one \u00e9".encode().decode("latin-1")}
    body = {"identifier": identifier("fresh@people.example")}
    assert site.browser.post("/api/consents/withdraw", json=body, headers=header).status_code == 200
    for path in ("/api/subject-requests", "/api/consents"):
        answer = site.browser.post(path, json=WRITES[path], headers=header)
        assert kind(answer) == (422, "idempotency_key_reused")


def test_a_refused_write_does_not_use_its_key_up(site: Site) -> None:
    header = {**site.bearer("admin:*"), "Idempotency-Key": "again"}
    wrong = consent_for("fresh2@people.example", notice="made_up")
    assert site.browser.post("/api/consents", json=wrong, headers=header).status_code == 400
    right = consent_for("fresh2@people.example")
    assert site.browser.post("/api/consents", json=right, headers=header).status_code == 201


def test_what_is_sent_never_becomes_a_header(site: Site, officer: dict[str, str]) -> None:
    evil = "x%0d%0aSet-Cookie:%20a=b"
    for path in (
        f"/api/audiences/{evil}",
        f"{MEMBERS}&cursor={evil}",
        f"/privacy/unsubscribe/x?lang={evil}",
        f"/?{evil}",
    ):
        answer = site.browser.get(path, headers=officer)
        assert "Set-Cookie" not in answer.headers
        assert not [value for value in answer.headers.values() if "\n" in value]


def test_a_forwarded_host_changes_no_link(site: Site, officer: dict[str, str]) -> None:
    forged = {
        "X-Forwarded-Host": "attacker.example",
        "X-Forwarded-Proto": "https",
        "Forwarded": "host=attacker.example",
    }
    for header in ({**officer, **forged}, {**officer, "Host": "attacker.example"}):
        for path in (MEMBERS, "/.well-known/oauth-authorization-server", "/api/openapi.json", "/nowhere"):
            assert b"attacker" not in site.browser.get(path, headers=header).data
