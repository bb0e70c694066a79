"""Whoever holds the browser key of the shop grants, lifts, joins and learns nothing that is not theirs."""

import json
from collections.abc import Iterable
from typing import Any

import pytest
import requests

from tests import people
from tests.conftest import DEEP
from tests.figures import Figures
from tests.people import Cast, Person, cast
from tests.stories import stranger
from tests.stories.world import World


@pytest.fixture
def world(shared_world: World) -> World:
    return shared_world


@pytest.fixture(scope="module")
def shop(shared_world: World) -> Cast:
    """Everybody came in and said what they say, Eve was erased, and the shop has a key that stands in its pages."""
    five, world = cast(), shared_world
    world.arrive(five)
    world.choose(five)
    world.erase(five.eve)
    settings = ("--type", "segment", "--set", "key=public", "--set", "residence_default=JP")
    world.told["web"] = world.register("connector", "add", "web", *settings)
    return five


def send(world: World, calls: Iterable[dict[str, Any]], **headers: str) -> requests.Response:
    return requests.post(
        f"{world.url}/v1/batch",
        data=json.dumps({"batch": list(calls)}).encode(),
        auth=(world.told["web"]["write_key"], ""),
        headers={"Content-Type": "application/json", "Prefer": "return=representation", **headers},
        timeout=60,
    )


