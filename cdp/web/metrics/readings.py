"""What the database, the keyring and the home say when they are asked: right whichever process answers.

Each reading is cheap (an index or a small table). Where the database cannot be read, the page still
leaves with the process's own counts, and `sekisho_database_up` is 0.
"""

import shutil
from collections.abc import Iterator
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import ColumnElement, func, select
from sqlmodel import Session, SQLModel, col

from cdp import __version__, gate, rights
from cdp.clock import parse_instant
from cdp.deployment import Deployment, keyring_paths
from cdp.errors import KeyUnavailable, Unavailable
from cdp.gate.model import Disclosed
from cdp.identity.model import IdentityCase
from cdp.ledger.model import LedgerEntry
from cdp.rights import breach
from cdp.rights.model import SubjectRequest
from cdp.web.metrics import heartbeat

OPEN_REQUESTS = ("received", "in_progress")

BACKED_UP = "backed_up.json"
"""In the home: rewritten by every backup that was made whole."""


class Readings(Collector):
    """Reads the deployment at each scrape."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment

    def describe(self) -> list[Metric]:
        """Name nothing ahead of time: registering must not ask the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield every reading that can be had now."""
        yield _gauge("sekisho_build", "The version that runs; always 1", 1, version=__version__)
        yield from self._of_keyring()
        yield from self._of_worker()
        yield from self._of_disks()
        try:
            with self._deployment.database.snapshot() as session:
                found = list(self._of_database(session))
        except Unavailable:
            found = [_gauge("sekisho_database_up", "Whether the database answers", 0)]
        yield from found

    def _of_database(self, session: Session) -> Iterator[Metric]:
        now = self._deployment.clock.now()
        yield _gauge("sekisho_database_up", "Whether the database answers", 1)
        is_open = col(Disclosed.state) == "open"
        alive = _count(Disclosed, is_open, col(Disclosed.deadline) > now)
        ended = _count(Disclosed, is_open, col(Disclosed.deadline) <= now)
        yield _gauge("sekisho_leases_open", "Pages recorded and not yet handed over", session.scalar(alive))
        yield _gauge("sekisho_leases_expired", "Pages never closed; each counts as disclosed", session.scalar(ended))
        oldest = session.scalar(select(func.min(LedgerEntry.at)).where(col(LedgerEntry.tree_index).is_(None)))
        lag = (now - oldest).total_seconds() if oldest else 0.0
        yield _gauge("sekisho_sealing_lag_seconds", "Age of the oldest ledger entry that is not sealed", lag)
        text = "People who wait to be decided again; they count as a no"
        yield _gauge("sekisho_permissions_stale", text, gate.waiting(session, now))
        is_waiting = col(IdentityCase.state) == "open"
        review = _count(IdentityCase, is_waiting, col(IdentityCase.severity) == "review")
        alarms = _count(IdentityCase, is_waiting, col(IdentityCase.severity) == "alarm")
        said = "Values that join nobody until somebody has looked"
        yield _gauge("sekisho_identity_cases_open", said, session.scalar(review))
        said = "Sources that made too many people one, and are on hold"
        yield _gauge("sekisho_identity_alarms_open", said, session.scalar(alarms))
        due = _count(SubjectRequest, col(SubjectRequest.state).in_(OPEN_REQUESTS))
        yield _gauge("sekisho_requests_open", "Requests of people under way", session.scalar(due))
        late = rights.overdue(session, now)
        yield _gauge("sekisho_requests_overdue", "Requests of people whose due date has passed", late)
        untold = sum(duty.state(now) == "overdue" for _, duty in breach.owed(session, self._deployment.policy))
        yield _gauge("sekisho_breach_duties_overdue", "Parties that were to be told of a breach by now", untold)

    def _of_keyring(self) -> Iterator[Metric]:
        try:
            state = self._deployment.vault.keyring.state()
        except KeyUnavailable:
            yield _gauge("sekisho_keyring_up", "Whether the keyring can be read", 0)
            return
        yield _gauge("sekisho_keyring_up", "Whether the keyring can be read", 1)
        yield _gauge("sekisho_keyring_version", "Version of the keyring; grows with every change", state.version)
        yield _gauge("sekisho_keyring_trees", "Trees in the keyring; 2 while the root is rotated", len(state.trees))

    def _of_worker(self) -> Iterator[Metric]:
        beat = heartbeat.read(self._deployment.settings.home)
        if beat is None:
            return
        yield _gauge("sekisho_worker_seen_timestamp_seconds", "When a worker last said it lives", beat.at.timestamp())
        last = GaugeMetricFamily("sekisho_job_success_timestamp_seconds", "When a job last went well", labels=["job"])
        done = CounterMetricFamily("sekisho_job_done", "Things that a job did since the worker began", labels=["job"])
        failed = CounterMetricFamily("sekisho_job_failures", "Failures since the worker began", labels=["job"])
        for name, job in sorted(beat.jobs.items()):
            done.add_metric([name], job.done)
            failed.add_metric([name], job.failed)
            if job.succeeded_at:
                last.add_metric([name], parse_instant(job.succeeded_at).timestamp())
        yield from (last, done, failed)

    def _of_disks(self) -> Iterator[Metric]:
        settings = self._deployment.settings
        free = GaugeMetricFamily("sekisho_disk_free_bytes", "Room left on a disk", labels=["of"])
        named = zip(("keyring", "mirror"), (path.parent for path in keyring_paths(settings)), strict=False)
        for name, folder in (("home", settings.home), *named):
            if folder.is_dir():
                free.add_metric([name], shutil.disk_usage(folder).free)
        yield free
        made = settings.home / BACKED_UP
        if made.exists():
            text = "When the last backup was made"
            yield _gauge("sekisho_backup_timestamp_seconds", text, made.stat().st_mtime)


def _count(table: type[SQLModel], *where: ColumnElement[bool]) -> Any:
    return select(func.count()).select_from(table).where(*where)


def _gauge(name: str, text: str, value: float | None, **labels: str) -> Metric:
    family = GaugeMetricFamily(name, text, labels=list(labels))
    family.add_metric(list(labels.values()), float(value or 0))
    return family
