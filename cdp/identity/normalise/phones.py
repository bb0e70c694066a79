"""Telephone numbers in E.164; what of them the numbering plan tells: country, and whether it is a fixed line."""

import re

import phonenumbers
from phonenumbers import PhoneNumberType

from cdp.identity.normalise.text import fold, with_dashes

_EXTENSION = re.compile(
    r"\s*[(,;]?\s*(?:内線(?:番号)?|ext\.?|extension|;ext=|ext=|#|x)\s*[:.]?\s*\d{1,7}\s*\)?\s*$", re.IGNORECASE
)

_SWITCHBOARD = re.compile(r"\s*\(?代表?\)?\s*$")
"""(代): the number of the switchboard."""


def phone(value: str, region: str) -> str | None:
    """Return the number in E.164, without an extension (内線); None for one that does not exist.

    `region` reads numbers without a country code. A long mark between digits (090ー1234) is a dash.
    """
    text = _SWITCHBOARD.sub("", _EXTENSION.sub("", with_dashes(fold(with_dashes(value))))).removeprefix("tel:")
    if not text:
        return None
    number = _valid_number(text, region)
    if number is None and text.startswith("00"):
        number = _valid_number("+" + text[2:], region)
    return number


def phone_country(value: str) -> str:
    """Return the ISO 3166 country of an E.164 number; empty for numbers of no country."""
    country = phonenumbers.region_code_for_number(phonenumbers.parse(value))
    return country if country and country.isalpha() else ""


def is_fixed(value: str) -> bool:
    """Whether an E.164 number is surely a fixed line: a household's or an office's, never one person's."""
    return _type(value) == PhoneNumberType.FIXED_LINE


def is_mobile(value: str) -> bool:
    """Whether an E.164 number is surely a mobile one."""
    return _type(value) == PhoneNumberType.MOBILE


def _type(value: str) -> int:
    return int(phonenumbers.number_type(phonenumbers.parse(value)))


def _valid_number(text: str, region: str) -> str | None:
    try:
        number = phonenumbers.parse(text, region or None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    number.extension = None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
