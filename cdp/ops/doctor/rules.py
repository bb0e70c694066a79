"""Looks at the policies: whether they load, and what in them ends soon."""

from collections.abc import Iterator
from datetime import date, timedelta

from cdp.deployment import load_policy
from cdp.ops.doctor.findings import Finding, Patient, hurts, note
from cdp.policy.terms import Recipient

SOON = timedelta(days=30)

SUPERVISED_FOR = timedelta(days=395)
"""A processor is looked at once a year, with a month of grace (see the rule `supervision_overdue`)."""


def policies(patient: Patient) -> Iterator[Finding]:
    """They load whole."""
    load_policy(patient.settings)
    yield from ()


def ends(patient: Patient) -> Iterator[Finding]:
    """Contracts and yearly checks of recipients hold for a month yet: where they end, data stops."""
    today = patient.clock.now().date()
    for recipient in load_policy(patient.settings).recipients.values():
        for what, until in _ends_of(recipient):
            if until < today:
                yield hurts("ended", recipient=recipient.name, what=what, until=until)
            elif until < today + SOON:
                yield note("ends_soon", recipient=recipient.name, what=what, until=until)


def _ends_of(recipient: Recipient) -> Iterator[tuple[str, date]]:
    if recipient.contract_until:
        yield "contract", recipient.contract_until
    if recipient.supervised:
        yield "check", recipient.supervised + SUPERVISED_FOR
