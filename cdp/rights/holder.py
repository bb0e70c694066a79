"""What requests keep of people: whom each is about, found by subject; a request outlives the person it was about."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlmodel import Session, col

from cdp.db import chunked
from cdp.holders import Held, Holder
from cdp.rights.model import Concerned, SubjectRequest


def _forget(session: Session, subjects: Sequence[int]) -> int:
    touched = _about(session, subjects)
    for some in chunked(sorted(set(subjects))):
        session.execute(delete(Concerned).where(col(Concerned.subject).in_(some)))
    for requests in chunked(sorted(touched)):
        emptied = dict.fromkeys(("package", "package_until", "package_owner", "sealed_words", "words_owner"))
        session.execute(update(SubjectRequest).where(col(SubjectRequest.id).in_(requests)).values(reason="", **emptied))
    return len(touched)


def _export(session: Session, subjects: Sequence[int]) -> list[Held]:
    concerned, held = _about(session, subjects), []
    for some in chunked(sorted(concerned)):
        query = select(*(getattr(SubjectRequest, name) for name in _SHOWN)).where(col(SubjectRequest.id).in_(some))
        held += [Held("request", concerned[row.id], _shown(row)) for row in session.execute(query)]
    return sorted(held, key=lambda one: str(one.plain["received_at"]))


def _about(session: Session, subjects: Sequence[int]) -> dict[str, int]:
    """Return the requests about any of these, each with the lowest of them."""
    found: dict[str, int] = {}
    for some in chunked(sorted(set(subjects))):
        query = select(col(Concerned.request), col(Concerned.subject)).where(col(Concerned.subject).in_(some))
        for request, subject in session.execute(query):
            found[request] = min(subject, found.get(request, subject))
    return found


_SHOWN = ("id", "right", "requester", "state", "law", "received_at", "due_at", "completed_at")


def _shown(row: Any) -> dict[str, object]:
    shown = {name: getattr(row, name) for name in _SHOWN}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in shown.items()}


holder = Holder("rights", ("subject_request", "request_subject"), forget=_forget, export=_export)
