"""What people decide about who is who: of two subjects, of a value, of a piece of evidence; and taken back again.

Nothing moves but pointers: every subject keeps its key, its facts and its consents, and evidence is set
aside, never deleted, so that a decision can be revoked and everything is as before. Each decision keeps what it was
said of; taking it back takes back that, but for what another decision that stands says as well.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from cdp import ledger
from cdp.db import among, chunked, insert_ignoring, unsettle
from cdp.errors import Problem
from cdp.identity import cases, graph, kinship, places, resolution, seeing
from cdp.identity.model import Aside, CorrectedIdentifier, Identifier, Override, OverrideValue
from cdp.identity.rules import TokenKey
from cdp.profile.model import Subject

VALUES = ("block", "shared", "expire")

Scope = tuple[str, bytes, int]
"""Namespace, token, and the subject whose evidence of it is meant; 0 = everybody's."""


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

    So is everybody who was one person with either, where what stands between those and the other would part them.
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
    places.hold_still(session)
    keys = [key, *kinship.of_value(session, key)]
    row = Override(kind=kind, namespace=key[0], token=key[1], reason=reason, actor=actor, at=at)
    with_it = _had(session, keys)
    _refuse_erasing(session, with_it)
    number = _note(session, row, case_id)
    if kind == "expire":
        earlier = seeing.earlier(session, key)
        keep(session, number, seen_with(session, keys, earlier) or {(*key, 0)})
        seeing.set_aside(session, keys, Aside.LEFT, earlier)
    else:
        keep(session, number, {(*one, 0) for one in keys})
        resolution.turn(session, [cases.Turn(one, "blocked", "") for one in keys], at)
    with_it |= _reconsidered(session, keys, at)
    resolution.resolve(session, with_it, at, f"decision:{number}")
    return number


def retract(
    session: Session, subject: int, key: TokenKey, reason: str, actor: str, at: datetime, *, case_id: int | None = None
) -> int:
    """Say that a subject was not seen with a value after all; returns the number of the decision.

    Raises Problem 404 where it was not, 409 where it is being erased.
    """
    places.hold_still(session)
    keys = [key, *kinship.of_evidence(session, subject, key)]
    with_it = _had(session, keys)
    if subject not in with_it and subject not in graph.holders(session, [key]):
        raise Problem(404, "unknown_evidence", "The subject was not seen with this.")
    _refuse_erasing(session, with_it)
    row = Override(kind="retract", subject=subject, namespace=key[0], token=key[1], reason=reason, actor=actor, at=at)
    number = _note(session, row, case_id)
    keep(session, number, {(*one, subject) for one in keys})
    seeing.set_aside(session, keys, Aside.RETRACTED, [subject])
    with_it |= _reconsidered(session, keys, at)
    resolution.resolve(session, with_it, at, f"decision:{number}")
    return number


def revoke(session: Session, decision: int, actor: str, at: datetime, reason: str = "") -> None:
    """Take a decision back: people are as if it had never been made.

    Raises Problem 404 for an unknown one, 409 for one about somebody who is being erased.
    """
    places.hold_still(session)
    row = _word(session, decision)
    if row.revoked_at is not None:
        return
    keys = sorted(keys_of(session, [decision]))
    if keys:
        concerned = _had(session, keys) | ({row.subject} - {0})
    else:
        concerned = {one for part in (row, *_parts(session, decision)) for one in (part.subject, part.other_subject)}
        graph.load_locked(session, resolution.company(session, concerned))  # all at once, in the one order
    _refuse_erasing(session, concerned)
    row = _word(session, decision)
    if row.revoked_at is not None:  # by another, while we waited
        return
    for one in (row, *_parts(session, decision)):
        one.revoked_at = at
        ledger.note(session, "identity.revoked", {"decision": one.id, "actor": actor, "reason": reason}, at)
    session.flush()
    _take_back(session, row, at)
    concerned |= _reconsidered(session, keys, at)
    linking = [key for key, (state, _) in graph.states(session, keys).items() if state not in graph.UNWALKED]
    resolution.resolve(session, concerned | graph.holders(session, linking), at, f"revoked:{decision}")


def listed(session: Session, after: int = 0, limit: int = 100) -> list[Override]:
    """Return what people decided, also what was taken back, in the order in which it was said, from after a number.

    A hold is no person's word: it is the breaker's, and told as a case.
    """
    query = select(Override).where(col(Override.id) > after, col(Override.kind) != "hold")
    return list(session.scalars(query.order_by(col(Override.id)).limit(limit)))


def _pair(session: Session, row: Override, case_id: int | None) -> int:
    pair = {row.subject, row.other_subject}
    if len(pair) < 2:
        raise Problem(400, "same_subject", "A decision needs two different subjects.")
    graph.load_locked(session, resolution.company(session, pair))  # all at once, in the one order
    if len(graph.lock_subjects(session, pair)) < 2:
        raise Problem(404, "unknown_subject", "One of the subjects is not known.")
    _refuse_erasing(session, pair)
    company = resolution.company(session, pair)
    number = _note(session, row, case_id)
    people = resolution.resolve(session, company, row.at, f"decision:{number}").people
    together = {people[subject] for subject in pair}
    left = sorted(subject for subject in company if people[subject] not in together)
    if row.kind == "must" and len(together) == 1 and left:
        for subject in left:
            _note(session, _beside(row, number, subject), case_id)
        resolution.resolve(session, company, row.at, f"decision:{number}")
    return number


