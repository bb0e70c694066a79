"""Cells as they are found in shops' files: Japanese eras, lost leading zeros, spreadsheet quotes; pure."""

import re
import unicodedata
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache

from cdp.connector.reading import Malformed

NOTHING = frozenset(
    {"", "-", "ー", "―", "なし", "無し", "無", "不明", "未登録", "n/a", "#n/a", "na", "null", "none", "nan"}
)
"""What people write where there is nothing to write."""

_YES = (
    "1 true yes y on はい ○ 〇 ◯ 可 有 する 許諾 許可 希望 希望する 受信 受信する 配信 配信する 同意 同意する 登録 購読"
)
_NO = (
    "0 false no n off x いいえ × ✕ ✖ 不可 無 なし しない 拒否 希望しない 受信しない 受信拒否 配信停止 配信しない "
    "停止 同意しない 不同意 解除 未登録 退会"
)
YES, NO = frozenset(_YES.split()), frozenset(_NO.split())

_ERAS = {"令和": (2018, 99), "平成": (1988, 31), "昭和": (1925, 64), "大正": (1911, 15), "明治": (1867, 45)}
"""Era → the year before its first, and how many years it had; a later year is a slip of the pen."""
_ERA_LETTERS = {"r": "令和", "h": "平成", "s": "昭和", "t": "大正", "m": "明治"}
_ERA_DATE = re.compile(
    r"(令和|平成|昭和|大正|明治|[rhstm])\s*\.?\s*(元|\d{1,2})\s*[年./-]\s*(\d{1,2})\s*[月./-]\s*(\d{1,2})\s*日?"
)
_YEAR_FIRST = re.compile(r"(\d{4})\s*[年./-]\s*(\d{1,2})\s*[月./-]\s*(\d{1,2})\s*日?")
_YEAR_LAST = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})")
_TIME = re.compile(r"[t\s]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*(z|[+-]\d{2}:?\d{2})?$")
JAPAN = timezone(timedelta(hours=9))
_EPOCH_OF_SPREADSHEETS = date(1899, 12, 30)


@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """Return a header or a flag without width, case and surrounding space."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


def clean(cell: str) -> str:
    """Return the cell without the quotes of spreadsheets; '' for what says that there is nothing."""
    text = " ".join(cell.split()).removeprefix("'")
    if text.startswith('="') and text.endswith('"'):
        text = text[2:-1]
    return "" if fold(text) in NOTHING else text


def yes_or_no(cell: str) -> bool | None:
    """Read a flag; None = it says neither."""
    word = fold(cell)
    return True if word in YES else False if word in NO else None


def read_date(cell: str, order: str = "") -> date:
    """Read a date with a Japanese era, year first, or in the named order (`mdy` | `dmy`).

    Raises Malformed: date_malformed, or date_ambiguous where day and month could be either.
    """
    text = _TIME.sub("", fold(cell))
    if found := _ERA_DATE.fullmatch(text):
        era, year, month, day = found.groups()
        return _era_date(_ERA_LETTERS.get(era, era), 1 if year == "元" else int(year), int(month), int(day))
    if found := _YEAR_FIRST.fullmatch(text):
        return _date(int(found[1]), int(found[2]), int(found[3]))
    if found := _YEAR_LAST.fullmatch(text):
        return _year_last(int(found[1]), int(found[2]), int(found[3]), order)
    if re.fullmatch(r"[12]\d{7}", text):
        return _date(int(text[:4]), int(text[4:6]), int(text[6:]))
    if re.fullmatch(r"[1-6]\d{4}", text):
        return _EPOCH_OF_SPREADSHEETS + timedelta(days=int(text))
    raise Malformed("date_malformed")


def read_instant(cell: str, order: str, region: str) -> datetime:
    """Read a date with or without a time as an instant in UTC; without a zone it is Japan's in Japan, else UTC."""
    zone: tzinfo = JAPAN if region == "JP" else UTC
    moment, found = time(), _TIME.search(fold(cell))
    try:
        if found:
            moment = time(int(found[1]), int(found[2]), int(found[3] or 0))
            zone = _zone(found[4]) if found[4] else zone
        return datetime.combine(read_date(cell, order), moment, zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Malformed("date_malformed") from None


def phone(cell: str, region: str) -> str:
    """Return the number with the leading zero that a spreadsheet took from it; only Japan's is put back."""
    text = unicodedata.normalize("NFKC", cell)
    if re.fullmatch(r"\d+(\.\d+)?e\+?\d+", text.casefold()):
        raise Malformed("number_malformed")  # digits are gone
    digits = re.sub(r"\D", "", text)
    if region == "JP" and not text.lstrip().startswith(("+", "0", "(0")) and len(digits) in (9, 10):
        return f"0{digits}"
    return text


def postal_code(cell: str, region: str) -> str:
    """Return a Japanese postal code as 123-4567 with its zeros, any other as it is."""
    text = unicodedata.normalize("NFKC", cell)
    digits = re.sub(r"\D", "", text)
    if region == "JP" and 4 <= len(digits) <= 7:
        return f"{digits.zfill(7)[:3]}-{digits.zfill(7)[3:]}"
    return text


def name_part(cell: str, part: str) -> str:
    """Return the family name, or the given name, of a Japanese name with a space in it; a whole one is the family's."""
    family, _, given = cell.partition(" ")
    return family if part == "family" else given.strip()


def amount(cell: str) -> float | int:
    """Read a number as money is written: `¥1,234`, `1,234円`, `12.50`."""
    text = re.sub(r"[\s,¥$€円]", "", unicodedata.normalize("NFKC", cell)).replace("¥", "")
    if not re.fullmatch(r"-?\d{1,15}(\.\d{1,4})?", text):
        raise Malformed("number_malformed")
    return float(text) if "." in text else int(text)


def _zone(offset: str) -> tzinfo:
    if offset == "z":
        return UTC
    hours, minutes = int(offset[1:3]), int(offset[-2:])
    return timezone(timedelta(hours=hours, minutes=minutes) * (-1 if offset[0] == "-" else 1))


def _era_date(era: str, year: int, month: int, day: int) -> date:
    before, last = _ERAS[era]
    if not 1 <= year <= last:
        raise Malformed("date_malformed")
    return _date(before + year, month, day)


def _year_last(first: int, second: int, year: int, order: str) -> date:
    if order == "mdy" or (not order and second > 12):
        return _date(year, first, second)
    if order == "dmy" or first > 12 or first == second:
        return _date(year, second, first)
    raise Malformed("date_ambiguous")


def _date(year: int, month: int, day: int) -> date:
    try:
        found = date(year, month, day)
    except ValueError:
        raise Malformed("date_malformed") from None
    if not 1850 <= found.year <= 2100:
        raise Malformed("date_malformed")
    return found
