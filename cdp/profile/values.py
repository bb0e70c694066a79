"""One spelling per value: dates in Japanese eras, countries, kana, numbers, addresses.

Every reader is idempotent and raises ValueError, without the value in its text, for what it cannot
read: a guessed birth date is worse than none.
"""

import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import jaconv
import phonenumbers

ADDRESS_FIELDS = ("street", "street2", "city", "state", "postal_code", "country", "text")
_ADDRESS_ALIASES = {"postalCode": "postal_code", "zip": "postal_code", "region": "state", "prefecture": "state"}

_ERAS: Mapping[str, tuple[int, int]] = {
    "明治": (1868, 1912),
    "大正": (1912, 1926),
    "昭和": (1926, 1989),
    "平成": (1989, 2019),
    "令和": (2019, 2100),
}
"""Era → its first year and the first year of the next, which are one and the same year."""
_EARLIEST = 1868
"""明治 alone is counted from a 1 January; the first day of any other era's first year is a date that nobody gave."""
_ERA_LETTERS = {"M": "明治", "T": "大正", "S": "昭和", "H": "平成", "R": "令和"}
_ERA = r"(明治|大正|昭和|平成|令和|[MTSHR])\s*\.?\s*"
_ERA_DATE = re.compile(_ERA + r"(元|\d{1,2})\s*[年./-]\s*(\d{1,2})\s*[月./-]\s*(\d{1,2})\s*日?", re.I)
_ERA_COMPACT = re.compile(_ERA + r"(\d{2})(\d{2})(\d{2})", re.I)
_BORN = re.compile(r"\s*(?:生まれ|生)$")
_DATE = re.compile(r"(\d{4})\s*[年./-]\s*(\d{1,2})\s*[月./-]\s*(\d{1,2})\s*日?(?:[T ]\d{2}:\d{2}.*)?")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_PLACEHOLDERS = frozenset(
    {
        *(date(1899, 12, 30), date(1899, 12, 31), date(1900, 1, 1), date(1901, 1, 1), date(1904, 1, 1)),
        *(date(1970, 1, 1), date(2099, 12, 31), date(9999, 12, 31)),
    }
)
"""Dates that systems write where nobody gave one: first days of calendars, and days that are never to come."""

_COUNTRIES = {
    "日本": "JP", "日本国": "JP", "japan": "JP", "jpn": "JP",
    "ドイツ": "DE", "germany": "DE", "deutschland": "DE", "deu": "DE",
    "フランス": "FR", "france": "FR", "fra": "FR",
    "アメリカ": "US", "アメリカ合衆国": "US", "米国": "US", "united states": "US", "usa": "US",
    "united states of america": "US",
    "イギリス": "GB", "英国": "GB", "united kingdom": "GB", "great britain": "GB", "uk": "GB", "gbr": "GB",
    "イタリア": "IT", "italy": "IT", "italia": "IT", "ita": "IT",
    "スペイン": "ES", "spain": "ES", "españa": "ES", "esp": "ES",
    "オランダ": "NL", "netherlands": "NL", "nederland": "NL", "nld": "NL",
    "中国": "CN", "china": "CN", "chn": "CN", "韓国": "KR", "south korea": "KR", "korea": "KR", "kor": "KR",
    "台湾": "TW", "taiwan": "TW", "twn": "TW",
}  # fmt: skip
"""Names that shops write; everything else must come as an ISO 3166 code."""

_PREFECTURE = re.compile(r"(?:北海道|東京都|京都府|大阪府|[\u4e00-\u9fff]{2,3}県)")
_JP_POSTAL_CODE = re.compile(r"〒?\s*\d{3}-\d{4}")


def read(kind: str, value: Any) -> Any:
    """Return the value of a trait of this declared type in its one spelling; raises ValueError."""
    reader: Callable[[Any], Any] = READERS.get(kind, text)
    return reader(value)


def text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("not a text")
    return str(value).strip()


