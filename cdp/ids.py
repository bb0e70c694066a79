"""References that mean nothing, for things that are named outside."""

import secrets


def new_id() -> str:
    """Return an unguessable 128-bit reference, safe in a URL and meaning nothing."""
    return secrets.token_hex(16)
