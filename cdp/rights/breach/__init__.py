"""Breaches of security: all registered, and whoever must be told of them in time (GDPR 33 and 34, APPI 26)."""

from cdp.rights.breach.duties import TITLES, Duty
from cdp.rights.breach.facts import Facts
from cdp.rights.breach.register import Breach, amend, every, is_intact, load, owed, record, report

__all__ = ["TITLES", "Breach", "Duty", "Facts", "amend", "every", "is_intact", "load", "owed", "record", "report"]
