"""What this process counts while it answers.

With PROMETHEUS_MULTIPROC_DIR set before the process starts, as `cdp serve` does, the counts of all
its processes stand in files there, and whichever is asked tells the sum.
"""

import json
import os
import re
from collections import Counter as Tally
from pathlib import Path
from typing import Any

from flask import Response, current_app
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, values
from prometheus_client.multiprocess import MultiProcessCollector

from cdp import gate, ingest

FOLDER = "PROMETHEUS_MULTIPROC_DIR"

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

MOST_REASONS = 200

_REASON = re.compile(r"[a-z][a-z0-9_]{0,47}")


class Meters:
    """The counters of one app, in a registry of their own."""

    def __init__(self) -> None:
        self.collectors = CollectorRegistry()
        own: dict[str, Any] = {"registry": self.collectors}
        self.requests = Counter("sekisho_http_requests", "Requests answered", ["method", "route", "status"], **own)
        self.seconds = Histogram("sekisho_http_seconds", "Time to answer, by route", ["route"], buckets=SECONDS, **own)
        self.under_way = Gauge(
            "sekisho_http_under_way", "Requests being answered now", multiprocess_mode="livesum", **own
        )
        self.problems = Counter(
            "sekisho_problems", "Answers that were a no or a fault, by the type of the problem", ["type"], **own
        )
        self.pages = Counter("sekisho_pages_handed_over", "Pages and lookups that left", ["recipient"], **own)
        self.people = Counter("sekisho_people_handed_over", "Rows of people in them", ["recipient"], **own)
        self.items = Counter(
            "sekisho_ingest_items", "Items that a source brought through the web", ["source", "outcome"], **own
        )
        self.left_out = Counter(
            "sekisho_ingest_left_out", "Fields, events and items that were not taken", ["source", "reason"], **own
        )
        self.pool = Gauge(
            "sekisho_database_connections", "Database connections in use", multiprocess_mode="livesum", **own
        )
        self._reasons: set[str] = set()

    def collected(self) -> CollectorRegistry:
        """Return a registry with the counts of every process that counts into the same folder."""
        if not os.environ.get(FOLDER):
            return self.collectors
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return together

    def note(self, response: Response, method: str, route: str, seconds: float) -> None:
        """Count an answer."""
        self.requests.labels(method, route, str(response.status_code)).inc()
        self.seconds.labels(route).observe(seconds)
        if response.status_code >= 400 and response.mimetype == "application/problem+json":
            self.problems.labels(self._type_of(response)).inc()

    def _type_of(self, response: Response) -> str:
        """Name a problem by the end of its URN; a closed set, and closed by force should it ever not be."""
        try:
            found = str(json.loads(response.get_data())["type"]).rpartition(":")[2]
        except (ValueError, KeyError, TypeError):
            return "other"
        if not _REASON.fullmatch(found) or (found not in self._reasons and len(self._reasons) >= MOST_REASONS):
            return "other"
        self._reasons.add(found)
        return found


def count_together(folder: Path) -> None:
    """Let the processes that come of this one count into a folder; call before any of them counts."""
    os.environ[FOLDER] = str(folder)
    values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]


def of_app() -> Meters:
    """Return the meters of the current app."""
    meters: Meters = current_app.extensions["sekisho_meters"]
    return meters


def count_page(page: gate.Page, recipient: str) -> None:
    """Count a page that leaves, and how many people are on it."""
    of_app().pages.labels(recipient).inc()
    of_app().people.labels(recipient).inc(len(page.rows))


def count_ingest(source: str, report: ingest.Report) -> None:
    """Count what became of what a source brought."""
    meters, outcomes = of_app(), Tally(outcome.status for outcome in report.outcomes)
    for outcome, count in outcomes.items():
        meters.items.labels(source, outcome).inc(count)
    for (_, reason), count in report.dropped.items():
        meters.left_out.labels(source, reason).inc(count)
