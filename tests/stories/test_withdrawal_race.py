"""The product's promise under load: a withdrawal wins every race against those who read.

No page requested after the acknowledgement holds the person, and no page that holds the person
was handed over after the instant that the acknowledgement names.
"""

import socket
import statistics
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest
import requests
from pyroaring import BitMap64
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from cdp import vault
from tests.conftest import DEEP
from tests.figures import Figures
from tests.stories.processes import Running

WITHDRAWALS = 2_000 if DEEP else 100
READERS = 8
WRITERS = 4
PAGE = 100


@pytest.fixture
def running(tmp_path: Path, database_url: str) -> Iterator[Running]:
    deployment = Running(tmp_path / "home", database_url)
    deployment.cdp("init")
    yield deployment
    deployment.stop()


@dataclass
class Story:
    """What readers got and what those who withdrew were told, by the tests' own clock."""

    pages: list[tuple[float, frozenset[str]]] = field(default_factory=list)
    acknowledged: dict[str, tuple[float, str]] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)


def address(number: int) -> str:
    return f"reader{number}@example.com"


def test_no_page_holds_a_person_after_the_withdrawal_was_acknowledged(
    running: Running, database_url: str, figures: Figures
) -> None:
    source = running.printed(
        "connector", "add", "shop", "--type", "segment", "--set", "key=server", "--set", "residence_default=JP"
    )
    tool = running.printed("client", "create", "tool", "--recipient", "ma_tool", "--purposes", "email_marketing")
    desk = running.printed(
        "client", "create", "desk", "--recipient", "staff", "--purposes", "email_marketing", "--scopes", "consent:write"
    )
    running.serve(workers=1 if "sqlite" in database_url else 2)
    subscribe(running, source["write_key"])
    story = run(running, tool, desk)

    assert not story.failures, story.failures[:5]
    assert len(story.acknowledged) == WITHDRAWALS
    assert any(people for _, people in story.pages)
    leaks = [
        person
        for requested, people in story.pages
        for person in people
        if person in story.acknowledged and story.acknowledged[person][0] < requested
    ]
    assert leaks == []
    late = handed_over_late(running, database_url, story)
    assert late == []
    story.seconds.sort()
    figures(
        f"withdrawals against readers, {database_url.split(':')[0]}",
        pages=len(story.pages),
        readers=READERS,
        withdrawals=len(story.acknowledged),
        acknowledged_ms_median=round(statistics.median(story.seconds) * 1e3),
        acknowledged_ms_p99=round(story.seconds[int(len(story.seconds) * 0.99)] * 1e3),
        leaks=len(leaks),
        late=len(late),
    )


def subscribe(running: Running, write_key: str) -> None:
    for start in range(0, WITHDRAWALS, 100):
        batch = [
            {
                "type": "track",
                "event": "Newsletter Subscribed",
                "messageId": f"subscribe-{number}",
                "userId": f"reader-{number}",
                "timestamp": "2026-05-01T00:00:00Z",
                "context": {"traits": {"email": address(number)}},
                "properties": {
                    "email": address(number),
                    "notice": "newsletter",
                    "notice_version": "2",
                    "language": "ja",
                },
            }
            for number in range(start, min(start + 100, WITHDRAWALS))
        ]
        answer = requests.post(
            f"{running.url}/v1/batch",
            json={"batch": batch},
            auth=(write_key, ""),
            headers={"Prefer": "return=representation"},
            timeout=60,
        )
        assert answer.status_code == 200, answer.text


def run(running: Running, tool, desk) -> Story:
    story = Story()
    reading, writing = Bearer(running, tool), Bearer(running, desk, "consent:write")
    readers = [threading.Thread(target=read, args=(running, reading, story), daemon=True) for _ in range(READERS - 1)]
    readers.append(threading.Thread(target=read_slowly, args=(running, reading, story), daemon=True))
    for reader in readers:
        reader.start()
    time.sleep(0.5)
    with ThreadPoolExecutor(WRITERS) as writers:
        list(writers.map(lambda number: withdraw(running, writing, story, number), range(WITHDRAWALS)))
    time.sleep(0.3)
    story.over.set()
    for reader in readers:
        reader.join(30)
    return story


