"""An identifier that proved to be whose record it stands on: from then on it may join records."""

from datetime import datetime

from sqlalchemy import update
from sqlmodel import Session, col

from cdp.identity import graph, resolution
from cdp.identity.model import Identifier


def vouch(session: Session, subject: int, namespace: str, token: bytes, at: datetime, cause: str) -> None:
    """Count the subject's identifier as proved, and join and part people as that asks; nothing for one it has not."""
    graph.lock_tokens(session, {(namespace, token)})
    session.execute(
        update(Identifier)
        .where(
            col(Identifier.subject) == subject,
            col(Identifier.namespace) == namespace,
            col(Identifier.token) == token,
        )
        .values(verified=True)
    )
    resolution.resolve(session, [subject], at, cause)
