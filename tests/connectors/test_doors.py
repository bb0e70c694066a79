"""The doors of sources, knocked at as SDKs do and as attackers do."""

import base64
import gzip
import json
import time
import zlib
from pathlib import Path
from typing import Any

import pytest
import requests
from segment.analytics import Client
from sqlmodel import select

from cdp import consent, vault
from cdp.consent.model import ConsentRecord
from cdp.errors import Problem
from cdp.ingest import sources
from cdp.ingest.model import Source
from tests.connectors.conftest import Shop

VIEW = {"event": "Product Viewed", "userId": "ada", "anonymousId": "browser-1", "properties": {"product_id": "tea-01"}}


@pytest.fixture
def key(shop: Shop) -> str:
    return shop.add("site", "segment", key="server", residence_default="JP")["write_key"]


@pytest.mark.parametrize("path", ["track", "t"])
def test_a_call_is_stored_before_it_is_answered(shop: Shop, key: str, path: str) -> None:
    answer = shop.post(f"/v1/{path}", VIEW, key)
    assert (answer.status_code, answer.get_json()) == (200, {"success": True})
    assert shop.facts() == ["Product Viewed"]


@pytest.mark.parametrize("path", ["identify", "i", "page", "p", "screen", "s", "alias", "a"])
def test_every_call_of_the_protocol_has_its_door(door: Shop, path: str) -> None:
    assert door.post(f"/v1/{path}", VIEW | {"previousId": "browser-0"}, door.key).status_code == 200


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/import", "/v1/b"])
def test_a_half_good_batch_keeps_the_good_and_reports_the_bad(shop: Shop, key: str, path: str) -> None:
    batch = [
        VIEW | {"type": "track", "messageId": "m1"},
        {"type": "track", "userId": "ada"},
        {"type": "page", "userId": "ada"},
    ]
    told = shop.told_of(path, {"batch": batch}, key)
    assert [(one["pointer"], one["accepted"], one.get("reason")) for one in told["items"]] == [
        ("/batch/0", True, None),
        ("/batch/1/event", False, "event_name_missing"),
        ("/batch/2", True, None),
    ]
    assert told["items"][2]["idempotent"] is False
    assert shop.facts() == ["Page Viewed", "Product Viewed"]


def test_a_message_counts_once_however_often_it_comes(shop: Shop, key: str) -> None:
    batch = {"batch": [VIEW | {"type": "track", "messageId": f"m{number}"} for number in range(3)]}
    assert shop.told_of("/v1/batch", batch, key)["accepted"] == 3
    again = shop.told_of("/v1/batch", {"batch": batch["batch"][::-1]}, key)
    assert (again["accepted"], again["duplicates"]) == (0, 3)
    assert shop.facts() == ["Product Viewed"] * 3


def test_the_key_may_stand_in_three_places(door: Shop) -> None:
    bearer = {"Authorization": f"Bearer {door.key}"}
    assert door.post("/v1/track", VIEW, door.key).status_code == 200
    assert door.post("/v1/track", VIEW | {"writeKey": door.key}).status_code == 200
    assert door.post("/v1/track", VIEW, headers=bearer).status_code == 200
    assert (
        door.post("/v1/track", VIEW | {"writeKey": door.key}, headers={"Authorization": "Bearer else"}).status_code
        == 200
    )
    assert door.post(f"/beacon/v1/batch?writeKey={door.key}", {"batch": [VIEW | {"type": "track"}]}).status_code == 200


@pytest.mark.parametrize(
    "how", [{}, {"key": "wrong"}, {"headers": {"Authorization": "Bearer wrong"}}, {"key": "x" * 5000}]
)
def test_a_wrong_key_gets_401_and_no_popup(door: Shop, how: dict[str, Any]) -> None:
    answer = door.post("/v1/track", VIEW, **how)
    assert answer.status_code == 401
    assert not answer.headers["WWW-Authenticate"].startswith("Basic")
    assert answer.content_type == "application/problem+json"


