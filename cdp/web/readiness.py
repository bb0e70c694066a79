"""Whether this process can do its work now, by what its work depends on.

No page leaves before its disclosure is written: a database that only reads is not ready. What was
found well is not looked at again for a second, since anybody may ask.
"""

import time

from flask import current_app

from cdp import vault
from cdp.web import current

KEPT_SECONDS = 1.0
"""How long a database that took a write counts as one that takes writes."""

_KEY = "sekisho_wrote_at"


def database_writes() -> None:
    """Raise unless the database commits a write."""
    now = time.monotonic()
    if now - current_app.extensions.get(_KEY, -KEPT_SECONDS) < KEPT_SECONDS:
        return
    with current.database().transaction() as session:
        vault.confirm_mark(session, current.deployment().vault.keyring, current.now())
    current_app.extensions[_KEY] = now


def keyring_opens() -> None:
    """Raise unless the keyring can be read."""
    current.deployment().vault.digest("readiness", b"")
