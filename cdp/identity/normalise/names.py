"""Keys by which names are compared where people are proposed to be one: never a link, never an identifier.

A reading is never guessed from kanji (東 is あずま or ひがし), nor kanji from a reading: each is a key of its own.
Every key is idempotent, blind to width and case, and never empty for a name that has letters.
"""

import re
import unicodedata
from dataclasses import dataclass, field

from cdp.identity.normalise.itaiji import fold_variants
from cdp.identity.normalise.text import DASHES, fold, is_han, is_kana, settled

HONORIFICS = ("御中", "先生", "さん", "様", "殿")
"""What stands after a name and is none of it."""

_PARTICLES = """
af al av bin da dal de degli dei del della den der des di do dos du e el i la las le los of ten ter und van vom von y
zu zum zur
"""
PARTICLES = frozenset(_PARTICLES.split())
"""Words of names that come and go with the form that was filled in."""

_BETWEEN = re.compile(r"[\s\u30fb\u30a0\u00b7=]+")
_LONG_MARK = re.compile(f"[-{DASHES}]")
_VOICED = str.maketrans({"\u309b": "\u3099", "\u309c": "\u309a"})
_REPEATS = {"\u30fd": "", "\u30fe": "\u3099"}
_TO_KATAKANA = str.maketrans({chr(code): chr(code + 0x60) for code in (*range(0x3041, 0x3097), 0x309D, 0x309E)})
_LOOSE = str.maketrans("ァィゥェォッャュョヮヵヶヂヅヲヰヱ", "アイウエオツヤユヨワカケジズオイエ", "ー")
_APOSTROPHES = re.compile("['\u2018\u2019\u02bc\u02b9`\u00b4]")

_ASCII = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "ŧ": "t", "ŋ": "n"}
    | {"ı": "i", "ĸ": "k"}
)
"""Letters that Unicode takes for no variant of another: ß is ss as in passports, never s or β."""
_WRITTEN_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})


@dataclass(frozen=True, slots=True)
class NameKeys:
    """What a name is compared by; empty where nothing of the kind was given."""

    kana: str = field(default="", repr=False)
    """The reading, loosely: `ヤマダタロウ` also for ﾔﾏﾀﾞ ﾀﾛｳ and やまだ・たろう."""
    kanji: str = field(default="", repr=False)
    """As written in Japanese, without honorific and spaces, variants folded."""
    latin: str = field(default="", repr=False)
    """In any other script, given name first: without accents (ü → u)."""
    latin_translit: str = field(default="", repr=False)
    """The same with accents written out, as German and Nordic passports do (ü → ue, å → aa)."""
    bag: frozenset[str] = field(default=frozenset(), repr=False)
    """The words of `latin` without particles (von, van, de …), in no order."""


def name_keys(
    *,
    full: str = "",
    family: str = "",
    given: str = "",
    full_kana: str = "",
    family_kana: str = "",
    given_kana: str = "",
) -> NameKeys:
    """Return the keys of a name as its fields give it; the parts are taken where both are there, else the whole."""
    written = _whole(full, family, given)
    script = _script(written)
    reading = _whole(full_kana, family_kana, given_kana)
    if script == "kana" and not reading:
        reading = written
    western = _western(full, family, given) if script == "other" else ""
    return NameKeys(
        kana=kana_loose(reading) if _script(reading) == "kana" else "",
        kanji=kanji_folded(written) if script == "kanji" else "",
        latin=latin(western),
        latin_translit=latin_translit(western),
        bag=bag(western),
    )


def kana_strict(value: str) -> str:
    """Spell a reading in full-width katakana without spaces and ・, small kana kept."""
    return settled(_kana, value)


def kana_loose(value: str) -> str:
    """Spell a reading without what is heard alike or left out: small kana, ー, ヂヅヲ."""
    return settled(lambda text: _kept(_kana(text).translate(_LOOSE), text), value)


def kanji(value: str) -> str:
    """Spell a name as written, without spaces, ・ and the honorifics at its end."""
    return settled(lambda text: _kept(_without_honorifics(_BETWEEN.sub("", fold(text).casefold())), text), value)


def kanji_folded(value: str) -> str:
    """Spell a name as written, variant kanji as the usual ones (髙 = 高, 邊 = 辺)."""
    return settled(lambda text: fold_variants(kanji(text)), value)


def latin(value: str) -> str:
    """Spell a name in words of base letters (Müller → muller); `Family, Given` is turned round."""
    return settled(lambda text: _words(fold(text).casefold()), value)


def latin_translit(value: str) -> str:
    """Spell a name in words, accents written out (Müller → mueller)."""
    return settled(lambda text: _words(fold(text).casefold().translate(_WRITTEN_OUT)), value)


def bag(value: str) -> frozenset[str]:
    """Return the words of a name without particles; of a name of particles alone, all."""
    words = frozenset(latin(value).split())
    return words - PARTICLES or words


def _whole(full: str, family: str, given: str) -> str:
    return f"{family} {given}".strip() if (family.strip() and given.strip()) or not full.strip() else full


def _western(full: str, family: str, given: str) -> str:
    """Return the name with the given one first, as `Family, Given` is read too."""
    return f"{given} {family}" if (family.strip() and given.strip()) or not full.strip() else full


def _script(value: str) -> str:
    """Return kanji where one kanji is in it, kana where only kana is, other for any other letters, else nothing."""
    letters = [char for char in _without_honorifics(fold(value)) if char.isalpha() or char == "々"]
    if any(is_han(char) for char in letters):
        return "kanji"
    if any(is_kana(char) for char in letters):
        return "kana"
    return "other" if letters else ""


def _kana(value: str) -> str:
    text = _without_honorifics(fold(value.translate(_VOICED)).casefold())
    text = _BETWEEN.sub("", text.translate(_TO_KATAKANA))
    return _kept(_spelled_out(_LONG_MARK.sub("ー", text)), value)


def _spelled_out(text: str) -> str:
    """Write what ヽ and ヾ repeat: スヾキ is スズキ."""
    spelled: list[str] = []
    for char in text:
        if char in _REPEATS and spelled:
            char = unicodedata.normalize("NFC", spelled[-1] + _REPEATS[char])
        spelled.append(char)
    return "".join(spelled)


def _kept(spelled: str, given: str) -> str:
    """Return the spelling, unless nothing would be left of what was given."""
    return spelled or fold(given)


def _without_honorifics(value: str) -> str:
    start, end = len(value) - len(value.lstrip()), len(value.rstrip())
    while ended := next((one for one in HONORIFICS if value.endswith(one, start + 1, end)), ""):
        end -= len(ended)
        while value[end - 1].isspace():
            end -= 1
    return value[:end]


def _words(text: str) -> str:
    family, comma, given = text.partition(",")
    turned = f"{given} {family}" if comma and "," not in given else text
    bare = "".join(
        char for char in unicodedata.normalize("NFD", turned.translate(_ASCII)) if not unicodedata.combining(char)
    )
    joined = _APOSTROPHES.sub("", unicodedata.normalize("NFC", bare))
    words = "".join(char if char.isalnum() or unicodedata.category(char)[0] == "M" else " " for char in joined).split()
    return " ".join(words) or fold(text)