def test_a_key_of_a_removed_source_is_wrong(shop: Shop, key: str) -> None:
    with shop.database.transaction() as session:
        sources.remove(session, "site", shop.clock.now())
    assert shop.post("/v1/track", VIEW, key).status_code == 401
    with shop.database.snapshot() as session:
        assert sources.list_all(session) == []


def test_no_key_and_no_secret_is_stored_in_the_clear(shop: Shop, key: str) -> None:
    shop.add("line", "line", channel_secret="very secret")
    with shop.database.snapshot() as session:
        rows = [session.get(Source, name) for name in ("site", "line")]
        assert all(row is not None for row in rows)
        text = repr([row.model_dump() for row in rows if row])
        assert sources.credentials(session, rows[1])["channel_secret"] == "very secret"
    assert key not in text and "very secret" not in text


def test_a_call_that_cannot_be_read_is_the_callers_mistake_and_says_where(door: Shop) -> None:
    answer = door.post("/v1/track", {"userId": "ada@example.com"}, door.key)
    assert answer.status_code == 400
    assert answer.get_json()["errors"][0]["pointer"] == "/event"
    assert "ada" not in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    "type",
    [
        "application/json",
        "text/plain",
        "text/plain; charset=utf-8",
        "application/json; charset=utf-8",
        "application/x-www-form-urlencoded",
    ],
)
def test_json_may_come_under_the_names_that_sdks_give_it(door: Shop, type: str) -> None:
    assert door.post("/v1/track", VIEW | {"writeKey": door.key}, content_type=type).status_code == 200


@pytest.mark.parametrize("type", ["text/xml", "multipart/form-data; boundary=x"])
def test_another_type_of_body_is_refused(door: Shop, type: str) -> None:
    assert door.post("/v1/track", VIEW, door.key, content_type=type).status_code == 415


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe{}",
        b'{"a": NaN}',
        b"[" * 40_000,
        b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
        b"\x00",
    ],
)
def test_what_is_no_json_object_is_the_callers_mistake(door: Shop, body: bytes) -> None:
    assert door.post("/v1/track", body, door.key).status_code == 400
    assert door.post("/v1/track", body).status_code in (400, 401)


def test_an_event_may_have_32_kb_and_a_batch_500(door: Shop) -> None:
    wide = VIEW | {"properties": {"name": "x" * 33_000}}
    assert door.post("/v1/track", wide, door.key).status_code == 413
    told = door.told_of("/v1/batch", {"batch": [wide | {"type": "track"}, VIEW | {"type": "track"}]}, door.key)
    assert [one.get("reason") for one in told["items"]] == ["too_large", None]
    assert door.post("/v1/batch", {"batch": [VIEW], "padding": "x" * 500_000}, door.key).status_code == 413
    assert door.post("/v1/batch", b"x" * 10_000_000, door.key).status_code == 413


def test_gzip_is_unpacked_and_a_bomb_is_not(door: Shop) -> None:
    packed = {"Content-Encoding": "gzip"}
    assert door.post("/v1/track", gzip.compress(json.dumps(VIEW).encode()), door.key, headers=packed).status_code == 200
    bomb = _bomb()
    assert len(bomb) < 500_000
    started = time.perf_counter()
    assert door.post("/v1/track", bomb, door.key, headers=packed).status_code == 413
    assert time.perf_counter() - started < 2


