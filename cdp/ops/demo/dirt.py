"""How values look after people and spreadsheets have had them: width, case, eras, lost zeros, titles."""

from datetime import date
from random import Random

_WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
_ERAS = (("令和", "R", date(2019, 5, 1)), ("平成", "H", date(1989, 1, 8)), ("昭和", "S", date(1926, 12, 25)))
_PREFIXES = {"JP": "+81", "DE": "+49", "FR": "+33", "ES": "+34", "IT": "+39", "NL": "+31", "PL": "+48", "IE": "+353"}
_TRUNK_ZERO = {"JP", "DE", "FR", "NL", "IE"}


def email(rng: Random, value: str) -> str:
    """Write an address as forms hand it over: capitals, spaces around, full-width letters."""
    match rng.randrange(10):
        case 0:
            return value.upper()
        case 1:
            return value.title()
        case 2:
            return value.translate(_WIDE)
        case 3:
            return f" {value} "
        case _:
            return value


def phone(rng: Random, value: str, country: str) -> str:
    """Write a national number with hyphens, in full width, internationally, or without its zero as Excel leaves it."""
    if country != "JP" and rng.random() < 0.85:
        return international(value, country)
    match rng.randrange(8):
        case 0 | 1:
            return f"{value[:3]}-{value[3:7]}-{value[7:]}"
        case 2:
            return international(value, country)
        case 3 if country == "JP":
            return value.lstrip("0")
        case 4 if country == "JP":
            return f"{value[:3]}ー{value[3:7]}ー{value[7:]}".translate(_WIDE)
        case 5:
            return f"({value[:3]}) {value[3:]}"
        case _:
            return value


def international(value: str, country: str) -> str:
    """Write a national number with its country's prefix."""
    national = value[1:] if country in _TRUNK_ZERO else value
    return f"{_PREFIXES[country]} {national}"


def birthday(rng: Random, value: date) -> str:
    """Write a birth date as a Japanese shop keeps it: mostly by era, long or short, else with slashes."""
    for kanji, letter, start in _ERAS:
        if value >= start:
            year = value.year - start.year + 1
            match rng.randrange(5):
                case 0 | 1:
                    return f"{kanji}{'元' if year == 1 else year}年{value.month}月{value.day}日"
                case 2:
                    return f"{letter}{year}.{value.month}.{value.day}"
                case _:
                    return f"{value.year}/{value.month:02d}/{value.day:02d}"
    return value.isoformat()


def japanese_name(rng: Random, family: str, given: str) -> str:
    """Write a name with a space of either width or none, at times with an honorific."""
    space = rng.choice((" ", "　", "　", ""))
    return f"{family}{space}{given}{rng.choice(('様', ' 様', '', '', '', '', '', '', '', ''))}"


def kana(rng: Random, family: str, given: str) -> str:
    """Write a reading in katakana or hiragana, as each form asks."""
    reading = f"{family}　{given}"
    if rng.random() < 0.25:
        return "".join(chr(ord(sign) - 0x60) if "ァ" <= sign <= "ヶ" else sign for sign in reading)
    return reading
