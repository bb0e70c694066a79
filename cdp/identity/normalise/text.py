"""What every spelling begins with: one width, nothing invisible, one kind of dash.

NFKC alone leaves variation selectors, writing directions and a dozen dashes, and does not fold what only Japan
tells apart (髙 and 高): that is `itaiji`'s.
"""

import re
import unicodedata
from collections.abc import Callable

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff]"
)
DASHES = "\u2010-\u2015\u2043\u207b\u208b\u2212\u2500\u2501\u30fc\u30a0\uff0d\uff70\ufe58\ufe63"
"""Dashes and what is typed for one, for a character class; the long mark of kana is among them."""
_ROUNDS = 16
"""Far more than any text needs; what comes from outside never keeps us for ever."""
_DASHES = re.compile(f"[{DASHES}]")


def fold(value: str) -> str:
    """Return the text in NFKC without invisible characters (zero width, direction, variation selectors), trimmed."""
    return settled(lambda text: unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)).strip(), value)


def with_dashes(value: str, dash: str = "-") -> str:
    """Return the text with every kind of dash written as this one: only where it cannot be a long vowel."""
    return _DASHES.sub(dash, value)


def settled(step: Callable[[str], str], value: str) -> str:
    """Take the step again until it changes nothing: each rule can uncover work for another."""
    for _ in range(_ROUNDS):
        again = step(value)
        if again == value:
            break
        value = again
    return value


def is_han(char: str) -> bool:
    """Whether it is a kanji, a sign of repetition among them."""
    return char in "々〆" or unicodedata.name(char, "").startswith("CJK ")


def is_kana(char: str) -> bool:
    return "\u3041" <= char <= "\u3096" or "\u30a1" <= char <= "\u30fa"
