"""Keyset cursors: where a list goes on, sealed, and good only for the client and the question it was given for.

A cursor of somebody else, of another question, or changed on its way is 400 `invalid_cursor`.
"""

import base64
import binascii
import json
from typing import Any

from cdp.errors import CiphertextCorrupt, Problem
from cdp.vault import Vault

SMALLEST, USUAL, LARGEST = 1, 100, 1000
"""People on a page."""


def write_cursor(vault: Vault, client: str, question: dict[str, Any], position: Any) -> str:
    """Return the cursor of this position in the answer to this client's question."""
    sealed = vault.seal_credentials(_name(vault, client, question), json.dumps(position).encode())
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def read_cursor(vault: Vault, client: str, question: dict[str, Any], cursor: str | None) -> Any:
    """Return the position, or None without a cursor; raises Problem `invalid_cursor`."""
    if not cursor:
        return None
    try:
        sealed = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        return json.loads(vault.open_credentials(_name(vault, client, question), sealed))
    except (binascii.Error, ValueError, CiphertextCorrupt):
        detail = "This cursor was not given for this question; start again without one."
        raise Problem(400, "invalid_cursor", detail) from None


def _name(vault: Vault, client: str, question: dict[str, Any]) -> str:
    digest = vault.digest("cursor", json.dumps(question, sort_keys=True).encode())
    return f"cursor:{client}:{digest.hex()}"
