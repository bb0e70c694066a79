"""An identifier that proved to be whose record it stands on: from then on it may join records."""

from datetime import datetime

from sqlalchemy import select, update
from sqlmodel import Session, col

from cdp.identity import graph, resolution
from cdp.identity.model import Identifier
from cdp.identity.rules import TokenKey
from cdp.policy.terms import DERIVED


def vouch(session: Session, subject: int, namespace: str, token: bytes, at: datetime, cause: str) -> None:
    """Count the subject's identifier as proved, and join and part people as that asks; nothing for one it has not."""
    keys = proved(session, subject, namespace, token)
    graph.lock_tokens(session, keys)
    for within, named in keys:
        session.execute(
            update(Identifier)
            .where(
                col(Identifier.subject) == subject,
                col(Identifier.namespace) == within,
                col(Identifier.token) == named,
            )
            .values(verified=True)
        )
    resolution.resolve(session, [subject], at, cause)


def proved(session: Session, subject: int, namespace: str, token: bytes) -> set[TokenKey]:
    """Return what `vouch` proves: the identifier, and what is derived from it; lock these before the subject.

    From which of several addresses a mailbox was derived is sealed: it is proved once they all are.
    """
    keys = {(namespace, token)}
    columns = (col(Identifier.namespace), col(Identifier.token), col(Identifier.verified))
    rows = session.execute(select(*columns).where(col(Identifier.subject) == subject)).all()
    sources = [row for row in rows if row.namespace == namespace]
    if any(bytes(row.token) == token for row in sources) and all(
        row.verified or bytes(row.token) == token for row in sources
    ):
        keys |= {(row.namespace, bytes(row.token)) for row in rows if DERIVED.get(row.namespace) == namespace}
    return keys
