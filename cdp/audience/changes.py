"""An audience, or any rule, as a list that can be followed: who entered and who left since a position."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement
from sqlmodel import Session

from cdp.audience.compile import compile
from cdp.audience.declared import load
from cdp.audience.members import smallest
from cdp.audience.rule import Rule
from cdp.gate import feed
from cdp.policy.terms import Policy, Use


def follow(terms: Policy, asked: str | Rule, use: Use, name: str) -> feed.List:
    """Return the list of an audience by its name, or of a rule; raises what `rule.load` raises.

    `name` is what the feed goes by: `audience:<name>` or `stage:<journey>/<stage>`.
    """
    rule = load(terms, asked) if isinstance(asked, str) else asked

    def matching(
        session: Session, at: datetime, people: Sequence[int] | None, known_by: datetime | None
    ) -> ColumnElement[bool]:
        return compile(session, rule, at, people, known_by)

    return feed.List(name, matching, smallest(terms, asked, use))
