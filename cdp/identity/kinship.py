"""Which values are of one address: the address itself, and the mailbox that was derived from it.

What somebody says of the one is said of the other: a family's address is a family's mailbox. Which came from which
is sealed, so it is told by records that bring one of each.
"""

from collections import defaultdict

from sqlalchemy import ColumnElement, select
from sqlmodel import Session, col

from cdp.db import among
from cdp.identity import graph
from cdp.identity.model import Identifier
from cdp.identity.rules import TokenKey
from cdp.policy.terms import DERIVED

MANY = 1000
"""Records that are looked at; a value on more is generic."""

_PROVED = col(Identifier.verified).is_(True)
_FAMILIES = {name: frozenset({name, source}) for name, source in DERIVED.items()}


def of_value(session: Session, key: TokenKey) -> list[TokenKey]:
    """Return the other values of the same address, in order, by what sources vouch for.

    Anybody may claim an address beside somebody else's mailbox, and would have staff's word on the one be one on the
    other.
    """
    if not family(key[0]):
        return []
    proved = select(col(Identifier.subject)).where(graph.among(Identifier, [key]), _PROVED)
    return _kin(session, key, list(session.scalars(proved.order_by(col(Identifier.subject)).limit(MANY))), _PROVED)


def of_evidence(session: Session, subject: int, key: TokenKey) -> list[TokenKey]:
    """Return the other values that the subject was seen with by the same address, whoever says so: it is its own."""
    return _kin(session, key, [subject]) if family(key[0]) else []


def family(namespace: str) -> frozenset[str]:
    """Return the namespaces that may hold values of one address; empty for a namespace without kin."""
    return next((members for members in _FAMILIES.values() if namespace in members), frozenset())


def _kin(session: Session, key: TokenKey, subjects: list[int], *where: ColumnElement[bool]) -> list[TokenKey]:
    query = select(col(Identifier.subject), col(Identifier.namespace), col(Identifier.token))
    query = query.where(among(session, col(Identifier.subject), subjects), *where)
    sets: dict[int, set[TokenKey]] = defaultdict(set)
    for subject, namespace, token in session.execute(query.where(col(Identifier.namespace).in_(family(key[0])))):
        sets[subject].add((namespace, bytes(token)))
    pairs = (one for one in sets.values() if key in one and len(one) == 2 and len({name for name, _ in one}) == 2)
    return sorted({other for pair in pairs for other in pair} - {key})
