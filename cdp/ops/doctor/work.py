"""Looks at the work behind the doors: whether a worker lives, and what waits."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlmodel import Session, col

from cdp import gate, ledger, migrations, rights
from cdp.deployment import ledger_folder
from cdp.gate.model import Disclosed
from cdp.ledger import Signer
from cdp.ledger.model import LedgerEntry
from cdp.ops.doctor.findings import Finding, Patient, hurts, note
from cdp.web.metrics import heartbeat

UNSEALED = timedelta(minutes=1)
SILENT = timedelta(minutes=2)
STUCK = timedelta(minutes=1)
FAILING = 5


def worker(patient: Patient) -> Iterator[Finding]:
    """A worker lives, and none of its jobs fails again and again."""
    beat = heartbeat.read(patient.settings.home)
    if beat is None:
        yield note("worker_never")
        return
    age = patient.clock.now() - beat.at
    if age > SILENT:
        yield hurts("worker_silent", minutes=int(age.total_seconds() // 60))
    for name, job in sorted(beat.jobs.items()):
        if job.failing >= FAILING:
            yield hurts("job_failing", job=name, times=job.failing)


def waiting(patient: Patient) -> Iterator[Finding]:
    """Nothing waits that should not: seals, decisions, requests, leases."""
    if migrations.shape(patient.database.writer) != "current":
        return
    with patient.database.snapshot() as session:
        yield from list(_waiting(session, patient.clock.now()))


def ledger_tail(patient: Patient) -> Iterator[Finding]:
    """The newest signed head in the database is the one that was published outside of it."""
    if migrations.shape(patient.database.writer) != "current":
        return
    signer = Signer.load(ledger_folder(patient.settings))
    published = {(head.origin, head.size): head.root for head in signer.published()}
    with patient.database.snapshot() as session:
        newest = ledger.newest_checkpoint(session)
    if newest and published.get((newest.origin, newest.size)) not in (None, newest.root):
        yield hurts("ledger_forked")
    elif newest is None and published:
        yield hurts("ledger_behind")


def _waiting(session: Session, now: datetime) -> Iterator[Finding]:
    oldest = session.scalar(select(func.min(col(LedgerEntry.at))).where(col(LedgerEntry.tree_index).is_(None)))
    if oldest and oldest < now - UNSEALED:
        yield hurts("unsealed", minutes=int((now - oldest).total_seconds() // 60))
    if people := gate.overdue(session, now - UNSEALED):
        yield hurts("people_wait", people=people)
    if overdue := rights.overdue(session, now):
        yield hurts("requests_overdue", count=overdue)
    is_open = (col(Disclosed.state) == "open", col(Disclosed.deadline) < now - STUCK)
    if pages := session.scalar(select(func.count()).select_from(Disclosed).where(*is_open)):
        yield note("leases_unclosed", pages=pages)
