"""The root of all keys is exchanged while people are read, looked up, taken in, silenced and erased.

The rotation is killed again and again and taken up each time. No read fails, nobody is left out of
a page, and at the end the old root is nowhere: what it could open lies only in copies of before.
"""

import base64
import json
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner
from sqlmodel import select

from cdp import deployment as deploying
from cdp import ingest
from cdp.connector.kit import Incoming
from cdp.deployment import Deployment
from cdp.errors import KeyDestroyed, StartRefused
from cdp.ingest import sources
from cdp.ops.cli import main
from cdp.settings import Settings
from cdp.vault import Vault
from cdp.vault.keyring import Keyring
from cdp.vault.model import SubjectKey
from cdp.vault.state import State, decode
from tests.conftest import DEEP
from tests.stories.processes import Running
from tests.stories.test_withdrawal_race import Bearer

SUBJECTS, KILLS = (100_000, 10) if DEEP else (300, 2)
BATCH = 5_000
PAGE = 500
WITHDRAWN, ERASED = 7, 11
"""Two who stop being read on the way."""

PURPOSE = {"purpose": "email_marketing", "channel": "email"}

SEED = 20261122


@dataclass
class Load:
    """What went on beside the rotation."""

    over: threading.Event = field(default_factory=threading.Event)
    failures: list[str] = field(default_factory=list)
    late: int = 0
    """Reads that were answered with 503 and asked again."""
    pages: int = 0
    sweeps: int = 0
    lookups: int = 0
    arrived: int = 0
    slowest_ingest: float = 0.0


@pytest.fixture
def running(tmp_path: Path, database_url: str) -> Iterator[Running]:
    live = Running(tmp_path / "home", database_url)
    live.env["CDP_KEYRING_MIRROR"] = f"file:{tmp_path / 'mirror' / 'keyring.json'}"
    live.env["CDP_LEASE_SECONDS"] = "10" if DEEP else "2"
    told(live, "init")
    yield live
    live.stop()


def address(number: int) -> str:
    return f"rotated{number}@example.com"


def test_no_read_fails_while_the_root_is_exchanged_and_the_old_one_goes(running, database_url, figures) -> None:
    added = ("connector", "add", "shop", "--type", "segment", "--set", "key=server", "--set", "residence_default=JP")
    write_key = told(running, *added)["write_key"]
    clients = {
        name: told(running, "client", "create", name, "--recipient", to, "--purposes", PURPOSE["purpose"], *more)
        for name, to, *more in (
            ("tool", "ma_tool"),
            ("desk", "staff", "--scopes", "consent:write"),
            ("officer", "staff", "--scopes", "admin:*"),
        )
    }
    with deployed(running) as deployment:
        settle_in(deployment)
        before = every_key(deployment)
    assert len(before) == SUBJECTS
    old_state = decode(keyring_files(running)[0].read_bytes())

    running.serve(workers=1 if "sqlite" in database_url else 2)
    running.start("worker")
    load, bearer = Load(), Bearer(running, clients["tool"])
    threads = [
        threading.Thread(target=kept_going, args=(work, load), daemon=True)
        for work in (
            sweeping(running, bearer, load),
            looking_up(running, bearer, load, 1),
            looking_up(running, bearer, load, 2),
            arriving(running, write_key, load),
        )
    ]
    for thread in threads:
        thread.start()
    began = time.monotonic()
    kills = interrupted_rotations(running)
    between = threading.Thread(target=two_leave, args=(running, clients, load))
    between.start()
    said = running.printed("keys", "rotate", "--settle", "2")
    seconds = time.monotonic() - began
    between.join(60)
    sweeps = load.sweeps
    until = time.monotonic() + (1800 if DEEP else 120)
    while load.sweeps < sweeps + 2 and not load.failures and time.monotonic() < until:
        time.sleep(0.1)
    load.over.set()
    for thread in threads:
        thread.join(60)

    assert load.failures == []
    assert load.sweeps >= sweeps + 2, "everybody is read again after the old root is gone"
    assert said["taken_up"] == "yes"
    assert said["destroyed"] == "1"
    opened = check_the_end(running, before, old_state, load)
    figures(
        f"rotation of the root under load, {database_url.split(':')[0]}",
        subjects=len(before),
        kills=kills,
        seconds=round(seconds, 1),
        pages=load.pages,
        lookups=load.lookups,
        failed_reads=len(load.failures),
        late_503=load.late,
        arrived=load.arrived,
        slowest_ingest_s=round(load.slowest_ingest, 2),
        opened=opened,
        opened_by_old_root=0,
    )


