"""How exact a number of people may be told to whom (ruling R7).

Whoever may list them is told every number. Others are told multiples of five, and nothing of fewer than twenty.
"""

SMALLEST = 20
"""Fewest people that a rounded number may speak of."""

STEP = 5


def told(people: int, exact: bool = False) -> int | None:
    """Return the number as it may be told; None: too few to say."""
    if exact:
        return people
    return people - people % STEP if people >= SMALLEST else None
