"""A request is a list of steps, each ended by a checkpoint, so that a crash anywhere is resumed.

A step may be begun twice, by two processes: what it did to the database and its checkpoint are one transaction,
and who comes second finds it taken and does nothing.
"""

import json
from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select
from sqlmodel import Session, col

from cdp import gate, identity, ledger
from cdp.db import chunked
from cdp.errors import Problem
from cdp.profile.model import Subject
from cdp.rights.grounds import Grounds
from cdp.rights.model import Concerned, SubjectRequest

Step = Callable[[Grounds, str], None]
Steps = tuple[tuple[str, Step | None], ...]
"""Steps by name, in order; None for one that somebody takes by their word: the request waits for it."""

OPEN = ("received", "in_progress")


def load(session: Session, request_id: str, lock: bool = False) -> SubjectRequest:
    """Return the request; raises Problem where there is none."""
    request = session.get(SubjectRequest, request_id, with_for_update=lock, populate_existing=lock)
    if request is None:
        raise Problem(404, "unknown_request", "There is no such request.")
    return request


def begin(session: Session, request_id: str, step: str) -> SubjectRequest | None:
    """Lock the request for this step; None where another took it meanwhile, or the request is closed."""
    request = load(session, request_id, lock=True)
    return None if request.state not in OPEN or is_taken(request, step) else request


def taken(request: SubjectRequest) -> list[dict[str, Any]]:
    """Return the steps that were taken: `{"step", "state", "at", "counts"}` each."""
    steps: list[dict[str, Any]] = json.loads(request.steps)
    return steps


def is_taken(request: SubjectRequest, step: str) -> bool:
    return any(entry["step"] == step for entry in taken(request))


def checkpoint(session: Session, request: SubjectRequest, step: str, at: datetime, **counts: Any) -> None:
    """Write that the step is done, with what it counted; the first word stands."""
    if is_taken(request, step):
        return
    entry = {"step": step, "state": "done", "at": at.isoformat(), "counts": counts}
    request.steps = json.dumps([*taken(request), entry])
    if request.state == "received":
        request.state = "in_progress"
    session.add(request)


def reopen(session: Session, request: SubjectRequest, steps: Iterable[str]) -> None:
    """Have these steps taken again, since what they were done for has grown."""
    again = set(steps)
    request.steps = json.dumps([entry for entry in taken(request) if entry["step"] not in again])
    session.add(request)


def complete(session: Session, request: SubjectRequest, at: datetime) -> None:
    request.state, request.completed_at = "completed", at
    session.add(request)


def finish(session: Session, request: SubjectRequest, at: datetime) -> None:
    """Complete the request, let go of what it reached by, and note it."""
    complete(session, request, at)
    request.points = "[]"
    ledger.note(session, "request.step", {"request": request.id, "step": "completed", "right": request.right}, at)


def subjects_of(session: Session, request: SubjectRequest) -> list[int]:
    """Return the subject numbers that the request is about, in order; empty when nobody was known."""
    query = select(col(Concerned.subject)).where(col(Concerned.request) == request.id)
    return sorted(session.scalars(query))


def name_subjects(
    session: Session, request: SubjectRequest, subjects: Iterable[int], unproved: Collection[int] = ()
) -> None:
    """Keep whom the request is about, and which of them only hold an identifier without proof."""
    session.execute(delete(Concerned).where(col(Concerned.request) == request.id))
    rows = [{"subject": one, "request": request.id, "unproved": one in unproved} for one in sorted(set(subjects))]
    if rows:
        session.execute(insert(Concerned), rows)


def unproved_of(session: Session, request: SubjectRequest) -> set[int]:
    """Return those of its subjects that only hold an identifier without proof."""
    query = select(col(Concerned.subject)).where(col(Concerned.request) == request.id, col(Concerned.unproved))
    return set(session.scalars(query))


def asked_of(request: SubjectRequest) -> dict[str, Any]:
    """Return what is asked beside the right."""
    asked: dict[str, Any] = json.loads(request.asked)
    return asked


def points_of(request: SubjectRequest) -> set[tuple[str, bytes]]:
    """Return the (namespace, suppression token) whose holders the request reaches."""
    return {(namespace, bytes.fromhex(token)) for namespace, token in json.loads(request.points)}


def as_points(points: Iterable[tuple[str, bytes]]) -> str:
    """Write points as they are kept."""
    return json.dumps([[namespace, token.hex()] for namespace, token in sorted(points)])


def lasting(session: Session, subjects: Iterable[int]) -> list[int]:
    """Return the subjects of those people that no erasure has begun for: of the others nothing is opened or changed."""
    people = identity.people_of(session, subjects)
    going = gate.erasing(session, set(people.values()))
    return sorted(subject for subject, person in people.items() if person not in going)


def cluster(session: Session, subjects: Iterable[int]) -> list[int]:
    """Return every subject of the people that these subjects belong to now, in order."""
    people = set(identity.people_of(session, subjects).values())
    numbers: set[int] = set()
    for some in chunked(sorted(people)):
        numbers.update(session.scalars(select(col(Subject.number)).where(col(Subject.person).in_(some))))
    return sorted(numbers)
