"""Opening people to find who is registered twice: the controller's own staff are the recipient, like any other.

Each lot is a page of its own, with a lease and a record of kind `matching`: whoever's row refuses the purpose, who
objected, is restricted or being erased is not in it, and a withdrawal meanwhile is waited for. What is opened is
handed on and kept nowhere. Nothing that only a public key claimed is opened.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from cdp import policy
from cdp.db import Database
from cdp.errors import Problem, Refusal
from cdp.gate.decide import allowed_fields
from cdp.gate.disclosure import Choose, read_page
from cdp.gate.permit import PageRequest, check_request, permitted_of
from cdp.identity.proposals import DESCRIBES, Described, describe, problem
from cdp.policy.terms import Policy
from cdp.profile.model import Subject, Trait

PURPOSE, RECIPIENT, CHANNEL = "identity_matching", "staff", "none"
KIND = "matching"
LOT = 500
"""People on one page."""
SECONDS = 5.0
"""That a page may take; on a usual machine it takes a tenth of one."""


def open_for_matching(
    database: Database, told: Callable[[int], None] = lambda people: None, lot: int = LOT
) -> Iterator[Described]:
    """Yield everybody who may be compared, as the matching sees them, in the order of their numbers.

    Raises Problem `no_purpose` where the policy does not declare it, 403 where it refuses it to everybody, and
    Unavailable where a page ran out of its time. `told` hears how many people were looked at.
    """
    after, looked_at = 0, 0
    request = _request(policy_of(database))
    while people := _next(database, after, lot):
        page = read_page(database, request, _just(people))
        if isinstance(page, Refusal):
            raise Problem(403, page.reason, f"Nobody may be compared: the policy says {page.reason}.")
        page.hand_over()
        yield from filter(None, (describe(row.person, row.fields) for row in page.rows))
        after, looked_at = people[-1], looked_at + len(people)
        told(looked_at)


def comparable(session: Session, people: Iterable[int], at: datetime) -> set[int]:
    """Return who of these people may be compared at this instant."""
    request = _request(policy.of(session))
    denied = check_request(policy.of(session), request, at)
    return set() if isinstance(denied, Refusal) else set(permitted_of(session, request.use, denied, people, at))


def policy_of(database: Database) -> Policy:
    """Return the policy as a session would see it."""
    with database.snapshot() as session:
        return policy.of(session)


def _request(terms: Policy) -> PageRequest:
    use = terms.find_use(PURPOSE, RECIPIENT, CHANNEL)
    if use is None:
        raise problem("no_purpose")
    allowed = allowed_fields(terms, use)
    return PageRequest(
        use, tuple(name for name in DESCRIBES if name in allowed), kind=KIND, lease_seconds=SECONDS, vouched=True
    )


def _just(people: list[int]) -> Choose:
    return lambda session, at: people


def _next(database: Database, after: int, lot: int) -> list[int]:
    """Return the next people of whom anything is known that could be compared."""
    query = select(col(Subject.person)).join(Trait, col(Trait.subject) == col(Subject.number))
    query = query.where(col(Trait.name).in_(DESCRIBES), ~col(Subject.public), col(Subject.person) > after)
    with database.snapshot() as session:
        return list(session.scalars(query.distinct().order_by(col(Subject.person)).limit(lot)))
