"""A live deployment in this process: a real socket, the real commands, and a note of every error that was answered."""

import csv
import json
import random
import threading
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import requests
from click.testing import CliRunner
from werkzeug.serving import make_server

from cdp import deployment as deploying
from cdp import identity
from cdp.clock import Clock
from cdp.ops.cli import main
from cdp.ops.demo.vendors import Line, SendGrid
from cdp.settings import Settings
from cdp.web.app import create_app
from tests import people
from tests.people import PROVIDER, Cast, Person

ROOT = Path(__file__).resolve().parent.parent.parent
PURPOSES = "email_marketing,line_marketing,analytics"


class World:
    """One deployment with its sources and clients; `arrive` brings people in through the doors."""

    def __init__(self, home: Path, database_url: str, clock: Clock | None = None, **environment: str) -> None:
        self.clock = clock
        self.home, self.line, self.sendgrid = home, Line("channel-secret-of-the-tests"), SendGrid()
        self.environment = {
            "CDP_HOME": str(home),
            "CDP_DATABASE_URL": database_url,
            "CDP_POLICIES": str(ROOT / "policies"),
            "CDP_CONNECTORS": str(ROOT / "connectors"),
            "CDP_BASE_URL": "http://127.0.0.1:8000",
            # The longest there is: a busy machine of tests may hold one page up for more than the usual two seconds.
            "CDP_LEASE_SECONDS": "10",
            **environment,
        }
        self.told: dict[str, Mapping[str, str]] = {}
        self.errors: list[str] = []
        self._tokens: dict[str, str] = {}
        self.printed_out: list[str] = []
        self.cdp("init")
        self._register()
        self.open()

    def open(self) -> None:
        """Assemble the deployment and serve it on a real socket."""
        names = {name.removeprefix("CDP_").lower(): value for name, value in self.environment.items()}
        self.deployment = deploying.assemble(Settings(**names), self.clock)  # type: ignore[arg-type]
        self.server = make_server("127.0.0.1", 0, create_app(self.deployment), threaded=True)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        """Close the socket and the database; the home stays."""
        self.server.shutdown()
        self.thread.join(10)
        self.deployment.close()

    def cdp(self, *arguments: str) -> str:
        """Run a command and return what it printed; fails the test if the command failed."""
        result = CliRunner().invoke(main, list(arguments), env=self.environment)
        self.printed_out.append(result.output)
        assert result.exit_code == 0, f"cdp {' '.join(arguments[:2])}: {result.output[-800:]} {result.exception!r}"
        return result.output

    def token(self, client: str) -> str:
        """Return the access token of a client, fetched once."""
        if client not in self._tokens:
            told = self.told[client]
            answer = requests.post(
                f"{self.url}/oauth/token",
                data={"grant_type": "client_credentials"},
                auth=(told["client_id"], told["client_secret"]),
                timeout=30,
            )
            assert answer.status_code == 200, answer.text
            self._tokens[client] = answer.json()["access_token"]
        return self._tokens[client]

    def call(self, client: str, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        """Call the API as a client."""
        sent = {"Authorization": f"Bearer {self.token(client)}", **headers}
        return self._noted(requests.request(method, self.url + path, json=body, headers=sent, timeout=60))

    def post(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> requests.Response:
        """Post raw bytes to a door that has a check of its own."""
        return self._noted(requests.post(self.url + path, data=body, headers=dict(headers or {}), timeout=60))

    def members(self, client: str = "tool", audience: str = "everyone", **query: Any) -> list[dict[str, Any]]:
        """Return every row that a client may have, page by page."""
        rows: list[dict[str, Any]] = []
        asked = {"purpose": people.PURPOSE, "channel": people.CHANNEL, "fields": "email", "limit": 50, **query}
        cursor: dict[str, str] = {}
        while True:
            text = "&".join(f"{name}={value}" for name, value in {**asked, **cursor}.items())
            answer = self.call(client, "GET", f"/api/audiences/{audience}/members?{text}")
            assert answer.status_code == 200, answer.text
            rows += answer.json()["data"]
            if not answer.json()["next_cursor"]:
                return rows
            cursor = {"cursor": answer.json()["next_cursor"]}

    def addresses(self, **query: Any) -> set[str]:
        return {row["fields"]["email"] for row in self.members(**query)}

    def lookup(
        self, person: Person, client: str = "tool", namespace: str = "email", **headers: str
    ) -> requests.Response:
        kind, scope, value = next(one for one in person.identifiers if one[0] == namespace)
        identifier = {"type": kind, "value": value, **({"scope": scope} if scope else {})}
        body = {"identifier": identifier, "purpose": people.PURPOSE, "channel": people.CHANNEL, "fields": ["email"]}
        return self.call(client, "POST", "/api/profiles/lookup", body, **headers)

    def arrive(self, cast: Cast, seed: int | None = None, times: int = 1) -> None:
        """Bring everybody in through every door; with a seed in a shuffled order, `times` over."""
        deliveries = [delivery for _ in range(times) for delivery in self._deliveries(cast)]
        if seed is not None:
            random.Random(seed).shuffle(deliveries)
        for deliver in deliveries:
            deliver()

    def choose(self, cast: Cast) -> None:
        """Let everybody say what they say about letters."""
        for person in cast.everybody:
            if person.stance != "never":
                self._expect(self.call("desk", "POST", "/api/consents", people.consent(person)), 201)
            if person.stance == "withdrawn":
                self._expect(self.call("desk", "POST", "/api/consents/withdraw", people.withdrawal(person)), 200)

    def erase(self, person: Person) -> dict[str, Any]:
        """Ask for the erasure of a person and return the finished request."""
        identifier = {"type": "email", "value": person.email}
        body = {"right": "erasure", "identifier": identifier, "requester": "subject"}
        received = self._expect(self.call("officer", "POST", "/api/subject-requests", body), 202).json()
        followed = self.call("officer", "GET", f"/api/subject-requests/{received['id']}").json()
        assert followed["state"] == "completed", followed
        return dict(followed)

    def partition(self, everybody: Iterable[Person]) -> set[frozenset[str]]:
        """Return who is one person by the deployment: sets of identifiers, without the cast's number."""
        groups: dict[int, set[str]] = {}
        with self.deployment.database.snapshot() as session:
            for person in everybody:
                for namespace, scope, value in person.identifiers:
                    number = identity.find(session, namespace, scope, identity.normalise(namespace, value, "JP"))
                    groups.setdefault(number or 0, set()).add(f"{namespace} of {person.name}")
        return {frozenset(group) for group in groups.values()}

    def visit(self, calls: list[dict[str, Any]]) -> None:
        """Send calls through the site's own server."""
        body = json.dumps({"batch": calls}).encode()
        answer = requests.post(f"{self.url}/v1/batch", data=body, auth=(self.told["site"]["write_key"], ""), timeout=60)
        self._expect(self._noted(answer), 200)

    def register(self, *arguments: str) -> dict[str, str]:
        """Run a command and return what it prints for the other side, name by name."""
        return dict(line.split("=", 1) for line in self.cdp(*arguments).splitlines() if "=" in line)

    def _deliveries(self, cast: Cast) -> list[Callable[[], None]]:
        found: list[Callable[[], None]] = [partial(self._import, cast)]
        for person in cast.everybody:
            found += [partial(self.visit, [call]) for call in people.site_calls(person)]
            found.append(partial(self._line, people.line_events(person)))
            found.append(partial(self._mail, people.mail_events(person)))
        return found

    def _import(self, cast: Cast) -> None:
        path = self.home / f"contacts-{cast.ada.number}.csv"
        rows = [people.crm_row(person) for person in cast.everybody]
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        self.cdp("import", str(path), "--source", "crm")
        path.unlink()

    def _line(self, events: list[dict[str, Any]]) -> None:
        body = json.dumps({"destination": "U" + "0" * 32, "events": events}).encode()
        self._expect(self.post("/hooks/line", body, self.line.headers(body)), 200)

    def _mail(self, events: list[dict[str, Any]]) -> None:
        body = json.dumps(events).encode()
        self._expect(self.post("/hooks/mail", body, self.sendgrid.headers(body)), 200)

    def _register(self) -> None:
        for name, kind, *settings in (
            (
                "site",
                "segment",
                "key=server",
                "residence_default=JP",
                "external_ids=line_uid",
                f"scope_line_uid={PROVIDER}",
            ),
            ("crm", "csv", "residence_default=JP"),
            ("line", "line", f"provider_id={PROVIDER}", f"channel_secret={self.line.channel_secret}"),
            ("mail", "sendgrid", f"public_key={self.sendgrid.public_key}"),
        ):
            chosen = [part for setting in settings for part in ("--set", setting)]
            self.told[name] = self.register("connector", "add", name, "--type", kind, *chosen)
        for name, recipient, purposes, scopes in (
            ("tool", "ma_tool", "email_marketing", "audience:read,journey:read,profile:read,decision:read"),
            ("insight", "ma_tool", "line_marketing", "audience:read,profile:read"),
            ("desk", "staff", PURPOSES, "consent:write"),
            ("officer", "staff", PURPOSES, "admin:*"),
        ):
            arguments = ("--recipient", recipient, "--purposes", purposes, "--scopes", scopes)
            self.told[name] = self.register("client", "create", name, *arguments)

    def _noted(self, answer: requests.Response) -> requests.Response:
        if answer.status_code >= 400:
            self.errors.append(f"{answer.status_code} {answer.headers} {answer.text}")
        return answer

    @staticmethod
    def _expect(answer: requests.Response, status: int) -> requests.Response:
        assert answer.status_code == status, f"{answer.status_code} {answer.text[:500]}"
        return answer
