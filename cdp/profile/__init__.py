"""Holds what is known of a person: subjects with their traits and facts, and the person derived from them."""

from cdp.profile import corrections, declared, facts, traits, values
from cdp.profile.holder import holder
from cdp.profile.person import settle

__all__ = ["corrections", "declared", "facts", "holder", "settle", "traits", "values"]
