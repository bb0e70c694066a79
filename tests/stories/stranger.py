"""What somebody with the browser key of the shop can send, and everything that is known of those they aim at."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, SQLModel, col

from cdp import consent, identity
from cdp.consent.model import ConsentRecord, Suppression
from cdp.db import Database
from cdp.gate.model import Permission
from cdp.identity.model import Identifier
from cdp.journey.model import Stage, Transition
from cdp.profile.model import Fact, Person, Subject, Trait
from tests import people

CLOCKWORK = frozenset({"settled_at", "holds_until", "next_change_at"})
"""Columns that say when a row was worked out, not what it says."""

State = dict[str, list[Any]]


def state_of(database: Database, strangers: Iterable[people.Person]) -> dict[str, State]:
    """Return everything stored of each of these people, and how silent their contact points are."""
    with database.snapshot() as session:
        return {one.name: _state(session, one) for one in strangers}


def silences(database: Database, address: str = "") -> set[tuple[str, str, bytes]]:
    """Return (channel, reason, token) of whatever is silent now, or of one address."""
    with database.snapshot() as session:
        rows = session.scalars(select(Suppression).where(col(Suppression.lifted_at).is_(None)))
        found = {(row.channel, row.reason, bytes(row.token)) for row in rows}
        point = consent.point(session, "email", "", address).suppression_token
        return {one for one in found if one[2] == point} if address else found


def subjects_from(session: Session, source: str) -> int:
    """Return how many sets of identifiers a source made."""
    return session.scalars(select(func.count()).select_from(Subject).where(col(Subject.source) == source)).one()


def _state(session: Session, stranger: people.Person) -> State:
    number = identity.find(session, "crm_id", "crm", stranger.crm_id)
    subjects = identity.subjects_of(session, number) if number else []
    return {
        "subjects": subjects,
        **{table.__name__: _rows(session, table, col(table.person).in_([number])) for table in _BY_PERSON},
        **{table.__name__: _rows(session, table, col(table.subject).in_(subjects)) for table in _BY_SUBJECT},
        "suppression": _rows(session, Suppression, col(Suppression.token).in_(_points(session, subjects))),
    }


_BY_PERSON: tuple[Any, ...] = (Person, Permission, Stage, Transition)
_BY_SUBJECT: tuple[Any, ...] = (Identifier, Trait, Fact, ConsentRecord)


def _points(session: Session, subjects: list[int]) -> list[bytes]:
    return list(session.scalars(select(col(Identifier.suppression_token)).where(col(Identifier.subject).in_(subjects))))


def _rows(session: Session, table: type[SQLModel], where: Any) -> list[Any]:
    columns = [one for one in table.__table__.c if one.name not in CLOCKWORK]  # type: ignore[attr-defined]
    return sorted(map(tuple, session.execute(select(*columns).where(where))), key=repr)


@dataclass(frozen=True)
class Attack:
    """Calls that somebody sends from a device of their own, all of one idea."""

    idea: str
    calls: tuple[dict[str, Any], ...]
    headers: tuple[tuple[str, str], ...] = ()
    silences: bool = False
    """It says no for the stranger's address: that is heard, and nothing else of it."""


def attacks_on(stranger: people.Person, place: int) -> Iterator[Attack]:
    """Yield every attack by somebody who knows all of a stranger but what stands in the stranger's own browser."""
    mine = f"browser-of-mallory-{place}"
    known = {"email": stranger.email, "phone": stranger.phone, "line_uid": stranger.line_uid, "crm_id": stranger.crm_id}
    as_them = {"userId": stranger.user_id, "anonymousId": mine}
    yield Attack(
        "identify", (_call("identify", **as_them, traits=known), _call("identify", anonymousId=mine, traits=known))
    )
    yield Attack("alias", tuple(_aliases(stranger, mine)))
    yield Attack("group", (_call("group", **as_them, groupId="staff", traits={"country": "DE", **known}),))
    yield Attack("traits", tuple(_traits(as_them, known, mine)))
    yield Attack("orders", tuple(_track(name, **as_them, context={"traits": known}) for name in _DEEDS))
    yield Attack("external ids", (_call("identify", anonymousId=mine, context={"externalIds": _external(stranger)}),))
    yield Attack("subscribe", tuple(_subscriptions(stranger, as_them, mine)))
    yield Attack("banner", tuple(_preferences(as_them, True)))
    yield Attack("privacy control", (_track("Page Viewed", **as_them),), (("Sec-GPC", "1"),))
    yield Attack("refuse", tuple(_preferences(as_them, False)))
    yield Attack("child", (_call("identify", **as_them, traits={**known, "birthday": "2020-05-05"}),))
    yield Attack("times", tuple(_times(as_them, known)))
    yield Attack("unsubscribe", tuple(_unsubscriptions(stranger, mine)), silences=True)


