"""What staff say about a request, each once and noted: who asks is known, the person was told, it takes longer."""

from datetime import datetime

from sqlmodel import Session

from cdp import ledger
from cdp.errors import FieldError, Problem
from cdp.policy.terms import Law
from cdp.rights import plans, reasons, requests, steps
from cdp.rights.model import SubjectRequest

OUTCOMES = ("completed", "refused")


def verify(session: Session, request_id: str, at: datetime) -> SubjectRequest:
    """Say that who asks is known to be the person or to act for it; the next `advance` goes on.

    Raises Problem 404, or 409 for a request that is closed.
    """
    request = _open(session, request_id)
    request.verified = True
    if request.waits_for == "verification":
        request.waits_for = ""
    return _said(session, request, "verified", at)


def tell(session: Session, request_id: str, told_at: datetime, at: datetime) -> SubjectRequest:
    """Say when the person was told that a restriction ends (GDPR 18(3)).

    Raises Problem 404, 409 where no notice is waited for, 422 for an instant to come or before the request.
    """
    request = _open(session, request_id)
    _check_awaited(request, "tell")
    if not request.received_at <= told_at <= at:
        raise Problem(422, "not_told_yet", "Give an instant between the request and now: when the person was told.")
    steps.checkpoint(session, request, "tell", told_at)
    return _said(session, request, "told", at)


def accept(session: Session, request_id: str, at: datetime) -> SubjectRequest:
    """Decide a dispute for the person: what they say is right. Raises Problem 404, 409 where nothing is contested."""
    request = _open(session, request_id)
    _check_awaited(request, "decide")
    steps.checkpoint(session, request, "decide", at)
    return _said(session, request, "accepted", at)


def extend(session: Session, request_id: str, told_at: datetime, reason: str, at: datetime) -> SubjectRequest:
    """Take two further months for a complex request, once, where the person was told why in time (GDPR 12(3)).

    Counted from receipt: `due_at` moves, the step `extend` keeps the first due date. Raises Problem 404; 409 for a
    closed request, a second extension and a person whom another law protects too; 422 for a reason that is missing
    or unusable, and for an instant that is to come, before the request or after its due date.
    """
    request = _open(session, request_id)
    if steps.is_taken(request, "extend"):
        raise Problem(409, "extended_already", "The due date was moved once: the law allows no second time.")
    if request.law != "gdpr":
        raise Problem(
            409, "not_extendable", "Only the GDPR knows an extension, and another law protects this person too."
        )
    reason = reasons.demand(reason)
    if not request.received_at <= told_at <= min(at, request.due_at):
        told = (
            "Give an instant from the request to its due date, not to come: when the person was told, with the reasons."
        )
        raise Problem(422, "not_told_in_time", told, [FieldError("/at", "After the due date it is too late.")])
    first = request.due_at
    subjects = steps.subjects_of(session, request)
    _, request.due_at = requests.due(session, subjects, request.right, request.received_at, Law.GDPR, extended=True)
    counts = {"first_due": first.isoformat(), "due": request.due_at.isoformat(), "reason": reason}
    steps.checkpoint(session, request, "extend", told_at, **counts)
    return _said(session, request, "extended", at)


def close(session: Session, request_id: str, outcome: str, reason: str, at: datetime) -> SubjectRequest:
    """Close by hand, as `completed` or `refused`; a refusal without its reason is no answer (GDPR 12(4)).

    What the request had begun stays: a restriction is ended by a request of its own. Raises Problem 404,
    409 for a closed one and for an erasure under way, 422 for another outcome and a missing or unusable reason.
    """
    if outcome not in OUTCOMES:
        raise Problem(422, "unknown_outcome", "Close a request as completed or refused.")
    reason = reasons.demand(reason)
    request = _open(session, request_id)
    if request.right == "erasure" and steps.is_taken(request, "stop"):
        raise Problem(409, "erasure_under_way", "Keys may be destroyed already: this erasure runs to its own end.")
    steps.checkpoint(session, request, outcome, at, reason=reason)
    request.state, request.completed_at, request.waits_for, request.points = outcome, at, "", "[]"
    request.sealed_words = request.words_owner = None
    return _said(session, request, outcome, at)


def _open(session: Session, request_id: str) -> SubjectRequest:
    request = steps.load(session, request_id, lock=True)
    if request.state not in steps.OPEN:
        raise Problem(409, "request_closed", "The request is closed already.")
    return request


def _check_awaited(request: SubjectRequest, step: str) -> None:
    if plans.next_step(request) != (step, None):
        raise Problem(409, "not_awaited", f"The request does not wait for a {plans.WORDS[step]}.")


def _said(session: Session, request: SubjectRequest, what: str, at: datetime) -> SubjectRequest:
    if what in ("told", "accepted"):
        request.waits_for = ""
    session.add(request)
    ledger.note(session, "request.step", {"request": request.id, "step": what}, at)
    return request
