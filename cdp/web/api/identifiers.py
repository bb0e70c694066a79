"""From an identifier in a body to the person: never from a URL."""

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session

from cdp import identity, policy
from cdp.identity import Canonical


def spelled(session: Session, identifier: Mapping[str, Any]) -> Canonical:
    """Return the identifier in its one spelling; raises Problem 400 for an unknown type or an unusable value."""
    terms = policy.of(session)
    return identity.spell(terms, identifier["type"], identifier["value"], identifier.get("scope", ""))


def find_subject(session: Session, identifier: Mapping[str, Any]) -> int | None:
    """Return a subject that has this identifier itself: whose past is asked for, whomever it belongs to by now."""
    known = spelled(session, identifier)
    return identity.find_subject(session, known.namespace, known.scope, known.value)


def find(session: Session, identifier: Mapping[str, Any]) -> int | None:
    """Return the person with this identifier, or None."""
    known = spelled(session, identifier)
    return identity.find(session, known.namespace, known.scope, known.value)
