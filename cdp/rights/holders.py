"""Everyone who answers for a table with people in it, in the order in which they let go: keys last."""

from collections.abc import Sequence

from pyroaring import BitMap64
from sqlmodel import Session, col, select

from cdp import consent, gate, identity, journey, profile, vault
from cdp.holders import Held, Holder
from cdp.rights.model import SubjectRequest


def _forget(session: Session, subjects: Sequence[int]) -> int:
    gone = BitMap64(subjects)
    touched = [(request, people) for request, people in _about(session) if people & gone]
    for request, people in touched:
        request.people = (people - gone).serialize() if people - gone else None
        request.holders = None
        request.reason = ""
        request.package = request.package_until = request.package_owner = None
        session.add(request)
    return len(touched)


def _export(session: Session, subjects: Sequence[int]) -> list[Held]:
    asked = BitMap64(subjects)
    return [
        Held("request", (people & asked).min(), _shown(request))
        for request, people in _about(session)
        if people & asked
    ]


def _about(session: Session) -> list[tuple[SubjectRequest, BitMap64]]:
    found = session.exec(select(SubjectRequest).where(col(SubjectRequest.people).is_not(None)))
    return [(request, BitMap64.deserialize(request.people or b"")) for request in found]


def _shown(request: SubjectRequest) -> dict[str, object]:
    answered = request.completed_at.isoformat() if request.completed_at else None
    shown: dict[str, object] = {name: getattr(request, name) for name in ("id", "right", "requester", "state")}
    return shown | {"received_at": request.received_at.isoformat(), "completed_at": answered}


holder = Holder("rights", ("subject_request",), forget=_forget, export=_export)

HOLDERS: tuple[Holder, ...] = (
    journey.holder,
    gate.holder,
    consent.holder,
    holder,
    identity.holder,
    profile.holder,
    vault.holder,
)
"""Holders that find their rows through the subject's identifiers come before identity, all before the keys."""
