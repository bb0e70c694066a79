"""The laws, each a list of small rules; and which of them protect whom (ruling R1)."""

from cdp.policy.terms import Law, Policy


def laws_for(policy: Policy, country: str) -> Law:
    """Return the laws that protect a resident of the country.

    Empty (unknown, or statements that conflict) means every configured law, and so does a country that
    no law claims: nobody is unprotected.
    """
    every = Law(0)
    found = Law(0)
    for law, pack in policy.packs.items():
        every |= law
        if country in pack.countries or pack.values.get("protects_everyone"):
            found |= law
    return found if country and found else every


__all__ = ["laws_for"]
