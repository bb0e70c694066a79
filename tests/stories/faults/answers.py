"""Every route that answers about people, asked as its callers ask it."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import requests

from cdp import consent
from tests import people
from tests.people import CHANNEL, PURPOSE, Person
from tests.stories.world import World

Ask = Callable[[World, Person], requests.Response]

USE = urlencode({"purpose": PURPOSE, "channel": CHANNEL})


def _body(person: Person, **more: Any) -> dict[str, Any]:
    return {"identifier": {"type": "email", "value": person.email}, "purpose": PURPOSE, "channel": CHANNEL, **more}


def _members(world: World, person: Person) -> requests.Response:
    return world.call("tool", "GET", f"/api/audiences/everyone/members?{USE}&fields=email")


def _stage(world: World, person: Person) -> requests.Response:
    return world.call("tool", "GET", f"/api/journeys/{world.stage}/members?{USE}&fields=email")


def _changes(world: World, person: Person) -> requests.Response:
    return world.call("tool", "GET", f"/api/audiences/everyone/changes?{USE}&fields=email")


def _moves(world: World, person: Person) -> requests.Response:
    return world.call("tool", "GET", f"/api/journeys/{world.stage}/changes?{USE}&fields=email")


def _package(world: World, person: Person) -> requests.Response:
    return world.call("officer", "GET", f"/api/subject-requests/{world.request}/package")


def _look_up(world: World, person: Person) -> requests.Response:
    return world.call("tool", "POST", "/api/profiles/lookup", _body(person, fields=["email"]))


GIVING: dict[str, Ask] = {
    "audiences.members": _members,
    "audiences.follow": _changes,
    "journeys.follow": _moves,
    "journeys.members": _stage,
    "profiles.look_up": _look_up,
    "subject-requests.package": _package,
}
"""Endpoint → a call that hands a person out while all is well."""


def _unsubscribe(world: World, person: Person, method: str) -> requests.Response:
    token = _link(world, person)
    return requests.request(method, f"{world.url}/privacy/unsubscribe/{token}", timeout=60)


def _link(world: World, person: Person) -> str:
    if not hasattr(world, "link"):
        keys = world.deployment.vault
        tokens = keys.token("email", "", person.email), keys.suppression_token("email", "", person.email)
        world.link = consent.unsubscribe_token(keys, consent.Point("email", *tokens), CHANNEL)  # type: ignore[attr-defined]
    return str(world.link)  # type: ignore[attr-defined]


def _site(world: World, person: Person) -> requests.Response:
    call = people.site_calls(person)[1]
    return requests.post(f"{world.url}/v1/identify", json=call, auth=(world.told["site"]["write_key"], ""), timeout=60)


TELLING: dict[str, Ask] = {
    "audiences.count": lambda world, _: world.call("tool", "GET", f"/api/audiences/everyone/count?{USE}"),
    "audiences.explain": lambda world, one: world.call("tool", "POST", "/api/audiences/everyone/explain", _body(one)),
    "audiences.preview": lambda world, one: world.call(
        "tool", "POST", "/api/audiences/preview", {"rule": {"everyone": True}, "purpose": PURPOSE, "channel": CHANNEL}
    ),
    "journeys.show": lambda world, _: world.call("tool", "GET", f"/api/journeys/standard?{USE}"),
    "decisions.decide": lambda world, one: world.call("tool", "POST", "/api/decisions", _body(one)),
    "consents.record": lambda world, one: world.call("desk", "POST", "/api/consents", people.consent(one)),
    "consents.look_up": lambda world, one: world.call(
        "desk", "POST", "/api/consents/lookup", {"identifier": _body(one)["identifier"]}
    ),
    "consents.read": lambda world, one: world.call(
        "desk", "GET", "/api/consents", **{"Sekisho-Identifier": f'{{"type": "email", "value": "{one.email}"}}'}
    ),
    "subject-requests.receive": lambda world, one: world.call(
        "officer",
        "POST",
        "/api/subject-requests",
        {"right": "access", "identifier": _body(one)["identifier"], "requester": "subject"},
    ),
    "subject-requests.listing": lambda world, _: world.call("officer", "GET", "/api/subject-requests"),
    "subject-requests.show": lambda world, _: world.call("officer", "GET", f"/api/subject-requests/{world.request}"),
    "oauth.token": lambda world, _: requests.post(
        f"{world.url}/oauth/token",
        data={"grant_type": "client_credentials"},
        auth=(world.told["tool"]["client_id"], world.told["tool"]["client_secret"]),
        timeout=60,
    ),
    "ingest.segment": _site,
    "privacy.unsubscribe_page": lambda world, one: _unsubscribe(world, one, "GET"),
}
"""Endpoint → a call that tells or stores something of people, but hands nobody out."""
