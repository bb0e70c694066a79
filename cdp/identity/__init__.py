"""Knows who is who: finds the subject of what arrives, and joins and parts people reversibly."""

from cdp.identity.arriving import Arrival, Attached, attach, is_known, keep_marks
from cdp.identity.counting import people_with
from cdp.identity.crowding import one_device, thin
from cdp.identity.decisions import cannot, judge, must, retract, revoke
from cdp.identity.explaining import explain
from cdp.identity.holder import holder
from cdp.identity.lookup import find, find_all, find_subject, having, silence_tokens, spell, subjects_of, tokens_of
from cdp.identity.marks import Stated
from cdp.identity.marks import read as read_marks
from cdp.identity.moves import people_at
from cdp.identity.normalise import Canonical, canonical, claimed, normalise
from cdp.identity.resolution import people_of, resolve
from cdp.identity.vouching import proved, vouch

__all__ = [
    "Arrival",
    "Attached",
    "Canonical",
    "Stated",
    "attach",
    "cannot",
    "canonical",
    "claimed",
    "explain",
    "find",
    "find_all",
    "find_subject",
    "having",
    "holder",
    "is_known",
    "judge",
    "keep_marks",
    "must",
    "normalise",
    "one_device",
    "people_at",
    "people_of",
    "people_with",
    "proved",
    "read_marks",
    "resolve",
    "retract",
    "revoke",
    "silence_tokens",
    "spell",
    "subjects_of",
    "thin",
    "tokens_of",
    "vouch",
]
