"""Where an earlier person number went, for those outside who keep our numbers; closed when it is back."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Table, insert, select, update
from sqlmodel import Session, col

from cdp.db import chunked
from cdp.identity.model import Alias

_TABLE: Table = Alias.__table__  # type: ignore[attr-defined]


def follow(session: Session, before: Mapping[int, int], people: Mapping[int, int], at: datetime) -> None:
    """Open, move or close the aliases of every number that was a person and is one no more, or again.

    A person's number is its lowest subject's, so that subject says where the number went.
    """
    once = {*before.values()} | set(_open(session, people))
    standing = _open(session, once)
    target = {number: people[number] for number in once if number in people}
    stale = sorted(number for number, person in target.items() if standing.get(number, number) != person)
    for some in chunked(stale):
        ended = update(Alias).where(col(Alias.old_person).in_(some), col(Alias.to_at).is_(None))
        session.execute(ended.values(to_at=at))
    opened = [
        {"old_person": number, "person": target[number], "from_at": at, "to_at": None}
        for number in stale
        if target[number] != number
    ]
    if opened:
        session.execute(insert(_TABLE), opened)


def _open(session: Session, numbers: Mapping[int, int] | set[int]) -> dict[int, int]:
    found: dict[int, int] = {}
    for some in chunked(sorted(numbers)):
        query = select(col(Alias.old_person), col(Alias.person)).where(
            col(Alias.old_person).in_(some), col(Alias.to_at).is_(None)
        )
        found.update({row[0]: row[1] for row in session.execute(query)})
    return found
