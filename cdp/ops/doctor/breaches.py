"""Looks at the register of breaches: whom to tell, and how soon."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from cdp import migrations
from cdp.deployment import load_policy
from cdp.ops.doctor.findings import Finding, Patient, hurts, note
from cdp.rights import breach


def owed(patient: Patient) -> Iterator[Finding]:
    """Whoever must be told of a breach was told, or there is time yet."""
    if migrations.shape(patient.database.writer) != "current":
        return
    terms, now = load_policy(patient.settings), patient.clock.now()
    zone = ZoneInfo(terms.controller.time_zone)
    with patient.database.snapshot() as session:
        for one, duty in breach.owed(session, terms):
            state = duty.state(now)
            due = f"{duty.due_at.astimezone(zone):%Y-%m-%d %H:%M %Z}"
            find = note if state == "due" else hurts
            yield find(f"breach_{state}", id=one.id, duty=breach.TITLES[duty.name][2], due=due)