@pytest.mark.parametrize(
    "body",
    [
        b'{"batch": ['
        + b'{"type": "identify", "anonymousId": "m", "traits": '
        + b'{"a": ' * 5000
        + b"1"
        + b"}" * 5002
        + b"]}",
        b'{"batch": [{"type": "identify", "anonymousId": "m", "anonymousId": 7, "userId": {"$ne": null}}]}',
        b'{"batch": [{"type": "track", "event": "' + b"x" * 40_000 + b'", "anonymousId": "m"}]}',
        b'{"batch": [{"type": "track", "event": "Page Viewed", "anonymousId": "m\u0000"}]}',
        b'{"batch": [{"type": "identify", "anonymousId": "m", "traits": {"birthday": 1e309}}]}',
        b'{"batch": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
    ids=["nested", "doubled", "huge", "nul", "infinite", "lists"],
)
def test_a_body_that_is_made_to_hurt_is_answered_and_stores_nothing(world: World, shop: Cast, body: bytes) -> None:
    known = subjects(world)
    answer = requests.post(f"{world.url}/v1/batch", data=body, auth=(world.told["web"]["write_key"], ""), timeout=60)
    assert answer.status_code in (200, 400, 413)
    assert subjects(world) == known


def test_the_owners_own_messages_count_whatever_was_sent_with_their_ids_before(world: World, shop: Cast) -> None:
    ids = [f"ajs-next-{number}" for number in range(3)]
    view = {"type": "track", "event": "Product Viewed", "properties": {"product_id": "tea-01"}}
    send(world, [{**view, "anonymousId": "browser-of-mallory", "messageId": one} for one in ids])
    facts = len(stranger.state_of(world.deployment.database, [shop.ada])["Ada"]["Fact"])
    for _ in range(2):
        send(world, [{**view, "anonymousId": shop.ada.device, "messageId": one} for one in ids])
        assert len(stranger.state_of(world.deployment.database, [shop.ada])["Ada"]["Fact"]) == facts + 3


def test_who_claims_an_address_and_has_themselves_erased_takes_nobody_along(world: World, shop: Cast) -> None:
    mallory = Person("Mallory", "Mallorykawa", 66, "1990-01-01", "+819066666666", "never")
    login = {"type": "identify", "userId": mallory.user_id, "anonymousId": mallory.device}
    world.visit([{**login, "traits": {"email": mallory.email}}])
    send(world, [{**login, "traits": {"email": shop.ada.email, "phone": shop.ada.phone}}])
    before, reachable = stranger.state_of(world.deployment.database, [shop.ada]), world.addresses()
    world.erase(mallory)
    assert stranger.state_of(world.deployment.database, [shop.ada]) == before
    assert world.addresses() == reachable


def test_nobody_becomes_a_child_by_a_strangers_word(world: World, shop: Cast) -> None:
    subscribe(world, shop, "faye")
    reachable = world.addresses()
    assert "faye@people.example" in reachable
    lie = {"email": "faye@people.example", "birthday": "2020-05-05", "country": "JP"}
    send(world, [{"type": "identify", "anonymousId": "browser-of-mallory", "traits": lie}])
    send(world, [{"type": "identify", "userId": "login-of-faye", "traits": lie}])
    assert world.addresses() == reachable


def test_who_knows_a_browsers_id_speaks_as_that_browser_and_not_as_its_owner(world: World, shop: Cast) -> None:
    database = world.deployment.database
    live = [shop.ada, shop.ben, shop.cleo, shop.dev]
    before, partition = stranger.state_of(database, live), world.partition(live)
    reachable, silent = world.addresses(), stranger.silences(database)
    for one in live if DEEP else [shop.ben]:
        for attack in stranger.attacks_from(one):
            assert send(world, attack.calls).status_code == 200
            after = stranger.state_of(database, live)
            assert world.partition(live) == partition, (attack.idea, one.name)
            for name in before:
                assert set(before[name]["subjects"]) <= set(after[name]["subjects"]), (attack.idea, one.name)
                assert person(after[name]) == person(before[name]), (attack.idea, one.name)
    assert (world.addresses(), stranger.silences(database)) == (reachable, silent)


def test_nothing_that_a_stranger_sends_changes_anybody_else_or_tells_of_them(
    world: World, shop: Cast, figures: Figures
) -> None:
    database, reachable = world.deployment.database, world.addresses()
    before, silent = stranger.state_of(database, shop.everybody), stranger.silences(database)
    nobody = Person("Nobody", "Nobodyyama", 99, "1990-01-01", "+819099999999", "never")
    told = [send(world, attack.calls, **dict(attack.headers)).json() for attack in stranger.attacks_on(nobody, 9)]
    silent |= stranger.silences(database, nobody.email)
    sent = 0
    for place, one in enumerate(shop.everybody if DEEP else (shop.ada, shop.eve)):
        for attack, expected in zip(stranger.attacks_on(one, place), told, strict=True):
            answer = send(world, attack.calls, **dict(attack.headers))
            assert (answer.status_code, answer.json()) == (200, expected), "known and unknown are answered alike"
            sent += len(attack.calls)
            after = stranger.state_of(database, shop.everybody)
            if attack.silences:
                silent |= stranger.silences(database, one.email)
                assert silenced(after, one) == silenced(before, one), (attack.idea, one.name, changed(before, after))
                before = after
            assert after == before, (attack.idea, one.name, changed(before, after))
            assert stranger.silences(database) == silent, (attack.idea, one.name)
    assert reachable - world.addresses() == {shop.ada.email}, "an unsubscribe is heard, also from a stranger"
    assert world.lookup(shop.eve).status_code == 404
    figures(f"hostile public key, {kind(world)}", messages=sent, ideas=len(told), others_changed=0, told_apart=0)


def test_a_flood_is_told_to_wait_and_stops_nobodys_withdrawal(world: World, shop: Cast) -> None:
    address = subscribe(world, shop, "gus")
    restart(world, CDP_PUBLIC_ADDRESS_RATE="50", CDP_PUBLIC_KEY_RATE="100", CDP_TRUSTED_PROXIES="1")
    known = subjects(world)
    for number in range(20):
        flood = [{"type": "identify", "anonymousId": f"flood-{number}-{n}", "traits": {"name": "x"}} for n in range(40)]
        answer = send(world, flood, **{"X-Forwarded-For": f"forged, 203.0.113.{number % 3}"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (429, "application/problem+json")
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert subjects(world) - known <= 100, "a flood of identifiers fills the disk no faster than the key's limit"
    no = {"type": "track", "event": "Newsletter Unsubscribed", "anonymousId": shop.ada.device, "messageId": "my-no"}
    batch = [{**no, "event": "Product Viewed", "messageId": f"view-{number}"} for number in range(45)]
    batch.append({**no, "properties": {"email": address}})
    answer = send(world, batch, **{"X-Forwarded-For": "203.0.113.0"})
    assert answer.status_code == 429, "the views wait"
    assert address not in world.addresses(), "the no does not"


def restart(world: World, **environment: str) -> None:
    world.close()
    world.environment |= environment
    world.open()


def subscribe(world: World, shop: Cast, name: str) -> str:
    """Bring in somebody of no known age who asks for letters; returns the address."""
    address = f"{name}@people.example"
    world.visit([{"type": "identify", "userId": f"login-of-{name}", "traits": {"email": address, "country": "DE"}}])
    consent = {**people.consent(shop.ada), "identifier": {"type": "email", "value": address}}
    assert world.call("desk", "POST", "/api/consents", consent).status_code == 201
    assert address in world.addresses()
    return address


def subjects(world: World) -> int:
    with world.deployment.database.snapshot() as session:
        return stranger.subjects_from(session, "web")


def person(state: stranger.State) -> list[Any]:
    """What the law's rules read of a person: country, birth, since when a customer; slots aside."""
    return [row[:5] for row in state["Person"]]


def silenced(states: dict[str, stranger.State], one: Person) -> dict[str, stranger.State]:
    """Leave out what an unsubscribe changes of its address's owner."""
    return {**states, one.name: {**states[one.name], "Permission": [], "suppression": []}}


def kind(world: World) -> str:
    return "SQLite" if world.deployment.database.is_sqlite else "PostgreSQL"


def changed(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, str]]:
    return [(name, what) for name in before for what in before[name] if before[name][what] != after[name][what]]