def _beside(row: Override, number: int, subject: int) -> Override:
    """Return the decision that keeps a subject with those whom a decision joined."""
    return Override(
        kind=row.kind,
        subject=row.subject,
        other_subject=subject,
        part_of=number,
        reason=row.reason,
        actor=row.actor,
        at=row.at,
    )


def _note(session: Session, row: Override, case_id: int | None) -> int:
    row.case_id = case_id
    session.add(row)
    session.flush()
    assert row.id is not None
    ledger.note(session, "identity.decided", {"decision": row.id, "kind": row.kind, "actor": row.actor}, row.at)
    return row.id


def _word(session: Session, decision: int) -> Override:
    """Return a decision as it is now; raises Problem 404 for an unknown one."""
    row = session.get(Override, decision, populate_existing=True)
    if row is None:
        raise Problem(404, "unknown_decision", "There is no such decision.")
    return row


def _parts(session: Session, decision: int) -> Sequence[Override]:
    """Return what came with a decision and stands."""
    query = select(Override).where(col(Override.part_of) == decision, col(Override.revoked_at).is_(None))
    return session.scalars(query.order_by(col(Override.id))).all()


def keys_of(session: Session, decisions: Iterable[int]) -> set[TokenKey]:
    """Return the values that these decisions are about; none for those about two subjects."""
    query = select(col(OverrideValue.namespace), col(OverrideValue.token)).where(
        col(OverrideValue.override).in_(list(decisions))
    )
    return {(row[0], bytes(row[1])) for row in session.execute(query)}


def keep(session: Session, decision: int, scope: Iterable[Scope]) -> None:
    """Write down what a decision holds for, so that taking it back takes back that and nothing else."""
    rows = [
        {"override": decision, "namespace": namespace, "token": token, "subject": subject}
        for namespace, token, subject in sorted(scope)
    ]
    insert_ignoring(session, OverrideValue, rows)


def seen_with(session: Session, keys: Iterable[TokenKey], subjects: Sequence[int]) -> set[Scope]:
    """Return which of these subjects was seen with which of these values, also where it was corrected away."""
    found: set[Scope] = set()
    for some in chunked(subjects, graph.MANY):
        for table in (Identifier, CorrectedIdentifier):
            query = select(col(table.namespace), col(table.token), col(table.subject)).where(
                graph.among(table, keys), among(session, col(table.subject), some)
            )
            found.update((row[0], bytes(row[1]), row[2]) for row in session.execute(query))
    return found


def _had(session: Session, keys: Iterable[TokenKey]) -> set[int]:
    """Lock the values, then everybody whom they may have joined; returns them. A generic value joined nobody."""
    states = graph.lock_tokens(session, keys)
    walked = [key for key, state in states.items() if state not in graph.UNWALKED]
    return graph.load_locked(session, graph.holders(session, walked)).subjects


def _reconsidered(session: Session, keys: Iterable[TokenKey], at: datetime) -> set[int]:
    """Return who has one of the values that may link again."""
    return graph.holders(session, resolution.reconsider(session, keys, at))


def _take_back(session: Session, row: Override, at: datetime) -> None:
    """Undo what a decision holds for, but for what another one that stands says as well."""
    scope = _scope(session, row)
    if row.kind in ("block", "shared"):
        resolution.turn(session, [cases.Turn((name, token), "active", "") for name, token, _ in sorted(scope)], at)
        return
    whose: dict[TokenKey, set[int]] = defaultdict(set)
    for namespace, token, subject in scope:
        whose[namespace, token].add(subject)
    for key, subjects in sorted(whose.items()):
        seeing.take_back(session, [key], Aside.LEFT if row.kind == "expire" else Aside.RETRACTED, subjects)
        # Also who has it where it is blocked or generic, so that no component leads to them.
        unsettle(session, {*subjects, *resolution.people_of(session, subjects).values()} - {0}, first="gate")


def _scope(session: Session, row: Override) -> set[Scope]:
    """Return what this decision alone holds for."""
    kinds = ("block", "shared") if row.kind in ("block", "shared") else (row.kind,)
    mine, other = aliased(OverrideValue), aliased(OverrideValue)
    said_again = exists().where(
        col(other.override) != col(mine.override),
        *(getattr(other, name) == getattr(mine, name) for name in ("namespace", "token", "subject")),
        col(Override.id) == col(other.override),
        col(Override.kind).in_(kinds),
        col(Override.revoked_at).is_(None),
    )
    query = select(col(mine.namespace), col(mine.token), col(mine.subject))
    found = session.execute(query.where(col(mine.override) == row.id, ~said_again))
    return {(namespace, bytes(token), subject) for namespace, token, subject in found}


def _refuse_erasing(session: Session, subjects: Iterable[int]) -> None:
    """Raise Problem 409 where one of these people is being erased: who goes is settled."""
    for some in chunked(sorted(subjects), graph.MANY):
        people = select(col(Subject.person)).where(among(session, col(Subject.number), some))
        query = select(col(Subject.number)).where(col(Subject.person).in_(people), col(Subject.erasing)).limit(1)
        if session.scalar(query) is not None:
            text = "One of these people is being erased: decide again when that is done."
            raise Problem(409, "erasure_under_way", text)
