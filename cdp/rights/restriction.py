"""Restriction (GDPR 18), objection (GDPR 21) and stop of use (APPI 35): states that begin and end.

A restricted person is kept and used for nothing: out of every audience, count and journey. New facts
are still stored, since storing is what Article 18(2) leaves open, so that after the end the person is
where they would be had it never begun. An objection to direct marketing holds at once and without a
reason; it is not a withdrawal of consent and does not lift one either.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlmodel import Session, col

from cdp import consent, gate, identity, ledger, vault
from cdp.consent.model import Objection
from cdp.db import chunked, unsettle
from cdp.identity import graph
from cdp.rights import reach, steps
from cdp.rights.asked import KINDS, OWN_WORD, PROVISION
from cdp.rights.grounds import Grounds
from cdp.rights.steps import Step, Steps

RESTRICTED = "restriction"
EVERY = (*KINDS, RESTRICTED, PROVISION)
BEGUN_BY = {"restriction": (RESTRICTED,), "objection": KINDS, "appi_35": EVERY}
"""Right → the states that it begins and ends."""


def object_to(
    session: Session, subjects: Iterable[int], kind: str, at: datetime, purpose: str = "*", cause: str = ""
) -> int:
    """Begin the state for every subject of these people that is not in it yet; returns for how many.

    `cause` names the dispute that it lasts for: it then ends with that one, and no other ends.
    """
    graph.hold(session, subjects, {})
    wanted = steps.cluster(session, subjects)
    standing = _in_force(session, wanted, kind, purpose, cause)
    fresh = [subject for subject in wanted if subject not in standing]
    session.add_all(Objection(subject=one, kind=kind, purpose=purpose, cause=cause, at=at) for one in fresh)
    _changed(session, wanted, kind, "begun", at)
    return len(fresh)


def restrict(session: Session, subjects: Iterable[int], at: datetime) -> int:
    """Use nothing of these people for anything, and keep it."""
    return object_to(session, subjects, RESTRICTED, at)


def unrestrict(session: Session, subjects: Iterable[int], at: datetime) -> int:
    """End every restriction; the person is told before (GDPR 18(3)). Returns for how many subjects."""
    return lift(session, subjects, RESTRICTED, at)


def lift(
    session: Session,
    subjects: Iterable[int],
    kind: str,
    at: datetime,
    purpose: str = "*",
    cause: str | None = None,
) -> int:
    """End a state for every subject of these people; returns for how many it stood.

    Purpose `*` ends it for every purpose; without a `cause`, whatever it lasts for.
    """
    wanted = steps.cluster(session, subjects)
    standing = _in_force(session, wanted, kind, purpose, cause, every_purpose=purpose == "*")
    for some in chunked(sorted(standing)):
        where = _where(kind, purpose, cause, every_purpose=purpose == "*")
        session.execute(update(Objection).where(col(Objection.subject).in_(some), *where).values(lifted_at=at))
    _changed(session, wanted, kind, "ended", at)
    return len(standing)


def plan(right: str, requester: str, asked: Mapping[str, Any]) -> Steps:
    """Return the steps that begin or end the states of this right.

    A restriction ends after the person was told, by somebody who says when; who asks for the end knows of it.
    """
    kinds = (asked["kind"],) if asked.get("kind") else BEGUN_BY[right]
    purpose = asked.get("purpose", "*")
    if not asked.get("lift"):
        return (("stop", _beginning(kinds, purpose)), ("wait", end))
    told: Step | None = _told if requester in OWN_WORD else None
    return (("tell", told), ("lift", _ending(kinds, purpose)))


def wait(grounds: Grounds, request_id: str) -> None:
    """Go on once no page in flight holds the people."""
    _wait(grounds, request_id, is_last=False)


def end(grounds: Grounds, request_id: str) -> None:
    """Close the request once no page in flight holds the people."""
    _wait(grounds, request_id, is_last=True)


def _wait(grounds: Grounds, request_id: str, *, is_last: bool) -> None:
    with grounds.database.snapshot() as session:
        subjects = steps.subjects_of(session, steps.load(session, request_id))
    at = gate.wait_until_clear(grounds.database, subjects)
    with grounds.database.transaction() as session:
        request = steps.begin(session, request_id, "wait")
        if request is None:
            return
        steps.checkpoint(session, request, "wait", at)
        if is_last:
            steps.finish(session, request, at)


def _beginning(kinds: Collection[str], purpose: str) -> Step:
    def begin(grounds: Grounds, request_id: str) -> None:
        at = grounds.clock.now()
        with grounds.database.transaction() as session:
            request = steps.begin(session, request_id, "stop")
            if request is None:
                return
            subjects = _reached(session, request_id)
            began = {kind: object_to(session, subjects, kind, at, _purpose(kind, purpose)) for kind in kinds}
            steps.checkpoint(session, request, "stop", at, **began)

    return begin


def _ending(kinds: Collection[str], purpose: str) -> Step:
    def finish(grounds: Grounds, request_id: str) -> None:
        at = grounds.clock.now()
        with grounds.database.transaction() as session:
            request = steps.begin(session, request_id, "lift")
            if request is None:
                return
            subjects = _reached(session, request_id)
            ended = {kind: lift(session, subjects, kind, at, _purpose(kind, purpose)) for kind in kinds}
            steps.checkpoint(session, request, "lift", at, **ended)
            steps.finish(session, request, at)

    return finish


def _told(grounds: Grounds, request_id: str) -> None:
    with grounds.database.transaction() as session:
        request = steps.begin(session, request_id, "tell")
        if request is None:
            return
        steps.checkpoint(session, request, "tell", request.received_at, by="own word")


def _reached(session: Session, request_id: str) -> list[int]:
    """Return every subject of whom the request names and of whoever holds the identifier it came with."""
    request = steps.load(session, request_id)
    named = {*steps.subjects_of(session, request), *reach.holding(session, steps.points_of(request))}
    subjects = steps.cluster(session, named)
    steps.name_subjects(session, request, subjects)
    return subjects


def _purpose(kind: str, purpose: str) -> str:
    """An objection to direct marketing, and a restriction, are for every purpose."""
    return purpose if kind == "legitimate_interests" else "*"


def _where(kind: str, purpose: str, cause: str | None, every_purpose: bool = False) -> list[Any]:
    where = [col(Objection.kind) == kind, col(Objection.lifted_at).is_(None)]
    if not every_purpose:
        where.append(col(Objection.purpose) == purpose)
    if cause is not None:
        where.append(col(Objection.cause) == cause)
    return where


def _in_force(
    session: Session,
    subjects: Iterable[int],
    kind: str,
    purpose: str,
    cause: str | None,
    every_purpose: bool = False,
) -> set[int]:
    found: set[int] = set()
    for some in chunked(subjects):
        where = _where(kind, purpose, cause, every_purpose)
        found.update(session.scalars(select(col(Objection.subject)).where(col(Objection.subject).in_(some), *where)))
    return found


def _changed(session: Session, subjects: list[int], kind: str, what: str, at: datetime) -> None:
    digests = [vault.of(session).digest("ledger.subject", str(subject).encode()).hex() for subject in subjects]
    ledger.note(session, f"objection.{what}", {"kind": kind, "subjects": digests}, at)
    reached = consent.beside(session, subjects)
    unsettle(session, {*subjects, *identity.people_of(session, reached).values()})
