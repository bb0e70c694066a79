"""Sends whatever schemathesis makes of the interface's description, as one of eight roles, with ids that exist.

The application is called in this process; its database keeps nothing over a power cut meanwhile (`synchronous=OFF`),
since what is tried here is what it answers. Beside schemathesis' own checks there are two of ours.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import schemathesis
from flask import Flask
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from sqlalchemy import event

from cdp import deployment as deploying
from cdp.settings import Settings
from cdp.web.app import create_app
from cdp.web.auth import clients
from cdp.web.auth.caller import EVERYTHING
from tests import people
from tests.conftest import StandingClock
from tests.stories.world import World

READING = ("audience:read", "journey:read", "profile:read")

ROLES: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "nobody": ("", (), ()),
    "tool": ("ma_tool", ("email_marketing", "service_delivery"), READING),
    "tool of another purpose": ("ma_tool", ("line_marketing",), READING),
    "third party": ("ad_platform", ("ads_sharing",), READING),
    "desk": ("staff", ("email_marketing", "line_marketing"), ("consent:write", "decision:read")),
    "clerk": ("staff", (), ("request:write",)),
    "integrator": ("staff", (), ("ingest:write",)),
    "officer": ("staff", ("email_marketing", "service_delivery", "support"), (EVERYTHING,)),
}
"""Name → recipient, purposes and scopes."""

LEFT_OUT = {
    "allow_header_conformance": "GET /api/audiences/preview reads the audience of that name: no description can say so",
}
"""Check → why it is not asked; `max_response_time` asks nothing unless it is given a limit."""

DECLARED_ELSEWHERE = frozenset(
    {
        "unknown_purpose", "unknown_channel", "channel_needed", "unknown_notice", "contact_needed", "unknown_recipient",
        "unknown_identifier_type", "unusable_identifier", "unknown_category", "identifier_needed", "invalid_cursor",
        "same_subject", "unknown_action",
    }
)  # fmt: skip
"""What well-formed input may be refused for: the policy names what there is, not the description."""


BEYOND_A_SCHEMA = (
    "Say which notice, version and language was shown.",
    "Of a guardian say how it was verified",
    "Give either an identifier or a subject.",
    "Not an instant between 1970 and 2999.",
    "No text: it holds NUL",
    "Too deep, or not storable",
    "A declared purpose, and only with",
    "Say what is to be put right",
    "Name a trait or an identifier.",
    "Not with this right.",
    "No such trait is declared.",
    "Cannot be read as ",
    "One of: remove; add; replace and by.",
    "Cannot be an identifier of this type.",
)
"""How the texts of rules begin that join fields or ask the policy: JSON Schema as ours is made cannot say them,
nor what the key of a mapping may be."""


@dataclass
class Home:
    """A deployment in which everybody has arrived, and what can be asked about."""

    app: Flask
    deployment: deploying.Deployment
    tokens: Mapping[str, str]
    words: Mapping[str, list[str]]
    secrets: tuple[str, ...]


@dataclass
class Tally:
    """What one role sent, and what went wrong."""

    role: str
    cases: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    def fail(self, kind: str, example: str) -> None:
        self.failures[kind] += 1
        self.examples.setdefault(kind, example[:1500])

    def count(self, *kinds: str) -> int:
        return sum(number for name, number in self.failures.items() if name.split(" at ")[0] in kinds)


@contextmanager
def opened(folder: Path) -> Iterator[Home]:
    """Bring two casts in through every door, then serve them without sockets, at a time that stands."""
    world = World(folder / "home", f"sqlite:///{folder / 'cdp.db'}")
    try:
        casts = [people.cast(number) for number in (1, 2)]
        for cast in casts:
            world.arrive(cast)
            world.choose(cast)
        words = _words(world, casts)
    finally:
        world.close()
    names = {name.removeprefix("CDP_").lower(): value for name, value in world.environment.items()}
    settings = Settings(**names, log_level="error")  # type: ignore[arg-type]
    deployment = deploying.assemble(settings, StandingClock(datetime.now(UTC)))
    event.listen(deployment.database.writer, "connect", _unsafe)
    app = create_app(deployment)
    secrets = tuple(person.email for cast in casts for person in cast.everybody)
    try:
        yield Home(app, deployment, {role: _token(app, deployment, role) for role in ROLES}, words, secrets)
    finally:
        deployment.close()


def _unsafe(connection: Any, _: Any) -> None:
    connection.execute("PRAGMA synchronous=OFF")


def _token(app: Flask, deployment: deploying.Deployment, role: str) -> str:
    recipient, purposes, scopes = ROLES[role]
    if not scopes:
        return ""
    with deployment.database.transaction() as session:
        made = clients.create(session, f"fuzz {role}", recipient, purposes, scopes, at=deployment.clock.now())
    form = {"grant_type": "client_credentials"}
    return str(app.test_client().post("/oauth/token", data=form, auth=made).get_json()["access_token"])


def _words(world: World, casts: list[people.Cast]) -> dict[str, list[str]]:
    """Collect ids that exist: of people, pages, requests, ledger entries and whatever the policy declares."""
    policy = world.deployment.policy
    rows = world.members()
    paged = world.call("tool", "GET", f"/api/audiences/everyone/members?{USE}&limit=1").json()
    asked = {
        "identifier": {"type": "email", "value": casts[0].ada.email},
        "purpose": people.PURPOSE,
        "channel": "email",
    }
    entry = world.call("tool", "POST", "/api/audiences/everyone/explain", asked).json()["entry"]
    request = {"right": "access", "identifier": asked["identifier"], "requester": "subject"}
    received = world.call("officer", "POST", "/api/subject-requests", request).json()
    everybody = [person for cast in casts for person in cast.everybody]
    return {
        "audience": sorted(policy.audiences),
        "journey": sorted(policy.journeys),
        "stage": ["awareness", "consideration", "purchase", "loyalty"],
        "purpose": sorted(policy.purposes),
        "channel": ["email", "line", "web", "none"],
        "recipient": sorted(policy.recipients),
        "category": sorted(policy.categories),
        "field": ["email", "last_name", "tier", "city"],
        "type": ["email"],
        "value": [person.email for person in everybody],
        "pseudonym": [row["id"] for row in rows],
        "cursor": [paged["next_cursor"] or "x"],
        "request": [received["id"]],
        "entry": [entry],
        "source": sorted(world.told),
        "notice": ["newsletter"],
        "version": ["1", "2"],
        "language": ["ja", "en"],
    }


USE = f"purpose={people.PURPOSE}&channel={people.CHANNEL}"

PARAMETERS = {
    "query.purpose": "purpose",
    "query.channel": "channel",
    "query.fields": "field",
    "query.cursor": "cursor",
    "query.subject": "pseudonym",
    "path.stage": "stage",
    "path.id": "request",
    "path.entry": "entry",
    "body.purpose": "purpose",
    "body.channel": "channel",
    "body.recipient": "recipient",
    "body.subject": "pseudonym",
    "body.identifier.type": "type",
    "body.identifier.value": "value",
    "body.notice": "notice",
    "body.notice_version": "version",
    "body.language": "language",
    "body.categories[*]": "category",
}

NAMES = {"audiences": "audience", "journeys": "journey", "connectors": "source"}


def configured(home: Home, role: str, seed: int, examples: int, phases: Mapping[str, bool]) -> SchemathesisConfig:
    """Say what to send: mostly things that exist, in every phase, as this role."""

    def often(word: str) -> dict[str, Any]:
        return {"dictionary": word, "probability": 0.7}

    steps = max(1, examples // 10)
    return SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "continue-on-failure": True,
            "dictionaries": {name: {"values": values} for name, values in home.words.items() if values},
            "parameters": {name: often(word) for name, word in PARAMETERS.items()},
            "operations": [
                {"include-path-regex": f"^/api/{path}/", "parameters": {"path.name": often(word)}}
                for path, word in NAMES.items()
            ],
            "generation": {"max-examples": examples, "no-shrink": True, "database": "none"},
            "phases": {
                **{name: {"enabled": enabled} for name, enabled in phases.items()},
                "stateful": {"enabled": phases["stateful"], "generation": {"max-examples": steps}},
            },
            "checks": {name: {"enabled": False} for name in LEFT_OUT},
            "headers": {"Authorization": f"Bearer {home.tokens[role]}"} if home.tokens[role] else {},
        }
    )


def send(home: Home, role: str, tally: Tally, *, seed: int, examples: int, phases: Mapping[str, bool]) -> None:
    """Run the phases once and add to the tally."""
    config = configured(home, role, seed, examples, phases)
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", home.app, config=config)
    schema.hook("filter_failure")(_is_a_failure)
    for happened in from_schema(schema).execute():
        if isinstance(happened, events.ScenarioFinished):
            _count(home, role, tally, happened)
        elif isinstance(happened, events.NonFatalError):
            tally.fail(f"error at {happened.label}", str(happened.value))
        elif isinstance(happened, events.FatalError):
            raise happened.exception


def _is_a_failure(_: Any, failure: Any, case: Any, response: Any) -> bool:
    """Well-formed names that nobody declared are refused, and rightly so; anything else that is well formed is not."""
    if type(failure).__name__ != "RejectedPositiveData":
        return True
    if response.status_code != 400 or _kind(response) in DECLARED_ELSEWHERE:
        return False
    told = response.json().get("errors", ())
    return not told or not all(
        one["detail"].startswith(BEYOND_A_SCHEMA) or one["pointer"].endswith("/*/key") for one in told
    )


def _kind(response: Any) -> str:
    try:
        return str(response.json()["type"]).rpartition(":")[2]
    except (ValueError, KeyError, TypeError):
        return ""


def _count(home: Home, role: str, tally: Tally, happened: events.ScenarioFinished) -> None:
    recorder = happened.recorder
    for case_id, checks in recorder.checks.items():
        for check in checks:
            if check.failure_info is not None:
                failure, answered = check.failure_info.failure, recorder.interactions[case_id].response
                body = (answered.content or b"")[:400].decode("utf-8", "replace") if answered else ""
                tally.fail(
                    f"{check.name} at {failure.operation}", f"{check.failure_info.code_sample}\n{failure}\n{body}"
                )
    for case_id, interaction in recorder.interactions.items():
        if interaction.response is None or case_id not in recorder.cases:
            continue
        tally.cases += 1
        status = interaction.response.status_code
        tally.statuses[f"{status // 100}xx"] += 1
        _check(home, role, tally, recorder.cases[case_id].value, interaction.response)


def _check(home: Home, role: str, tally: Tally, case: Any, response: Any) -> None:
    """Our own two: who may not is refused, and no error repeats a person's value."""
    asked = case.operation.definition.raw.get("security", ())
    needs, has = {scope for one in asked for scope in one["oauth2"]}, set(ROLES[role][2])
    lacks = role == "nobody" or (needs and not needs & has and EVERYTHING not in has)
    if asked and lacks and response.status_code < 400 and case.method != "OPTIONS":
        tally.fail(f"unauthorised at {case.operation.label}", f"{case.method} {response.status_code}")
    if response.status_code >= 400 and any(secret.encode() in (response.content or b"") for secret in home.secrets):
        tally.fail(f"repeated at {case.operation.label}", f"{case.method} {response.status_code}")


def everything(home: Home, role: str, wanted: int, examples: int) -> Tally:
    """Send at least so many cases, in all phases, each round from another seed."""
    tally, seed = Tally(role), 0
    while tally.cases < wanted:
        phases = {"examples": True, "coverage": seed < 2, "fuzzing": True, "stateful": True}
        send(home, role, tally, seed=seed, examples=examples, phases=phases)
        seed += 1
    return tally
