"""Writing a receipt or record: load what was said, build the document, sign its canonical form (RFC 8785).

Opens nothing: what is sealed stays so. The same record under the same policy gives the same receipt, byte for byte.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import rfc8785
from sqlalchemy import select
from sqlmodel import Session, col

from cdp import identity, policy, vault
from cdp.consent.model import ConsentRecord
from cdp.consent.receipts.checking import TYPE
from cdp.consent.receipts.document import FORMS, Document, Told, document
from cdp.consent.receipts.processing import EVERY
from cdp.consent.rules import NO
from cdp.ledger import Signer
from cdp.ledger.jws import sign_detached

FORMATS = tuple(FORMS)


@dataclass(frozen=True, slots=True)
class Issued:
    """One signed document, and whom it is about."""

    content: bytes
    subject: int


def issue(
    session: Session,
    record: str,
    signer: Signer,
    base_url: str,
    at: datetime,
    *,
    kind: str = "receipt",
    purposes: Collection[str] | None = None,
) -> Issued | None:
    """Return the signed receipt (or `kind` record); None for an unknown record, or one of other `purposes` than these.

    What was said of every purpose at once may be read by whoever may read any. (GDPR 7(1), ISO/IEC TS 27560)
    """
    row = session.scalar(select(ConsentRecord).where(col(ConsentRecord.record) == record))
    if row is None or (purposes is not None and row.purpose not in {*purposes, EVERY}):
        return None
    told = Told(
        row=row,
        before=_before(session, row),
        after=_after(session, row) if kind == "record" else (),
        principal=_principal(session, row.subject),
        base_url=base_url.rstrip("/"),
    )
    return Issued(signed(signer, document(told, policy.of(session), kind, at)), row.subject)


def signed(signer: Signer, unsigned: Document) -> bytes:
    """Return the document's canonical bytes, with an id of its content and the signature in it."""
    whole = dict(unsigned)
    if whole["header"]["form"] == FORMS["receipt"]:
        name = hashlib.sha256(rfc8785.dumps(whole)).hexdigest()[:32]
        whole["header"] = {**whole["header"], "receipt_id": name}
    return rfc8785.dumps({**whole, "signature": sign_detached(signer, TYPE, rfc8785.dumps(whole))})


def _principal(session: Session, subject: int) -> str:
    """Name the subject, so that no merge changes a receipt, and as no recipient knows it, so that none joins by it."""
    return vault.of(session).digest("receipt.principal", str(subject).encode()).hex()


def _before(session: Session, row: ConsentRecord) -> list[ConsentRecord]:
    """Return what this subject said of the same before it: what is past stays as it is, whoever is joined later."""
    found = _said(session, [row.subject], row)
    return [one for one in found if _number(one) < _number(row)]


def _after(session: Session, row: ConsentRecord) -> list[ConsentRecord]:
    """Return what the person said of the same later, through whichever subject."""
    person = identity.people_of(session, [row.subject]).get(row.subject)
    subjects = [row.subject] if person is None else identity.subjects_of(session, person)
    return [one for one in _said(session, subjects, row) if _number(one) > _number(row)]


def _said(session: Session, subjects: Iterable[int], row: ConsentRecord) -> Sequence[ConsentRecord]:
    """Return what speaks of the record's purpose, channel and contact point, in the order of writing."""
    query = select(ConsentRecord).where(
        col(ConsentRecord.subject).in_(list(subjects)),
        col(ConsentRecord.purpose).in_({row.purpose, EVERY}),
        col(ConsentRecord.channel).in_({row.channel, EVERY}),
    )
    return sorted((one for one in session.scalars(query) if _is_about(one, row)), key=_number)


def _is_about(one: ConsentRecord, row: ConsentRecord) -> bool:
    """A no without a contact point is about all of them, a yes is for its own (R10); each brand is its own (R12)."""
    if one.purpose == EVERY and one.brand and row.brand and one.brand != row.brand:
        return False
    return one.token == row.token or (one.status in NO and not one.token)


def _number(one: ConsentRecord) -> int:
    """What is written later, whenever it says it happened, comes after: the past of a record stays as it is."""
    assert one.id is not None
    return one.id
