"""Answers what a scenario asks of a breach: of which kinds it is, and by when it must be told."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cdp.errors import Problem
from cdp.gate.rehearsal import Answer
from cdp.policy.terms import Policy
from cdp.rights import periods
from cdp.rights.breach.facts import Facts
from cdp.rights.breach.rules import japanese_classes

_NOT_REPORTED = "register only"


def classify(policy: Policy, said: Mapping[str, Any], at: datetime) -> Answer:
    """Return the kinds of APPI rule 7, as `3 (60 days)`, or that the register is enough."""
    try:
        terms = periods.for_breaches(policy)
    except Problem as problem:
        return Answer(f"nothing: {problem.detail}")
    facts = Facts(aware_at=at, aware_by="team", **{"risk": "risk", "malicious": False, "property_damage": 0, **said})
    kinds = japanese_classes(facts, terms)
    if not kinds:
        return Answer(_NOT_REPORTED, references=frozenset({"APPI 26(1)"}))
    days = terms.final_days_malicious if 3 in kinds else terms.final_days
    return Answer(f"{', '.join(map(str, kinds))} ({days} days)", references=frozenset({"APPI 26(1)"}))
