"""One spelling of a name or a place before it is made a token, and the writing that it is in.

Readings are never guessed: a name in kanji can only be compared with a name in kanji.
"""

import re
import unicodedata

_SMALL = str.maketrans("ァィゥェォッャュョヮヂヅヲ", "アイウエオツヤユヨワジズオ")
_HIRAGANA = {code: code + 0x60 for code in range(0x3041, 0x3097)}
_LONG = "ー"
_BETWEEN_NUMBERS = re.compile(r"(?<=\d) +(?=\d)")


def fold(value: str) -> str:
    """Return letters and digits only, NFKC, without case or accents, kana as loose katakana."""
    folded = unicodedata.normalize("NFKC", value).casefold().translate(_HIRAGANA)
    bare = "".join(_bare(sign) for sign in folded if sign.isalnum())
    return bare.translate(_SMALL).replace(_LONG, "")


def fold_place(value: str) -> str:
    """Return the same of an address, with its numbers still apart: 1-11 is not 11-1."""
    spelled = "".join(fold(sign) or " " for sign in unicodedata.normalize("NFKC", value))
    return _BETWEEN_NUMBERS.sub("-", spelled).replace(" ", "")


def writing(folded: str) -> str:
    """Return the name of the script that a folded name is written in, by its first letter: CJK, KATAKANA, LATIN."""
    return unicodedata.name(folded[0], "").partition(" ")[0]


def _bare(sign: str) -> str:
    """Return a Latin letter without its accent; of other writings the marks carry meaning (カ is not ガ)."""
    return unicodedata.normalize("NFD", sign)[0] if "\u00c0" <= sign <= "\u024f" else sign
