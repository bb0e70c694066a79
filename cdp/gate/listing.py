"""Whoever a condition describes and the gate permits for a use: the one question behind every list of people.

Members, the changes feed and the smallest size ask the same; what of a person may be opened is decided
again when it is.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, case, false, func, select, true
from sqlmodel import Session, col

from cdp import policy
from cdp.gate.decide import beyond_of, laws_in, recipient_refusals
from cdp.gate.model import Permission
from cdp.gate.permission import permitted
from cdp.policy.terms import Law, Use
from cdp.profile.model import Person


def listed(session: Session, matching: ColumnElement[bool], use: Use, at: datetime, name: str = "") -> Select[Any]:
    """Select the numbers of the people who fulfil the condition, are permitted for the use and not restricted.

    `name` is the list's: what it says of whoever is on it is judged, too.
    """
    return (
        select(col(Person.person))
        .join(Permission, col(Permission.person) == col(Person.person))
        .where(matching, allowed(session, use, at, name), col(Permission.restricted).is_(False))
    )


def is_fewer(
    session: Session, matching: ColumnElement[bool], use: Use, at: datetime, least: int, name: str = ""
) -> bool:
    """Whether the list holds fewer people than `least`."""
    if least <= 1:
        return False
    some = listed(session, matching, use, at, name).limit(least).subquery()
    return (session.scalar(select(func.count()).select_from(some)) or 0) < least


def refused_laws(session: Session, use: Use, at: datetime, name: str = "") -> Law:
    """Return the laws under which the recipient itself is refused today, for this list."""
    terms = policy.of(session)
    return laws_in(recipient_refusals(terms, use, at.date(), beyond_of(terms, name)))


def allowed(session: Session, use: Use, at: datetime, name: str = "") -> ColumnElement[bool]:
    """Return the gate's condition in a form of which PostgreSQL supposes that half of the rows fulfil it.

    It cannot look into the bytes of a permission, supposes that one row fulfils it, and would walk every
    permitted person from there: a page took 100 ms instead of 13 (50,000 people).
    """
    condition = permitted(session, use, refused_laws(session, use, at, name), at)
    return case((condition, true()), else_=false())
