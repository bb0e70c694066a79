"""The laws, each a list of small rules; and which of them protect whom (ruling R1)."""

from collections.abc import Collection
from functools import lru_cache

from cdp.policy.terms import Law, Policy

ANYWHERE = frozenset({"*"})
"""Offers of a source that names no countries: it may address anybody."""


@lru_cache(maxsize=1 << 12)
def laws_for(
    policy: Policy,
    country: str,
    establishments: frozenset[str] = frozenset(),
    offers_to: frozenset[str] = ANYWHERE,
) -> Law:
    """Return the laws that protect a resident of the country, by who deals with them and whom it addresses.

    A law protects by the establishment in whose activity the data are processed (GDPR 3(1)), or by residence where
    people there are addressed (3(2), APPI 171). Empty `establishments` = the controller's. Unknown residence, or
    statements that conflict, mean every configured law, and so does a person whom no law claims: nobody is unprotected.
    """
    every = Law(0)
    found = Law(0)
    at = establishments or frozenset(policy.controller.establishments)
    addressed = bool(offers_to & {"*", country})
    for law, pack in policy.packs.items():
        every |= law
        by_establishment = pack.by_establishment and _within(at, pack.countries)
        if by_establishment or pack.values.get("protects_everyone") or (addressed and country in pack.countries):
            found |= law
    if country and not found:
        # Nobody there was addressed: the law of where the data are dealt with remains.
        for law, pack in policy.packs.items():
            found |= law if not addressed and _within(at, pack.countries) else Law(0)
    return found if country and found else every


def _within(establishments: Collection[str], countries: Collection[str]) -> bool:
    return any(one in countries for one in establishments)


__all__ = ["ANYWHERE", "laws_for"]
