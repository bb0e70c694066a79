"""What was known of people, and which policy was in force, at a past instant: decisions can be made again.

Whenever somebody is settled into another situation, that situation is kept: values without identifiers, shared by
whoever is in the same one, beside the person's number and subjects. With the policy of that day, kept as its files
said, the same question gives the same answer byte for byte (GDPR 5(2)). It goes with the person when they are erased.
"""

import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from pyroaring import BitMap64
from sqlalchemy import Table, delete, func, insert, or_, select
from sqlmodel import Session, col

from cdp import policy, statements
from cdp.db import chunked, insert_ignoring
from cdp.gate.model import PolicyPeriod, PolicyVersion, Situated, SituationValue
from cdp.gate.question import Consent, Reach, Standing
from cdp.gate.standing import Situation
from cdp.identity.model import Alias
from cdp.policy.documents import Documents
from cdp.policy.terms import Law, Policy
from cdp.profile.model import Subject


@dataclass(frozen=True, slots=True)
class Past:
    """Somebody's situation as it was at an instant, and the policy that was in force."""

    policy: Policy
    standing: Standing
    changes_at: datetime


class Kept(NamedTuple):
    """Which situation a permission row stands for, and until when."""

    digest: bytes
    until: datetime | None


def note(
    session: Session, situations: Mapping[int, Situation], kept: Mapping[int, Kept], at: datetime
) -> dict[int, bytes]:
    """Keep the situations that differ from what was last kept of the person; returns each person's digest."""
    digests = {person: digest_of(one.standing) for person, one in situations.items()}
    changed = [
        person
        for person, digest in sorted(digests.items())
        if kept.get(person) != (digest, situations[person].changes_at)
    ]
    standings = {digests[person]: situations[person].standing for person in changed}
    values = {digest: written(standing) for digest, standing in standings.items()}
    insert_ignoring(session, SituationValue, [{"digest": key, "value": value} for key, value in sorted(values.items())])
    rows = [
        {
            "person": person,
            "at": at,
            "digest": digests[person],
            "changes_at": situations[person].changes_at,
            "subjects": BitMap64(situations[person].subjects).serialize(),
        }
        for person in changed
    ]
    statements.write(session, _SITUATED, rows)
    return digests


_PERIODS: Table = PolicyPeriod.__table__  # type: ignore[attr-defined]
_NEWEST_PERIOD = select(_PERIODS.c.policy).where(_PERIODS.c.id == select(func.max(_PERIODS.c.id)).scalar_subquery())
_SITUATED = insert(Situated.__table__)  # type: ignore[attr-defined]


def find(session: Session, subject: int, at: datetime) -> Past | None:
    """Return the situation and policy of an instant; None where they are not on record, or time alone changed them."""
    query = (
        select(Situated)
        .where(col(Situated.person).in_(_numbers(session, subject)), col(Situated.at) <= at)
        .order_by(col(Situated.at).desc(), col(Situated.id).desc())
    )
    row = next((one for one in session.scalars(query) if subject in BitMap64.deserialize(one.subjects)), None)
    terms = policy_at(session, at)
    if row is None or terms is None or row.changes_at <= at:
        return None
    value = session.get(SituationValue, row.digest)
    return Past(terms, read(value.value), row.changes_at) if value else None


def forget(session: Session, subjects: Sequence[int]) -> int:
    """Forget every situation that these subjects were in, under whatever number and beside whomever.

    A value that nobody was ever in but they goes, too.
    """
    numbers = {number for one in subjects for number in _numbers(session, one)}
    gone: list[int] = []
    digests: set[bytes] = set()
    for some in chunked(numbers):
        rows = session.execute(_ROWS.where(col(Situated.person).in_(some)))
        for row in rows:
            if row.person in subjects or not BitMap64.deserialize(row.subjects).isdisjoint(BitMap64(subjects)):
                gone.append(row.id)
                digests.add(bytes(row.digest))
    for some in chunked(gone):
        session.execute(delete(Situated).where(col(Situated.id).in_(some)))
    for left in chunked(sorted(digests)):
        used = select(col(Situated.digest)).where(col(Situated.digest).in_(left))
        orphans = col(SituationValue.digest).in_(left) & col(SituationValue.digest).not_in(used)
        session.execute(delete(SituationValue).where(orphans))
    return len(gone)


