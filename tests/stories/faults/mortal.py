"""A deployment whose processes may be killed at any moment, and a client that does not give up."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.stories.processes import ROOT, Running

Event = dict[str, Any]
PEOPLE = 200


class Mortal(Running):
    """One deployment, each command of it a group of processes that dies at once."""

    @property
    def kind(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.env["CDP_DATABASE_URL"].partition(":")[0].partition("+")[0]

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.home / f"{arguments[0]}.log").open("ab") as log:
            command = [sys.executable, "-m", "cdp.ops.cli", *arguments]
            process = subprocess.Popen(command, env=self.env, stdout=log, stderr=log, cwd=ROOT, start_new_session=True)
        self.processes.append(process)
        return process

    def open(self, workers: int = 1) -> float:
        """Start the web process; returns how many seconds it took to be ready."""
        began = time.monotonic()
        self.start("serve", "--port", str(self.port), "--workers", str(workers))
        self.until_ready()
        return time.monotonic() - began

    def until_ready(self) -> float:
        """Wait until it says that it is ready; returns the seconds."""
        began = time.monotonic()
        while time.monotonic() - began < 60:
            try:
                if requests.get(f"{self.url}/readyz", timeout=20).status_code == 200:
                    return time.monotonic() - began
            except requests.RequestException:
                pass
            time.sleep(0.01)
        raise AssertionError((self.home / "serve.log").read_text()[-2000:])

    def kill(self) -> None:
        """Kill -9 every process that was started, with all its children."""
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(20)
        self.processes.clear()


@dataclass
class Shop:
    """Clients that send orders with ids, and send again, with the same ids, what they heard no answer to."""

    url: str
    write_key: str
    threads: int = 3
    acknowledged: set[int] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)
    """Answers that a client must never see."""
    cut: int = 0
    refused: int = 0
    """How often the answer was 503."""
    _made: int = 0
    _open: bool = True
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _running: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        for seed in range(self.threads):
            thread = threading.Thread(target=self._work, args=(random.Random(seed),), daemon=True)
            thread.start()
            self._running.append(thread)

    def close(self) -> None:
        """Make no new orders; returns when every order that was made is acknowledged."""
        self._open = False
        for thread in self._running:
            thread.join(60)
            assert not thread.is_alive(), "an order was never acknowledged"

    def _work(self, chance: random.Random) -> None:
        while self._open:
            numbers = self._numbers(chance.choice([1, 1, 1, 5, 20]))
            body = [order(number) for number in numbers]
            while not self._delivered(body) and len(self.wrong) < 100:
                time.sleep(0.05)
            with self._lock:
                self.acknowledged.update(numbers)

    def _numbers(self, count: int) -> list[int]:
        with self._lock:
            self._made += count
            return list(range(self._made - count, self._made))

    def _delivered(self, body: list[Event]) -> bool:
        single = len(body) == 1
        path, sent = ("/v1/track", body[0]) if single else ("/v1/batch", {"batch": body})
        try:
            answer = requests.post(self.url + path, json=sent, auth=(self.write_key, ""), timeout=60)
        except requests.RequestException:
            self.cut += 1
            return False
        if answer.status_code == 503 and answer.headers.get("Retry-After", "").isdigit():
            self.refused += 1
            return False
        if answer.status_code != 200:
            self.wrong.append(f"{answer.status_code} {answer.text[:300]}")
            return False
        return True


def order(number: int) -> Event:
    """An order whose amount is its number, by one of a few people, some of whom ask for letters in the same call."""
    who = number * 7919 % PEOPLE
    mail = f"buyer{who}@example.com"
    call: Event = {
        "type": "track",
        "messageId": f"order-{number}",
        "userId": f"buyer-{who}",
        "timestamp": "2026-05-01T00:00:00Z",
        "context": {"traits": {"email": mail}},
    }
    if number % 10 == 9:
        asked = {"email": mail, "notice": "newsletter", "notice_version": "2", "language": "ja"}
        return call | {"event": "Newsletter Subscribed", "properties": asked}
    return call | {
        "event": "Order Completed",
        "properties": {"order_id": f"o{number}", "total": number + 1, "currency": "JPY"},
    }