def check_the_end(running: Running, before: list[SubjectKey], old: State, load: Load) -> int:
    """The old root is in no copy; the new one opens everybody; old and new do not open each other's copies."""
    files = keyring_files(running)
    states = [decode(file.read_bytes()) for file in files]
    assert states[0] == states[1]
    assert set(states[0].trees) == {2}
    for file in {path for one in files for path in one.parent.iterdir() if path.is_file()}:
        assert not any(root in file.read_bytes() for root in written(old))
    with deployed(running) as deployment:
        now = every_key(deployment)
        assert {row.tree for row in now} == {2}
        assert opens(deployment.vault, now) == len(now) == SUBJECTS + load.arrived - 1, "all but the erased"
        assert opens(deployment.vault, before) == 0, "the keyring of now and a database of before"
    for file in files:
        file.write_bytes(kept_copy(running).read_bytes())
    old_keys = Vault(Keyring.load(f"file:{files[0]}"))
    assert opens(old_keys, now) == 0, "the keyring of before and the database of now"
    assert opens(old_keys, before) == SUBJECTS, "only two copies of before open each other"
    with pytest.raises(StartRefused, match="old copy"), deployed(running):
        pass
    return len(now)


def told(running: Running, *arguments: str) -> dict[str, str]:
    """Run a command in this process and return the `key=value` lines that it printed."""
    result = CliRunner().invoke(main, list(arguments), env=running.env)
    assert result.exit_code == 0, result.output[-800:]
    return dict(line.split("=", 1) for line in result.stdout.splitlines() if "=" in line)


class deployed:
    """The deployment of the running processes, assembled here too."""

    def __init__(self, running: Running) -> None:
        names = {key.removeprefix("CDP_").lower(): text for key, text in running.env.items() if key.startswith("CDP_")}
        self.settings = Settings(_env_file=None, **names)

    def __enter__(self) -> Deployment:
        self.deployment = deploying.assemble(self.settings)
        return self.deployment

    def __exit__(self, *_: object) -> None:
        self.deployment.close()


def settle_in(deployment: Deployment) -> None:
    """Take everybody in by the connector's own reading and the product's own steps, and keep a copy of the keyring."""
    with deployment.database.snapshot() as session:
        config = sources.config(session, "shop")
        kind = sources.type_of(session, "segment")
    for start in range(0, SUBJECTS, BATCH):
        calls = [subscription(number) for number in range(start, min(start + BATCH, SUBJECTS))]
        incoming = Incoming(json.dumps({"batch": calls}).encode(), datetime.now(UTC), call="batch")
        report = ingest.take(deployment.database, config, kind.source.read(incoming, config), incoming.at, BATCH)
        assert report.accepted == len(calls), report.refused
    files = deploying.keyring_paths(deployment.settings)
    copy = deployment.settings.home / "copy-of-before.json"
    copy.write_bytes(files[0].read_bytes())


def subscription(number: int) -> dict[str, object]:
    said = {"email": address(number), "notice": "newsletter", "notice_version": "2", "language": "ja"}
    return {
        "type": "track",
        "event": "Newsletter Subscribed",
        "messageId": f"rotated-{number}",
        "userId": f"rotated-{number}",
        "timestamp": "2026-05-01T00:00:00Z",
        "context": {"traits": {"email": address(number)}},
        "properties": said,
    }


def interrupted_rotations(running: Running) -> int:
    """Begin the rotation again and again, and kill it each time at some instant after the new tree exists."""
    chance, kills = random.Random(SEED), 0
    while kills < KILLS:
        process = running.start("keys", "rotate", "--settle", "3600")
        until = time.monotonic() + 60
        while len(decode(keyring_files(running)[0].read_bytes()).trees) < 2 and time.monotonic() < until:
            time.sleep(0.01)
        # A later one starts with both trees there: give the process time to come to its work.
        time.sleep(chance.uniform(0, 4 if DEEP else 1) + (1 if kills else 0))
        process.send_signal(signal.SIGKILL)
        assert process.wait(20) == -signal.SIGKILL, "it was still at it"
        kills += 1
    return kills


