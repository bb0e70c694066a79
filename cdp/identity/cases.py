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

    @property
    def rule(self) -> str:
        return self.conflict or self.state


def follow(session: Session, turns: Sequence[Turn], at: datetime) -> None:
    """Open a case for each token that may not join any more, and close those of tokens that may again."""
    if not turns:
        return
    standing = _open(session, [turn.key for turn in turns])
    terms = config.namespaces(session)
    for turn in turns:
        case, said = standing.get(turn.key), severity(turn, terms.get(turn.key[0]))
        if turn.is_kin or turn.rule in _SILENT:
            if case is not None:
                case.state, case.closed_at = "gone", at
        elif case is not None:
            case.rule, case.severity = turn.rule, said
        else:
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


def _open(session: Session, keys: Iterable[TokenKey]) -> dict[TokenKey, IdentityCase]:
    found: dict[TokenKey, IdentityCase] = {}
    for some in chunked(sorted(set(keys)), graph.MANY):
        query = select(IdentityCase).where(graph.among(IdentityCase, some), col(IdentityCase.state) == "open")
        found.update({(row.namespace, bytes(row.token)): row for row in session.scalars(query)})
    return found
