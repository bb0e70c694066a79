"""A confirmed double opt-in: the consent holds, and the address has proved to be the one who asked."""

from datetime import datetime

from sqlalchemy import select, update
from sqlmodel import Session, col

from cdp import consent, identity
from cdp.consent.model import ConsentRecord
from cdp.identity.model import Identifier


def confirm(session: Session, token: str, at: datetime) -> None:
    """Turn the request into consent and let its contact point join records from now on.

    Until then anybody could have typed the address, so that it joined nothing. Raises Problem 404
    for a link that is unknown or too old.
    """
    record = consent.confirm(session, token, at)
    said = session.execute(
        select(col(ConsentRecord.subject), col(ConsentRecord.namespace), col(ConsentRecord.token)).where(
            col(ConsentRecord.record) == record
        )
    ).one()
    session.execute(
        update(Identifier)
        .where(
            col(Identifier.subject) == said.subject,
            col(Identifier.namespace) == said.namespace,
            col(Identifier.token) == said.token,
        )
        .values(verified=True)
    )
    identity.resolve(session, [said.subject], at, "confirmed")