_ROWS = select(col(Situated.id), col(Situated.person), col(Situated.digest), col(Situated.subjects))


def begin_period(session: Session, number: int, at: datetime) -> None:
    """Note from when on this policy version is in force."""
    if statements.column(session, _NEWEST_PERIOD) != [number]:
        session.add(PolicyPeriod(policy=number, at=at))
        session.flush()


def policy_at(session: Session, at: datetime) -> Policy | None:
    """Return the policy that was in force, as its files said and as the day had it; None where it is not on record."""
    query = (
        select(col(PolicyVersion.digest), col(PolicyVersion.contents), col(PolicyVersion.day))
        .join(PolicyPeriod, col(PolicyPeriod.policy) == col(PolicyVersion.id))
        .where(col(PolicyPeriod.at) <= at)
        .order_by(col(PolicyPeriod.id).desc())
        .limit(1)
    )
    row = session.execute(query).first()
    if row is None or row.contents is None:
        return None
    current = policy.of(session)
    return current if row.digest == current.digest else _assembled(row.contents, row.day)


def contents_of(terms: Policy) -> bytes | None:
    """Return the files of a policy as they are kept with its version."""
    if terms.documents is None:
        return None
    files = {"trees": dict(terms.documents.trees), "notices": dict(terms.documents.notices)}
    return zlib.compress(json.dumps(files, ensure_ascii=False, default=str).encode())


@lru_cache(maxsize=8)
def _assembled(contents: bytes, day: date) -> Policy | None:
    files = json.loads(zlib.decompress(contents))
    return policy.assemble(Documents(files["trees"], files["notices"]), day)[0]


@lru_cache(maxsize=1 << 16)
def digest_of(standing: Standing) -> bytes:
    """Return 128 bits that name a situation."""
    return hashlib.blake2b(written(standing).encode(), digest_size=16).digest()


def written(standing: Standing) -> str:
    """Return a situation as JSON."""
    reaches = [_plain(one) | {"consents": [_plain(each) for each in one.consents]} for one in standing.reaches]
    whole = _plain(standing) | {"laws": int(standing.laws), "reaches": reaches}
    return json.dumps(whole, sort_keys=True, separators=(",", ":"))


def _plain(value: Any) -> dict[str, Any]:
    """Return the fields by name; `asdict` would copy every value in them, which takes ten times as long."""
    return {name: getattr(value, name) for name in _FIELDS[type(value)]}


_FIELDS = {kind: tuple(one.name for one in fields(kind)) for kind in (Standing, Reach, Consent)}


def read(value: str) -> Standing:
    """Return the situation that `written` gave."""
    said: dict[str, Any] = json.loads(value)
    reaches = tuple(
        Reach(
            one["channel"],
            tuple(Consent(**consent) for consent in one["consents"]),
            tuple(one["suppressed"]),
            one["address"],
        )
        for one in said.pop("reaches")
    )
    laws = Law(said.pop("laws"))
    plain: dict[str, Any] = {name: tuple(one) if isinstance(one, list) else one for name, one in said.items()}
    return Standing(laws=laws, reaches=reaches, **plain)


def _numbers(session: Session, subject: int) -> set[int]:
    """Return every person number that a subject can have had: its own, today's, and what those were called before."""
    found = {subject, *session.scalars(select(col(Subject.person)).where(col(Subject.number) == subject))}
    fresh: Iterable[int] = found
    while fresh:
        query = select(col(Alias.old_person), col(Alias.person)).where(
            or_(col(Alias.old_person).in_(fresh), col(Alias.person).in_(fresh))
        )
        fresh = {number for row in session.execute(query) for number in row} - found
        found |= set(fresh)
    return found
