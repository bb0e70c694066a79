"""Knows who is who: finds the subject of what arrives, and joins and parts people reversibly."""

from cdp.identity.aliases import current
from cdp.identity.crowding import one_device, thin
from cdp.identity.holder import holder
from cdp.identity.lookup import find, find_all, identifiers, subjects_of
from cdp.identity.merge import cannot, must, revoke
from cdp.identity.normalise import Canonical, canonical, normalise
from cdp.identity.resolution import Arrival, Attached, attach, cell, is_known, people_of, resolve
from cdp.identity.vouching import vouch

__all__ = [
    "Arrival",
    "Attached",
    "Canonical",
    "attach",
    "cannot",
    "canonical",
    "cell",
    "current",
    "find",
    "find_all",
    "holder",
    "identifiers",
    "is_known",
    "must",
    "normalise",
    "one_device",
    "people_of",
    "resolve",
    "revoke",
    "subjects_of",
    "thin",
    "vouch",
]
