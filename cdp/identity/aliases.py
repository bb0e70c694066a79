"""Where an earlier person number went, for those outside who keep our numbers; closed when it is back."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Table, bindparam, insert, select, update
from sqlmodel import Session

from cdp import statements
from cdp.db import chunked
from cdp.identity.model import Alias
from cdp.statements import one_of

_TABLE: Table = Alias.__table__  # type: ignore[attr-defined]


def follow(session: Session, before: Mapping[int, int], people: Mapping[int, int], at: datetime) -> None:
    """Open, move or close the aliases of every number that was a person and is one no more, or again.

    A person's number is its lowest subject's, so that subject says where the number went.
    """
    standing = _open(session, {*people, *before.values()})
    once = {*before.values(), *(number for number in standing if number in people)}
    target = {number: people[number] for number in once if number in people}
    stale = sorted(number for number, person in target.items() if standing.get(number, number) != person)
    for some in chunked(stale):
        statements.change(session, _END, some=some, ended=at)
    opened = [
        {"old_person": number, "person": target[number], "from_at": at, "to_at": None}
        for number in stale
        if target[number] != number
    ]
    statements.write(session, _NEW, opened)


def _open(session: Session, numbers: set[int]) -> dict[int, int]:
    found: dict[int, int] = {}
    for some in chunked(sorted(numbers)):
        found.update(statements.rows(session, _STANDING, some=some))
    return found


_NEW = insert(_TABLE)
_STANDING = select(_TABLE.c.old_person, _TABLE.c.person).where(one_of(_TABLE.c.old_person), _TABLE.c.to_at.is_(None))
_END = update(_TABLE).where(one_of(_TABLE.c.old_person), _TABLE.c.to_at.is_(None)).values(to_at=bindparam("ended"))
