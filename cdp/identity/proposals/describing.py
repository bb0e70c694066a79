"""From what sources said of a person to what the matching compares: nothing is guessed.

A full name that nobody parted is parted at its spaces only; 山田太郎 stays unknown, since where the family name ends
is a guess. Of an address the parts down to the house are taken, in the order of the country that it is in.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from cdp.identity.proposals.described import Described
from cdp.profile.values import postal_country

DESCRIBES = (
    "full_name",
    "family_name",
    "given_name",
    "family_name_kana",
    "given_name_kana",
    "birthday",
    "address",
)
"""Traits that are opened, and no others."""


def describe(cluster: int, traits: Mapping[str, Any]) -> Described | None:
    """Return a cluster as the matching sees it; None where nothing is known that could be compared."""
    family, given = traits.get("family_name", ""), traits.get("given_name", "")
    if not (family and given):
        family, given = _parted(traits.get("full_name", "")) or (family, given)
    postal, block = _place(traits.get("address") or {})
    found = Described(
        cluster,
        family=family,
        given=given,
        kana_family=traits.get("family_name_kana", ""),
        kana_given=traits.get("given_name_kana", ""),
        birth_date=traits.get("birthday", ""),
        postal=postal,
        block=block,
    )
    return found if any(value for name, value in asdict(found).items() if name != "cluster") else None


def _parted(full: str) -> tuple[str, str] | None:
    """Return family and given name of one with spaces or a comma in it."""
    before, comma, after = (part.strip() for part in full.partition(","))
    if comma and before and after:
        return before, after
    words = full.split()
    if len(words) < 2:
        return None
    if full.isascii() or "\u0040" < words[0][0] < "\u0250":
        return words[-1], " ".join(words[:-1])
    return words[0], "".join(words[1:])


def _place(parts: Mapping[str, str]) -> tuple[str, str]:
    is_japanese = parts.get("country", "") == "JP" or postal_country(parts) == "JP"
    order = ("state", "city", "street", "text") if is_japanese else ("street", "city", "text")
    return parts.get("postal_code", ""), " ".join(parts[name] for name in order if parts.get(name))
