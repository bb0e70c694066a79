"""Turns `policies/` into rules: what the controller declared, checked and frozen."""

from typing import cast

from sqlmodel import Session

from cdp.policy.documents import PolicyError
from cdp.policy.loading import load
from cdp.policy.terms import Policy


def of(session: Session) -> Policy:
    """Return the policy in force in this session."""
    return cast(Policy, session.info["policy"])


__all__ = ["PolicyError", "load", "of"]
