"""What people decide about who is who: must be one, cannot be one, and taken back again.

Nothing moves but pointers: every subject keeps its key, its facts and its consents, so that a
decision can be revoked and everything is as before.
"""

from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from cdp import ledger
from cdp.errors import Problem
from cdp.identity import graph, resolution
from cdp.identity.model import Override
from cdp.profile.model import Subject


def cannot(session: Session, a: int, b: int, reason: str, actor: str, at: datetime) -> int:
    """Say that two subjects are not one person; returns the number of the decision.

    Raises Problem 404 for an unknown subject, 400 for a subject and itself, 409 for one being erased.
    """
    return _decide(session, "cannot", a, b, reason, actor, at)


def must(session: Session, a: int, b: int, reason: str, actor: str, at: datetime) -> int:
    """Say that two subjects are one person, over any limit; a standing cannot-link still wins.

    Returns the number of the decision. Raises Problem 404 for an unknown subject, 400 for a subject and itself,
    409 for one being erased.
    """
    return _decide(session, "must", a, b, reason, actor, at)


def revoke(session: Session, decision: int, actor: str, at: datetime) -> None:
    """Take a decision back: people are as if it had never been made.

    Raises Problem 404 for an unknown one, 409 for one about somebody who is being erased.
    """
    row = session.get(Override, decision)
    if row is None:
        raise Problem(404, "unknown_decision", "There is no such decision.")
    if row.revoked_at is None:
        graph.lock_subjects(session, {row.subject, row.other_subject})
        _refuse_erasing(session, {row.subject, row.other_subject})
        row.revoked_at = at
        session.flush()
        ledger.note(session, "identity.revoked", {"decision": decision, "actor": actor}, at)
        resolution.resolve(session, {row.subject, row.other_subject}, at, f"revoked:{decision}")


def _decide(session: Session, kind: str, a: int, b: int, reason: str, actor: str, at: datetime) -> int:
    if a == b:
        raise Problem(400, "same_subject", "A decision needs two different subjects.")
    if len(graph.lock_subjects(session, {a, b})) < 2:
        raise Problem(404, "unknown_subject", "One of the subjects is not known.")
    _refuse_erasing(session, {a, b})
    row = Override(kind=kind, subject=a, other_subject=b, reason=reason, actor=actor, at=at)
    session.add(row)
    session.flush()
    assert row.id is not None
    ledger.note(session, "identity.decided", {"decision": row.id, "kind": kind, "actor": actor}, at)
    resolution.resolve(session, {a, b}, at, f"decision:{row.id}")
    return row.id


def _refuse_erasing(session: Session, subjects: set[int]) -> None:
    """Raise Problem 409 where one of these people is being erased: who goes is settled."""
    people = select(col(Subject.person)).where(col(Subject.number).in_(subjects))
    query = select(col(Subject.number)).where(col(Subject.person).in_(people), col(Subject.erasing)).limit(1)
    if session.scalar(query) is not None:
        raise Problem(409, "erasure_under_way", "One of these people is being erased: decide again when that is done.")
