"""Contact points that several people share: who has no known age is taken for the youngest who writes from there.

A child whose address could not be joined with the rest of the child's records (two logins behind
it, say) is a person of its own with no birth date. Its consent would count as an adult's if the
address alone decided; so the age that is known at the address protects (GDPR 8, APPI). Who merely
claims the address shares it with nobody: any browser could say what age its owner has.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Select, select
from sqlmodel import Session, col

from cdp.db import among, chunked
from cdp.gate.decide import OLDEST_AGE_OF_CONSENT
from cdp.identity.model import Identifier
from cdp.policy.terms import CONTACT_CHANNELS
from cdp.profile.model import Person, Subject

_CONTACTS = sorted({namespace for namespaces in CONTACT_CHANNELS.values() for namespace in namespaces})


class Born(NamedTuple):
    """When somebody was born, as far as it is known."""

    birth_year: int | None
    birth_day: str | None


def youngest_at(session: Session, tokens_of: Mapping[int, Sequence[bytes]], at: datetime) -> dict[int, Born]:
    """Return, for people by their contact tokens, the birth of the youngest under 21 who shares one of them."""
    tokens = {token for some in tokens_of.values() for token in some}
    youngest: dict[bytes, Born] = {}
    for some in chunked(sorted(tokens)):
        for token, *young in session.execute(_young(session, some, at)):
            held = youngest.get(bytes(token))
            if held is None or _born(Born(*young)) > _born(held):
                youngest[bytes(token)] = Born(*young)
    found: dict[int, Born] = {}
    for person, mine in tokens_of.items():
        sharers = [youngest[token] for token in mine if token in youngest]
        if sharers:
            found[person] = max(sharers, key=_born)
    return found


def ageless_beside(session: Session, people: Collection[int]) -> set[int]:
    """Return other people without a known age who share a contact point with any of these.

    Whatever their age: somebody who turns out to be no child any more lends no age either.
    """
    contacts: set[bytes] = set()
    for some in chunked(people):
        contacts.update(
            token for namespace, token in session.execute(_evidence(session, some)) if namespace in _CONTACTS
        )
    found: set[int] = set()
    for tokens in chunked(sorted(contacts)):
        found.update(session.scalars(_ageless(session, tokens)))
    return found.difference(people)


def _evidence(session: Session, people: Sequence[int]) -> Select[str, bytes]:
    """Select by person alone: asked for the namespace too, SQLite walks every address that there is."""
    return (
        select(col(Identifier.namespace), col(Identifier.token))
        .join(Subject, col(Subject.number) == col(Identifier.subject))
        .where(among(session, col(Subject.person), people), col(Identifier.verified))
    )


def _ageless(session: Session, tokens: Sequence[bytes]) -> Select[int]:
    return (
        select(col(Subject.person))
        .distinct()
        .join(Identifier, col(Identifier.subject) == col(Subject.number))
        .outerjoin(Person, col(Person.person) == col(Subject.person))
        .where(
            col(Identifier.namespace).in_(_CONTACTS),
            among(session, col(Identifier.token), tokens),
            col(Identifier.verified),
            col(Person.birth_year).is_(None),
        )
    )


def _young(session: Session, tokens: Sequence[bytes], at: datetime) -> Select[bytes, int | None, str | None]:
    return (
        select(col(Identifier.token), col(Person.birth_year), col(Person.birth_day))
        .join(Subject, col(Subject.number) == col(Identifier.subject))
        .join(Person, col(Person.person) == col(Subject.person))
        .where(
            among(session, col(Identifier.token), tokens),
            col(Identifier.verified),
            col(Identifier.namespace).in_(_CONTACTS),
            col(Person.birth_year) > at.year - OLDEST_AGE_OF_CONSENT - 1,
        )
    )


def _born(young: Born) -> tuple[int, str]:
    return (young.birth_year or 0, young.birth_day or "12-31")
