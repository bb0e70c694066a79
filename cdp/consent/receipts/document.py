"""The document of one consent record: header, processing, parties and events, as ISO/IEC TS 27560 orders them.

A receipt tells of one act and never changes with what is said later; a record also tells what came after
it, as of an instant. Neither holds an identifier: the person is a pseudonym, and the contact point only a kind.
What is not known is null, and never filled in from what is usual.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cdp.consent.model import ConsentRecord
from cdp.consent.receipts import events, parties, processing
from cdp.consent.receipts.events import instant
from cdp.policy.terms import Law, Policy
from cdp.policy.vocabulary import PROFILE

FORMS = {"receipt": "sekisho.receipt/1", "record": "sekisho.consent-record/1"}
"""Format → what the header says it is."""

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """What a document is made of."""

    row: ConsentRecord
    before: Sequence[ConsentRecord]
    """What the same subject said of the same before, oldest first."""
    after: Sequence[ConsentRecord]
    """What the person said of the same later, oldest first; only a record tells of it."""
    principal: str
    """A pseudonym that stays with the record, and is no recipient's own."""
    base_url: str


def document(told: Told, terms: Policy, kind: str, at: datetime) -> Document:
    """Return the document, unsigned; `kind` is one of FORMS, and `at` matters to a record alone."""
    return {
        "header": _header(told, terms, kind, at),
        "processing": processing.of(told.row, terms, told.base_url),
        "parties": parties.of(told.row, terms),
        "events": events.of(told.row, told.before, told.principal)
        if kind == "receipt"
        else events.history(told.row, told.before, told.after, told.principal, at),
    }


def _header(told: Told, terms: Policy, kind: str, at: datetime) -> Mapping[str, Any]:
    profiles = [f"{PROFILE}{kind}"]
    if Law.GDPR in terms.packs:
        profiles.append(f"{PROFILE}{kind}-eu-gdpr")
    header: Document = {
        "form": FORMS[kind],
        "schema_version": profiles[-1],
        "profiles": profiles,
        "record_id": told.row.record,
        "pii_principal_id": told.principal,
        "brand": told.row.brand or None,
        "policy_version": terms.digest,
    }
    return header if kind == "receipt" else header | {"as_of": instant(at)}
