"""What a person asks of us: taken in, carried out step by step, answered in time.

A request names its people by subject number and never keeps the identifier it came with. Nothing
is done before it is known who asks. An erasure of somebody unknown is kept as well: the
identifier is silenced, and the certificate says that nothing was held.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Session, col, select

from cdp import identity, ledger, policy, vault
from cdp.errors import Problem
from cdp.gate.laws import laws_for
from cdp.ids import new_id
from cdp.policy.terms import Law
from cdp.profile.model import Person
from cdp.rights import access, deadlines, erasure, reach, reasons, restriction, steps
from cdp.rights.grounds import Grounds
from cdp.rights.model import SubjectRequest
from cdp.rights.steps import Steps

Named = tuple[str, str, str]
"""An identifier as it was given: namespace, scope, value."""

RIGHTS: dict[str, Steps] = {
    "access": access.STEPS,
    "portability": access.STEPS,
    "appi_33": access.STEPS,
    "appi_33_5": access.STEPS,
    "erasure": erasure.STEPS,
    "restriction": restriction.RESTRICTION,
    "objection": restriction.OBJECTION,
    "appi_35": restriction.CEASE,
    "rectification": (),
    "appi_34": (),
}
"""What each right does by itself; those without a step are carried out by staff and closed by them."""

REACHING = frozenset({"erasure", "restriction", "objection", "appi_35"})
"""Rights that reach whoever holds the identifier, proved or not; the others would give data to the wrong one."""

REQUESTERS = ("subject", "guardian", "agent", "staff")


def receive(
    session: Session,
    right: str,
    identifier: Named,
    requester: str,
    client: str,
    reason: str,
    at: datetime,
    *,
    verified: bool = False,
) -> SubjectRequest:
    """Take a request in; `verified` says that who asks is known to be the person or to act for it.

    Raises Problem 400 for an unknown right or requester, 422 for an identifier that cannot be read,
    409 for one that several people have with proof, or, where data would be given out, at all.
    """
    person, point = who(session, identifier)
    if person is None and _is_ambiguous(session, right, identifier, point):
        raise Problem(
            409, "ambiguous_identifier", "Several people have this identifier: give another one of the person."
        )
    people = [] if person is None else [person]
    return receive_for(session, right, people, requester, client, reason, at, verified=verified, points=[point])


def who(session: Session, identifier: Named) -> tuple[int | None, tuple[str, bytes]]:
    """Return the one person with this identifier, if there is one, and the point that silences it.

    Raises Problem 422 for an identifier that cannot be read.
    """
    namespace, scope, value = identifier
    if namespace not in policy.of(session).namespaces:
        raise Problem(422, "unknown_identifier_type", "No identifier of this type is declared.")
    named = identity.canonical(policy.of(session), namespace, value, scope)
    if named is None:
        raise Problem(422, "unusable_identifier", "The identifier cannot be read as one of its type.")
    point = (namespace, vault.of(session).suppression_token(namespace, named.scope, named.value))
    return identity.find(session, namespace, named.scope, named.value), point


def receive_for(
    session: Session,
    right: str,
    people: Iterable[int],
    requester: str,
    client: str,
    reason: str,
    at: datetime,
    *,
    verified: bool = False,
    points: Iterable[tuple[str, bytes]] = (),
) -> SubjectRequest:
    """Take a request in for people who are known by number; raises Problem 400."""
    if right not in RIGHTS or requester not in REQUESTERS:
        raise Problem(400, "unknown_right", f"Rights are {', '.join(RIGHTS)}; requesters {', '.join(REQUESTERS)}.")
    subjects = steps.cluster(session, people)
    law, due_at = _due(session, subjects, right, at)
    request = SubjectRequest(
        id=new_id(),
        right=right,
        requester=requester,
        verified=verified,
        law=law,
        client=client,
        reason=reasons.check(reason),
        state="received",
        points=steps.as_points(points if right in REACHING else ()),
        received_at=at,
        due_at=due_at,
    )
    steps.name_subjects(session, request, subjects)
    session.flush()
    header = {
        "request": request.id,
        "step": "received",
        "right": right,
        "requester": requester,
        "due": due_at.isoformat(),
    }
    ledger.note(session, "request.step", header, at)
    return request


def verify(session: Session, request_id: str, at: datetime) -> SubjectRequest:
    """Say that who asks is known to be the person or to act for it; the next `advance` goes on."""
    request = steps.load(session, request_id, lock=True)
    request.verified = True
    session.add(request)
    ledger.note(session, "request.step", {"request": request.id, "step": "verified"}, at)
    return request


def close(session: Session, request_id: str, outcome: str, reason: str, at: datetime) -> SubjectRequest:
    """Close by hand, as `completed` or `refused`; a refusal without its reason is no answer (GDPR 12(4))."""
    if outcome not in ("completed", "refused") or not reason.strip():
        raise Problem(422, "reason_missing", "Close a request as completed or refused, with a reason.")
    request = steps.load(session, request_id, lock=True)
    if request.state in ("completed", "refused"):
        raise Problem(409, "request_closed", "The request is closed already.")
    if request.right == "erasure" and steps.is_taken(request, "stop"):
        raise Problem(409, "erasure_under_way", "Keys may be destroyed already: this erasure runs to its own end.")
    steps.checkpoint(session, request, outcome, at, reason=reasons.check(reason))
    request.state, request.completed_at = outcome, at
    ledger.note(session, "request.step", {"request": request.id, "step": outcome}, at)
    return request


def advance(grounds: Grounds, request_id: str, stop_after: str = "") -> SubjectRequest:
    """Carry the request out from its last checkpoint to the end; returns it as it then is.

    May be called again after a crash at any point, and by several at once. `stop_after` names a
    step to pause behind.
    """
    stopped = False
    while True:
        with grounds.database.snapshot() as session:
            request = steps.load(session, request_id)
        name, step = _next(request)
        if step is None or stopped:
            return request
        step(grounds, request_id)
        stopped = name == stop_after


def pending(session: Session, limit: int = 20) -> list[str]:
    """Return requests that `advance` can carry on, oldest first."""
    query = (
        select(SubjectRequest.id)
        .where(
            col(SubjectRequest.state).in_(("received", "in_progress")),
            col(SubjectRequest.verified),
            col(SubjectRequest.right).in_([right for right, steps_ in RIGHTS.items() if steps_]),
        )
        .order_by(col(SubjectRequest.received_at))
        .limit(limit)
    )
    return list(session.exec(query))


def overdue(session: Session, at: datetime) -> list[SubjectRequest]:
    """Return requests whose due date has passed without an answer."""
    query = select(SubjectRequest).where(
        col(SubjectRequest.state).in_(("received", "in_progress")), col(SubjectRequest.due_at) < at
    )
    return list(session.exec(query))


def _is_ambiguous(session: Session, right: str, identifier: Named, point: tuple[str, bytes]) -> bool:
    if right in REACHING:
        return len(reach.owners(session, {point})) > 1
    return bool(identity.find_all(session, *identifier))


def _next(request: SubjectRequest) -> tuple[str, steps.Step | None]:
    if request.state in ("completed", "refused") or not request.verified:
        return "", None
    left = [(name, step) for name, step in RIGHTS[request.right] if not steps.is_taken(request, name)]
    return left[0] if left else ("", None)


def _due(session: Session, subjects: list[int], right: str, at: datetime) -> tuple[str, datetime]:
    """Return the laws' names and the due instant; of an unknown person every law counts."""
    terms = policy.of(session)
    countries = {""}
    if subjects:
        people = set(identity.people_of(session, subjects).values())
        countries = set(session.exec(select(Person.country).where(col(Person.person).in_(people)))) or {""}
    country = countries.pop() if len(countries) == 1 else ""
    laws = Law.APPI if right.startswith("appi_") else laws_for(terms, country)
    zone = terms.controller.time_zone
    due = deadlines.due_at(laws, at, deadlines.working_calendar(terms, country), zone)
    return "+".join(str(law.name).lower() for law in laws), due
