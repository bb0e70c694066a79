"""Why a person is in an audience or not: every clause of the rule, answered by the same SQL that lists the members."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from cdp import policy
from cdp.audience.compile import compile
from cdp.audience.declared import load
from cdp.audience.rule import Rule, clauses
from cdp.profile.model import Person


@dataclass(frozen=True, slots=True)
class Clause:
    """One node of a rule and its answer for one person."""

    pointer: str
    """JSON pointer into the rule; "" is the whole rule."""
    rule: Rule
    holds: bool


def explain(session: Session, asked: str | Rule, person: int, at: datetime) -> list[Clause] | None:
    """Answer each clause for one person, the whole rule first; None for a person whom nobody knows."""
    rule = load(policy.of(session), asked) if isinstance(asked, str) else asked
    nodes = list(clauses(rule))
    answers = [compile(session, node, at, (person,)).label(f"c{n}") for n, (_, node) in enumerate(nodes)]
    row = session.execute(select(*answers).select_from(Person).where(col(Person.person) == person)).first()
    if row is None:
        return None
    return [Clause(pointer, node, bool(held)) for (pointer, node), held in zip(nodes, row, strict=True)]
