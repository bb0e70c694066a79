"""May this be collected at all? Asked before storing, of the purposes that a field or event serves.

Collecting is not using: what is stored here still needs a permission for every later use. But
what could serve no purpose that the person may be held to is never stored (GDPR 5(1)(b), 6;
APPI 18). Answered from the person's permission row where it may be believed, else decided afresh.
"""

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import Table, select
from sqlmodel import Session, col

from cdp import policy, statements
from cdp.db import chunked, is_unsettled
from cdp.gate.collecting import may_collect, named
from cdp.gate.model import Permission
from cdp.gate.permission import settled
from cdp.gate.standing import load
from cdp.profile.model import Subject
from cdp.statements import one_of


def collectable(session: Session, people: Iterable[int], at: datetime) -> dict[int, frozenset[str]]:
    """Return, for each of these people, the purposes for which something may be collected now."""
    terms, wanted = policy.of(session), set(people)
    found = _standing(session, {one for one in wanted if not is_unsettled(session, one, "gate")}, at)
    for person, situation in load(session, sorted(wanted - set(found)), at).items():
        found[person] = may_collect(terms, situation.standing)
    return {person: named(terms, collect) for person, collect in found.items()}


def erasing(session: Session, people: Collection[int]) -> set[int]:
    """Return those of these people who are being erased: of them nothing is collected."""
    found: set[int] = set()
    for some in chunked(sorted(people)):
        found.update(statements.column(session, _ERASING, some=some))
    return found


_SUBJECTS: Table = Subject.__table__  # type: ignore[attr-defined]
_ERASING = select(_SUBJECTS.c.person).where(one_of(_SUBJECTS.c.person), _SUBJECTS.c.erasing)


def _standing(session: Session, people: Collection[int], at: datetime) -> dict[int, bytes]:
    """Return what the permission rows say of the people whose rows hold."""
    found: dict[int, bytes] = {}
    for some in chunked(sorted(people)):
        query = select(col(Permission.person), col(Permission.collect)).where(
            col(Permission.person).in_(some), col(Permission.collect).is_not(None), settled(session, at)
        )
        found.update({row[0]: bytes(row[1]) for row in session.execute(query)})
    return found
