"""How things are named: references that mean nothing outside, and the numbers that the database gives its rows."""

import secrets

GREATEST = 2**31 - 1
"""The greatest number that a row can have, as PostgreSQL keeps it; nothing is under a larger one."""


def new_id() -> str:
    """Return an unguessable 128-bit reference, safe in a URL and meaning nothing."""
    return secrets.token_hex(16)