def _bomb() -> bytes:
    """Zeros of 200 MB, packed piecewise so that the test itself stays small."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(bytes(1_000_000)) for _ in range(200)) + packer.flush()


@pytest.mark.parametrize(
    "body",
    [b"", b"\x1f\x8b", gzip.compress(b"{}")[:-3], gzip.compress(b"{}") + b"more", b"{}"],
    ids=["nothing", "the beginning", "cut off", "more behind it", "not packed"],
)
def test_gzip_that_is_none_is_the_callers_mistake(door: Shop, body: bytes) -> None:
    assert door.post("/v1/track", body, door.key, headers={"Content-Encoding": "gzip"}).status_code == 400


def test_another_packing_is_refused(door: Shop) -> None:
    assert door.post("/v1/track", VIEW, door.key, headers={"Content-Encoding": "br"}).status_code == 415


def test_a_browser_on_another_site_may_call(door: Shop) -> None:
    asked = {
        "Origin": "https://door.example.com",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    preflight = door.app.test_client().options("/v1/track", headers=asked)
    assert preflight.status_code in (200, 204)
    assert preflight.headers["Access-Control-Allow-Origin"] == "https://door.example.com"
    assert preflight.headers["Access-Control-Allow-Headers"] == "authorization,content-type"
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    for answer in (
        door.post("/v1/track", VIEW, door.key, headers=asked),
        door.post("/v1/track", b"{", door.key, headers=asked),
    ):
        assert answer.headers["Access-Control-Allow-Origin"] == "https://door.example.com"
        assert "Origin" in answer.headers.get_all("Vary")


def test_no_other_door_is_open_to_other_sites(door: Shop) -> None:
    answer = door.app.test_client().options("/hooks/line", headers={"Origin": "https://evil.example.com"})
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_the_browser_libraries_are_told_where_to_send(door: Shop) -> None:
    browser = door.app.test_client()
    told = browser.get(f"/v1/projects/{door.key}/settings").get_json()
    assert told["integrations"]["Segment.io"]["apiKey"] == door.key
    for path in ("/sourceConfig", "/sourceConfig/"):
        answer = browser.get(path, auth=(door.key, ""))
        assert answer.status_code == 200 and answer.get_json()["source"]["enabled"] is True
    assert browser.get("/sourceConfig/", query_string={"writeKey": door.key}).status_code == 200
    assert browser.get("/v1/projects/wrong/settings").status_code == 401
    assert browser.get("/sourceConfig").status_code == 401


def test_what_is_not_declared_is_counted_by_name_and_kept_nowhere(shop: Shop, key: str) -> None:
    call = VIEW | {"properties": {"product_id": "t", "shoeSize": 39, "ada@example.com": 1}}
    shop.post("/v1/track", call, key)
    shop.post("/v1/track", VIEW | {"event": "Moon Watched"}, key)
    shop.post("/v1/identify", {"userId": "ada", "traits": {"pet": "cat", "country": "JP"}}, key)
    drops = shop.drops()
    assert drops["field:shoeSize", "undeclared_field"] == 1
    assert drops["field:*", "undeclared_field"] == 1
    assert drops["event:Moon Watched", "undeclared_event"] == 1
    assert drops["field:traits.pet", "undeclared_field"] == 1
    with shop.database.snapshot() as session:
        assert {one.what for one in sources.drops(session, "site")} >= {"field:shoeSize", "event:Moon Watched"}


def said(shop: Shop) -> set[tuple[str, str, str, str, str, bool]]:
    with shop.database.snapshot() as session:
        records = session.exec(select(ConsentRecord)).all()
        return {(one.purpose, one.channel, one.status, one.method, one.evidence, one.public) for one in records}


def test_a_banners_act_is_a_record_with_its_notice_and_gpc_a_withdrawal(shop: Shop) -> None:
    key = shop.add("browser", "segment", residence_default="DE")["write_key"]
    act = {"event": "Segment Consent Preference Updated", "anonymousId": "browser-1"}
    act["context"] = {"consent": {"categoryPreferences": {"Functional": True, "Marketing": False}}}
    assert shop.post("/v1/track", act, key).status_code == 200
    assert said(shop) == {
        ("personalisation", "web", "given", "banner", "full", True),
        ("ads_sharing", "web", "withdrawn", "banner", "full", True),
    }
    shop.post("/v1/page", {"anonymousId": "browser-2"}, key, headers={"Sec-GPC": "1"})
    assert ("analytics", "none", "withdrawn", "gpc", "full", True) in said(shop)


def test_a_newsletter_form_is_consent_by_a_server_key_only(shop: Shop, key: str) -> None:
    public = shop.add("browser", "segment", residence_default="JP")["write_key"]
    shown = {"email": "ada@example.com", "notice": "newsletter", "notice_version": "2", "language": "ja"}
    call = {"event": "Newsletter Subscribed", "anonymousId": "browser-1", "properties": shown}
    shop.post("/v1/track", call, public)
    assert said(shop) == set()
    shop.post("/v1/track", call, key)
    assert said(shop) == {("email_marketing", "email", "given", "form", "full", False)}


def test_segments_own_library_delivers_over_a_real_socket(shop: Shop, key: str, live: str) -> None:
    failed: list[Exception] = []
    client = Client(key, host=live, gzip=True, on_error=lambda error, _: failed.append(error), max_retries=0)
    client.identify("ada", {"firstName": "Ada", "email": "ada@example.com"})
    client.track("ada", "Product Viewed", {"product_id": "tea-01"})
    client.page("ada", None, "Home", {"path": "/"})
    client.alias("browser-1", "ada")
    client.flush()
    client.join()
    assert not failed
    assert shop.facts() == ["Page Viewed", "Product Viewed"]


def test_ten_megabytes_over_a_real_socket_are_not_read(key: str, live: str) -> None:
    def endless() -> Any:
        for _ in range(200):
            yield b" " * 50_000

    for body in (b"x" * 10_000_000, endless()):
        try:
            answer = requests.post(f"{live}/v1/track", data=body, auth=(key, ""), timeout=30)
        except requests.ConnectionError:
            continue  # the door was shut while we were still talking
        assert answer.status_code in (400, 413)


def tiny(folder: Path) -> Path:
    """A vendor that does not sign, and that sends a challenge: two files."""
    folder.mkdir()
    (folder / "tiny.yaml").write_text(
        "kind: crm\ntitle: {ja: 小, en: Tiny}\nauth: secret_url\npurposes: [service_delivery]\n"
        "traits: {rank: tier}\nidentifiers: [{field: id, namespace: crm_id, scope: tiny, verified: server}]\n",
        encoding="utf-8",
    )
    (folder / "tiny.py").write_text(
        "from cdp.connector.kit import Claim, Item, SourceType\n"
        "from cdp.connector.reading import read_json\n\n\n"
        "class Tiny(SourceType):\n"
        "    def verify(self, incoming, credentials, at):\n        return None\n\n"
        "    def read(self, incoming, config):\n"
        "        told = read_json(incoming.body)\n"
        "        yield Item(incoming.at, (Claim('crm_id', told['id'], 'tiny', True),), message_id=told['id'],"
        " traits={'tier': told['rank']})\n\n"
        "    def welcome(self, config):\n        return [('webhook_url', '{webhook_url}')]\n\n"
        "    def challenge(self, incoming, credentials):\n        return incoming.query['token'].encode()\n",
        encoding="utf-8",
    )
    return folder


def test_a_vendor_that_does_not_sign_shows_the_secret_in_its_address(open_shop: Any, tmp_path: Path) -> None:
    shop = open_shop(tiny(tmp_path / "connectors"))
    path = shop.add("vendor", "tiny")["webhook_url"].removeprefix("https://cdp.example.com")
    body = {"id": "7", "rank": "gold"}
    assert shop.post(path, body).status_code == 200
    assert shop.post("/hooks/vendor", body).status_code == 401
    assert shop.post("/hooks/vendor/guess", body).status_code == 401
    assert shop.post("/hooks/nobody", body).status_code == 404
    assert shop.app.test_client().get(f"{path}?token=hello").get_data() == b"hello"
    assert shop.app.test_client().get("/hooks/vendor/guess?token=hello").status_code == 401


def test_a_source_is_refused_when_its_name_or_type_is_no_good(shop: Shop) -> None:
    shop.add("twice", "csv")
    for name, type, status in (("twice", "csv", 409), ("Bad Name", "csv", 400), ("new", "fax", 400)):
        with pytest.raises(Problem) as raised:
            shop.add(name, type)
        assert raised.value.status == status


def test_a_dropped_field_is_taken_in_when_it_is_declared(shop: Shop, key: str) -> None:
    call = VIEW | {"properties": {"shoeSize": 39}}
    declared = {"fields.Product Viewed": "shoeSize", "fields.Moon Watched": "phase", "trait.pet": "interest"}
    with shop.database.transaction() as session:
        sources.change(session, "site", declared, shop.clock.now())
    shop.post("/v1/track", call, key)
    shop.post("/v1/track", {"event": "Moon Watched", "userId": "ada", "properties": {"phase": "full"}}, key)
    shop.post("/v1/identify", {"userId": "ada", "traits": {"pet": "cat"}}, key)
    assert shop.drops() == {}
    assert shop.facts() == ["Moon Watched", "Product Viewed"]


def test_a_vendors_secret_can_be_changed(shop: Shop) -> None:
    shop.add("line", "line", channel_secret="first")
    with shop.database.transaction() as session:
        new = {"channel_secret": "second", "previous_channel_secret": "first"}
        sources.change(session, "line", new, shop.clock.now())
        credentials = sources.credentials(session, sources.get(session, "line"))
        settings = sources.get(session, "line").settings
    assert (credentials["channel_secret"], credentials["previous_channel_secret"]) == ("second", "first")
    assert "first" not in settings and "second" not in settings


def test_a_notice_that_the_policy_does_not_hold_is_refused(shop: Shop) -> None:
    shop.add("good", "segment", notice="cookies", notice_version="1", language="en")
    for wrong in (
        {"notice": "none"},
        {"notice": "cookies", "notice_version": "99"},
        {"notice": "cookies", "language": "xx"},
    ):
        with pytest.raises(Problem) as raised:
            shop.add("bad", "segment", **wrong)
        assert raised.value.type == "unknown_notice"


def test_basic_with_a_broken_header_is_a_wrong_key(door: Shop) -> None:
    for value in ("Basic", "Basic !!!", "Basic " + base64.b64encode(b"\xff:").decode(), "Digest x"):
        assert door.post("/v1/track", VIEW, headers={"Authorization": value}).status_code == 401


def test_a_public_key_hears_nothing_that_tells_of_a_person(shop: Shop) -> None:
    keys = {kind: shop.add(kind, "segment", key=kind, residence_default="DE")["write_key"] for kind in PUBLIC_OR_NOT}
    silence(shop, "erased@example.com")
    batch = [
        {"type": "identify", "messageId": "m1", "userId": "u1", "traits": {"email": "erased@example.com"}},
        {"type": "identify", "messageId": "m2", "userId": "u2", "traits": {"email": "nobody@example.com"}},
        {"type": "track", "messageId": "m3", "userId": "u3", "event": "Never Declared"},
    ]
    told = {kind: shop.told_of("/v1/batch", {"batch": batch}, key) for kind, key in keys.items()}
    again = shop.told_of("/v1/batch", {"batch": batch}, keys["public"])
    assert told["server"]["items"][0]["reason"] == "suppressed"
    silenced, unknown, undeclared = told["public"]["items"]
    assert {**silenced, "pointer": ""} == {**unknown, "pointer": ""}
    assert silenced["status"] == "accepted"
    assert undeclared["reason"] == "undeclared_event"
    assert (told["public"]["accepted"], told["public"]["refused"], told["public"]["entries"]) == (2, 1, [])
    assert again == told["public"], "nor does sending it twice tell them apart"


PUBLIC_OR_NOT = ("public", "server")


def silence(shop: Shop, email: str) -> None:
    """Leave what an erasure leaves of an address."""
    with shop.database.transaction() as session:
        token = vault.of(session).suppression_token("email", "", email)
        consent.suppress(session, "email", token, "*", "erasure", shop.clock.now())


def test_a_name_with_nul_in_it_is_nobodys(shop: Shop, key: str) -> None:
    for path in ("/hooks/a%00b", "/hooks/site/a%00b", f"/v1/projects/{key}%00/settings"):
        assert shop.app.test_client().get(path).status_code == 404
    assert shop.post("/hooks/a%00b", {}).status_code == 404
