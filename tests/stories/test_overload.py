"""More than can be stored: who is not taken in is told so at once, and who says no is heard through the flood."""

import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from sqlalchemy import text
from sqlmodel import func, select

from cdp.ingest.gathering import MOST_WAITING
from cdp.profile.model import Fact
from tests.conftest import DEEP
from tests.figures import Figures
from tests.stories.processes import Running
from tests.stories.world import World

TOO_MANY = 20
WITHDRAWALS = 500 if DEEP else 10
FLOODING = 12


def test_calls_beyond_those_that_may_wait_are_told_to_come_again(world: World) -> None:
    """One commits and is held up, so many wait behind it, and the rest need not."""
    calls = 1 + MOST_WAITING + TOO_MANY
    answers: list[requests.Response] = []

    def send(number: int) -> None:
        call = {"type": "track", "event": "Order Completed", "userId": f"u{number}", "messageId": f"m{number}"}
        auth = (world.told["site"]["write_key"], "")
        answers.append(requests.post(f"{world.url}/v1/track", json=call, auth=auth, timeout=60))

    threads = [threading.Thread(target=send, args=(number,)) for number in range(calls)]
    with world.deployment.database.transaction() as session:
        if not world.deployment.database.is_sqlite:
            session.execute(text("LOCK TABLE received IN ACCESS EXCLUSIVE MODE"))
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + 4
        while len(answers) < TOO_MANY and time.monotonic() < deadline:
            time.sleep(0.01)
        sent_away = list(answers)
    for thread in threads:
        thread.join()

    assert sent_away, "they are told while the others still wait"
    assert {answer.status_code for answer in sent_away} == {503}
    assert {answer.headers["Content-Type"] for answer in sent_away} == {"application/problem+json"}
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in sent_away)
    told = Counter(answer.status_code for answer in answers)
    assert set(told) == {200, 503}
    with world.deployment.database.snapshot() as session:
        assert session.exec(select(func.count()).select_from(Fact)).one() == told[200], "all that was acknowledged"


@pytest.fixture
def running(tmp_path: Path, database_url: str) -> Iterator[Running]:
    live = Running(tmp_path / "home", database_url)
    live.cdp("init")
    yield live
    live.stop()


def test_a_withdrawal_is_acknowledged_through_a_flood_of_events(
    running: Running, database_url: str, figures: Figures
) -> None:
    settings = ("--set", "key=server", "--set", "residence_default=JP")
    key = running.printed("connector", "add", "shop", "--type", "segment", *settings)["write_key"]
    scopes = ("--purposes", "email_marketing", "--scopes", "consent:write")
    desk = running.printed("client", "create", "desk", "--recipient", "staff", *scopes)
    running.serve(workers=1 if "sqlite" in database_url else 2)
    flood(running, key, [subscribed(number) for number in range(WITHDRAWALS)])
    over, taken = threading.Event(), Counter[int]()

    def keep_on(client: int) -> None:
        number = 0
        while not over.is_set():
            number += 1
            # Single events share transactions; batches have their own.
            size = 1 if client % 2 else 50
            events = [viewed(f"{client}-{number}-{n}") for n in range(size)]
            taken.update({flood(running, key, events): size})

    began = time.monotonic()
    with ThreadPoolExecutor(FLOODING) as clients:
        flooding = [clients.submit(keep_on, client) for client in range(FLOODING)]
        seconds = withdraw_all(running, desk, over)
    for one in flooding:
        one.result()

    assert len(seconds) == WITHDRAWALS
    assert set(taken) <= {200, 503}
    assert taken[200] > 0
    figures(
        f"withdrawals through a flood of events, {database_url.split(':')[0]}",
        flooding=FLOODING,
        events_a_second=round(taken[200] / (time.monotonic() - began)),
        sent_away=taken[503],
        withdrawals=len(seconds),
        acknowledged_ms_median=round(statistics.median(seconds) * 1e3),
        acknowledged_ms_p99=round(seconds[int(len(seconds) * 0.99)] * 1e3),
        acknowledged_ms_longest=round(seconds[-1] * 1e3),
    )


def withdraw_all(running: Running, desk, over: threading.Event) -> list[float]:
    """Withdraw one after the other while the flood goes on; returns how long each took, shortest first."""
    try:
        header, seconds = {"Authorization": f"Bearer {running.token(desk, 'consent:write')}"}, []
        for number in range(WITHDRAWALS):
            body = {"purpose": "email_marketing", "channel": "email"}
            body |= {"identifier": {"type": "email", "value": f"reader{number}@people.example"}}
            began = time.monotonic()
            answer = requests.post(f"{running.url}/api/consents/withdraw", json=body, headers=header, timeout=60)
            seconds.append(time.monotonic() - began)
            assert answer.status_code == 200 and len(answer.json()["withdrawn"]) == 1, answer.text
        return sorted(seconds)
    finally:
        over.set()


def flood(running: Running, key: str, batch: list[dict[str, object]]) -> int:
    return requests.post(f"{running.url}/v1/batch", json={"batch": batch}, auth=(key, ""), timeout=60).status_code


def subscribed(number: int) -> dict[str, object]:
    email = f"reader{number}@people.example"
    properties = {"email": email, "notice": "newsletter", "notice_version": "2", "language": "ja"}
    who = {"userId": f"reader-{number}", "context": {"traits": {"email": email}}, "messageId": f"subscribe-{number}"}
    return {"type": "track", "event": "Newsletter Subscribed", "properties": properties, **who}


def viewed(message: str) -> dict[str, object]:
    return {"type": "track", "event": "Order Completed", "userId": f"visitor-{message}", "messageId": message}
