"""Keeps what proves imported consents, and finds it again years later (GDPR 7(1), 特定電子メール法 3条2項)."""

import json
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import Session, col

from cdp import ledger
from cdp.consent.bundles import Bundle, Document, Graded
from cdp.consent.model import ConsentDocument, ConsentEvidence, ConsentRecord
from cdp.db import chunked, insert_ignoring
from cdp.errors import Problem


def keep(session: Session, bundle: Bundle, source: str, at: datetime) -> str:
    """Keep a bundle with its documents, once; returns the ledger's entry of its keeping."""
    kept = session.scalars(select(col(ConsentEvidence.entry)).where(col(ConsentEvidence.bundle) == bundle.sha256))
    if known := kept.first():
        return known
    entry = ledger.note(session, "consent.evidence", _header(bundle, source), at)
    documents = {one.document.sha256: one.document for one in bundle.cohorts if one.document}
    insert_ignoring(session, ConsentDocument, [_document(documents[name], at) for name in sorted(documents)])
    insert_ignoring(session, ConsentEvidence, [_row(bundle, one, entry, at) for one in bundle.cohorts])
    return entry


def find(session: Session, evidence: Iterable[str]) -> dict[str, ConsentEvidence]:
    """Return kept evidence by the id that records name."""
    found: dict[str, ConsentEvidence] = {}
    for some in chunked({one for one in evidence if one}):
        rows = session.scalars(select(ConsentEvidence).where(col(ConsentEvidence.id).in_(some)))
        found.update((row.id, row) for row in rows)
    return found


def get(session: Session, evidence: str) -> tuple[ConsentEvidence, Document | None]:
    """Return kept evidence with its document; raises Problem 404 `unknown_evidence`."""
    row = session.get(ConsentEvidence, evidence)
    if row is None:
        raise Problem(404, "unknown_evidence", "No evidence has this id: see `cdp evidence list`.")
    kept = session.get(ConsentDocument, row.document) if row.document else None
    return row, Document(kept.sha256, kept.media_type, kept.content) if kept else None


def list_all(session: Session) -> list[tuple[ConsentEvidence, int]]:
    """Return all kept evidence, newest first, each with how many records rest on it."""
    resting = func.count(col(ConsentRecord.id))
    query = (
        select(ConsentEvidence, resting)
        .outerjoin(ConsentRecord, col(ConsentRecord.evidenced_by) == col(ConsentEvidence.id))
        .group_by(col(ConsentEvidence.id))
        .order_by(col(ConsentEvidence.at).desc(), col(ConsentEvidence.cohort))
    )
    return [(row, count) for row, count in session.execute(query)]


def _header(bundle: Bundle, source: str) -> dict[str, object]:
    return {
        "bundle": bundle.sha256,
        "source": source,
        "cohorts": [
            {
                "evidence": one.id,
                "purpose": one.cohort.purpose,
                "channel": one.cohort.channel,
                "class": one.grade.evidence,
            }
            for one in bundle.cohorts
        ],
    }


def _row(bundle: Bundle, one: Graded, entry: str, at: datetime) -> dict[str, object]:
    signed = one.cohort.responsible
    return {
        "id": one.id,
        "bundle": bundle.sha256,
        "cohort": one.cohort.name,
        "purpose": one.cohort.purpose,
        "channel": one.cohort.channel,
        "evidence": one.grade.evidence,
        "missing": json.dumps(one.grade.missing),
        "declared": one.declared,
        "signed_by": f"{signed.name}, {signed.role}" if signed else "",
        "signed_on": signed.signed_on if signed else None,
        "document": one.document.sha256 if one.document else "",
        "at": at,
        "entry": entry,
    }


def _document(document: Document, at: datetime) -> dict[str, object]:
    return {"sha256": document.sha256, "media_type": document.media_type, "content": document.content, "at": at}
