"""The worker may be away for weeks: nobody is given out by what time has overtaken, and its return catches up."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

from cdp.ops import worker
from cdp.ops.doctor import examine
from cdp.web.metrics import heartbeat
from tests.conftest import StandingClock
from tests.people import cast, consent
from tests.stories.faults.answers import GIVING
from tests.stories.world import World

COMES_OF_AGE = (datetime.now(UTC) + timedelta(days=5)).date()
CAST = cast(8)
CHILD = replace(CAST.dev, birthday=f"{COMES_OF_AGE.year - 16}-{COMES_OF_AGE:%m-%d}")
CAST = replace(CAST, dev=CHILD)
USE = "purpose=email_marketing&channel=email"


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[World]:
    """Five people whose worker ran once, and was never seen again."""
    clock = StandingClock(datetime.now(UTC))
    live = World(tmp_path / "home", database_url, clock)
    live.arrive(CAST)
    live.choose(CAST)
    orders(live)
    worker.run_once(live.deployment)
    heartbeat.write(live.deployment.settings.home, clock.now(), {})
    yield live
    live.close()


def pass_time(world: World, **how: float) -> None:
    """Let time pass, and every token with it."""
    world.clock.pass_(**how)  # type: ignore[union-attr]
    world._tokens.clear()


def come_back(world: World) -> None:
    """Let the worker run until it has caught up."""
    stop = threading.Event()
    thread = threading.Thread(target=worker.run, args=(world.deployment, stop))
    thread.start()
    time.sleep(2)
    stop.set()
    thread.join(60)


BUYER = "buyer@people.example"


def orders(world: World) -> None:
    """Let somebody buy for the first time, who said yes to letters."""
    who = {"userId": "buyer", "context": {"traits": {"email": BUYER}}}
    order = {"type": "track", "event": "Order Completed", "messageId": "first", **who}
    world.visit([order | {"properties": {"order_id": "1", "total": 500, "currency": "JPY"}}])
    yes = consent(CAST.ada) | {"identifier": {"type": "email", "value": BUYER}}
    assert world.call("desk", "POST", "/api/consents", yes).status_code == 201


def buyers(world: World) -> set[str]:
    """Return whom the tool finds in the stage that follows a first order."""
    path = f"/api/journeys/standard/stages/purchase/members?{USE}&fields=email"
    return {row["fields"]["email"] for row in world.call("tool", "GET", path).json()["data"]}


def stages(world: World) -> dict[str, str | None]:
    return {row["fields"]["email"]: row["stage"] for row in world.members()}


def say_anew(world: World) -> None:
    """Let Dev say yes again, now that the age is reached."""
    yes = consent(CAST.dev) | {"event_time": world.clock.now().isoformat()}  # type: ignore[union-attr]
    assert world.call("desk", "POST", "/api/consents", yes).status_code == 201


def test_who_comes_of_age_stays_out_until_somebody_decides_it_again(world: World) -> None:
    grown_up = {CAST.ada.email, CAST.eve.email, BUYER}
    assert world.addresses() == grown_up
    pass_time(world, days=6)
    for name in ("audiences.members", "audiences.follow", "profiles.look_up"):
        assert CAST.dev.email not in GIVING[name](world, CAST.dev).text, name
    assert world.lookup(CAST.dev).status_code == 404
    say_anew(world)
    assert world.addresses() == {*grown_up, CAST.dev.email}, "what was said anew is decided at once"


def test_coming_of_age_makes_no_consent_of_what_a_child_said_alone(world: World) -> None:
    grown_up = {CAST.ada.email, CAST.eve.email, BUYER}
    pass_time(world, days=6)
    come_back(world)
    assert world.addresses() == grown_up
    say_anew(world)
    assert world.addresses() == {*grown_up, CAST.dev.email}


def test_nobody_is_told_to_be_in_a_stage_that_has_timed_out(world: World) -> None:
    assert buyers(world) == {BUYER}
    assert stages(world)[BUYER] == "purchase"
    pass_time(world, days=20)
    assert buyers(world) == set()
    assert stages(world)[BUYER] is None
    come_back(world)
    assert stages(world)[BUYER] == "usage"


def test_the_absence_is_told_to_whoever_looks(world: World) -> None:
    before = seen(world)
    pass_time(world, days=1)
    assert requests.get(f"{world.url}/readyz", timeout=60).status_code == 200, "answers go on"
    assert seen(world) == before
    assert "worker_silent" in complaints(world)
    assert world.deployment.clock.now().timestamp() - before > 86_000
    come_back(world)
    assert seen(world) == world.deployment.clock.now().timestamp()
    assert "worker_silent" not in complaints(world)


def complaints(world: World) -> set[str]:
    """Return what `cdp doctor` finds."""
    return {found.name for found in examine(world.deployment.settings, world.clock)}


def seen(world: World) -> float:
    text = requests.get(f"{world.url}/metrics", timeout=60).text
    line = next(one for one in text.splitlines() if one.startswith("sekisho_worker_seen_timestamp_seconds"))
    return float(line.split()[-1])
