"""Whoever replays a changes feed holds exactly the members, whatever people do, say and ask meanwhile."""

import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from cdp.db import Database
from cdp.policy.terms import Policy
from tests import people
from tests.conftest import DEEP, StandingClock
from tests.stories.day import Day, a_day
from tests.stories.following import Reader, reader_of
from tests.stories.world import World

ACTS = {"sqlite": 50_000 if DEEP else 500, "postgresql": 50_000 if DEEP else 300}
FOLLOWED = (
    ("audience:everyone", "service_delivery", "ma_tool", "email"),
    ("audience:everyone", "email_marketing", "ma_tool_us", "email"),
    ("audience:everyone", "ads_sharing", "ad_platform", "ads"),
    ("audience:everyone", "customer_care_insight", "staff", "none"),
    ("audience:recent_buyers", "email_marketing", "ma_tool", "email"),
    ("audience:recent_buyers", "email_marketing", "ma_tool", "email"),
    ("audience:recent_buyers", "email_marketing", "staff", "email"),
    ("audience:cart_abandoners", "email_marketing", "ma_tool", "email"),
    ("audience:cart_abandoners", "service_delivery", "ma_tool_us", "email"),
    ("audience:lapsed_buyers", "service_delivery", "ma_tool", "email"),
    ("stage:standard/purchase", "service_delivery", "ma_tool", "email"),
    ("stage:standard/purchase", "email_marketing", "ma_tool", "email"),
)


@pytest.fixture
def day(house: Database, clock: StandingClock, tmp_path: Path) -> Day:
    return a_day(house, clock, tmp_path)


def readers(policy: Policy) -> list[Reader]:
    return [reader_of(policy, *followed) for followed in FOLLOWED]


def compare(day: Day, followers: list[Reader]) -> int:
    """Let each catch up and hold exactly the members."""
    for reader in followers:
        reader.catch_up(day)
        wanted = reader.members(day)
        assert reader.held == wanted, (
            f"{reader.name} {reader.use}: {len(reader.held - wanted)} too many, {len(wanted - reader.held)} missing"
        )
    return len(followers)


def test_whoever_replays_the_feed_holds_exactly_the_members(day: Day, figures) -> None:
    kind = "sqlite" if day.database.is_sqlite else "postgresql"
    followers, acts, checks, spent = readers(day.policy), 0, 0, 0.0
    day.busiest = 80 if DEEP else 24
    while acts < ACTS[kind]:
        acts += day.act()
        began = time.perf_counter()
        if day.rng.random() < 0.4:
            day.rng.choice(followers).poll(day, day.rng.choice([1, 7, 100, 1000]))
        if day.rng.random() < 0.03:
            checks += compare(day, day.rng.sample(followers, 4))
        spent += time.perf_counter() - began
    checks += compare(day, followers)
    late = readers(day.policy)
    checks += compare(day, late)
    for reader, other in zip(followers, late, strict=True):
        assert reader.held == other.held
    causes = sum((reader.causes for reader in followers), Counter[str]())
    figures(
        f"Changes feed replayed after a day, {kind}",
        acts=acts,
        people=day.customers,
        erased=len(day.erased),
        readings=sum(reader.polls for reader in followers),
        changes=causes.total(),
        comparisons=checks,
        differences=0,
        reading_s=spent,
    )
    print(dict(causes), dict(day.done))


def replay(world: World, path: str, client: str = "tool") -> set[str]:
    """Follow a feed over HTTP from nothing, page by page; returns who is held at the end."""
    held: set[str] = set()
    since = ""
    while True:
        body = changes(world, path, since, client)
        for change in body["data"]:
            (held.add if change["change"] == "entered" else held.discard)(change["id"])
        since = f"&since={body['next_since']}"
        if not body["has_more"]:
            return held


def changes(world: World, path: str, since: str = "", client: str = "tool", limit: int = 2) -> dict[str, Any]:
    use = f"purpose={people.PURPOSE}&channel={people.CHANNEL}&fields=email&limit={limit}"
    answer = world.call(client, "GET", f"{path}?{use}{since}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    return dict(answer.json())


@pytest.mark.parametrize("place", ["audiences/everyone", "journeys/standard/stages/usage"])
def test_a_tool_that_follows_over_http_holds_the_members(world: World, place: str) -> None:
    cast = people.cast()
    world.arrive(cast)
    world.choose(cast)
    path = f"/api/{place}/changes"
    held = replay(world, path)
    assert len(held) == 2
    at = changes(world, path, limit=10)
    assert {row["fields"]["email"] for row in at["data"]} == {cast.ada.email, cast.eve.email}
    assert at["disclosure"]
    ids = {row["fields"]["email"]: row["id"] for row in at["data"]}

    world.call("desk", "POST", "/api/consents/withdraw", people.withdrawal(cast.ada))
    world.erase(cast.eve)
    after = changes(world, path, f"&since={at['next_since']}", limit=10)
    left = {row["id"]: (row["change"], row["cause"]) for row in after["data"]}
    assert left == {ids[cast.ada.email]: ("left", "withdrawal"), ids[cast.eve.email]: ("left", "erasure")}
    assert all("fields" not in row for row in after["data"])
    assert after["disclosure"] is None
    assert not after["has_more"]
    assert replay(world, path) == set()

    other = world.call("tool", "GET", f"/api/audiences/lapsed_buyers/changes?purpose={people.PURPOSE}&since=x")
    assert (other.status_code, other.json()["type"].rpartition(":")[2]) == (400, "invalid_cursor")
    stolen = f"/api/audiences/recent_buyers/changes?purpose={people.PURPOSE}&since={at['next_since']}"
    assert world.call("tool", "GET", stolen).status_code == 400
