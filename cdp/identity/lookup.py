"""Who has an identifier: a token finds, the sealed value decides.

It is the suppression token that finds people: it knows no epochs, so they are found before, in the middle of and after
a rotation of the index, and in a restored copy whose index key is gone.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from cdp import policy, vault
from cdp.db import chunked
from cdp.errors import FieldError, Problem
from cdp.identity.belonging import IS_THEIRS
from cdp.identity.model import Identifier
from cdp.identity.normalise import Canonical, canonical, claimed, with_derived
from cdp.identity.rules import TokenKey
from cdp.identity.sealed import cell, is_same
from cdp.policy.terms import Policy
from cdp.profile.model import Subject


def spell(terms: Policy, namespace: str, value: Any, scope: str = "", *, claims: bool = False) -> Canonical:
    """Return the identifier in its one spelling, for whoever must not take a slip for "nobody".

    `claims`: it is evidence, and nobody states what is only derived. Raises Problem 400 `unknown_identifier_type` or
    `unusable_identifier`.
    """
    if namespace not in terms.namespaces:
        errors = [FieldError("/identifier/type", f"One of {', '.join(terms.namespaces)}.")]
        raise Problem(400, "unknown_identifier_type", "No identifier of this type is declared.", errors)
    known = (claimed if claims else canonical)(terms, namespace, value, scope)
    if known is None:
        errors = [FieldError("/identifier/value", "This cannot be an identifier of this type.")]
        raise Problem(400, "unusable_identifier", "The identifier cannot be used.", errors)
    return known


def find(session: Session, namespace: str, scope: str, value: str, region: str = "JP") -> int | None:
    """Return the one person with this identifier; None for nobody, and for more than one.

    Where several have it, verified evidence decides; a wrong person's answer would be a leak. Whose it is said to be
    no more is not found by it.
    """
    people = _theirs(session, namespace, scope, value, region)
    for sure in ([row.person for row in people if row.verified], [row.person for row in people]):
        if len(set(sure)) == 1:
            return int(sure[0])
    return None


def find_subject(session: Session, namespace: str, scope: str, value: str, region: str = "JP") -> int | None:
    """Return the first subject of the person that `find` finds which has the identifier itself."""
    person = find(session, namespace, scope, value, region)
    rows = [row for row in _theirs(session, namespace, scope, value, region) if row.person == person]
    return min(((not row.verified, int(row.subject)) for row in rows), default=(True, None))[1]


def find_all(session: Session, namespace: str, scope: str, value: str, region: str = "JP") -> list[int]:
    """Return everyone with this identifier, for what must reach all of them (silence, erasure)."""
    return sorted({row.person for row in _holders(session, namespace, scope, value, region)})


def silence_tokens(session: Session, name: Canonical) -> set[bytes]:
    """Return the suppression tokens of an identifier and of what it is evidence of: what erased one keeps out."""
    keys = vault.of(session)
    names = with_derived(policy.of(session), [name])
    return {keys.suppression_token(one.namespace, one.scope, one.value) for one in names}


def having(session: Session, keys: Iterable[TokenKey]) -> dict[TokenKey, set[int]]:
    """Return the people who have each of these blind indexes, vouched for; compares no sealed value."""
    by_namespace: dict[str, set[bytes]] = defaultdict(set)
    for namespace, token in keys:
        by_namespace[namespace].add(token)
    found: dict[TokenKey, set[int]] = defaultdict(set)
    for namespace, tokens in by_namespace.items():
        for some in chunked(sorted(tokens)):
            query = (
                select(col(Identifier.token), col(Subject.person))
                .join(Subject, col(Subject.number) == col(Identifier.subject))
                .where(
                    col(Identifier.namespace).in_(vault.family(namespace)),
                    col(Identifier.token).in_(some),
                    col(Identifier.verified),
                )
            )
            for token, person in session.execute(query):
                found[namespace, bytes(token)].add(person)
    return found


def tokens_of(session: Session, people: Iterable[int]) -> dict[int, set[bytes]]:
    """Return every blind index that each of these people has."""
    found: dict[int, set[bytes]] = defaultdict(set)
    for some in chunked(sorted(set(people))):
        query = (
            select(col(Subject.person), col(Identifier.token))
            .join(Identifier, col(Identifier.subject) == col(Subject.number))
            .where(col(Subject.person).in_(some))
        )
        for person, token in session.execute(query):
            found[person].add(bytes(token))
    return found


def subjects_of(session: Session, person: int) -> list[int]:
    """Return the subjects of a person, lowest first."""
    query = select(col(Subject.number)).where(col(Subject.person) == person).order_by(col(Subject.number))
    return list(session.scalars(query))


def _theirs(session: Session, namespace: str, scope: str, value: str, region: str) -> list[Any]:
    return [row for row in _holders(session, namespace, scope, value, region) if row.is_theirs]


def _holders(session: Session, namespace: str, scope: str, value: str, region: str) -> Sequence[Any]:
    name = canonical(policy.of(session), namespace, value, scope, region)
    if name is None:
        return []
    token = vault.of(session).suppression_token(name.namespace, name.scope, name.value)
    query = (
        select(
            col(Identifier.subject),
            col(Identifier.namespace),
            col(Identifier.token),
            col(Identifier.sealed),
            col(Identifier.verified),
            IS_THEIRS.label("is_theirs"),
            col(Subject.person),
        )
        .join(Subject, col(Subject.number) == col(Identifier.subject))
        .where(col(Identifier.namespace).in_(vault.family(name.namespace)), col(Identifier.suppression_token) == token)
        .order_by(col(Identifier.subject))
    )
    rows = session.execute(query).all()
    deks = vault.deks(session, {row.subject for row in rows})
    return [
        row
        for row in rows
        if row.subject in deks
        and is_same(deks[row.subject], bytes(row.sealed), cell(row.subject, row.namespace, bytes(row.token)), name)
    ]
