"""Everyone who answers for a table with people in it, in the order in which they let go: keys last."""

from cdp import consent, gate, identity, journey, profile, vault
from cdp.holders import Holder
from cdp.rights.holder import holder

HOLDERS: tuple[Holder, ...] = (
    journey.holder,
    gate.holder,
    consent.holder,
    holder,
    identity.holder,
    profile.holder,
    vault.holder,
)
"""Holders that find their rows through the subject's identifiers come before identity, all before the keys."""
