"""A server as an operator runs it, at the end of a rough road; each SDK has a source of its own there."""

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from click.testing import CliRunner
from sqlmodel import func, select

from cdp.consent.model import ConsentRecord
from cdp.db import Database
from cdp.ingest.model import Dropped, Received
from cdp.ops.cli import main
from cdp.profile.model import Fact
from tests.stories.processes import Running
from tests.stories.road import Road

FACTS = Counter[tuple[str, str]]
"""(event, article) → how often."""


class Town:
    """One deployment whose outside address is the road's."""

    def __init__(self, home: Path, database_url: str) -> None:
        self.kind = "SQLite" if database_url.startswith("sqlite") else "PostgreSQL"
        self.road = Road()
        self.running = Running(home, database_url)
        self.running.env["CDP_BASE_URL"] = self.road.url
        self._command("init")
        self.running.serve()
        self.road.port = self.running.port
        self._database = Database(database_url)

    def close(self) -> None:
        self.road.close()
        self.running.stop()
        self._database.dispose()

    def add_source(self, name: str, key: str, residence: str = "JP") -> str:
        """Register a source of the Segment protocol and return its write key."""
        settings = ("--set", f"key={key}", "--set", f"residence_default={residence}")
        printed = self._command("connector", "add", name, "--type", "segment", *settings)
        return dict(line.split("=", 1) for line in printed.splitlines() if "=" in line)["write_key"]

    def facts(self, source: str) -> FACTS:
        """Return what is stored of a source."""
        with self._database.snapshot() as session:
            rows = session.exec(select(Fact.kind, Fact.item).where(Fact.source == source)).all()
        return Counter((kind, item or "") for kind, item in rows)

    def received(self, source: str) -> int:
        """Return how many different messages of a source were taken."""
        with self._database.snapshot() as session:
            return session.exec(select(func.count()).select_from(Received).where(Received.source == source)).one()

    def said(self, source: str) -> Counter[tuple[str, str, bool, str]]:
        """Return what was recorded about consent: (purpose, status, act, method) → how often."""
        with self._database.snapshot() as session:
            rows = session.exec(select(ConsentRecord).where(ConsentRecord.source == source)).all()
        return Counter((one.purpose, one.status, one.act, one.method) for one in rows)

    def dropped(self, source: str) -> Mapping[tuple[str, str], int]:
        with self._database.snapshot() as session:
            rows = session.exec(select(Dropped).where(Dropped.source == source)).all()
        return {(one.what, one.reason): one.count for one in rows}

    def _command(self, *arguments: str) -> str:
        result = CliRunner().invoke(main, list(arguments), env=self.running.env)
        assert result.exit_code == 0, f"cdp {arguments[0]}: {result.output[-800:]} {result.exception!r}"
        return result.output


def named(sdk: str) -> str:
    """Return a source's name for an SDK: letters, digits and `_` alone."""
    return re.sub(r"[^a-z0-9]+", "_", sdk).strip("_")