def attacks_from(stranger: people.Person) -> Iterator[Attack]:
    """Yield attacks by somebody who even knows the id that stands in the stranger's browser."""
    device, words = stranger.device, {"notice": "newsletter", "notice_version": "1", "language": "ja"}
    as_them = {"userId": stranger.user_id, "anonymousId": device}
    yield Attack("crowd", tuple(_call("identify", anonymousId=device, traits={"email": junk}) for junk in _junk(150)))
    yield Attack("other logins", tuple(_call("identify", anonymousId=device, userId=junk) for junk in _junk(150)))
    yield Attack("other browsers", tuple(_call("alias", anonymousId=device, previousId=junk) for junk in _junk(150)))
    yield Attack("residence", (_call("identify", **as_them, traits={"country": "US", "birthday": "1900-01-01"}),))
    subscription = {**words, "method": "checkbox", "email": stranger.email}
    yield Attack("letters", (_track("Newsletter Subscribed", **as_them, properties=subscription),))
    yield Attack("customer", tuple(_track(name, **as_them) for name in _DEEDS))


def _junk(size: int) -> list[str]:
    return [f"junk{n}@mallory.example" for n in range(size)]


_DEEDS = ("Order Completed", "Order Completed", "Order Refunded", "Product Shared", "Checkout Started", "Signed Up")


def _aliases(stranger: people.Person, mine: str) -> Iterator[dict[str, Any]]:
    for theirs in (stranger.user_id, stranger.email, stranger.phone, stranger.line_uid, stranger.crm_id):
        yield _call("alias", userId=theirs, previousId=mine)
        yield _call("alias", userId=mine, previousId=theirs)
        yield _call("alias", userId=theirs, previousId=theirs, anonymousId=mine)
        yield _call("identify", anonymousId=theirs, userId=mine)


def _traits(as_them: dict[str, Any], known: dict[str, Any], mine: str) -> Iterator[dict[str, Any]]:
    for said in (
        {"country": "US", "birthday": "1900-02-03", "address": {"country": "US", "postalCode": "10115"}},
        {"country": "DE", "birthday": "1990-02-03", "tier": "gold", "loyalty_points": 10**6, "name": "Mallory"},
        {"country": None, "birthday": None, "address": None, "email": None, "phone": None},
    ):
        yield _call("identify", **as_them, traits={**known, **said})
        yield _call("identify", userId=as_them["userId"], traits=said)
        yield _track("Page Viewed", anonymousId=mine, context={"traits": {**known, **said}})


def _subscriptions(stranger: people.Person, as_them: dict[str, Any], mine: str) -> Iterator[dict[str, Any]]:
    words = {"notice": "newsletter", "notice_version": "1", "language": "ja", "method": "checkbox"}
    for who in (as_them, {"anonymousId": mine}, {"userId": stranger.user_id}):
        yield _track("Newsletter Subscribed", **who, properties={**words, "email": stranger.email})
        yield _track("Newsletter Subscribed", **who, properties=words, context={"traits": {"email": stranger.email}})
        yield _call("identify", **who, traits={"email": stranger.email, "email_marketing": True, "subscribed": "yes"})


def _unsubscriptions(stranger: people.Person, mine: str) -> Iterator[dict[str, Any]]:
    yield _track("Newsletter Unsubscribed", anonymousId=mine, properties={"email": stranger.email})


def _preferences(as_them: dict[str, Any], yes: bool) -> Iterator[dict[str, Any]]:
    choices = dict.fromkeys(("Advertising", "Marketing", "Analytics", "Functional", "C0002", "C0004"), yes)
    ids = {"allowedConsentIds" if yes else "deniedConsentIds": list(choices)}
    for name in ("Segment Consent Preference Updated", "Page Viewed"):
        for who in (as_them, {"userId": as_them["userId"]}):
            yield _track(name, **who, context={"consent": {"categoryPreferences": choices}})
            yield _track(name, **who, context={"consentManagement": ids})


def _times(as_them: dict[str, Any], known: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for instant in ("1970-01-01T00:00:00Z", "1999-12-31T23:59:59Z", "2199-01-01T00:00:00Z", "9999-12-31T23:59:59Z"):
        for sent in (None, "1970-01-02T00:00:00Z", "9998-01-01T00:00:00Z"):
            clock = {"timestamp": instant, "originalTimestamp": instant, "sentAt": sent}
            yield _call("identify", **as_them, traits={**known, "country": "US"}, **clock)


def _external(stranger: people.Person) -> list[dict[str, Any]]:
    named = (("line_uid", stranger.line_uid), ("crm_id", stranger.crm_id), ("email", stranger.email))
    return [{"type": kind, "id": value, "collection": "users", "encoding": "none"} for kind, value in named]


def _track(event: str, **call: Any) -> dict[str, Any]:
    order = {"order_id": "order-of-mallory", "total": 99_000_000, "currency": "JPY"}
    return _call("track", event=event, **{"properties": order, **call})


def _call(type: str, **call: Any) -> dict[str, Any]:
    return {"type": type, **call}
