"""Numbers the contents of `policies/`, and knows which of them give people the same answers.

Of a change of words, of a renewed contract, of an audience, nobody's answers speak: such a version shares the
number that permissions are written under, and nobody is decided again. What is left out of the comparison is
named here, so that anything new in a policy counts until somebody has looked.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Table, bindparam, func, select, update
from sqlmodel import Session, col

from cdp import policy, statements
from cdp.consent import rules as consent_rules
from cdp.db import insert_ignoring
from cdp.gate import history
from cdp.gate.model import PolicyVersion
from cdp.identity import belonging
from cdp.policy.terms import Policy

NO_VERSION = -1
"""A number that no row has."""

WORDS = frozenset({"title", "why", "title_ja", "title_en", "text_ja", "text_en", "body", "sha256", "dpv"})
"""What people read and no rule does."""

ABOUT_RECIPIENTS = frozenset({"address", "representative", "contract", "contract_until", "supervised"})
"""What is asked of a recipient at each request, for everybody at once, and stands in nobody's row."""

PROGRAM = hashlib.sha256(
    b"".join(
        path.read_bytes()
        for path in sorted(
            [
                *Path(__file__).with_name("laws").glob("*.py"),
                *(
                    Path(__file__).with_name(name)
                    for name in ("decide.py", "register.py", "situating.py", "standing.py")
                ),
                Path(consent_rules.__file__),
                Path(belonging.__file__),
            ]
        )
    )
).hexdigest()
"""Of the rules as they are written: another release's answers are another version's."""

_LEFT_OUT = WORDS | ABOUT_RECIPIENTS
_CONTROLLER = ("establishments", "time_zone")


class Parts(NamedTuple):
    """Digests of what each settler rests on: `cdp.profile`, `cdp.gate`, `cdp.journey`."""

    traits: str
    rules: str
    journeys: str


class Version(NamedTuple):
    """One content of `policies/` in this database."""

    id: int
    """Its own number: what disclosures are recorded under."""
    answers: int
    """Number of the first version with the same answers: what permissions are written under."""


@lru_cache(maxsize=8)
def parts(terms: Policy) -> Parts:
    """Return the digests of what people's rows are derived from."""
    rules = {
        "program": PROGRAM,
        "controller": {name: getattr(terms.controller, name) for name in _CONTROLLER},
        "purposes": terms.purposes,
        "recipients": terms.recipients,
        "notices": {"/".join(key): notice for key, notice in terms.notices.items()},
        "categories": terms.categories,
        "category_of": {name: terms.category_of(name) for name in (*terms.traits, *terms.namespaces)},
        "packs": {law.name: pack for law, pack in terms.packs.items()},
        "uses": terms.uses,
        "retention": terms.retention,
    }
    slots = {name: (term.slot, term.type) for name, term in terms.traits.items() if term.slot}
    return Parts(*(_digest(one) for one in (slots, rules, terms.journeys)))


def version(session: Session) -> Version | None:
    """Return the version of the policy in force, or None while it is unregistered."""
    terms = policy.of(session)
    known: dict[str, Version] = session.info.setdefault("policy_versions", {})
    if terms.digest not in known:
        found = statements.rows(session, _NUMBERED, of=terms.digest, **parts(terms)._asdict())
        if not found:
            return None
        known[terms.digest] = Version(*found[0])
    return known[terms.digest]


def policy_number(session: Session) -> int:
    """Return the number of the policy in force, or one that no row has while it is unregistered."""
    found = version(session)
    return found.id if found else NO_VERSION


def answers_number(session: Session) -> int:
    """Return the number that believable permissions bear, or one that no row has."""
    found = version(session)
    return found.answers if found else NO_VERSION


