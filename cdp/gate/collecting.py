"""For which purposes may something be collected of a person at all: pure, from the person's standing.

A no to the purpose stops collecting for it under both laws, but for what a contract or a law demands.
"""

from functools import lru_cache

from cdp.consent.rules import NO
from cdp.gate.question import Standing
from cdp.policy.terms import Law, Policy, Purpose


@lru_cache(maxsize=1 << 16)
def may_collect(policy: Policy, standing: Standing) -> bytes:
    """Return one byte per purpose, in the order of their names: 1 = may be collected for it."""
    if standing.erasing:
        return bytes(len(policy.purposes))
    return bytes(_may_collect(policy.purposes[name], standing) for name in sorted(policy.purposes))


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


def _may_collect(purpose: Purpose, standing: Standing) -> bool:
    said = [consent for reach in standing.reaches if (consent := reach.consent(purpose.name))]
    agreed = any(consent.status == "given" for consent in said)
    if not agreed and any(consent.status in NO for consent in said):
        return _needs_no_consent(purpose)
    return agreed or all(_stands_alone(purpose, law) for law in Law if law & standing.laws)


def _stands_alone(purpose: Purpose, law: Law) -> bool:
    basis = purpose.basis(law)
    return basis is not None and basis.kind != "consent"


def _needs_no_consent(purpose: Purpose) -> bool:
    return bool(purpose.bases) and all(basis.kind in ("contract", "legal_obligation") for _, basis in purpose.bases)
