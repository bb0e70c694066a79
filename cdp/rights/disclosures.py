"""Who got what of a person (GDPR 15(1)(c) and 19, APPI 33(5)): every disclosure, by name and instant, in full.

Follows the subjects through merges and splits. Field names only: what the fields held is in the access
package. A lease that nobody reported as handed over counts as disclosed, and says so.
"""

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session

from cdp import gate, policy
from cdp.gate import Given
from cdp.gate.holder import shown
from cdp.holders import Held
from cdp.policy.terms import Policy

FORM = "sekisho.disclosures/1"


def told(session: Session, subjects: Sequence[int]) -> list[dict[str, Any]]:
    """Return every disclosure of these subjects, oldest first; opens nothing."""
    terms = policy.of(session)
    return [_told(one, terms) for one in gate.given(session, subjects)]


def collect(session: Session, subjects: Sequence[int], opened: Sequence[tuple[Held, Any]]) -> dict[str, Any]:
    """Return the disclosures alone, as the package of APPI 33(5)."""
    return {"disclosures": told(session, subjects)}


def _told(one: Given, terms: Policy) -> dict[str, Any]:
    recipient = terms.recipients.get(one.recipient)
    return {
        **shown(one),
        "disclosure": one.id,
        "recipient": {
            "name": one.recipient,
            "title_ja": recipient.title_ja if recipient else "",
            "title_en": recipient.title_en if recipient else "",
            "role": recipient.role if recipient else "",
            "country": recipient.country if recipient else "",
        },
    }
