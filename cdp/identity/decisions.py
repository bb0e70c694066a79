"""What people decide about who is who: of two subjects, of a value, of a piece of evidence; and taken back again.

Nothing moves but pointers: every subject keeps its key, its facts and its consents, and evidence is set
aside, never deleted, so that a decision can be revoked and everything is as before.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from cdp import ledger
from cdp.db import among, chunked
from cdp.errors import Problem
from cdp.identity import cases, graph, resolution, seeing
from cdp.identity.model import Identifier, Override
from cdp.identity.rules import TokenKey
from cdp.profile.model import Subject

PAIRS = ("must", "cannot")
VALUES = ("block", "shared", "expire")
RETRACTED = "retracted"


def cannot(
    session: Session, a: int, b: int, reason: str, actor: str, at: datetime, *, case_id: int | None = None
) -> int:
    """Say that two subjects are not one person; returns the number of the decision.

    Raises Problem 404 for an unknown subject, 400 for a subject and itself, 409 for one being erased.
    """
    return _pair(
        session, Override(kind="cannot", subject=a, other_subject=b, reason=reason, actor=actor, at=at), case_id
    )


def must(session: Session, a: int, b: int, reason: str, actor: str, at: datetime, *, case_id: int | None = None) -> int:
    """Say that two subjects are one person, over any limit; a standing cannot-link still wins.

    Returns the number of the decision. Raises Problem 404 for an unknown subject, 400 for a subject and itself,
    409 for one being erased.
    """
    return _pair(session, Override(kind="must", subject=a, other_subject=b, reason=reason, actor=actor, at=at), case_id)


def judge(
    session: Session, kind: str, key: TokenKey, reason: str, actor: str, at: datetime, *, case_id: int | None = None
) -> int:
    """Say of a value that it joins nobody: `block` (means nobody), `shared` (is several people's), `expire`.

    `expire` says that it left those who had it before: whoever was seen with it last keeps it. Returns the number
    of the decision. Raises Problem 409 where one of those who have it is being erased.
    """
    assert kind in VALUES, kind
    row = Override(kind=kind, namespace=key[0], token=key[1], reason=reason, actor=actor, at=at)
    with_it = _had(session, key)
    _refuse_erasing(session, with_it)
    number = _note(session, row, case_id)
    if kind == "expire":
        seeing.change(session, [key], "", seeing.EXPIRED, _earlier(session, key))
    else:
        resolution.turn(session, [cases.Turn(key, "blocked", "")], at)
    with_it |= _reconsidered(session, key, at)
    resolution.resolve(session, with_it, at, f"decision:{number}")
    return number


def retract(
    session: Session, subject: int, key: TokenKey, reason: str, actor: str, at: datetime, *, case_id: int | None = None
) -> int:
    """Say that a subject was not seen with a value after all; returns the number of the decision.

    Raises Problem 404 where it was not, 409 where it is being erased.
    """
    with_it = _had(session, key)
    if subject not in with_it and subject not in graph.holders(session, [key]):
        raise Problem(404, "unknown_evidence", "The subject was not seen with this.")
    _refuse_erasing(session, with_it)
    row = Override(kind="retract", subject=subject, namespace=key[0], token=key[1], reason=reason, actor=actor, at=at)
    number = _note(session, row, case_id)
    seeing.change(session, [key], "", RETRACTED, [subject])
    with_it |= _reconsidered(session, key, at)
    resolution.resolve(session, with_it, at, f"decision:{number}")
    return number


def revoke(session: Session, decision: int, actor: str, at: datetime) -> None:
    """Take a decision back: people are as if it had never been made.

    Raises Problem 404 for an unknown one, 409 for one about somebody who is being erased.
    """
    row = session.get(Override, decision)
    if row is None:
        raise Problem(404, "unknown_decision", "There is no such decision.")
    if row.revoked_at is not None:
        return
    key = (row.namespace, bytes(row.token))
    if row.kind in PAIRS:
        concerned = {row.subject, row.other_subject}
        graph.load_locked(session, resolution.company(session, concerned))  # all at once, in the one order
    else:
        concerned = _had(session, key) | ({row.subject} - {0})
    _refuse_erasing(session, concerned)
    row.revoked_at = at
    session.flush()
    ledger.note(session, "identity.revoked", {"decision": decision, "actor": actor}, at)
    if row.kind == "expire":
        seeing.change(session, [key], seeing.EXPIRED, "")
    elif row.kind == "retract":
        seeing.change(session, [key], RETRACTED, "", [row.subject])
    elif row.kind in VALUES and not _stands(session, key):
        resolution.turn(session, [cases.Turn(key, "active", "")], at)
    if row.kind not in PAIRS:
        concerned |= _reconsidered(session, key, at)
        if graph.states(session, [key])[key][0] not in graph.UNWALKED:
            concerned |= graph.holders(session, [key])
    resolution.resolve(session, concerned, at, f"revoked:{decision}")


def _pair(session: Session, row: Override, case_id: int | None) -> int:
    pair = {row.subject, row.other_subject}
    if len(pair) < 2:
        raise Problem(400, "same_subject", "A decision needs two different subjects.")
    graph.load_locked(session, resolution.company(session, pair))  # all at once, in the one order
    if len(graph.lock_subjects(session, pair)) < 2:
        raise Problem(404, "unknown_subject", "One of the subjects is not known.")
    _refuse_erasing(session, pair)
    number = _note(session, row, case_id)
    resolution.resolve(session, pair, row.at, f"decision:{number}")
    return number


def _note(session: Session, row: Override, case_id: int | None) -> int:
    row.case_id = case_id
    session.add(row)
    session.flush()
    assert row.id is not None
    ledger.note(session, "identity.decided", {"decision": row.id, "kind": row.kind, "actor": row.actor}, row.at)
    return row.id


def _had(session: Session, key: TokenKey) -> set[int]:
    """Lock the value, then everybody whom it may have joined; returns them. A generic value joined nobody."""
    state = graph.lock_tokens(session, [key])[key]
    if state in graph.UNWALKED:
        return set()
    return graph.load_locked(session, graph.holders(session, [key])).subjects


def _reconsidered(session: Session, key: TokenKey, at: datetime) -> set[int]:
    """Return who has the value, where it may link again."""
    return graph.holders(session, resolution.reconsider(session, [key], at))


def _stands(session: Session, key: TokenKey) -> bool:
    """Whether another decision still keeps the value from joining anybody."""
    query = select(col(Override.id)).where(
        col(Override.namespace) == key[0],
        col(Override.token) == key[1],
        col(Override.kind).in_(("block", "shared")),
        col(Override.revoked_at).is_(None),
    )
    return session.scalar(query.limit(1)) is not None


def _earlier(session: Session, key: TokenKey) -> list[int]:
    """Return who had the value before the person who was seen with it last; everybody where that is not one person."""
    query = (
        select(col(Identifier.subject), col(Identifier.seen), col(Subject.person))
        .join(Subject, col(Subject.number) == col(Identifier.subject))
        .where(graph.among(Identifier, [key]), col(Identifier.aside) == "")
    )
    rows = session.execute(query).all()
    last = max((row.seen for row in rows), default=0)
    owners = {row.person for row in rows if row.seen == last}
    keeps = owners.pop() if len(owners) == 1 and len({row.person for row in rows}) > 1 else None
    return [row.subject for row in rows if row.person != keeps]


def _refuse_erasing(session: Session, subjects: Iterable[int]) -> None:
    """Raise Problem 409 where one of these people is being erased: who goes is settled."""
    for some in chunked(sorted(subjects), graph.MANY):
        people = select(col(Subject.person)).where(among(session, col(Subject.number), some))
        query = select(col(Subject.number)).where(col(Subject.person).in_(people), col(Subject.erasing)).limit(1)
        if session.scalar(query) is not None:
            text = "One of these people is being erased: decide again when that is done."
            raise Problem(409, "erasure_under_way", text)