def register(session: Session) -> Version:
    """Number the policy in force, once."""
    found = version(session)
    if found is None:
        terms = policy.of(session)
        kept = {"contents": history.contents_of(terms), "day": terms.on}
        row = {"digest": terms.digest, "at": session.info["clock"].now(), **kept, **parts(terms)._asdict()}
        insert_ignoring(session, PolicyVersion, [row])
        found = version(session)
    assert found is not None
    history.begin_period(session, found.id, session.info["clock"].now())
    return found


def describe(session: Session) -> None:
    """Write what the answers rest on where an older program numbered the policy in force."""
    mine = register(session)
    row = (col(PolicyVersion.id) == mine.id, col(PolicyVersion.rules) == "")
    session.execute(update(PolicyVersion).where(*row).values(**parts(policy.of(session))._asdict()))


def take_up(session: Session) -> None:
    """Say that the policy in force here is what everybody is to be decided under from now on."""
    mine = register(session)
    if _taken_up(session) == mine.id:
        return
    latest = session.scalar(select(func.max(col(PolicyVersion.taken_up_at))))
    # Another host's clock may be ahead: whoever takes up last is last all the same.
    at = max(filter(None, (session.info["clock"].now(), latest and latest + timedelta(microseconds=1))))
    session.execute(update(PolicyVersion).where(col(PolicyVersion.id) == mine.id).values(taken_up_at=at))


def is_overtaken(session: Session) -> bool:
    """Whether another process took a later policy up: who still runs this one decides nobody back."""
    taken = _taken_up(session)
    return taken is not None and taken != policy_number(session)


def answers_since(session: Session, before: datetime) -> int | None:
    """Return the number that permissions should bear by now: that of the policy taken up last, if before then."""
    number = _taken_up(session)
    row = session.get(PolicyVersion, number, populate_existing=True) if number is not None else None
    if row is None or row.taken_up_at is None or row.taken_up_at >= before:
        return None
    return _first_alike(session, Parts(row.traits, row.rules, row.journeys)) or number


def differing(session: Session, number: int) -> set[str]:
    """Return in which parts the version of this number differs from the policy in force; unknown is all of them."""
    columns = [col(getattr(PolicyVersion, name)) for name in Parts._fields]
    row = session.execute(select(*columns).where(col(PolicyVersion.id) == number)).first()
    mine = parts(policy.of(session))
    return {name for name in Parts._fields if row is None or getattr(row, name) != getattr(mine, name)}


def _first_alike(session: Session, wanted: Parts) -> int | None:
    found: list[int | None] = statements.column(session, _FIRST_ALIKE, **wanted._asdict())
    return found[0]


_TABLE: Table = PolicyVersion.__table__  # type: ignore[attr-defined]
_ALIKE = _TABLE.alias("alike")
_FIRST_ALIKE = select(func.min(_ALIKE.c.id)).where(*(_ALIKE.c[name] == bindparam(name) for name in Parts._fields))
_NUMBERED = select(_TABLE.c.id, func.coalesce(_FIRST_ALIKE.scalar_subquery(), _TABLE.c.id)).where(
    _TABLE.c.digest == bindparam("of")
)


def _taken_up(session: Session) -> int | None:
    query = select(col(PolicyVersion.id)).where(col(PolicyVersion.taken_up_at).is_not(None))
    return session.scalar(query.order_by(col(PolicyVersion.taken_up_at).desc(), col(PolicyVersion.id).desc()).limit(1))


def _digest(value: Any) -> str:
    canonical = json.dumps(_plain(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _plain(value: Any) -> Any:
    """Return the value without what nobody's answers rest on, as JSON knows it."""
    if is_dataclass(value) and not isinstance(value, type):
        value = {one.name: getattr(value, one.name) for one in fields(value) if one.name not in _LEFT_OUT}
    if isinstance(value, Mapping):
        kept = {str(name): one for name, one in value.items() if name not in _LEFT_OUT}
        return {name: _plain(one) for name, one in kept.items()}
    if isinstance(value, frozenset | set):
        return sorted(json.dumps(_plain(one)) for one in value)
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, date | datetime) else value
