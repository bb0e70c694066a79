"""Looks at who is who: the configuration is taken up, everybody was brought to it, and nothing waits for a decision."""

from collections.abc import Iterator

from sqlalchemy import func, select
from sqlmodel import col

from cdp import migrations
from cdp.deployment import load_policy
from cdp.identity import cases, config
from cdp.identity.model import IdentityCase, SourceHold
from cdp.ops.doctor.findings import Finding, Patient, hurts, note


def identity(patient: Patient) -> Iterator[Finding]:
    """What is declared of identifiers is what people are resolved under, and held cases are looked at."""
    if migrations.shape(patient.database.writer) != "current":
        return
    patient.database.context["policy"] = load_policy(patient.settings)
    with patient.database.snapshot() as session:
        row, is_current = config.current(session), config.is_current(session)
        held = session.scalars(select(col(SourceHold.source)).where(col(SourceHold.released_at).is_(None))).all()
        waiting = (col(IdentityCase.state) == "open", col(IdentityCase.severity) == cases.REVIEW)
        count = session.scalar(select(func.count()).select_from(IdentityCase).where(*waiting)) or 0
    if row is not None and not is_current:
        yield note("identity_not_taken_up")
    if row is not None and row.rebuilt_at is None:
        yield hurts("identity_not_rebuilt")
    for source in sorted(held):
        yield hurts("source_on_hold", source=source)
    if count:
        yield note("cases_waiting", count=count)
