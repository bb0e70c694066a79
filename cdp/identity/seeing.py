"""When evidence was seen last, by the source's clock; what was not seen again for too long counts no more.

No rule asks what day it is. Expiry is a change of the evidence like any other: a worker sets aside what is
over, and it counts again once it is seen again, in any order of arrival.

What a person had corrected away is kept up to date with what stands: brought back, it is as if it had never gone.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Table, bindparam, exists, select, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from cdp import statements
from cdp.db import among, chunked
from cdp.identity import config, graph
from cdp.identity.belonging import IS_THEIRS
from cdp.identity.model import Aside, CorrectedIdentifier, Identifier, Override, OverrideValue
from cdp.identity.rules import TokenKey
from cdp.statements import one_of

EXPIRED = int(Aside.EXPIRED)

_TABLE: Table = Identifier.__table__  # type: ignore[attr-defined]
_REMOVED: Table = CorrectedIdentifier.__table__  # type: ignore[attr-defined]


def month_of(at: datetime) -> int:
    """Return the first day of the month as a number of days: fine enough for years, and seldom written."""
    return at.date().replace(day=1).toordinal()


def see_again(session: Session, seen: Mapping[int, datetime]) -> set[int]:
    """Remember that known subjects were seen with all they have; returns those of whom that may join or part people.

    Evidence may count again, and what a limit counts within a window, or who had a value last, may be another.
    """
    months = {subject: month_of(at) for subject, at in seen.items()}
    timed = {
        name for name, term in config.namespaces(session).items() if term.limit_days or term.on_conflict == "latest"
    }
    back: set[int] = set()
    stale: set[int] = set()
    turned: set[int] = set()
    for some in chunked(sorted(months), graph.MANY):
        for subject, namespace, month, aside in statements.rows(session, _SEEN, some=some):
            if month < months[subject]:
                stale.add(subject)
                back |= {subject} if aside & EXPIRED else set()
                turned |= {subject} if namespace in timed else set()
    later = [{"of": one, "month": months[one]} for one in sorted(stale)]
    for statement in _SEEN_AGAIN:
        statements.write(session, statement, later)
    return back | turned


def overdue(session: Session, on: date, limit: int) -> dict[TokenKey, set[int]]:
    """Return evidence that is over by this day and still counts: token → subjects; at most so many rows."""
    found: dict[TokenKey, set[int]] = defaultdict(set)
    left = limit
    for name, term in sorted(config.namespaces(session).items()):
        if not term.ttl_days or left <= 0:
            continue
        over = (on - timedelta(days=term.ttl_days)).toordinal()
        query = select(col(Identifier.token), col(Identifier.subject)).where(
            col(Identifier.namespace) == name,
            col(Identifier.aside).op("&")(EXPIRED) == 0,
            col(Identifier.seen) < over,
        )
        for token, subject in session.execute(query.order_by(col(Identifier.subject)).limit(left)):
            found[name, bytes(token)].add(subject)
            left -= 1
    return found


def earlier(session: Session, key: TokenKey) -> list[int]:
    """Return the subjects that had a value before those who were seen with it last; all, where nobody was later.

    Only evidence that counts says who was last, and a claim that nobody vouches for had nothing to lose. What is over
    or held and older goes along: it would come back. What is held and newer waits for its source. Whoever had it
    corrected away says nothing of who was last, and is told among them: it may be given back.
    """
    believed = graph.believed(config.namespaces(session))
    counted = select(col(Identifier.subject), col(Identifier.seen), IS_THEIRS.label("counts"))
    stands = session.execute(counted.where(graph.among(Identifier, [key]), believed)).all()
    removed = session.execute(
        select(col(CorrectedIdentifier.subject), col(CorrectedIdentifier.seen)).where(
            graph.among(CorrectedIdentifier, [key])
        )
    ).all()
    last = max((row.seen for row in stands if row.counts), default=None)
    if last is not None and not any(row.seen < last for row in stands):
        last += 1
    return sorted({row.subject for row in (*stands, *removed) if last is None or row.seen < last})


def set_aside(session: Session, keys: Iterable[TokenKey], why: Aside, subjects: Iterable[int] | None = None) -> None:
    """Let these values not count for a reason, on these subjects or on all; resolve whom they joined after it."""
    _change(session, keys, subjects, why, sets=True)


def take_back(session: Session, keys: Iterable[TokenKey], why: Aside, subjects: Iterable[int] | None = None) -> None:
    """Take a reason back: what has no other counts again; resolve whoever has it after it."""
    _change(session, keys, subjects, why, sets=False)


def set_aside_by(session: Session, decision: int, why: Aside, subjects: Iterable[int]) -> None:
    """Let what a decision was said of not count for a reason, on these subjects; resolve whom it joined after it."""
    whose = sorted(subjects)
    for table in (Identifier, CorrectedIdentifier):
        said = exists().where(col(Override.id) == decision, *is_said(table))
        free = (among(session, col(table.subject), whose), col(table.aside).op("&")(int(why)) == 0)
        session.execute(update(table).where(*free, said).values(aside=col(table.aside) + int(why)))


def is_said(table: type[Identifier | CorrectedIdentifier]) -> list[ColumnElement[bool]]:
    """Match evidence that a decision (of `Override`, `OverrideValue`) was said of; not what the person added since."""
    added = aliased(CorrectedIdentifier)
    same = (*_is_same(added, table), col(added.first_at) == col(table.first_at))
    since = exists().where(~col(added.removed), *same, col(added.first_at) >= col(Override.at))
    since = since.correlate(Override, table)  # also where two statements stand around it
    return [col(OverrideValue.override) == col(Override.id), *_is_same(OverrideValue, table), ~since]


def _is_same(one: Any, other: Any) -> list[ColumnElement[bool]]:
    return [getattr(one, name) == getattr(other, name) for name in ("namespace", "token", "subject")]


def _change(
    session: Session, keys: Iterable[TokenKey], subjects: Iterable[int] | None, why: Aside, *, sets: bool
) -> None:
    whose, bit = sorted(subjects) if subjects is not None else None, int(why)
    for some in chunked(sorted(keys), graph.MANY):
        for table in (Identifier, CorrectedIdentifier):
            aside = col(table.aside)
            changed = update(table).where(graph.among(table, some), aside.op("&")(bit) == (0 if sets else bit))
            if whose is not None:
                changed = changed.where(among(session, col(table.subject), whose))
            session.execute(changed.values(aside=aside + bit if sets else aside - bit))


_SEEN = select(_TABLE.c.subject, _TABLE.c.namespace, _TABLE.c.seen, _TABLE.c.aside).where(one_of(_TABLE.c.subject))
_SEEN_AGAIN = [
    update(table)
    .where(table.c.subject == bindparam("of"), table.c.seen < bindparam("month"))
    .values(seen=bindparam("month"), aside=table.c.aside - table.c.aside.op("&")(EXPIRED))
    for table in (_TABLE, _REMOVED)
]
