"""The end of records of disclosures: what no duty needs any more goes, person by person.

When the time of a record is over (APPI 29(2): three years), a number stays on a page only while its person is held
and protected by the GDPR, whose access names recipients for as long as there is anything to have access to
(15(1)(c), 19; C-553/07), or while a request of theirs is open. Everybody else is taken off; a page with nobody is
deleted. The ledger keeps that there was one, and how many were on it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from pyroaring import BitMap64
from sqlalchemy import ColumnElement, delete, exists, func, or_, select, update
from sqlmodel import Session, col

from cdp import ledger, policy
from cdp.db import chunked, is_snapshot
from cdp.gate import kept
from cdp.gate.model import Disclosed, Permission, ProvisionTerms
from cdp.gate.versions import policy_number
from cdp.policy.terms import Law
from cdp.profile.model import Subject

AGAIN = timedelta(days=30)
"""When a page whose people had to stay is looked at again."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """What one bite of pruning did, or would do."""

    pages: int
    """Looked at."""
    last: str
    """The last of them by name, from which a dry run goes on."""
    deleted: int
    narrowed: int
    """From which somebody was taken, and on which somebody stays."""
    references: int
    """Of erased people, gone with the records that they were kept for."""


def due(session: Session, at: datetime) -> int:
    """Count the pages whose time on record is over and that wait to be looked at."""
    return session.scalar(select(func.count()).select_from(Disclosed).where(*_due(session, at))) or 0


def prune(session: Session, at: datetime, limit: int, open_to: Collection[int] = ()) -> Pruned:
    """Look at no more than so many pages whose time is over; `open_to` are subjects with an open request."""
    found = _look(session, at, limit, open_to, "")
    for some in chunked(found.gone):
        session.execute(delete(Disclosed).where(col(Disclosed.id).in_(some)))
    for name, people in sorted(found.fewer.items()):
        values = {"people": people.serialize(), "review_at": at + AGAIN}
        session.execute(update(Disclosed).where(col(Disclosed.id) == name).values(**values))
    for some in chunked(found.same):
        session.execute(update(Disclosed).where(col(Disclosed.id).in_(some)).values(review_at=at + AGAIN))
    references = kept.let_go(session, at, limit)
    if found.gone:
        _forget_terms(session, at)
    if found.gone or found.fewer or references:
        header = {"deleted": len(found.gone), "narrowed": len(found.fewer), "references": references}
        ledger.note(session, "disclosures.pruned", header, at)
    return found.told(references)


def rehearse(session: Session, at: datetime, limit: int, open_to: Collection[int] = (), after: str = "") -> Pruned:
    """Say what `prune` would do with the next pages behind `after`; changes nothing."""
    return _look(session, at, limit, open_to, after).told(kept.over(session, at) if not after else 0)


@dataclass(frozen=True, slots=True)
class _Found:
    """What becomes of each page."""

    gone: list[str]
    fewer: dict[str, BitMap64]
    same: list[str]

    def told(self, references: int) -> Pruned:
        names = [*self.gone, *self.fewer, *self.same]
        return Pruned(len(names), max(names, default=""), len(self.gone), len(self.fewer), references)


def _look(session: Session, at: datetime, limit: int, open_to: Collection[int], after: str) -> _Found:
    query = select(col(Disclosed.id), col(Disclosed.people)).where(*_due(session, at), col(Disclosed.id) > after)
    query = query.order_by(col(Disclosed.id)).limit(limit)
    pages = session.execute(query if is_snapshot(session) else query.with_for_update()).all()
    bitmaps = {row.id: BitMap64.deserialize(row.people) for row in pages}
    stay = _staying(session, BitMap64.union(*bitmaps.values()) if bitmaps else BitMap64()) | BitMap64(open_to)
    rest = {name: people & stay for name, people in bitmaps.items()}
    return _Found(
        gone=[name for name, people in rest.items() if not people],
        fewer={name: people for name, people in rest.items() if people and people != bitmaps[name]},
        same=[name for name, people in rest.items() if people and people == bitmaps[name]],
    )


def _due(session: Session, at: datetime) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions on a page that its time is over and that it was not looked at lately."""
    begin = kept.begin_of_time(policy.of(session), at)
    review = or_(col(Disclosed.review_at).is_(None), col(Disclosed.review_at) <= at)
    return review, col(Disclosed.opened_at) <= begin


def _staying(session: Session, numbers: BitMap64) -> BitMap64:
    """Return those whose person is held and protected by the GDPR; one whom nothing is known of stays."""
    stay = BitMap64()
    for some in chunked(numbers):
        query = select(col(Subject.number)).outerjoin(Permission, col(Permission.person) == col(Subject.person))
        protected = or_(col(Permission.laws).is_(None), col(Permission.laws).op("&")(int(Law.GDPR)) != 0)
        stay.update(session.scalars(query.where(col(Subject.number).in_(some), protected)))
    return stay


def _forget_terms(session: Session, at: datetime) -> None:
    """Delete terms that no page was given on any more; those of the policy in force stay."""
    used = exists().where(
        col(Disclosed.policy) == col(ProvisionTerms.policy), col(Disclosed.recipient) == col(ProvisionTerms.recipient)
    )
    old = (
        col(ProvisionTerms.at) < kept.begin_of_time(policy.of(session), at),
        col(ProvisionTerms.policy) != policy_number(session),
    )
    session.execute(delete(ProvisionTerms).where(*old, ~used))
