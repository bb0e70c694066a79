"""Contact points that several people share: who has no known age is taken for the youngest who writes from there.

A child whose address could not be joined with the rest of the child's records (two logins behind
it, say) is a person of its own with no birth date. Its consent would count as an adult's if the
address alone decided; so the age that is known at the address protects (GDPR 8, APPI). Who merely
claims the address shares it with nobody: any browser could say what age its owner has.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Table, bindparam, select
from sqlmodel import Session

from cdp import statements
from cdp.db import chunked
from cdp.gate.decide import OLDEST_AGE_OF_CONSENT
from cdp.identity.model import Identifier
from cdp.policy.terms import CONTACTS
from cdp.profile.model import Person, Subject
from cdp.statements import one_of

_NAMES: Table = Identifier.__table__  # type: ignore[attr-defined]
_SUBJECTS: Table = Subject.__table__  # type: ignore[attr-defined]
_PEOPLE: Table = Person.__table__  # type: ignore[attr-defined]


class Born(NamedTuple):
    """When somebody was born, as far as it is known."""

    birth_year: int | None
    birth_day: str | None


def youngest_at(session: Session, tokens_of: Mapping[int, Sequence[bytes]], at: datetime) -> dict[int, Born]:
    """Return, for people by their contact tokens, the birth of the youngest under 21 who shares one of them."""
    tokens = {token for some in tokens_of.values() for token in some}
    youngest: dict[bytes, Born] = {}
    for some in chunked(sorted(tokens)):
        since = at.year - OLDEST_AGE_OF_CONSENT - 1
        for token, *young in statements.rows(session, _YOUNG, some=some, contacts=CONTACTS, since=since):
            held = youngest.get(token)
            if held is None or _born(Born(*young)) > _born(held):
                youngest[token] = Born(*young)
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
        rows = statements.rows(session, _EVIDENCE, some=some)
        contacts.update(token for namespace, token in rows if namespace in CONTACTS)
    found: set[int] = set()
    for tokens in chunked(sorted(contacts)):
        found.update(statements.column(session, _AGELESS, some=tokens, contacts=CONTACTS))
    return found.difference(people)


# By person alone: asked for the namespace too, SQLite walks every address that there is.
_EVIDENCE = (
    select(_NAMES.c.namespace, _NAMES.c.token)
    .join(_SUBJECTS, _SUBJECTS.c.number == _NAMES.c.subject)
    .where(one_of(_SUBJECTS.c.person), _NAMES.c.verified)
)
_AGELESS = (
    select(_SUBJECTS.c.person)
    .distinct()
    .join(_NAMES, _NAMES.c.subject == _SUBJECTS.c.number)
    .outerjoin(_PEOPLE, _PEOPLE.c.person == _SUBJECTS.c.person)
    .where(
        one_of(_NAMES.c.namespace, "contacts"),
        one_of(_NAMES.c.token),
        _NAMES.c.verified,
        _PEOPLE.c.birth_year.is_(None),
    )
)
_YOUNG = (
    select(_NAMES.c.token, _PEOPLE.c.birth_year, _PEOPLE.c.birth_day)
    .join(_SUBJECTS, _SUBJECTS.c.number == _NAMES.c.subject)
    .join(_PEOPLE, _PEOPLE.c.person == _SUBJECTS.c.person)
    .where(
        one_of(_NAMES.c.token),
        _NAMES.c.verified,
        one_of(_NAMES.c.namespace, "contacts"),
        _PEOPLE.c.birth_year > bindparam("since"),
    )
)


def _born(young: Born) -> tuple[int, str]:
    return (young.birth_year or 0, young.birth_day or "12-31")
