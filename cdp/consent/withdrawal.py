"""Saying no: as easy as saying yes, for known and unknown contact points alike (GDPR 7(3), 特定電子メール法 3(3))."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from cdp import identity, vault
from cdp.consent import records, suppression
from cdp.consent.model import ConsentRecord
from cdp.consent.records import Statement
from cdp.db import chunked
from cdp.identity import Canonical, graph, places
from cdp.identity.holder import let_go_of
from cdp.identity.model import Identifier
from cdp.identity.rules import TokenKey
from cdp.policy.terms import CONTACT_CHANNELS
from cdp.profile.model import Subject


@dataclass(frozen=True, slots=True)
class Point:
    """An identifier as the product knows it: by its blind indexes only."""

    namespace: str
    token: bytes
    suppression_token: bytes


def point(session: Session, namespace: str, scope: str, normalised: str) -> Point:
    """Return the blind indexes of a normalised identifier."""
    name = Canonical(namespace, scope, normalised)
    token = places.find(session, [name])[name].token
    return Point(namespace, token, vault.of(session).suppression_token(namespace, scope, normalised))


def withdraw(
    session: Session,
    at_point: Point,
    at: datetime,
    *,
    purpose: str | None = None,
    channel: str | None = None,
    method: str = "api",
    source: str = "api",
    scoped: bool = False,
    brand: str = "",
) -> tuple[list[str], set[int]]:
    """Withdraw consent for a purpose and channel (None = all); returns the record ids and the subjects.

    It is written for every subject of the people: a split later leaves the no on either side. Of a purpose it is also
    written at the point, for who brings it later; that record is not among those returned.
    `scoped`: only for the contact point, as an unsubscribe link means it. `brand`: only what that brand says
    (ruling R12). Without a purpose the point itself falls silent on the channel, also when nobody is known behind
    it: then there is nothing to record, and no record id. Whoever brings the point, joins or parts its people waits.
    """
    keys, seen = hold(session, at_point)
    subjects = _members(session, set(identity.people_of(session, seen).values()))
    if purpose is None or not subjects:
        for silent in _channels(at_point.namespace, channel):
            suppression.suppress(
                session, at_point.namespace, at_point.suppression_token, silent, "unsubscribe", at, brand
            )
    if not subjects or len(keys) > 1:  # a row was made for the lock alone
        let_go_of(session, keys)
    if not subjects:
        return [], set()
    general = Statement(
        purpose=purpose or "*",
        channel=channel or "*",
        status="withdrawn",
        method=method,
        event_time=at,
        source=source,
        verified=True,
        brand=brand,
    )
    local = replace(general, namespace=at_point.namespace, token=_token_now(session, at_point))
    said = [(subject, local if scoped else general) for subject in subjects]
    if purpose and not scoped and _channels(at_point.namespace, channel):  # whoever brings the point later hears it
        said.append((min(seen), local))
    return records.record_all(session, said, at)[: len(subjects)], set(subjects)


def hold(session: Session, at_point: Point) -> tuple[set[TokenKey], dict[int, bytes]]:
    """Lock a point and whoever was seen with it: nobody brings it, joins or parts its people meanwhile.

    Returns the values that were locked, and the subjects, each with its token.
    """
    spaces = vault.family(at_point.namespace)
    tokens = {at_point.token, *_seen_at(session, at_point).values()}
    keys = {(namespace, token) for namespace in spaces for token in tokens}
    graph.lock_tokens(session, keys)
    seen = _seen_at(session, at_point)
    graph.hold(session, seen, {})
    return keys, seen


def said_for(session: Session, names: Iterable[str]) -> set[int]:
    """Return the subjects that these records were written for, and who else has the contact point of one."""
    found, tokens = set[int](), set[bytes]()
    for some in chunked(names):
        query = select(col(ConsentRecord.subject), col(ConsentRecord.token)).where(col(ConsentRecord.record).in_(some))
        for subject, token in session.execute(query):
            found.add(subject)
            tokens.add(bytes(token))
    return found | records.at_points(session, tokens)


def _seen_at(session: Session, at_point: Point) -> dict[int, bytes]:
    """Return the subjects seen with this identifier, in order, each with its token.

    A link is older than the index may be: the suppression token stays what it was.
    """
    here = (
        col(Identifier.namespace).in_(vault.family(at_point.namespace)),
        col(Identifier.suppression_token) == at_point.suppression_token,
    )
    query = select(col(Identifier.subject), col(Identifier.token)).where(*here).order_by(col(Identifier.subject))
    return {row[0]: bytes(row[1]) for row in session.execute(query)}


def _token_now(session: Session, at_point: Point) -> bytes:
    """Return the token that the point stands under, now that it cannot go to another key of the index."""
    return next(iter(_seen_at(session, at_point).values()), at_point.token)


def _members(session: Session, people: set[int]) -> list[int]:
    members: list[int] = []
    for some in chunked(sorted(people)):
        query = select(col(Subject.number)).where(col(Subject.person).in_(some))
        members.extend(session.scalars(query.order_by(col(Subject.number))))
    return members


def _channels(namespace: str, channel: str | None) -> list[str]:
    reaching = [name for name, spaces in CONTACT_CHANNELS.items() if set(vault.family(namespace)) & set(spaces)]
    return reaching if channel is None else [name for name in reaching if name == channel]
