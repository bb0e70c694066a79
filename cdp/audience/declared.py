"""The audiences that a policy declares, and which traits a purpose lets a rule ask for."""

from collections.abc import Collection, Mapping
from typing import Any

from cdp.audience.reading import read
from cdp.audience.rule import COUNTRY, Rule, clauses, trait_of
from cdp.errors import FieldError, Problem
from cdp.policy.terms import Policy


def load(policy: Policy, name: str) -> Rule:
    """Return the rule of a declared audience; raises Problem 404 `unknown_audience` or 422 `invalid_rule`."""
    return read(find(policy, name).get("rule"), policy)


def find(policy: Policy, name: str) -> Mapping[str, Any]:
    """Return an audience as it is declared; raises Problem 404 `unknown_audience`."""
    declared = policy.audiences.get(name)
    if declared is None:
        raise Problem(404, "unknown_audience", "There is no audience of this name: GET /api/audiences lists them.")
    return declared


def check(policy: Policy) -> list[str]:
    """Return one line per mistake in the declared audiences, each with its file and pointer."""
    found = []
    for name in policy.audiences:
        try:
            load(policy, name)
        except Problem as problem:
            found += [f"audiences/{name}.yaml rule{error.pointer}: {error.detail}" for error in problem.errors]
    return found


def check_traits(rule: Rule, usable: Collection[str]) -> None:
    """Refuse a rule that asks for other traits; raises Problem 422 `field_not_allowed` with a pointer per trait.

    Country may always be asked for, as every decision about a person asks for it.
    """
    asked = ((pointer, trait_of(node)) for pointer, node in clauses(rule))
    outside = [pointer for pointer, name in asked if name not in ("", COUNTRY, *usable)]
    if outside:
        errors = [FieldError(pointer or "/", "This trait is not used for this purpose.") for pointer in outside]
        raise Problem(422, "field_not_allowed", "The rule asks for what the purpose does not use.", errors=errors)
