"""The background process: a handful of jobs, each in transactions short enough for others to pass.

It seals the ledger, carries requests on, and decides again whoever time has changed. A job that
fails is logged by name and kind of error and tried again; nothing it logs holds a person's value.
Stops at a signal between two transactions.
"""

import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import FrameType

import structlog
from sqlalchemy import Table, bindparam, delete, inspect, select, tuple_
from sqlmodel import col

from cdp import gate, journey, ledger, rights, statements
from cdp.db import unsettle
from cdp.deployment import Deployment
from cdp.errors import Problem, StartRefused, Unavailable
from cdp.identity import aside, breaker
from cdp.ingest import origins
from cdp.ingest.model import Received
from cdp.ops import applying
from cdp.ops.pace import Pace
from cdp.rights import provisions
from cdp.statements import pair_of
from cdp.web.api.model import Idempotency
from cdp.web.auth.model import CLOCKS_APART, RevokedToken, UsedAssertion
from cdp.web.metrics import heartbeat
from cdp.web.metrics.heartbeat import JobBeat

log = structlog.get_logger("worker")

LONGEST_ROUND = 1000
"""Requests that one round of the worker carries on before other work has its turn."""

RECEIVED_KEPT = timedelta(days=30)
"""How long a message is remembered, so that its replay changes nothing."""


Work = Callable[[Deployment, int], int]
"""Do one transaction's worth of at most so many things; returns how many there were."""


@dataclass(slots=True)
class Job:
    """One kind of work, how often to look for it, and how big its bites are."""

    name: str
    work: Work
    every: float
    pace: Pace = field(default_factory=Pace)
    next_at: float = 0.0
    failures: int = 0
    """Since it last went well."""
    done: int = 0
    failed: int = 0
    succeeded_at: str = ""

    def run(self, deployment: Deployment, stop: threading.Event) -> int:
        """Work until there is nothing left or it is time to stop; returns how much was done."""
        done = 0
        while not stop.is_set():
            asked, began = self.pace.size, time.monotonic()
            found = self.work(deployment, asked)
            self.pace.took(time.monotonic() - began)
            done += found
            if found < asked:
                break
        return done

    def attempt(self, deployment: Deployment, stop: threading.Event) -> None:
        """Run, and plan the next run: later and later while it fails, up to a minute."""
        try:
            self.done += self.run(deployment, stop)
            self.failures, self.succeeded_at = 0, deployment.clock.now().isoformat()
        except (Unavailable, StartRefused, Problem) as error:
            self._failed(error)
        except Exception as error:  # the worker outlives any one job; the text of an error may hold values
            self._failed(error)
        self.next_at = time.monotonic() + min(60.0, self.every * 2 ** min(self.failures, 10))

    @property
    def beat(self) -> JobBeat:
        """How it does, for the worker's sign of life."""
        return JobBeat(self.done, self.failed, self.failures, self.succeeded_at)

    def _failed(self, error: Exception) -> None:
        self.failures += 1
        self.failed += 1
        log.warning("job_failed", what=self.name, kind=type(error).__name__)


def jobs(deployment: Deployment) -> list[Job]:
    """Return every job, fresh."""
    return [
        Job("seal", _seal, 1.0, Pace(1000, 10_000)),
        Job("requests", _carry_requests, 1.0, Pace(20, 20)),
        Job("permissions", _settle_permissions, 1.0, applying.pace(deployment.database)),
        Job("stages", _settle_stages, 1.0),
        Job("evidence", _expire_evidence, 60.0, Pace(200, 1000)),
        Job("released", _count_released, 5.0, Pace(200, 1000)),
        Job("received", _forget_received, 60.0),
        Job("tokens", _forget_tokens, 60.0),
        Job("packages", _expire_packages, 60.0),
        Job("feeds", _prune_feeds, 60.0),
        Job("disclosures", _prune_disclosures, 60.0),
    ]


def run(deployment: Deployment, stop: threading.Event) -> None:
    """Work until `stop` is set."""
    gate.take_up(deployment.database)
    todo, beat_at = jobs(deployment), 0.0
    log.info("worker_started")
    while not stop.is_set():
        for job in todo:
            if time.monotonic() >= job.next_at and not stop.is_set():
                job.attempt(deployment, stop)
        if time.monotonic() >= beat_at:
            heartbeat.write(deployment.settings.home, deployment.clock.now(), {job.name: job.beat for job in todo})
            beat_at = time.monotonic() + heartbeat.EVERY
        stop.wait(max(0.0, min(beat_at, *(job.next_at for job in todo)) - time.monotonic()))
    log.info("worker_stopped")


