"""How many people of an audience may be reached for a use, and why the others may not: one query, no row per person.

Whom is counted (ruling R8): whoever matches, is not being erased and is not restricted. Each counts
once, as reachable or under the first rule that refuses.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from cdp import gate, policy
from cdp.audience.compile import compile
from cdp.audience.declared import load
from cdp.audience.members import name_of
from cdp.audience.rule import Rule
from cdp.gate import reasons
from cdp.gate.decide import beyond_of, recipient_refusals
from cdp.gate.model import Permission
from cdp.gate.question import Reason
from cdp.gate.rounding import SMALLEST, told
from cdp.policy.terms import Law, Use
from cdp.profile.model import Person

NOT_SETTLED = "not_settled"
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Counted:
    """An answer to "how many": exact, or rounded for whoever may not list the members."""

    count: int | None
    """None: too few to say."""
    as_of: datetime
    refused: dict[str, int] = field(default_factory=dict)
    """Reason code → people, most first."""

    @property
    def suppressed(self) -> bool:
        return self.count is None


def count(session: Session, asked: str | Rule, use: Use, at: datetime) -> Counted:
    """Count an audience by name, or an unsaved rule; raises what `rule.load` raises."""
    rule = load(policy.of(session), asked) if isinstance(asked, str) else asked
    terms = policy.of(session)
    denied = recipient_refusals(terms, use, at.date(), beyond_of(terms, name_of(terms, asked)))
    found: Counter[str] = Counter()
    for code, laws, believed, people in session.execute(_by_answer(session, rule, use, at)):
        found[_reason(code, laws, believed, denied)] += people
    allowed = found.pop("", 0)
    return Counted(allowed, at, dict(found.most_common()))


def rounded(counted: Counted) -> Counted:
    """Return what may be told to callers who may not list the members (R7).

    Below 20 nothing is told. Otherwise every number is rounded down to a multiple of 5, and reasons of
    fewer than 20 people are merged into `other`, which is left out while it is smaller than that itself.
    """
    number = None if counted.count is None else told(counted.count)
    if number is None:
        return Counted(None, counted.as_of)
    refused = {reason: told(people) or 0 for reason, people in _merged(counted.refused).items()}
    return Counted(number, counted.as_of, refused)


def previewed(counted: Counted) -> Counted:
    """Return what a rule that nobody declared may tell, also to who may list the members.

    Such a rule can be cut to fit one person: of fewer than 20 matching people nothing is told, and
    reasons of fewer than 20 are merged into `other`, which is left out while it is smaller itself.
    """
    if counted.count is None or counted.count + sum(counted.refused.values()) < SMALLEST:
        return Counted(None, counted.as_of)
    return Counted(counted.count, counted.as_of, _merged(counted.refused))


def _merged(refused: Mapping[str, int]) -> dict[str, int]:
    """Keep the reasons of at least 20 people, and `other` for the rest if it has as many."""
    kept = {reason: people for reason, people in refused.items() if people >= SMALLEST}
    rest = sum(people for people in refused.values() if people < SMALLEST)
    return {**kept, OTHER: rest} if rest >= SMALLEST else kept


def _by_answer(session: Session, rule: Rule, use: Use, at: datetime) -> Any:
    """Group the matching people by what decides: the use's byte, the laws, and whether the row may be believed."""
    answers = (
        select(
            gate.code_of(use).label("code"),
            col(Permission.laws).label("laws"),
            gate.settled(session, at).label("believed"),
        )
        .select_from(Person)
        .outerjoin(Permission, col(Permission.person) == col(Person.person))
        .where(
            compile(session, rule, at),
            col(Permission.erasing).is_not(True),
            col(Permission.restricted).is_not(True),
        )
        .subquery()
    )
    return select(answers, func.count()).group_by(*answers.c)


def _reason(code: bytes | None, laws: int | None, believed: bool | None, denied: Mapping[Law, Reason]) -> str:
    """Return the first refusing rule's code, or "" for a yes; what nobody decided is `not_settled`."""
    if not believed or not code or laws is None:
        return NOT_SETTLED
    codes = [reason.code for law, reason in denied.items() if law & laws]
    codes += [reasons.CODES.get(code[0], NOT_SETTLED)] if code[0] else []
    return min(codes, key=reasons.RANKS.__getitem__) if codes else ""
