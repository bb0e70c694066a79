"""Names for the numbers and references that other packages pass around."""

import secrets
from typing import NewType

SubjectNo = NewType("SubjectNo", int)
"""One distinct set of identifiers from one source; numbered at receipt, never reused."""

PersonNo = NewType("PersonNo", int)
"""A cluster of subjects, named by its lowest subject number."""


def new_id() -> str:
    """Return an unguessable 128-bit reference, safe in a URL and meaning nothing."""
    return secrets.token_hex(16)
