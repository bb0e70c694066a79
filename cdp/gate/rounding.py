"""How exact a number of people may be told to whom (ruling R7).

Whoever may list them is told every number. Others are told multiples of five, and nothing of fewer than twenty.
"""

from cdp.policy.terms import Policy, Use

CITED = ("GDPR Recital 26", "GDPR 25", "GDPR 32", "APPI 23")
"""What rounding rests on: two rounded numbers of one caller differ in nobody."""

SMALLEST = 20
"""Fewest people that a rounded number may speak of."""

STEP = 5


SMALLEST_FOR_THIRD_PARTIES = 100
"""Fewest people of a list that leaves for somebody who decides on it themselves."""


def smallest_list(terms: Policy, use: Use, declared: int = 0) -> int:
    """Return the fewest people that this recipient may be given at once (ruling R7).

    100 for third parties and none for a processor, or more where recipient or audience declare it;
    what the person asked for (essential purposes) passes every size limit (ruling R4).
    """
    if terms.purposes[use.purpose].kind == "essential":
        return 0
    recipient = terms.recipients[use.recipient]
    least = SMALLEST_FOR_THIRD_PARTIES if recipient.role_in_law == "third_party" else 0
    return max(declared, recipient.min_list, least)


def told(people: int, exact: bool = False) -> int | None:
    """Return the number as it may be told; None: too few to say."""
    if exact:
        return people
    return people - people % STEP if people >= SMALLEST else None
