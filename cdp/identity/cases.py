"""What stood in the way of joining, for somebody to look at: opened and closed as the evidence changes.

A case never decides anything by itself. What was held stays apart until a person says otherwise, and a case
whose evidence is gone closes without one.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlmodel import Session, col

from cdp.db import chunked
from cdp.identity import config, graph
from cdp.identity.model import IdentityCase
from cdp.identity.rules import TokenKey
from cdp.policy.terms import Namespace

NOTICE, REVIEW, ALARM = "notice", "review", "alarm"

_SILENT = ("active", "blocked", "cannot")
"""Nothing stands in the way, or a person said so."""


class Turn(NamedTuple):
    """What became of a token."""

    key: TokenKey
    state: str
    """active | generic | shared | conflict | blocked"""
    conflict: str
    """Which rule stands in the way, where the state is conflict."""
    is_kin: bool = False
    """What was derived from another value that stands in the way itself: one case is enough."""
    is_new: bool = True
    """The state is another than before; else only whether it is kin may be."""

    @property
    def rule(self) -> str:
        return self.conflict or self.state


def follow(session: Session, turns: Sequence[Turn], at: datetime) -> None:
    """Open a case for each token that may not join any more, and close those of tokens that may again.

    What somebody answered is not asked again while the state is the same.
    """
    if not turns:
        return
    standing = _standing(session, [turn.key for turn in turns])
    terms = config.namespaces(session)
    for turn in turns:
        case, said = standing.get(turn.key), severity(turn, terms.get(turn.key[0]))
        is_open = case is not None and case.state == "open"
        if turn.is_kin or turn.rule in _SILENT:
            if case is not None and is_open:
                case.state, case.closed_at = "gone", at
        elif case is not None and is_open:
            case.rule, case.severity = turn.rule, said
        elif turn.is_new or case is None or case.state == "gone":
            session.add(
                IdentityCase(
                    rule=turn.rule,
                    severity=said,
                    namespace=turn.key[0],
                    token=turn.key[1],
                    state="open",
                    opened_at=at,
                )
            )
    session.flush()


def severity(turn: Turn, term: Namespace | None) -> str:
    """Return how much a turn asks for somebody: a person of too many records at once, a device hardly ever."""
    if turn.rule == "size":
        return ALARM
    if turn.rule in ("veto", "weight", "generic", "shared"):
        return REVIEW
    return REVIEW if term is not None and term.on_conflict == "review" else NOTICE


def _standing(session: Session, keys: Iterable[TokenKey]) -> dict[TokenKey, IdentityCase]:
    """Return the case of each value: the open one, else the newest."""
    found: dict[TokenKey, IdentityCase] = {}
    for some in chunked(sorted(set(keys)), graph.MANY):
        query = select(IdentityCase).where(graph.among(IdentityCase, some))
        for row in session.scalars(query.order_by(col(IdentityCase.state) == "open", col(IdentityCase.id))):
            found[row.namespace, bytes(row.token)] = row
    return found
