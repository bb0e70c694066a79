"""A request is a list of steps, each ended by a checkpoint, so that a crash anywhere is resumed.

A step may run twice; what it did to the database and its checkpoint are one transaction.
"""

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from pyroaring import BitMap64
from sqlalchemy import select
from sqlmodel import Session, col

from cdp import identity
from cdp.db import chunked
from cdp.errors import Problem
from cdp.profile.model import Subject
from cdp.rights.grounds import Grounds
from cdp.rights.model import SubjectRequest

Step = Callable[[Grounds, str], None]
Steps = tuple[tuple[str, Step], ...]


def load(session: Session, request_id: str, lock: bool = False) -> SubjectRequest:
    """Return the request; raises Problem where there is none."""
    request = session.get(SubjectRequest, request_id, with_for_update=lock, populate_existing=lock)
    if request is None:
        raise Problem(404, "unknown_request", "There is no such request.")
    return request


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


def subjects_of(request: SubjectRequest) -> list[int]:
    """Return the subject numbers that the request is about; empty when nobody was known."""
    return list(BitMap64.deserialize(request.people)) if request.people else []


def as_bitmap(subjects: Iterable[int]) -> bytes | None:
    """Write subject numbers as they are kept; None for nobody."""
    numbers = BitMap64(subjects)
    return numbers.serialize() if numbers else None


def name_subjects(session: Session, request: SubjectRequest, subjects: Iterable[int]) -> None:
    """Keep whom the request is about."""
    request.people = as_bitmap(subjects)
    session.add(request)


def holders_of(request: SubjectRequest) -> set[int]:
    """Return those of its subjects that only hold an identifier without proof."""
    return set(BitMap64.deserialize(request.holders)) if request.holders else set()


def points_of(request: SubjectRequest) -> set[tuple[str, bytes]]:
    """Return the (namespace, suppression token) whose holders the request reaches."""
    return {(namespace, bytes.fromhex(token)) for namespace, token in json.loads(request.points)}


def as_points(points: Iterable[tuple[str, bytes]]) -> str:
    """Write points as they are kept."""
    return json.dumps([[namespace, token.hex()] for namespace, token in sorted(points)])


def cluster(session: Session, subjects: Iterable[int]) -> list[int]:
    """Return every subject of the people that these subjects belong to now, in order."""
    people = set(identity.people_of(session, subjects).values())
    numbers: set[int] = set()
    for some in chunked(sorted(people)):
        numbers.update(session.scalars(select(col(Subject.number)).where(col(Subject.person).in_(some))))
    return sorted(numbers)
