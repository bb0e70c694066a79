"""How the same value looks from one form to the next: other width, other script, other era, and slips of the hand."""

import unicodedata
from datetime import date
from random import Random

from cdp.ops.bench.matching.household import Person
from cdp.ops.demo import dirt
from cdp.ops.demo.names import Written

EMAIL_VARIES, PHONE_VARIES = 0.15, 0.35
"""How often an address, and a number, is written otherwise than in its plain form."""
SLIP = 0.02
"""How often a name or a date has a slip of the hand."""
_ITAIJI = str.maketrans("高崎辺斎浜沢桜広", "髙﨑邊齋濱澤櫻廣")
_AS_FORMS_DO = {"1900-01-01": 0.004, "1970-01-01": 0.004}
"""What stands in a date's place when nobody wants to say."""


def email(chance: Random, value: str) -> str:
    """Write an address as forms and exports hand it over."""
    return dirt.email(chance, value) if chance.random() < EMAIL_VARIES else value


def tagged(chance: Random, value: str) -> str:
    """Write an address with a tag, as whoever sorts their mail gives it: another spelling of one mailbox."""
    local, _, domain = value.partition("@")
    return f"{local}+{chance.choice(('shop', 'news', 'line', 'sale'))}@{domain}"


def phone(chance: Random, value: str, country: str) -> str:
    """Write a national number with signs, in full width, internationally."""
    return dirt.phone(chance, value, country) if chance.random() < PHONE_VARIES else value


def attributes(chance: Random, one: Person) -> dict[str, str]:
    """Write who somebody is, as a form asks for it; what it leaves empty is not there."""
    native = one.home.country == "JP"
    found = {
        "family": _name(chance, one.family, native),
        "given": _name(chance, one.given, native),
        "birth_date": birth_date(chance, one.birth, native) if chance.random() < 0.8 else "",
        "postal": one.home.postal if chance.random() < 0.9 else "",
        "address": _address(chance, one.home.address, native) if chance.random() < 0.8 else "",
    }
    if native and chance.random() < 0.85:
        found |= {"family_kana": _kana(chance, one.family.kana), "given_kana": _kana(chance, one.given.kana)}
    return {name: value for name, value in found.items() if value}


def birth_date(chance: Random, value: date, native: bool) -> str:
    """Write a date: by era at times, day and month changed over, one digit wrong, or what means nothing."""
    drawn = chance.random()
    for nothing, share in _AS_FORMS_DO.items():
        drawn -= share
        if drawn < 0:
            return nothing
    if chance.random() < SLIP:
        value = _slipped_date(chance, value)
    if native:
        return dirt.birthday(chance, value) if chance.random() < 0.3 else value.isoformat()
    return f"{value:%d.%m.%Y}" if chance.random() < 0.2 else value.isoformat()


def _slipped_date(chance: Random, value: date) -> date:
    if value.day <= 12 and chance.random() < 0.4:
        return value.replace(month=value.day, day=value.month)
    return (
        value.replace(day=chance.randint(1, 28))
        if chance.random() < 0.5
        else value.replace(year=value.year + 10, day=1)
    )


def _name(chance: Random, name: Written, native: bool) -> str:
    drawn = chance.random()
    if native:
        written = name.native.translate(_ITAIJI) if drawn < 0.05 else name.native
        return name.ascii.title() if drawn > 0.98 else written
    written = name.native
    if drawn < 0.08:
        written = name.ascii.title()
    elif drawn < 0.14:
        written = "".join(one for one in unicodedata.normalize("NFD", name.native) if not unicodedata.combining(one))
    elif drawn < 0.18:
        written = name.native.upper()
    return _slipped(chance, written) if chance.random() < SLIP else written


def _slipped(chance: Random, text: str) -> str:
    """Leave a letter out, or change two over."""
    if len(text) < 3:
        return text
    place = chance.randrange(1, len(text) - 1)
    if chance.random() < 0.5:
        return text[:place] + text[place + 1 :]
    return text[:place] + text[place + 1] + text[place] + text[place + 2 :]


def _kana(chance: Random, reading: str) -> str:
    drawn = chance.random()
    if drawn < 0.15:
        return "".join(chr(ord(sign) - 0x60) if "ァ" <= sign <= "ヶ" else sign for sign in reading)
    if chance.random() < SLIP:
        return reading.translate(str.maketrans("ョュャッ", "ヨユヤツ"))
    return reading


def _address(chance: Random, line: str, native: bool) -> str:
    if not native:
        return line.replace("straße", "str.") if chance.random() < 0.3 else line
    if chance.random() < 0.3:
        return line.replace("-", "ー").translate({code: code + 0xFEE0 for code in range(0x30, 0x3A)})
    return line
