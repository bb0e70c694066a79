"""What a person asks of us: taken in, carried out step by step, answered in time.

A request names its people by subject number and never keeps the identifier it came with. Nothing
is done before it is known who asks. An erasure of somebody unknown is kept as well: the
identifier is silenced, and the certificate says that nothing was held.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime
from functools import partial

from sqlmodel import Session, col, func, select

from cdp import identity, ledger, policy, vault
from cdp.db import insist
from cdp.errors import Problem
from cdp.gate.laws import laws_for
from cdp.ids import new_id
from cdp.policy.terms import Law
from cdp.profile.model import Person
from cdp.rights import asked as asking
from cdp.rights import deadlines, periods, reach, reasons, rectification, steps
from cdp.rights.asked import Asked, Corrections
from cdp.rights.grounds import Grounds
from cdp.rights.model import SubjectRequest
from cdp.rights.plans import REACHING, REQUESTERS, RIGHTS, WORDS, next_step

Named = tuple[str, str, str]
"""An identifier as it was given: namespace, scope, value."""

USUAL = Asked()


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
    asked: Asked = USUAL,
    corrections: Corrections | None = None,
) -> SubjectRequest:
    """Take a request in; `verified` says that who asks is known to be the person or to act for it.

    Raises Problem 400 for an unknown right or requester, for what the right does not know and for an identifier
    that cannot be read, 403 for what the requester may not ask, 409 for one that several people have with proof,
    or, where data would be given out, at all.
    """
    person, point = who(session, identifier)
    if person is None and _is_ambiguous(session, right, identifier, point):
        raise Problem(
            409, "ambiguous_identifier", "This identifier does not tell who is meant: give another one of the person."
        )
    people = [] if person is None else [person]
    return receive_for(
        session,
        right,
        people,
        requester,
        client,
        reason,
        at,
        verified=verified,
        points=[point],
        asked=asked,
        corrections=corrections,
    )


def who(session: Session, identifier: Named) -> tuple[int | None, tuple[str, bytes]]:
    """Return the one person with this identifier, if there is one, and the point that silences it.

    Raises Problem 400 for an identifier that cannot be read.
    """
    namespace, scope, value = identifier
    named = identity.spell(policy.of(session), namespace, value, scope)
    point = (named.namespace, vault.of(session).suppression_token(named.namespace, named.scope, named.value))
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
    asked: Asked = USUAL,
    corrections: Corrections | None = None,
) -> SubjectRequest:
    """Take a request in for people who are known by number; raises Problem as `receive`."""
    if right not in RIGHTS or requester not in REQUESTERS:
        raise Problem(400, "unknown_right", f"Rights are {', '.join(RIGHTS)}; requesters {', '.join(REQUESTERS)}.")
    asking.check(policy.of(session), right, requester, asked, corrections)
    if right in asking.CORRECTING and corrections is None and not asked.revokes:
        asked = replace(asked, by_hand=True, restrict_meanwhile=False)
    subjects = steps.cluster(session, people)
    if asked.revokes:
        rectification.check_revocable(session, asked.revokes, subjects)
    laws, due_at = due(session, subjects, right, at)
    request = SubjectRequest(
        id=new_id(),
        right=right,
        requester=requester,
        verified=verified,
        law="+".join(str(law.name).lower() for law in laws),
        client=client,
        reason=reasons.check(reason),
        asked=asked.written(),
        state="received",
        waits_for="" if verified else "verification",
        points=steps.as_points(points if right in REACHING else ()),
        received_at=at,
        due_at=due_at,
    )
    session.add(request)
    session.flush()
    steps.name_subjects(session, request, subjects)
    if corrections is not None:
        rectification.seal(session, request, corrections)
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


def advance(grounds: Grounds, request_id: str, stop_after: str = "") -> SubjectRequest:
    """Carry the request out from its last checkpoint to the end; returns it as it then is.

    May be called again after a crash at any point, and by several at once. `stop_after` names a
    step to pause behind.
    """
    stopped = False
    while True:
        with grounds.database.snapshot() as session:
            request = steps.load(session, request_id)
        name, step = next_step(request)
        if stopped or not name:
            return request
        if step is None:
            return _wait_for(grounds, request_id, WORDS[name])
        insist(partial(step, grounds, request_id))
        stopped = name == stop_after


def _wait_for(grounds: Grounds, request_id: str, word: str) -> SubjectRequest:
    """Leave the request until somebody says the word; who was faster to say it finds it unasked for."""
    with grounds.database.transaction() as session:
        request = steps.load(session, request_id, lock=True)
        name, step = next_step(request)
        if name and step is None:
            request.waits_for = WORDS[name]
            session.add(request)
    return request


def pending(session: Session, limit: int = 20, besides: Collection[str] = ()) -> list[str]:
    """Return requests that `advance` can carry on, oldest first; `besides` were tried already."""
    query = (
        select(SubjectRequest.id)
        .where(col(SubjectRequest.state).in_(steps.OPEN), col(SubjectRequest.waits_for) == "")
        .where(col(SubjectRequest.id).not_in(list(besides)))
        .order_by(col(SubjectRequest.received_at), col(SubjectRequest.id))
        .limit(limit)
    )
    return list(session.exec(query))


def by_due(
    session: Session,
    state: str = "",
    before: datetime | None = None,
    after: tuple[datetime, str] | None = None,
    limit: int = 100,
) -> list[SubjectRequest]:
    """Return requests by due date, from the place `after` on; `open` means every one without an answer.

    `before` leaves those that were due before that instant and have none.
    """
    query = select(SubjectRequest)
    if state or before is not None:
        query = query.where(col(SubjectRequest.state).in_(steps.OPEN if state in ("", "open") else (state,)))
    if before is not None:
        query = query.where(col(SubjectRequest.due_at) < before)
    if after is not None:
        due, last = col(SubjectRequest.due_at), after[0]
        query = query.where((due > last) | ((due == last) & (col(SubjectRequest.id) > after[1])))
    query = query.order_by(col(SubjectRequest.due_at), col(SubjectRequest.id)).limit(limit)
    return list(session.exec(query))


def overdue(session: Session, at: datetime) -> int:
    """Count the requests whose due date has passed without an answer; `by_due` lists them."""
    late = (col(SubjectRequest.state).in_(steps.OPEN), col(SubjectRequest.due_at) < at)
    return session.exec(select(func.count()).select_from(SubjectRequest).where(*late)).one()


def _is_ambiguous(session: Session, right: str, identifier: Named, point: tuple[str, bytes]) -> bool:
    """Whether somebody has the identifier, and who of them is meant cannot be told.

    One who is said to have it no more is not found by it: an erasure would be certified that deleted nothing.
    """
    if right in REACHING:
        return len(reach.owners(session, {point})) > (0 if right == "erasure" else 1)
    return bool(identity.find_all(session, *identifier))


def due(
    session: Session, subjects: list[int], right: str, at: datetime, laws: Law | None = None, *, extended: bool = False
) -> tuple[Law, datetime]:
    """Return the laws, where they are not given, and the due instant of what was asked at an instant.

    Of an unknown person every law counts.
    """
    terms = policy.of(session)
    countries = {""}
    if subjects:
        people = set(identity.people_of(session, subjects).values())
        countries = set(session.exec(select(Person.country).where(col(Person.person).in_(people)))) or {""}
    country = countries.pop() if len(countries) == 1 else ""
    if laws is None:
        laws = Law.APPI if right.startswith("appi_") else laws_for(terms, country)
    calendar, given = deadlines.working_calendar(terms, country), periods.for_requests(terms)
    zone = terms.controller.time_zone
    return laws, deadlines.due_at(laws, at, calendar, zone, given, extended=extended)
