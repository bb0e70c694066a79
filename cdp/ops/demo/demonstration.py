"""One run of the demo: a fresh deployment, its sources and clients, the made-up people and what was told."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cdp.ops.demo.feeding import Feed
from cdp.ops.demo.home import Home
from cdp.ops.demo.people import SIZE, Someone, populate
from cdp.ops.demo.records import LINE_PROVIDER, Traces, leave_traces
from cdp.ops.demo.telling import Telling
from cdp.ops.demo.vendors import Line, SendGrid
from cdp.ops.demo.wire import ApiClient, Wire

SEED = 1601
"""The year in which the Tōkaidō got its stations; any number would do."""

LINE_SECRET = "0123456789abcdef0123456789abcdef"  # noqa: S105 - the made-up channel's own secret


@dataclass(slots=True)
class Demonstration:
    """What every chapter reaches."""

    home: Home
    telling: Telling
    people: list[Someone]
    traces: Traces
    feed: Feed
    line: Line = field(default_factory=lambda: Line(LINE_SECRET))
    sendgrid: SendGrid = field(default_factory=SendGrid)
    secrets: dict[str, dict[str, str]] = field(default_factory=dict)
    """What `cdp connector add` and `cdp client create` printed, by name."""
    clients: dict[str, ApiClient] = field(default_factory=dict)

    @property
    def wire(self) -> Wire:
        return self.home.wire

    @property
    def ma_tool(self) -> ApiClient:
        return self.clients["ma_tool"]

    @property
    def officer(self) -> ApiClient:
        return self.clients["officer"]


def prepare(folder: Path, size: int = SIZE) -> Demonstration:
    """Make up the people and a home for them; nothing runs yet."""
    now = datetime.now(UTC).replace(microsecond=0)
    people = populate(SEED, size, now.date())
    telling, home = Telling(), Home(folder)
    return Demonstration(home, telling, people, leave_traces(people, SEED, now), Feed(telling.console, home.wire))


def register(demo: Demonstration) -> None:
    """Add the sources and the clients with the commands that an integrator uses."""
    everything = "email_marketing,line_marketing"
    with ThreadPoolExecutor(3) as threads:
        done = [threads.submit(_add_source, demo, *source) for source in _sources(demo)]
        done.append(threads.submit(_add_client, demo, "ma_tool", "ma_tool", everything))
        done.append(threads.submit(_add_client, demo, "form", "staff", everything, "consent:write"))
        done.append(threads.submit(_add_client, demo, "officer", "staff", everything, "admin:*"))
    for one in done:
        one.result()


def _sources(demo: Demonstration) -> tuple[tuple[str, ...], ...]:
    """Name, type and settings of the five sources."""
    shown_below = ("notice=line", "notice_version=1", "language=ja")
    return (
        (
            "site",
            "segment",
            "key=server",
            "residence_default=JP",
            "external_ids=line_uid",
            f"scope_line_uid={LINE_PROVIDER}",
        ),
        ("crm", "csv", "residence_default=JP"),
        ("shop", "csv", "residence_default=JP"),
        ("line", "line", f"provider_id={LINE_PROVIDER}", f"channel_secret={LINE_SECRET}", *shown_below),
        ("mail", "sendgrid", f"public_key={demo.sendgrid.public_key}"),
    )


def _add_source(demo: Demonstration, name: str, kind: str, *settings: str) -> None:
    chosen = [part for setting in settings for part in ("--set", setting)]
    demo.secrets[name] = demo.home.settings("connector", "add", name, "--type", kind, *chosen)


def _add_client(demo: Demonstration, name: str, recipient: str, purposes: str, scopes: str = "") -> None:
    chosen = ("--scopes", scopes) if scopes else ()
    told = demo.home.settings("client", "create", name, "--recipient", recipient, "--purposes", purposes, *chosen)
    demo.secrets[name] = told
    demo.clients[name] = ApiClient(demo.wire, told["client_id"], told["client_secret"])
