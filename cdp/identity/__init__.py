"""Knows who is who: finds the subject of what arrives, and joins and parts people reversibly."""

from cdp.identity.counting import people_with
from cdp.identity.crowding import one_device, thin
from cdp.identity.holder import holder
from cdp.identity.lookup import find, find_all, find_subject, having, silence_tokens, spell, subjects_of, tokens_of
from cdp.identity.merge import cannot, must, revoke
from cdp.identity.normalise import Canonical, canonical, normalise
from cdp.identity.resolution import Arrival, Attached, attach, is_known, people_of, resolve
from cdp.identity.vouching import proved, vouch

__all__ = [
    "Arrival",
    "Attached",
    "Canonical",
    "attach",
    "cannot",
    "canonical",
    "find",
    "find_all",
    "find_subject",
    "having",
    "holder",
    "is_known",
    "must",
    "normalise",
    "one_device",
    "people_of",
    "people_with",
    "proved",
    "resolve",
    "revoke",
    "silence_tokens",
    "spell",
    "subjects_of",
    "thin",
    "tokens_of",
    "vouch",
]
