"""Restriction (GDPR 18), objection (GDPR 21) and stop of use (APPI 35): states that begin and end.

A restricted person is kept and used for nothing: out of every audience, count and journey.
An objection to direct marketing holds at once and without a reason; it is not a withdrawal of
consent and does not lift one either.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select, update
from sqlmodel import Session, col

from cdp import gate, identity, ledger, vault
from cdp.consent.model import Objection
from cdp.db import chunked, unsettle
from cdp.rights import reach, steps
from cdp.rights.grounds import Grounds
from cdp.rights.steps import Step, Steps

KINDS = ("direct_marketing", "legitimate_interests", "restriction")


def object_to(session: Session, subjects: Iterable[int], kind: str, at: datetime, purpose: str = "*") -> int:
    """Begin the state for every subject of these people that is not in it yet; returns for how many."""
    wanted = steps.cluster(session, subjects)
    standing = _in_force(session, wanted, kind, purpose)
    fresh = [subject for subject in wanted if subject not in standing]
    session.add_all(Objection(subject=subject, kind=kind, purpose=purpose, at=at) for subject in fresh)
    _changed(session, wanted, kind, "begun", at)
    return len(fresh)


def restrict(session: Session, subjects: Iterable[int], at: datetime) -> int:
    """Use nothing of these people for anything, and keep it."""
    return object_to(session, subjects, "restriction", at)


def unrestrict(session: Session, subjects: Iterable[int], at: datetime) -> int:
    """End the restriction; the person is told before (GDPR 18(3)). Returns for how many subjects."""
    return lift(session, subjects, "restriction", at)


def lift(session: Session, subjects: Iterable[int], kind: str, at: datetime, purpose: str = "*") -> int:
    """End a state for every subject of these people; returns for how many it stood."""
    wanted = steps.cluster(session, subjects)
    standing = _in_force(session, wanted, kind, purpose)
    for some in chunked(sorted(standing)):
        session.execute(
            update(Objection)
            .where(
                col(Objection.subject).in_(some),
                col(Objection.kind) == kind,
                col(Objection.purpose) == purpose,
                col(Objection.lifted_at).is_(None),
            )
            .values(lifted_at=at)
        )
    _changed(session, wanted, kind, "ended", at)
    return len(standing)


def _beginning(*kinds: str) -> Step:
    def begin(grounds: Grounds, request_id: str) -> None:
        at = grounds.clock.now()
        with grounds.database.transaction() as session:
            request = steps.load(session, request_id, lock=True)
            subjects = {*steps.subjects_of(request), *reach.holding(session, steps.points_of(request))}
            steps.name_subjects(session, request, steps.cluster(session, subjects))
            began = {kind: object_to(session, subjects, kind, at) for kind in kinds}
            steps.checkpoint(session, request, "stop", at, **began)

    return begin


def _end(grounds: Grounds, request_id: str) -> None:
    """Close the request once no page in flight holds the people."""
    with grounds.database.snapshot() as session:
        people = set(identity.people_of(session, steps.subjects_of(steps.load(session, request_id))).values())
    at = gate.wait_until_clear(grounds.database, people)
    with grounds.database.transaction() as session:
        request = steps.load(session, request_id, lock=True)
        steps.checkpoint(session, request, "wait", at)
        steps.complete(session, request, at)
        request.points = "[]"
        ledger.note(session, "request.step", {"request": request.id, "step": "completed"}, at)


RESTRICTION: Steps = (("stop", _beginning("restriction")), ("wait", _end))
OBJECTION: Steps = (("stop", _beginning("direct_marketing", "legitimate_interests")), ("wait", _end))
CEASE: Steps = (("stop", _beginning(*KINDS)), ("wait", _end))


def _in_force(session: Session, subjects: Iterable[int], kind: str, purpose: str) -> set[int]:
    found: set[int] = set()
    for some in chunked(subjects):
        query = select(col(Objection.subject)).where(
            col(Objection.subject).in_(some),
            col(Objection.kind) == kind,
            col(Objection.purpose) == purpose,
            col(Objection.lifted_at).is_(None),
        )
        found.update(session.scalars(query))
    return found


def _changed(session: Session, subjects: list[int], kind: str, what: str, at: datetime) -> None:
    digests = [vault.of(session).digest("ledger.subject", str(subject).encode()).hex() for subject in subjects]
    ledger.note(session, f"objection.{what}", {"kind": kind, "subjects": digests}, at)
    unsettle(session, identity.people_of(session, subjects).values())
