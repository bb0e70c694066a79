"""For which purposes may something be collected of a person at all: pure, from the person's standing.

A no to the purpose stops collecting for it under both laws, but for what a contract or a law demands.
"""

from collections.abc import Set
from functools import lru_cache

from cdp.consent.rules import NO
from cdp.gate.question import Standing
from cdp.policy.terms import Law, Policy, Purpose

_NOTHING = frozenset[str]()


def may_collect(policy: Policy, standing: Standing) -> bytes:
    """Return one byte per purpose, in the order of their names: 1 = may be collected for it."""
    by_law = _by_law(policy, standing.laws)
    if standing.erasing:
        return bytes(len(by_law))
    said: dict[str, set[str]] = {}
    for reach in standing.reaches:
        for consent in reach.consents:
            said.setdefault(consent.purpose, set()).add(consent.status)
    return bytes(_may_collect(said.get(name, _NOTHING), *grounds) for name, *grounds in by_law)


@lru_cache(maxsize=1 << 12)
def named(policy: Policy, collect: bytes) -> frozenset[str]:
    """Return the purposes that these bytes say yes to."""
    return frozenset(name for name, yes in zip(sorted(policy.purposes), collect, strict=True) if yes)


@lru_cache(maxsize=8)
def from_anyone(policy: Policy) -> frozenset[str]:
    """Return the purposes for which something may be collected of everybody who is not being erased."""
    return frozenset(
        name
        for name, purpose in policy.purposes.items()
        if _needs_no_consent(purpose) and all(_stands_alone(purpose, law) for law in policy.packs)
    )


@lru_cache(maxsize=1 << 10)
def is_special(policy: Policy, field: str) -> bool:
    """Whether a trait is of a special category under any law; one of an undeclared category is."""
    category = policy.categories.get(policy.category_of(field), {})
    return category.get("gdpr_class") != "ordinary" or category.get("appi_class") != "ordinary"


def may_keep_special(policy: Policy, field: str, allowed: frozenset[str]) -> bool:
    """Whether one of these purposes, for which something may be collected, has explicit consent to this field."""
    purposes = (policy.purposes[name] for name in allowed)
    return any(field in one.fields and all(_is_explicit(one, law) for law in policy.packs) for one in purposes)


def _is_explicit(purpose: Purpose, law: Law) -> bool:
    basis = purpose.basis(law)
    return basis is not None and basis.kind == "consent" and basis.explicit


@lru_cache(maxsize=64)
def _by_law(policy: Policy, laws: Law) -> tuple[tuple[str, bool, bool], ...]:
    """Return each purpose, whether it needs no consent whatever was said, and whether none if nothing was."""
    purposes = sorted(policy.purposes.items())
    return tuple(
        (name, _needs_no_consent(purpose), all(_stands_alone(purpose, law) for law in Law if law & laws))
        for name, purpose in purposes
    )


def _may_collect(said: Set[str], needs_none: bool, stands_alone: bool) -> bool:
    if "given" in said:
        return True
    return needs_none if said & NO else stands_alone


def _stands_alone(purpose: Purpose, law: Law) -> bool:
    basis = purpose.basis(law)
    return basis is not None and basis.kind != "consent"


def _needs_no_consent(purpose: Purpose) -> bool:
    return bool(purpose.bases) and all(basis.kind in ("contract", "legal_obligation") for _, basis in purpose.bases)
