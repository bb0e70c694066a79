"""Japanese addresses, as evidence that two people may be one: never a link.

Numbers are read from kanji only where they can be nothing else, directly before 丁目, 番地, 番 or 号: 一番町, 三国ヶ丘
and 十四号 are towns. Not read: streets of Kyoto (上ル), and the town itself, for which there is no list here.
"""

import re
from dataclasses import dataclass, field

from cdp.identity.normalise.itaiji import fold_variants
from cdp.identity.normalise.text import DASHES, fold, is_han, is_kana

_KANJI = "〇零一二三四五六七八九十百"
_PLAIN = "(?<![0-9])[0-9]{1,5}(?![0-9])"
_NUMBER = f"(?:{_PLAIN}|(?<![{_KANJI}])[{_KANJI}]{{1,7}})"
_END = f"(?=$|[\\s、,(]|[0-9{_KANJI}の-])"
"""After 丁 or 番 alone: a number, a joint or nothing. Else it is a town (八丁堀, 一番町) or a house (三番館)."""
_JOINT = "[ ]?[の-]?[ ]?"
_BLOCK = re.compile(
    rf"""
    (?P<chome>{_NUMBER})(?:丁目|丁{_END})
        (?:{_JOINT}(?P<ban>{_NUMBER}(?=番地|番|号)|{_PLAIN})(?:番地|番(?![町丁館街])|)
            (?:{_JOINT}(?P<go>{_NUMBER}(?=号)|{_PLAIN})(?:号(?![室棟館])|))?)?
    | (?P<ban2>{_NUMBER})(?:番地|番{_END})
        (?:{_JOINT}(?P<go2>{_NUMBER}(?=号)|{_PLAIN})(?:号(?![室棟館])|))?
    | (?P<dashed>{_PLAIN}(?:[-の]{_PLAIN}){{1,2}})(?:号(?![室棟館])|)
    | (?P<bare>{_PLAIN})(?=$|[\s、,(])
    """,
    re.VERBOSE,
)
_GROUPS = (("chome", "ban", "go"), ("ban2", "go2"), ("dashed",), ("bare",))
_DASH = re.compile(f"(?<=[0-9{_KANJI}]) ?[-{DASHES}] ?(?=[0-9{_KANJI}])")
_POSTAL = re.compile(r"〒?\s*([0-9]{3})-?([0-9]{4})")
_POSTAL_FIRST = re.compile(r"〒\s*([0-9]{3})-?([0-9]{4})(?![0-9-])\s*|([0-9]{3})-([0-9]{4})(?![0-9-])\s*")
_PREFECTURE = re.compile(r"北海道|東京都|京都府|大阪府|[\u4e00-\u9fff]{2,3}県")
_GA = re.compile("(?<=[\u3400-\u9fff々])[ヶケがガヵ](?=[\u3400-\u9fff])")
_APART = re.compile(r"^[\s、,()・-]+|[\s、,()・-]+$")

_DIGITS = {sign: str(value) for value, sign in enumerate("〇一二三四五六七八九")} | {"零": "0"}


@dataclass(frozen=True, slots=True)
class AddressKey:
    """What an address is compared by; empty where it does not say."""

    postal: str = field(default="", repr=False)
    """`100-0001`"""
    town: str = field(default="", repr=False)
    """What stands before the numbers, without prefecture, 大字 and spaces; 三国ヶ丘 and 三国が丘 are one."""
    block: str = field(default="", repr=False)
    """`4-2-8`, for 4丁目2番8号 too."""
    building: str = field(default="", repr=False)
    """What follows the numbers, a room number among it."""


def address_key(postal: str, text: str) -> AddressKey | None:
    """Return what a Japanese address is compared by; None without a postal code and numbers of a block."""
    line = _DASH.sub("-", " ".join(fold(text).split()))
    code = _POSTAL.fullmatch(_DASH.sub("-", fold(postal)))
    if first := _POSTAL_FIRST.match(line):
        line, code = line[first.end() :], code or first
    written = "-".join(part for part in code.groups() if part) if code else ""
    found = _BLOCK.search(line) if _is_japanese(line) else None
    if not written and not found:
        return None
    start, end = found.span() if found else (len(line), len(line))
    return AddressKey(written, _town(line[:start]), _block(found) if found else "", _building(line[end:]))


def _is_japanese(line: str) -> bool:
    return any(is_han(char) or is_kana(char) for char in line)


def _block(found: re.Match[str]) -> str:
    group = next(names for names in _GROUPS if found[names[0]])
    numbers = [part for name in group if found[name] for part in re.split("[-の]", found[name])]
    return "-".join(_numeral(one) for one in numbers)


def _numeral(written: str) -> str:
    """Read a number in digits or kanji, by place (二三) or by tens (二十三)."""
    if written[0] in "0123456789":
        return written.lstrip("0") or "0"
    if not set(written) & set("十百"):
        return "".join(_DIGITS[sign] for sign in written).lstrip("0") or "0"
    total, pending = 0, 0
    for sign in written:
        if sign in "十百":
            total += (pending or 1) * (10 if sign == "十" else 100)
            pending = 0
        else:
            pending = int(_DIGITS[sign])
    return str(total + pending)


def _town(text: str) -> str:
    bare = "".join(fold_variants(_APART.sub("", text)).split()).casefold()
    return _GA.sub("ケ", _PREFECTURE.sub("", bare, count=1) if _PREFECTURE.match(bare) else bare).replace("大字", "")


def _building(text: str) -> str:
    return "".join(_APART.sub("", text).split()).casefold()
