"""A deployment as an operator runs it: the real command, real processes, real sockets."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parent.parent.parent


class Running:
    """One deployment in its own home; what it prints goes to files in the home, for the canary scan."""

    def __init__(self, home: Path, database_url: str) -> None:
        self.home = home
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.env = os.environ | {
            "CDP_HOME": str(home),
            "CDP_DATABASE_URL": database_url,
            "CDP_KEYRING": f"file:{home / 'elsewhere' / 'keyring.json'}",
            "CDP_POLICIES": str(ROOT / "policies"),
            "CDP_CONNECTORS": str(ROOT / "connectors"),
            "CDP_BASE_URL": self.url,
            "PYTHONUNBUFFERED": "1",
        }
        self.processes: list[subprocess.Popen[bytes]] = []
        home.mkdir(parents=True, exist_ok=True)

    def cdp(self, *arguments: str) -> str:
        """Run the command and return what it printed; fails the test with its words if it failed."""
        done = subprocess.run(
            [sys.executable, "-m", "cdp.ops.cli", *arguments], env=self.env, capture_output=True, text=True, cwd=ROOT
        )
        assert done.returncode == 0, (
            f"cdp {arguments[0]} exited {done.returncode}: {done.stdout[-800:]}{done.stderr[-800:]}"
        )
        return done.stdout

    def printed(self, *arguments: str) -> Mapping[str, str]:
        """Run a command that prints `key=value` lines and return them."""
        return dict(line.split("=", 1) for line in self.cdp(*arguments).splitlines() if "=" in line)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a long-running command in the background."""
        log = (self.home / f"{arguments[0]}.log").open("ab")
        process = subprocess.Popen(
            [sys.executable, "-m", "cdp.ops.cli", *arguments], env=self.env, stdout=log, stderr=log, cwd=ROOT
        )
        self.processes.append(process)
        return process

    def serve(self, workers: int = 1) -> None:
        """Start the web process and wait until it is ready."""
        self.start("serve", "--host", "127.0.0.1", "--port", str(self.port), "--workers", str(workers))
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if requests.get(f"{self.url}/readyz", timeout=2).status_code == 200:
                    return
            except requests.ConnectionError:
                time.sleep(0.05)
        raise AssertionError((self.home / "serve.log").read_text()[-2000:])

    def token(self, client: Mapping[str, str], scope: str = "") -> str:
        """Exchange a client's secret for an access token."""
        answer = requests.post(
            f"{self.url}/oauth/token",
            data={"grant_type": "client_credentials"} | ({"scope": scope} if scope else {}),
            auth=(client["client_id"], client["client_secret"]),
            timeout=30,
        )
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def stop(self) -> None:
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