def two_leave(running: Running, clients: dict[str, dict[str, str]], load: Load) -> None:
    """A withdrawal and an erasure in the middle."""
    time.sleep(1)
    asked = {"identifier": {"type": "email", "value": address(WITHDRAWN)}, **PURPOSE}
    headers = Bearer(running, clients["desk"], "consent:write").headers()
    answer = requests.post(f"{running.url}/api/consents/withdraw", json=asked, headers=headers, timeout=60)
    if answer.status_code != 200:
        load.failures.append(f"withdraw {answer.status_code}")
    asked = {"right": "erasure", "identifier": {"type": "email", "value": address(ERASED)}, "requester": "subject"}
    headers = Bearer(running, clients["officer"]).headers()
    answer = requests.post(f"{running.url}/api/subject-requests", json=asked, headers=headers, timeout=60)
    if answer.status_code != 202 or answer.json()["state"] != "completed":
        load.failures.append(f"erase {answer.status_code}")


def sweeping(running: Running, bearer: Bearer, load: Load) -> Callable[[requests.Session], None]:
    """Read page after page of everybody; at the end nobody may be missing who never left."""
    steady = {address(number) for number in range(SUBJECTS)} - {address(WITHDRAWN), address(ERASED)}
    query = {**PURPOSE, "fields": "email", "limit": PAGE}

    def sweep(session: requests.Session) -> None:
        seen: set[str] = set()
        cursor: str | None = ""
        while cursor is not None and not load.over.is_set():
            asked = query | ({"cursor": cursor} if cursor else {})
            answer = session.get(
                f"{running.url}/api/audiences/everyone/members", params=asked, headers=bearer.headers(), timeout=60
            )
            if answer.status_code == 503:
                load.late += 1
                continue
            assert answer.status_code == 200, answer.status_code
            load.pages += 1
            seen.update(row["fields"]["email"] for row in answer.json()["data"])
            cursor = answer.json()["next_cursor"]
        if cursor is None:
            assert not steady - seen, f"{len(steady - seen)} were left out"
            load.sweeps += 1

    return sweep


def looking_up(running: Running, bearer: Bearer, load: Load, seed: int) -> Callable[[requests.Session], None]:
    chance = random.Random(seed)

    def look_up(session: requests.Session) -> None:
        number = chance.choice([n for n in (chance.randrange(SUBJECTS) for _ in range(3)) if n not in (7, 11)])
        asked = {"identifier": {"type": "email", "value": address(number)}, **PURPOSE, "fields": ["email"]}
        answer = session.post(f"{running.url}/api/profiles/lookup", json=asked, headers=bearer.headers(), timeout=60)
        if answer.status_code == 503:
            load.late += 1
            return
        assert answer.status_code == 200, answer.status_code
        assert answer.json()["fields"]["email"] == address(number)
        load.lookups += 1

    return look_up


def arriving(running: Running, write_key: str, load: Load) -> Callable[[requests.Session], None]:
    def arrive(session: requests.Session) -> None:
        calls = [subscription(SUBJECTS + load.arrived + one) for one in range(10)]
        began = time.monotonic()
        answer = session.post(f"{running.url}/v1/batch", json={"batch": calls}, auth=(write_key, ""), timeout=60)
        assert answer.status_code == 200, answer.status_code
        load.slowest_ingest = max(load.slowest_ingest, time.monotonic() - began)
        load.arrived += 10
        load.over.wait(0.2)

    return arrive


def kept_going(work: Callable[[requests.Session], None], load: Load) -> None:
    with requests.Session() as session:
        while not load.over.is_set():
            try:
                work(session)
            except (AssertionError, requests.RequestException, LookupError) as error:
                load.failures.append(f"{type(error).__name__}: {str(error)[:200]}")
                return


def every_key(deployment: Deployment) -> list[SubjectKey]:
    with deployment.database.snapshot() as session:
        return list(session.exec(select(SubjectKey)).all())


def opens(keys: Vault, rows: list[SubjectKey]) -> int:
    opened = 0
    for row in rows:
        try:
            keys.unwrap(row.subject, row.tree, row.wrapped)
        except KeyDestroyed:
            continue
        opened += 1
    return opened


def keyring_files(running: Running) -> list[Path]:
    return [Path(running.env[name].removeprefix("file:")) for name in ("CDP_KEYRING", "CDP_KEYRING_MIRROR")]


def kept_copy(running: Running) -> Path:
    return running.home / "copy-of-before.json"


def written(state: State) -> list[bytes]:
    """Every way in which a tree's nodes may stand in a file."""
    packed = state.trees[1].pack()
    return [packed, base64.b64encode(packed)[:-4], packed.hex().encode()]