def run_once(deployment: Deployment) -> dict[str, int]:
    """Run every job once, letting its errors out; returns how much each did."""
    stop = threading.Event()
    return {job.name: job.run(deployment, stop) for job in jobs(deployment)}


def stop_at_signals() -> threading.Event:
    """Return an event that SIGTERM and SIGINT set."""
    stop = threading.Event()

    def ask(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask)
    return stop


def _seal(deployment: Deployment, limit: int) -> int:
    with deployment.database.transaction() as session:
        before = ledger.newest_checkpoint(session)
        after = ledger.seal(session, deployment.signer, deployment.clock.now(), limit)
    return after.size - (before.size if before else 0) if after else 0


def _carry_requests(deployment: Deployment, limit: int) -> int:
    """Carry requests to their ends, each step a transaction of its own; one that fails stops none behind it."""
    tried: list[str] = []
    failed: Exception | None = None
    while len(tried) < LONGEST_ROUND:
        with deployment.database.snapshot() as session:
            waiting = rights.pending(session, limit, tried)
        for request_id in waiting:
            try:
                rights.advance(deployment, request_id)
            except Exception as error:  # told below, once the others had their turn
                failed = error
        tried += waiting
        if len(waiting) < limit:
            break
    if failed is not None:
        raise failed
    return len(tried)


def _settle_permissions(deployment: Deployment, limit: int) -> int:
    return gate.settle_due(deployment.database, limit)


def _settle_stages(deployment: Deployment, limit: int) -> int:
    with deployment.database.transaction() as session:
        people = journey.due(session, deployment.clock.now(), limit)
        unsettle(session, people)
    return len(people)


def _expire_evidence(deployment: Deployment, limit: int) -> int:
    now = deployment.clock.now()
    with deployment.database.transaction() as session:
        breaker.forget_counts(session, now)
        return aside.expire(session, now.date(), now, limit)


def _count_released(deployment: Deployment, limit: int) -> int:
    with deployment.database.transaction() as session:
        return aside.count_released(session, deployment.clock.now(), limit)


def _forget_received(deployment: Deployment, limit: int) -> int:
    oldest = deployment.clock.now() - RECEIVED_KEPT
    with deployment.database.transaction() as session:
        old = statements.rows(session, _RECEIVED_BEFORE, then=oldest, most=limit)
        statements.change(session, _RECEIVED, pairs=old)
    return len(old)


_TABLE: Table = Received.__table__  # type: ignore[attr-defined]
_RECEIVED = delete(_TABLE).where(pair_of(_TABLE.c.source, _TABLE.c.digest))
_RECEIVED_BEFORE = (
    select(_TABLE.c.source, _TABLE.c.digest).where(_TABLE.c.at < bindparam("then")).limit(bindparam("most"))
)


def _forget_tokens(deployment: Deployment, limit: int) -> int:
    """Forget what the clock has overtaken, a table at a time, so that each transaction stays short."""
    now = deployment.clock.now()
    refusing = [_forget_over(deployment, table, now - CLOCKS_APART, limit) for table in (RevokedToken, UsedAssertion)]
    return max(*refusing, _forget_over(deployment, Idempotency, now, limit))


def _forget_over(
    deployment: Deployment, table: type[RevokedToken | UsedAssertion | Idempotency], before: datetime, limit: int
) -> int:
    key = [col(getattr(table, column.name)) for column in inspect(table).primary_key]
    with deployment.database.transaction() as session:
        over = session.execute(select(*key).where(col(table.until) < before).limit(limit)).all()
        if over:
            session.execute(delete(table).where(tuple_(*key).in_([tuple(row) for row in over])))
    return len(over)


def _expire_packages(deployment: Deployment, limit: int) -> int:
    with deployment.database.transaction() as session:
        return rights.expire_packages(session, deployment.clock.now(), limit)


def _prune_feeds(deployment: Deployment, limit: int) -> int:
    with deployment.database.transaction() as session:
        return gate.feed.prune(session, deployment.clock.now(), limit)


def _prune_disclosures(deployment: Deployment, limit: int) -> int:
    with deployment.database.transaction() as session:
        done = provisions.prune(session, deployment.clock.now(), limit)
        origins.prune(session, deployment.clock.now())
    return max(done.pages, done.references)
