"""One spelling of a name or a place before it is made a token, and the writing that it is in.

Spelled as everywhere (`cdp.identity.normalise`), but in one piece: a token says only whether two are equal.
Readings are never guessed: a name in kanji can only be compared with a name in kanji.
"""

import re
import unicodedata

from cdp.identity.normalise import address_key, name_keys

_BETWEEN_NUMBERS = re.compile(r"(?<=\d) +(?=\d)")


def fold_name(value: str) -> tuple[str, ...]:
    """Return a part of a name in one spelling, and in a second where its accents can be written out (ü, ue)."""
    keys = name_keys(full=value)
    written = (keys.kana, keys.kanji, fold(keys.latin), fold(keys.latin_translit))
    return tuple(dict.fromkeys(one for one in written if one))


def fold_place(postal: str, text: str) -> tuple[str, str]:
    """Return the postal code, and the rest down to the house with its numbers apart: 1-11 is not 11-1.

    Of a Japanese address the building and the prefecture are left out; any other is taken as it stands.
    """
    found = address_key(postal, text)
    code = found.postal if found and found.postal else fold(postal)
    return code, f"{found.town}{found.block}" if found and found.block else _fold_line(text)


def fold(value: str) -> str:
    """Return letters and digits only, NFKC, without case or accents."""
    return "".join(_bare(sign) for sign in unicodedata.normalize("NFKC", value).casefold() if sign.isalnum())


def writing(folded: str) -> str:
    """Return the name of the script that a folded name is written in, by its first letter: CJK, KATAKANA, LATIN."""
    return unicodedata.name(folded[0], "").partition(" ")[0]


def _fold_line(value: str) -> str:
    spelled = "".join(fold(sign) or " " for sign in unicodedata.normalize("NFKC", value))
    return _BETWEEN_NUMBERS.sub("-", spelled).replace(" ", "")


def _bare(sign: str) -> str:
    """Return a Latin letter without its accent; of other writings the marks carry meaning (カ is not ガ)."""
    return unicodedata.normalize("NFD", sign)[0] if "\u00c0" <= sign <= "\u024f" else sign
