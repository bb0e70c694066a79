"""Which steps each right takes, and where a request stands in them."""

from collections.abc import Callable, Mapping
from typing import Any

from cdp.rights import erasure, packages, rectification, restriction, steps
from cdp.rights.model import SubjectRequest
from cdp.rights.steps import Step, Steps

Plan = Callable[[str, str, Mapping[str, Any]], Steps]
"""(right, requester, what is asked beside the right) → steps."""


def _always(taken: Steps) -> Plan:
    return lambda right, requester, asked: taken


RIGHTS: dict[str, Plan] = {
    "access": _always(packages.STEPS),
    "portability": _always(packages.STEPS),
    "appi_33": _always(packages.STEPS),
    "appi_33_5": _always(packages.STEPS),
    "erasure": _always(erasure.STEPS),
    "restriction": restriction.plan,
    "objection": restriction.plan,
    "appi_35": restriction.plan,
    "rectification": rectification.plan,
    "appi_34": rectification.plan,
}

REACHING = frozenset({"erasure", "restriction", "objection", "appi_35"})
"""Rights that reach whoever holds the identifier, proved or not; the others would give data to the wrong one."""

REQUESTERS = ("subject", "guardian", "agent", "staff")

WORDS = {"tell": "notice", "decide": "decision"}
"""Step that somebody takes by their word → what the request waits for until then."""


def next_step(request: SubjectRequest) -> tuple[str, Step | None]:
    """Return the step to take next, None for one that waits for a word; an empty name when there is none."""
    if request.state not in steps.OPEN or not request.verified:
        return "", None
    plan = RIGHTS[request.right](request.right, request.requester, steps.asked_of(request))
    return next(((name, step) for name, step in plan if not steps.is_taken(request, name)), ("", None))
