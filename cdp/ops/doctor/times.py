"""Looks at the clock: against the database, and against what was written already."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select
from sqlmodel import col

from cdp import migrations
from cdp.ledger.model import LedgerCheckpoint, LedgerEntry
from cdp.ops.doctor.findings import Finding, Patient, hurts

RELEASED = datetime(2026, 1, 1, tzinfo=UTC)
"""No right clock shows a time before this program was written."""

TOLERATED = timedelta(seconds=5)


def clock(patient: Patient) -> Iterator[Finding]:
    """Consents, ends and leases are read by a clock that is right."""
    now = patient.clock.now()
    if now < RELEASED:
        yield hurts("clock_years_behind")
        return
    if migrations.shape(patient.database.writer) != "current":
        return
    with patient.database.snapshot() as session:
        written = session.scalar(select(func.max(col(LedgerEntry.at))))
        sealed = session.scalar(select(func.max(col(LedgerCheckpoint.at))))
        theirs = None if patient.database.is_sqlite else session.scalar(select(func.clock_timestamp()))
    newest = max(filter(None, (written, sealed)), default=None)
    if newest and newest > now + TOLERATED:
        yield hurts("clock_behind", seconds=int((newest - now).total_seconds()))
    if theirs and abs(theirs - now) > TOLERATED:
        yield hurts("clock_apart", seconds=int(abs(theirs - now).total_seconds()))
