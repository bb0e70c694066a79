"""Whether a value is said to be its subject's still: what is not is never written to, and finds nobody.

Evidence that counts for nothing may be whose it will: a number not seen for too long was given to others, a source on
hold joins nobody to what they said elsewhere, and staff's word that a value is not the person's is meant for letters,
too. A role mailbox alone is still its people's (docs/identity.md 4.3). What must reach all (silence, erasure), and
what is held about a person, never ask this.
"""

from sqlalchemy import ColumnElement
from sqlmodel import col

from cdp.identity.model import Aside, Identifier

GONE = int(~Aside.ROLE)
"""Every reason but one, so that a new reason speaks against it until somebody has thought of it."""

IS_THEIRS: ColumnElement[bool] = col(Identifier.aside).op("&")(GONE) == 0
