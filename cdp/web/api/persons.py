"""From an identifier in a body, or a pseudonym of this recipient, to the person: never from a URL."""

from collections.abc import Mapping
from hmac import compare_digest
from typing import Any

from pyroaring import BitMap64
from sqlalchemy import select
from sqlmodel import Session, col

from cdp import identity, policy, vault
from cdp.gate.model import Disclosed
from cdp.identity import Canonical
from cdp.profile.model import Subject


def spelled(session: Session, identifier: Mapping[str, Any]) -> Canonical:
    """Return the identifier in its one spelling; raises Problem 400 for an unknown type or an unusable value."""
    terms = policy.of(session)
    return identity.spell(terms, identifier["type"], identifier["value"], identifier.get("scope", ""))


def find(session: Session, identifier: Mapping[str, Any]) -> int | None:
    """Return the person with this identifier, or None."""
    known = spelled(session, identifier)
    return identity.find(session, known.namespace, known.scope, known.value)


def find_by_pseudonym(session: Session, recipient: str, pseudonym: str) -> int | None:
    """Return the person whom this recipient was given under this pseudonym, or None.

    Pseudonyms cannot be turned back; they are compared with those of everyone the recipient ever got.
    """
    keys = vault.of(session)
    seen = BitMap64()
    query = select(col(Disclosed.people)).where(col(Disclosed.recipient) == recipient)
    for blob in session.scalars(query.order_by(col(Disclosed.opened_at).desc())):
        fresh = BitMap64.deserialize(blob) - seen
        for person in fresh:
            if compare_digest(keys.pseudonym(recipient, person), pseudonym):
                return session.scalar(select(col(Subject.person)).where(col(Subject.number) == person))
        seen |= fresh
    return None