def number(value: Any) -> int | float:
    if isinstance(value, str):
        folded = unicodedata.normalize("NFKC", value).strip().replace(",", "")
        value = float(folded) if "." in folded or "e" in folded.lower() else int(folded)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or abs(value) > 2**53:
        raise ValueError("not a number")
    return value


def boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    spelled = unicodedata.normalize("NFKC", str(value)).strip().lower()
    if spelled in ("true", "1", "yes", "はい", "有", "○"):
        return True
    if spelled in ("false", "0", "no", "いいえ", "無", "×"):
        return False
    raise ValueError("not a yes or no")


def day(value: Any) -> str:
    """Read a date, ISO or Japanese (`昭和60年1月3日`, `S60.1.3`, `S600103`, `平成元年…`), as `YYYY-MM-DD`."""
    folded = _BORN.sub("", unicodedata.normalize("NFKC", str(value)).strip())
    try:
        if match := _ERA_DATE.fullmatch(folded) or _ERA_COMPACT.fullmatch(folded):
            return _era_day(*match.groups()).isoformat()
        if match := _DATE.fullmatch(folded) or _COMPACT.fullmatch(folded):
            year, month, day_ = (int(part) for part in match.groups())
            return date(year, month, day_).isoformat()
    except ValueError:
        pass
    raise ValueError("not a date")


def birthday(value: Any) -> str:
    """Read a birth date; refuses what systems write where nobody gave one, and what no living person has."""
    born = date.fromisoformat(day(value))
    if born in _PLACEHOLDERS or born.year < 1880:
        raise ValueError("not a birth date")
    return born.isoformat()


def country(value: Any) -> str:
    """Read a country as its ISO 3166 alpha-2 code."""
    folded = unicodedata.normalize("NFKC", str(value)).strip()
    code = _COUNTRIES.get(folded.lower(), folded.upper())
    if code not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError("not a country")
    return code


def kana(value: Any) -> str:
    """Spell a reading in full-width katakana without spaces: `ﾔﾏﾀﾞ` and `やまだ` become `ヤマダ`."""
    return "".join(jaconv.hira2kata(unicodedata.normalize("NFKC", text(value))).split())


def address(value: Any) -> dict[str, str]:
    """Keep the declared parts of a postal address; a plain text is kept as `text`."""
    if isinstance(value, str):
        value = {"text": value}
    if not isinstance(value, Mapping):
        raise ValueError("not an address")
    parts = {_ADDRESS_ALIASES.get(str(name), str(name)): part for name, part in value.items()}
    kept = {name: text(parts[name]) for name in ADDRESS_FIELDS if parts.get(name) not in (None, "")}
    if "country" in kept:
        kept["country"] = _readable_country(kept["country"]) or kept["country"]
    return kept


def stated_country(parts: Mapping[str, str]) -> str:
    """Return the country that an address names; empty if none."""
    return _readable_country(parts.get("country", ""))


def postal_country(parts: Mapping[str, str]) -> str:
    """Return the country that an address without one can only be in: Japan, by prefecture or postal code."""
    words = unicodedata.normalize("NFKC", " ".join(parts.get(name, "") for name in ("state", "city", "text", "street")))
    code = unicodedata.normalize("NFKC", parts.get("postal_code", "")).strip()
    return "JP" if _PREFECTURE.search(words) or _JP_POSTAL_CODE.fullmatch(code) else ""


def _readable_country(value: str) -> str:
    try:
        return country(value)
    except ValueError:
        return ""


def _era_day(era: str, year: str, month: str, day_: str) -> date:
    first, next_first = _ERAS[_ERA_LETTERS.get(era.upper(), era)]
    full = first + (1 if year == "元" else int(year)) - 1
    read = date(full, int(month), int(day_))
    if not first <= full <= next_first or (read == date(first, 1, 1) and first != _EARLIEST):
        raise ValueError("outside its era")
    return read


READERS: Mapping[str, Callable[[Any], Any]] = {
    "text": text,
    "number": number,
    "boolean": boolean,
    "date": day,
    "birthday": birthday,
    "country": country,
    "kana": kana,
    "address": address,
}
"""Type of a declared trait → its reader."""
