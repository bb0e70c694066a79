"""Who is in an audience and may be reached for a use, page by page in the order of person numbers.

It proposes people; what of them may be opened is decided again by the gate for every page. It refuses
third parties an audience that is too small to hide anyone in (`small_audience`, ruling R7).
"""

from datetime import datetime

from sqlmodel import Session, col

from cdp import policy
from cdp.audience.compile import compile
from cdp.audience.declared import load
from cdp.audience.rule import Rule
from cdp.errors import Refusal
from cdp.gate import listing
from cdp.gate.rounding import smallest_list
from cdp.policy.terms import Policy, Use
from cdp.profile.model import Person

SMALL = "small_audience"


def page(session: Session, asked: str | Rule, use: Use, at: datetime, after: int = 0, limit: int = 500) -> list[int]:
    """Return up to `limit` permitted people with numbers above `after`, ascending; raises what `rule.load` raises."""
    rule = load(policy.of(session), asked) if isinstance(asked, str) else asked
    query = (
        listing.listed(session, compile(session, rule, at), use, at, name_of(policy.of(session), asked))
        .where(col(Person.person) > after)
        .order_by(col(Person.person))
        .limit(limit)
    )
    return list(session.scalars(query))


def refuse_small(session: Session, asked: str | Rule, use: Use, at: datetime, least: int = 0) -> Refusal | None:
    """Refuse (`small_audience`) to list fewer people than the recipient must be given at least.

    `least` is what a stored definition asks for, if it asks for more than the policy does.
    """
    least = max(least, smallest(policy.of(session), asked, use))
    if least <= 1:
        return None
    rule = load(policy.of(session), asked) if isinstance(asked, str) else asked
    matching, name = compile(session, rule, at), name_of(policy.of(session), asked)
    return Refusal(SMALL) if listing.is_fewer(session, matching, use, at, least, name) else None


def smallest(terms: Policy, asked: str | Rule, use: Use) -> int:
    """Return the fewest people that this recipient may be given of this audience, or of no audience (""), at once."""
    declared = terms.audiences.get(asked, {}).get("min_size", 0) if isinstance(asked, str) else 0
    return smallest_list(terms, use, int(declared))


def name_of(terms: Policy, asked: str | Rule) -> str:
    """Return the audience's name; of an unsaved rule that of a declared audience that asks the same, if there is one.

    What such a list says of people it says under any name.
    """
    if isinstance(asked, str):
        return asked
    return next((name for name in terms.audiences if load(terms, name) == asked), "")
