"""Reasons in a person's own or an operator's words: kept in the clear, and in the ledger for ever, so of nobody."""

import re
import unicodedata

from cdp.errors import FieldError, Problem

_ADDRESS = re.compile(r"@")
_DATE = re.compile(r"(?<!\d)\d{4}([-/.])\d{1,2}\1\d{1,2}(?!\d)")
_NUMBER = re.compile(r"\d(?:[-‐-―ー−./()]{0,2}\d){8,}")
_SPACED = re.compile(r"(?<!\d)\+?\d{1,4}(?:[-‐-―ー−./() ]{1,2}\d{2,4}){2,}(?!\d)")

LONGEST_NUMBER = 8
"""Digits that a ticket may have; a telephone number has more."""


def demand(reason: str) -> str:
    """Return a reason that has to be given; raises Problem 422 where nobody could read one, and as `check`."""
    if not any(sign.isprintable() and not sign.isspace() for sign in reason):
        raise Problem(422, "reason_missing", "Give a reason: it is kept.", [FieldError("/reason", "Say why.")])
    return check(reason)


def check(reason: str) -> str:
    """Return the reason without blanks around it; raises Problem 422 for an address or telephone number in it."""
    if names_somebody(reason):
        told = "Give a reason without an address or a telephone number: it is kept in the clear."
        raise Problem(422, "reason_unusable", told, [FieldError("/reason", "Leave addresses and numbers out.")])
    return reason.strip()


def names_somebody(reason: str) -> bool:
    """Say whether this looks like it holds an identifier; ticket numbers of up to eight digits and dates are none."""
    plain = _DATE.sub(" ", unicodedata.normalize("NFKC", reason))
    if _ADDRESS.search(plain) or _NUMBER.search(plain):
        return True
    return any(sum(map(str.isdigit, found.group())) > LONGEST_NUMBER for found in _SPACED.finditer(plain))
