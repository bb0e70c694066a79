"""Turns `policies/` into rules: what the controller declared, checked and frozen."""

from datetime import date
from typing import cast

from sqlmodel import Session

from cdp.db import Database
from cdp.errors import Unavailable
from cdp.policy.documents import PolicyError
from cdp.policy.loading import assemble, load
from cdp.policy.terms import Policy


def of(session: Session) -> Policy:
    """Return the policy in force in this session."""
    return cast(Policy, session.info["policy"])


def follow_the_day(database: Database) -> None:
    """Let a new day's ages, lists and notices hold from midnight (UTC), without a restart.

    Where they say nothing else the policy stays the same object, and nobody is decided again. Raises Unavailable for
    contents that make no policy on that day: without one nothing is permitted.
    """
    terms, today = cast(Policy, database.context["policy"]), database.clock.now().date()
    if terms.documents is None or _looked.get(terms.digest, terms.on) == today:
        return
    renewed, failures = assemble(terms.documents, today)
    if failures or renewed is None:
        raise Unavailable("policy")
    if renewed.digest != terms.digest:
        database.context["policy"] = renewed
    _looked[renewed.digest] = today


_looked: dict[str, date] = {}
"""Digest → the day for which it was last looked at."""

__all__ = ["PolicyError", "assemble", "follow_the_day", "load", "of"]
