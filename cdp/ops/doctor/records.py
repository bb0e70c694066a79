"""Looks at what authorities ask for: the record of processing is whole, and third parties' data were confirmed."""

from collections.abc import Iterator

from cdp import migrations
from cdp.connector import provenance
from cdp.deployment import load_policy
from cdp.ingest import origins
from cdp.ops.doctor.findings import Finding, Patient, hurts, note
from cdp.policy import processing
from cdp.policy.processing import Holdings


def processing_record(patient: Patient) -> Iterator[Finding]:
    """Every field of the record of processing is filled (GDPR 30, APPI 32)."""
    missing = processing.gaps(load_policy(patient.settings), Holdings(), patient.clock.now().date())
    if missing:
        yield note("record_incomplete", count=len(missing), first=missing[0])


def origins_of_data(patient: Patient) -> Iterator[Finding]:
    """Third parties that provide data were confirmed, and the people were told (APPI 30, GDPR 14)."""
    if migrations.shape(patient.database.writer) != "current":
        return
    patient.database.context["policy"] = load_policy(patient.settings)
    with patient.database.snapshot() as session:
        waiting, due = sorted(provenance.unconfirmed_sources(session)), origins.notices_due(session)
    for source in waiting:
        yield hurts("provenance_unconfirmed", source=source)
    for one in due:
        late = one.due < patient.clock.now().date()
        yield (hurts if late else note)("notice_14_due", source=one.source, due=one.due)
