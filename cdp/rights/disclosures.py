"""Who got what of a person (GDPR 15(1)(c) and 19, APPI 33(5)): every disclosure, by name and instant, in full.

Each with the recipient as it was then, and with the ground and the consent record of what the APPI wants on record.
Follows the subjects through merges and splits. Field names only: what the fields held is in the access
package. A lease that nobody reported as handed over counts as disclosed, and says so.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from cdp import gate, policy
from cdp.db import chunked
from cdp.gate import Given, provision
from cdp.gate.holder import shown
from cdp.gate.model import ProvisionTerms
from cdp.holders import Held
from cdp.ingest import origins
from cdp.policy.terms import Policy
from cdp.profile.model import Subject

FORM = "sekisho.disclosures/1"


def told(session: Session, subjects: Sequence[int]) -> list[dict[str, Any]]:
    """Return every disclosure of these subjects, oldest first, and what its record says of it; opens nothing."""
    disclosed, terms = gate.given(session, subjects), policy.of(session)
    kept = provision.terms_of(session, map(provision.key_of, disclosed))
    consents = provision.consents(session, subjects, provision.recorded(session, disclosed))
    return [_told(one, terms, kept.get(provision.key_of(one)), consents.get(one.id)) for one in disclosed]


def collect(session: Session, subjects: Sequence[int], opened: Sequence[tuple[Held, Any]]) -> dict[str, Any]:
    """Return the records of disclosures and of receipts alone, as the package of APPI 33(5)."""
    return {"disclosures": told(session, subjects), "received": received(session, subjects)}


def received(session: Session, subjects: Sequence[int]) -> list[dict[str, Any]]:
    """Return from which third parties data of these subjects were received, as confirmed (APPI 30)."""
    names: set[str] = set()
    for some in chunked(subjects):
        names.update(session.scalars(select(col(Subject.source)).where(col(Subject.number).in_(some)).distinct()))
    return origins.received(session, sorted(names))


def _told(one: Given, terms: Policy, kept: ProvisionTerms | None, consent: str | None) -> dict[str, Any]:
    return {
        **shown(one),
        "disclosure": one.id,
        "recipient": {"name": one.recipient, **(_as_kept(kept) if kept else _as_now(one, terms))},
        "provision": provision.shown(one, kept, terms, consent),
    }


def _as_kept(kept: ProvisionTerms) -> dict[str, str]:
    """Return the recipient as it was when it got the data."""
    return {
        "title_ja": kept.name_ja,
        "title_en": kept.name_en,
        "role": kept.role,
        "country": kept.country,
        "address": kept.address,
        "representative": kept.representative,
    }


def _as_now(one: Given, terms: Policy) -> dict[str, str]:
    """Return the recipient as the policy has it, where nothing was kept."""
    to = terms.recipients.get(one.recipient)
    return {
        "title_ja": to.title_ja if to else "",
        "title_en": to.title_en if to else "",
        "role": to.role if to else "",
        "country": to.country if to else "",
        "address": to.address if to else "",
        "representative": to.representative if to else "",
    }
