"""SIGTERM to the web process: not ready first, then the door closes, and nothing acknowledged is lost."""

import base64
import json
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from cdp.ops.cli import main
from tests.stories.processes import Running

DRAIN = 1.5


@pytest.fixture
def running(tmp_path: Path, database_url: str) -> Iterator[Running]:
    live = Running(tmp_path / "home", database_url)
    told(live, "init")
    yield live
    live.stop()


@pytest.fixture
def write_key(running: Running) -> str:
    made = told(running, "connector", "add", "shop", "--type", "segment", "--set", "key=server")
    process = running.start("serve", "--port", str(running.port), "--drain", str(DRAIN), "--grace", "10")
    until = time.monotonic() + 60
    while ready(running) != 200:
        assert time.monotonic() < until and process.poll() is None
        time.sleep(0.05)
    return made["write_key"]


def told(running: Running, *arguments: str) -> dict[str, str]:
    """Run a command in this process and return the `key=value` lines that it printed."""
    result = CliRunner().invoke(main, list(arguments), env=running.env)
    assert result.exit_code == 0, result.output[-800:]
    return dict(line.split("=", 1) for line in result.stdout.splitlines() if "=" in line)


def ready(running: Running) -> int:
    try:
        return requests.get(f"{running.url}/readyz", timeout=5).status_code
    except requests.ConnectionError:
        return 0


def call(number: int) -> dict[str, object]:
    return {"type": "identify", "messageId": f"m{number}", "userId": f"u{number}", "traits": {"lastName": "x"}}


def posting(running: Running, write_key: str, first: int, acknowledged: list[int], closed: list[float]) -> None:
    """Post single calls until the door is closed; keep those that were answered with 200."""
    number = first
    while True:
        try:
            answer = requests.post(f"{running.url}/v1/identify", json=call(number), auth=(write_key, ""), timeout=30)
        except requests.ConnectionError:
            closed.append(time.monotonic())
            return
        if answer.status_code == 200:
            acknowledged.append(number)
        number += 1


def half_sent(running: Running, write_key: str, number: int) -> tuple[socket.socket, bytes]:
    """Open a request and keep back the end of its body."""
    body = json.dumps(call(number)).encode()
    key = base64.b64encode(f"{write_key}:".encode()).decode()
    head = f"POST /v1/identify HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {key}\r\nContent-Type: application/json\r\n"
    connection = socket.create_connection(("127.0.0.1", running.port))
    connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:10])
    return connection, body[10:]


def received_slowly(running: Running, got: list[bytes]) -> None:
    """Ask for something long, and take it in small sips."""
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", running.port))
        connection.sendall(b"GET /api/openapi.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        while sip := connection.recv(8192):
            got.append(sip)
            time.sleep(0.02)


def test_at_sigterm_it_is_not_ready_first_and_loses_nothing_that_it_acknowledged(
    running: Running, database_url: str, write_key: str
) -> None:
    acknowledged: list[int] = []
    closed: list[float] = []
    sips: list[bytes] = []
    threads = [
        threading.Thread(target=posting, args=(running, write_key, first, acknowledged, closed))
        for first in (0, 100_000)
    ]
    threads.append(threading.Thread(target=received_slowly, args=(running, sips)))
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    connection, rest = half_sent(running, write_key, 999_999)
    process = running.processes[-1]
    process.send_signal(signal.SIGTERM)
    asked = time.monotonic()
    time.sleep(0.3)
    assert ready(running) == 503
    time.sleep(DRAIN + 0.2)
    connection.sendall(rest)
    answer = connection.recv(65536)
    for thread in threads:
        thread.join(30)
    assert process.wait(20) == 0
    assert min(closed) - asked > DRAIN / 2, "it went on answering while it was not ready"
    assert answer.startswith(b"HTTP/1.1 200"), answer[:80]
    head, _, page = b"".join(sips).partition(b"\r\n\r\n")
    [length] = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
    assert len(page) == int(length.split(b":")[1]), "the slow reader got all of it"
    assert len(acknowledged) > 1
    with create_engine(database_url, poolclass=NullPool).connect() as stored:
        assert stored.execute(text("SELECT count(*) FROM received")).scalar_one() >= len(acknowledged) + 1
    assert not [line for line in (running.home / "serve.log").read_text().splitlines() if "Traceback" in line]
