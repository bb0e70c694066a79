"""Brings everybody to what the evidence says, in lots, each a transaction: may be killed and begun again."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from sqlmodel import Session

from cdp.db import Database, chunked
from cdp.identity import graph, resolution
from cdp.identity.rebuild.comparing import Difference
from cdp.identity.rebuild.upholding import Lost, steps
from cdp.identity.rules import TokenKey

Told = Callable[[int, int], None]

LOT = 200

CAUSE = "rebuild"


def apply(
    database: Database,
    found: Difference,
    lost: Iterable[Lost] = (),
    told: Told = lambda done, total: None,
    lot: int = LOT,
) -> None:
    """Uphold decisions again, then resolve again whoever differs, values that turn generic or turn back first."""
    work: list[Callable[[Session], None]] = steps(lost, lot)
    work += [partial(turn, some) for some in chunked(found.generic, lot)]
    work += [partial(believe, some) for some in chunked(found.values, lot)]
    work += [partial(settle, some) for some in chunked(found.subjects, lot)]
    for done, step in enumerate(work):
        told(done, len(work))
        database.attempt(step)
    told(len(work), len(work))


def turn(keys: Sequence[TokenKey], session: Session) -> None:
    """Bring up to date which values are generic, and resolve whoever has one that may link again."""
    graph.lock_tokens(session, keys)
    at = session.info["clock"].now()
    back = resolution.reconsider(session, keys, at)
    resolution.resolve(session, graph.holders(session, back), at, CAUSE)


def believe(keys: Sequence[TokenKey], session: Session) -> None:
    """Bring up to date which values are in conflict or shared; none is of a kind that joins nobody any more."""
    graph.lock_tokens(session, keys)
    at = session.info["clock"].now()
    resolution.reconsider(session, keys, at)
    resolution.resolve(session, graph.holders(session, keys), at, CAUSE)


def settle(subjects: Sequence[int], session: Session) -> None:
    """Resolve these subjects, and everybody who is one person with them now."""
    resolution.resolve(session, resolution.company(session, subjects), session.info["clock"].now(), CAUSE)
