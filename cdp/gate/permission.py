"""Permissions: each person's answer to every use, kept up to date in the transaction that changes it.

Rule: a yes here means that a fresh `decide()` says yes. A row that is absent, of another policy
version, or past `holds_until` is a no.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, LargeBinary, Table, and_, delete, func, select
from sqlmodel import Session, col

from cdp import identity, policy, statements
from cdp.db import chunked, is_sqlite, unsettle, upsert
from cdp.gate import history, neighbours, versions
from cdp.gate.codes import person_codes
from cdp.gate.collecting import may_collect
from cdp.gate.model import Permission
from cdp.gate.standing import Situation, load
from cdp.policy.terms import Law, Policy, Use
from cdp.statements import one_of


def settle(session: Session, people: Iterable[int], at: datetime) -> None:
    """Decide every use again for these people, and those whose age they lend, and write their rows.

    Whoever waited here for others who joined or parted these people settles the people that came of it, too.
    """
    changed = set(people)
    wanted = sorted(changed | neighbours.ageless_beside(session, changed))
    kept = _lock(session, wanted)
    if not is_sqlite(session):  # where nobody waits for anybody
        unsettle(session, set(identity.people_of(session, wanted).values()).difference(wanted))
    situations = load(session, wanted, at)
    number = versions.register(session).answers
    digests = history.note(session, situations, kept, at)
    rows = [
        _row(policy.of(session), situations[one], number, at) | {"situation": digests[one]}
        for one in wanted
        if one in situations
    ]
    upsert(session, Permission, rows)
    for gone in chunked(one for one in wanted if one not in situations):
        statements.change(session, _GONE, some=gone)


def _lock(session: Session, people: Iterable[int]) -> dict[int, history.Kept]:
    """Let nobody else decide these people until the commit: what is read next is what all others wrote before.

    The rows that are written, in the order in which they are: whoever settles neighbours blocks nobody for ever.
    A row that came while we waited for another was not locked with it: who has none is looked for again. Returns
    what situation each of them stands for.
    """
    missing, kept = set(people), dict[int, history.Kept]()
    while missing and (locked := _locked(session, missing)):
        kept |= locked
        missing = set() if is_sqlite(session) else missing - locked.keys()
    return kept


def _locked(session: Session, people: Iterable[int]) -> dict[int, history.Kept]:
    found: dict[int, history.Kept] = {}
    for some in chunked(sorted(people)):
        rows = statements.rows(session, _LOCK, some=some)
        found.update((person, history.Kept(digest or b"", until)) for person, digest, until in rows)
    return found


_TABLE: Table = Permission.__table__  # type: ignore[attr-defined]
_GONE = delete(_TABLE).where(one_of(_TABLE.c.person))
_LOCK = (
    select(_TABLE.c.person, _TABLE.c.situation, _TABLE.c.holds_until)
    .where(one_of(_TABLE.c.person))
    .order_by(_TABLE.c.person)
    .with_for_update()
)


def permitted(session: Session, use: Use, denied: Law, at: datetime) -> ColumnElement[bool]:
    """Return the one SQL condition on `permission` rows that means "yes" for this use now.

    `denied` are the laws under which the recipient itself is refused at this instant.
    """
    return and_(settled(session, at), code_of(use) == b"\0", col(Permission.laws).op("&")(int(denied)) == 0)


def settled(session: Session, at: datetime) -> ColumnElement[bool]:
    """Return the condition that a permission row may be believed: this policy, this instant, not being erased."""
    return and_(
        col(Permission.policy) == versions.answers_number(session),
        col(Permission.holds_until) > at,
        col(Permission.erasing).is_(False),
    )


def code_of(use: Use) -> ColumnElement[bytes]:
    """Return the SQL expression of a row's one-byte answer to the use."""
    return func.substr(col(Permission.codes), use.index + 1, 1, type_=LargeBinary())


def _row(terms: Policy, situation: Situation, number: int, at: datetime) -> dict[str, Any]:
    standing = situation.standing
    return {
        "person": situation.person,
        "policy": number,
        "laws": int(standing.laws),
        "restricted": standing.restricted,
        "erasing": standing.erasing,
        "codes": person_codes(terms, standing),
        "collect": may_collect(terms, standing),
        "holds_until": situation.changes_at,
        "next_change_at": situation.changes_at,
        "settled_at": at,
    }
