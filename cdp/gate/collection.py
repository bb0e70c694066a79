"""May this be collected at all? Asked before storing, of the purposes that a field or event serves.

Collecting is not using: what is stored here still needs a permission for every later use. But
what could serve no purpose that the person may be held to is never stored (GDPR 5(1)(b), 6;
APPI 18), and a no to the purpose stops collecting for it under both laws.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Session

from cdp import policy
from cdp.consent.rules import NO
from cdp.gate.question import Standing
from cdp.gate.standing import load
from cdp.policy.terms import Law, Policy, Purpose


def collectable(session: Session, people: Iterable[int], at: datetime) -> dict[int, frozenset[str]]:
    """Return, for each of these people, the purposes for which something may be collected now."""
    terms = policy.of(session)
    situations = load(session, people, at)
    known: dict[Standing, frozenset[str]] = {}
    for situation in situations.values():
        if situation.standing not in known:
            known[situation.standing] = _purposes(terms, situation.standing)
    return {person: known[situation.standing] for person, situation in situations.items()}


def _purposes(terms: Policy, standing: Standing) -> frozenset[str]:
    if standing.erasing:
        return frozenset()
    return frozenset(name for name, purpose in terms.purposes.items() if _may_collect(purpose, standing))


def _may_collect(purpose: Purpose, standing: Standing) -> bool:
    said = [consent for reach in standing.reaches if (consent := reach.consent(purpose.name))]
    agreed = any(consent.status == "given" for consent in said)
    if not agreed and any(consent.status in NO for consent in said):
        return _needs_no_consent(purpose)
    return agreed or all(_stands_alone(purpose, law) for law in Law if law & standing.laws)


def _stands_alone(purpose: Purpose, law: Law) -> bool:
    basis = purpose.basis(law)
    return basis is not None and basis.kind != "consent"


def _needs_no_consent(purpose: Purpose) -> bool:
    return bool(purpose.bases) and all(basis.kind in ("contract", "legal_obligation") for _, basis in purpose.bases)
