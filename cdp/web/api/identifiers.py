"""From an identifier in a body to the person: never from a URL."""

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session

from cdp import identity, policy
from cdp.identity import Canonical


def spelled(session: Session, identifier: Mapping[str, Any], *, claims: bool = False) -> Canonical:
    """Return the identifier in its one spelling; `claims` and Problem 400 as `identity.spell`."""
    scope = identifier.get("scope", "")
    return identity.spell(policy.of(session), identifier["type"], identifier["value"], scope, claims=claims)


def find_subject(session: Session, identifier: Mapping[str, Any]) -> int | None:
    """Return a subject that has this identifier itself: whose past is asked for, whomever it belongs to by now."""
    known = spelled(session, identifier)
    return identity.find_subject(session, known.namespace, known.scope, known.value)


def find(session: Session, identifier: Mapping[str, Any]) -> int | None:
    """Return the person with this identifier, or None."""
    known = spelled(session, identifier)
    return identity.find(session, known.namespace, known.scope, known.value)