class Bearer:
    """A client's token, exchanged anew before it ends: the long version outlives one."""

    def __init__(self, running: Running, client, scope: str = "") -> None:
        self.running, self.client, self.scope = running, client, scope
        self.lock, self.token, self.until = threading.Lock(), "", 0.0

    def headers(self) -> dict[str, str]:
        with self.lock:
            if time.monotonic() > self.until:
                self.token, self.until = self.running.token(self.client, self.scope), time.monotonic() + 120
            return {"Authorization": f"Bearer {self.token}"}


def read(running: Running, bearer: Bearer, story: Story) -> None:
    """Ask for page after page, from the beginning again when the end is reached."""
    with requests.Session() as session:
        cursor = None
        while not story.over.is_set():
            requested = time.monotonic()
            answer = session.get(
                f"{running.url}/api/audiences/everyone/members",
                params={"purpose": "email_marketing", "channel": "email", "fields": "email", "limit": PAGE}
                | ({"cursor": cursor} if cursor else {}),
                headers=bearer.headers(),
                timeout=60,
            )
            if answer.status_code == 503:
                continue
            if answer.status_code != 200:
                story.failures.append(f"read: {answer.status_code} {answer.text[:200]}")
                return
            body = answer.json()
            story.pages.append((requested, frozenset(row["fields"]["email"] for row in body["data"])))
            cursor = body["next_cursor"]


def read_slowly(running: Running, bearer: Bearer, story: Story) -> None:
    """Ask for one page and take it a byte a second: it must hold up nobody."""
    with socket.create_connection(("127.0.0.1", running.port)) as connection:
        path = f"/api/audiences/everyone/members?purpose=email_marketing&channel=email&fields=email&limit={PAGE}"
        lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", *map(": ".join, bearer.headers().items()), "", ""]
        connection.sendall("\r\n".join(lines).encode())
        connection.settimeout(5)
        while not story.over.is_set():
            if not connection.recv(1):
                return
            story.over.wait(1)


def withdraw(running: Running, bearer: Bearer, story: Story, number: int) -> None:
    started = time.monotonic()
    answer = requests.post(
        f"{running.url}/api/consents/withdraw",
        json={
            "identifier": {"type": "email", "value": address(number)},
            "purpose": "email_marketing",
            "channel": "email",
        },
        headers=bearer.headers(),
        timeout=60,
    )
    now = time.monotonic()
    if answer.status_code != 200 or not answer.json()["withdrawn"]:
        story.failures.append(f"withdraw: {answer.status_code} {answer.text[:200]}")
        return
    story.acknowledged[address(number)] = (now, answer.json()["effective_at"])
    story.seconds.append(now - started)


def handed_over_late(running: Running, database_url: str, story: Story) -> list[str]:
    """Every disclosure that names a person was handed over before the person's withdrawal took effect."""
    numbers = person_numbers(running, database_url)
    assert len(numbers) >= len(story.acknowledged)
    effective = {
        numbers[mail]: datetime.fromisoformat(when) for mail, (_, when) in story.acknowledged.items() if mail in numbers
    }
    late = []
    engine = create_engine(database_url, poolclass=NullPool)
    with engine.connect() as connection:
        for people, handed_over_at in connection.execute(text("SELECT people, handed_over_at FROM disclosure")):
            if handed_over_at is None:
                continue
            instant = handed_over_at if isinstance(handed_over_at, datetime) else datetime.fromisoformat(handed_over_at)
            if instant.tzinfo is None:
                instant = instant.replace(tzinfo=next(iter(effective.values())).tzinfo)
            late += [
                f"person {one}" for one in BitMap64.deserialize(people) if one in effective and instant > effective[one]
            ]
    return late


def person_numbers(running: Running, database_url: str) -> dict[str, int]:
    """Which person each address is, by the deployment's own blind index."""
    keys = vault.Vault(vault.Keyring.load(running.env["CDP_KEYRING"]))
    wanted = {keys.token("email", "", address(number)): address(number) for number in range(WITHDRAWALS)}
    engine = create_engine(database_url, poolclass=NullPool)
    query = "SELECT token, person FROM identifier JOIN subject ON number = subject WHERE namespace = 'email'"
    with engine.connect() as connection:
        return {wanted[bytes(token)]: person for token, person in connection.execute(text(query))}
