"""Decisions in force that the evidence does not show, as a bug or a lost table leaves them: found, and upheld again.

Resolving goes by what is set aside and blocked: were that lost, everybody would be resolved well, and somebody's word
be gone.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from typing import NamedTuple

from sqlalchemy import Select, or_, select
from sqlmodel import Session, col

from cdp.identity import aside, cases, graph, places, resolution, seeing
from cdp.identity.model import Aside, Identifier, Override, OverrideValue, SourceHold, Token
from cdp.identity.rules import TokenKey
from cdp.profile.model import Subject

OF_VALUES = ("block", "shared")
OF_EVIDENCE = {"retract": Aside.RETRACTED, "expire": Aside.LEFT, "hold": Aside.HELD}
RELEASED = "released"

CAUSE = "rebuild"


class Lost(NamedTuple):
    """What stands, and what was said is otherwise."""

    kind: str
    """Of the decision that does not hold; `released`: held, though its source is not on hold."""
    decision: int
    """0 where it is released."""
    key: TokenKey
    subject: int
    """0 = the value means the same for everybody."""


def lost(session: Session) -> list[Lost]:
    """Return what decisions in force say and the evidence does not, and what is held without a hold."""
    found = _values(session)
    for kind, why in OF_EVIDENCE.items():
        found += _evidence(session, kind, why)
    return found + _released(session)


def steps(found: Iterable[Lost], lot: int) -> list[Callable[[Session], None]]:
    """Return what brings these back, a transaction each: of one decision, and of some values or subjects."""
    work: list[Callable[[Session], None]] = []
    whose: dict[int, list[Lost]] = defaultdict(list)
    for one in found:
        whose[one.decision].append(one)
    for decision, several in sorted(whose.items()):
        for first in range(0, len(several), lot):
            some = several[first : first + lot]
            work.append(partial(_uphold, decision, some) if decision else partial(_release, lot))
    return work


def _values(session: Session) -> list[Lost]:
    stands = (col(Token.namespace) == col(OverrideValue.namespace), col(Token.token) == col(OverrideValue.token))
    query = (
        select(col(Override.kind), col(Override.id), col(OverrideValue.namespace), col(OverrideValue.token))
        .join(OverrideValue, col(OverrideValue.override) == col(Override.id))
        .outerjoin(Token, stands[0] & stands[1])
        .where(col(Override.kind).in_(OF_VALUES), col(Override.revoked_at).is_(None))
        .where(or_(col(Token.state).is_(None), col(Token.state) != "blocked"))
    )
    return sorted(Lost(kind, number, (name, bytes(token)), 0) for kind, number, name, token in session.execute(query))


def _evidence(session: Session, kind: str, why: Aside) -> list[Lost]:
    rows = session.execute(_counting_again(kind, why))
    return sorted(Lost(kind, number, (name, bytes(token)), one) for number, name, token, one in rows)


@cache
def _counting_again(kind: str, why: Aside) -> Select[int | None, str, bytes, int]:
    """Select evidence that counts, and that a decision in force of this kind was said of; made once: it is long."""
    columns = (col(Identifier.namespace), col(Identifier.token), col(Identifier.subject))
    counts = col(Identifier.aside).op("&")(int(why)) == 0
    in_force = (col(Override.kind) == kind, col(Override.revoked_at).is_(None))
    return select(col(Override.id), *columns).where(*in_force, *seeing.is_said(Identifier), counts)


def _released(session: Session) -> list[Lost]:
    on_hold = select(col(SourceHold.source)).where(col(SourceHold.released_at).is_(None))
    query = select(col(Identifier.namespace), col(Identifier.token), col(Identifier.subject))
    query = query.join(Subject, col(Subject.number) == col(Identifier.subject))
    query = query.where(col(Identifier.aside).op("&")(int(Aside.HELD)) > 0, col(Subject.source).not_in(on_hold))
    return sorted(Lost(RELEASED, 0, (name, bytes(token)), one) for name, token, one in session.execute(query))


def _uphold(decision: int, found: Sequence[Lost], session: Session) -> None:
    """Let these values and this evidence be what the decision says, unless it was taken back meanwhile."""
    places.hold_still(session)
    keys, at = {one.key for one in found}, session.info["clock"].now()
    states = graph.lock_tokens(session, keys)
    row = session.get(Override, decision, populate_existing=True)
    if row is None or row.revoked_at is not None:
        return
    if row.kind in OF_VALUES:
        subjects = graph.holders(session, [key for key, state in states.items() if state not in graph.UNWALKED])
        turns = [cases.Turn(key, "blocked", "") for key in sorted(keys)]
        change = partial(resolution.turn, session, turns, at)
    else:
        subjects = {one.subject for one in found}
        change = partial(seeing.set_aside_by, session, decision, OF_EVIDENCE[row.kind], subjects)
    aside.change(session, keys, subjects, change, at, CAUSE)


def _release(lot: int, session: Session) -> None:
    aside.count_released(session, session.info["clock"].now(), lot)
