"""One spelling per identifier: what is hashed, sealed and compared.

Refuses (None) what identifies nobody: malformed addresses, numbers that do not exist, oversized ids,
undeclared types and the policy's blocked values. Mail addresses keep plus-tags and dots: providers
differ, and joining two mailboxes is worse than missing one. `lower`, not `casefold`: the latter maps
ß to ss and joins two mailboxes. Every normaliser is idempotent.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import idna
import phonenumbers

from cdp.policy.terms import Namespace, Policy

VERSION = 1
"""Stored with every identifier; a change of a rule below is a new version and a replay."""

MAX_ID_BYTES = 256

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff]"
)
_DASHES = re.compile("[\u2010-\u2015\u2043\u207b\u208b\u2212\u2500\u2501\u30fc\u30a0\uff0d\uff70\ufe58\ufe63]")
_EXTENSION = re.compile(r"\s*(?:内線|ext\.?|extension|;ext=|#|[xX])\s*[:.]?\s*\d{1,7}\s*\)?\s*$", re.IGNORECASE)
_SCOPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}")
_DOMAIN = re.compile(r"(?=.{4,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Canonical:
    """An identifier in its one spelling."""

    namespace: str
    scope: str
    value: str = field(repr=False)
    verified: bool = field(default=False, compare=False)


def canonical(
    policy: Policy, type: str, value: Any, scope: str = "", region: str = "JP", verified: bool = False
) -> Canonical | None:
    """Return the identifier in its one spelling, or None for one that may not be used.

    The scope counts only for types that the policy limits per scope; elsewhere it is dropped.
    """
    term = policy.namespaces.get(type)
    if term is None:
        return None
    within, spelled = _scope(term, scope), normalise(type, value, region)
    if spelled is None or within is None or is_blocked(policy.blocked_values, value, spelled):
        return None
    return Canonical(type, within, spelled, verified)


def normalise(namespace: str, value: Any, region: str = "JP") -> str | None:
    """Return the one spelling of a value; None = unusable. `region` reads phones without a country code."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not _is_text(value):
        return None
    return NORMALISERS.get(namespace, _identity)(value, region)


def is_blocked(patterns: tuple[str, ...], raw: Any, spelled: str) -> bool:
    """Whether a value means nobody (`anonymous`, `000-0000-0000` …); tested before anything is hashed."""
    forms = {spelled, str(raw).strip()}
    return any(pattern.search(form) for pattern in _compiled(patterns) for form in forms)


def phone_country(value: str) -> str:
    """Return the ISO 3166 country of an E.164 number; empty for numbers of no country."""
    country = phonenumbers.region_code_for_number(phonenumbers.parse(value))
    return country if country and country.isalpha() else ""


@lru_cache(maxsize=8)
def _compiled(patterns: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern, re.IGNORECASE) for pattern in patterns)


def _scope(term: Namespace, scope: str) -> str | None:
    if not term.per_scope or not scope:
        return ""
    return scope if _SCOPE.fullmatch(scope) else None


def _is_text(value: str) -> bool:
    """Refuse lone surrogates, which no encoding can hold, and values too long to be an identifier."""
    if len(value) > 1024:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _fold(value: str) -> str:
    """NFKC without invisible characters, until nothing changes: each can uncover work for the other."""
    for _ in range(4):
        folded = unicodedata.normalize("NFKC", _INVISIBLE.sub("", value)).strip()
        if folded == value:
            break
        value = folded
    return value


def _email(value: str, _: str) -> str | None:
    folded = _fold(_fold(value).removeprefix("mailto:").lower())
    local, at, domain = folded.rpartition("@")
    ascii_domain = _ascii_domain(domain)
    if not at or not ascii_domain or not _is_local_part(local):
        return None
    return f"{local}@{ascii_domain}"


def _is_local_part(local: str) -> bool:
    """Accept what carriers gave out (`taro..x.@docomo.ne.jp`); refuse what no mailbox can hold."""
    if not local or len(local.encode()) > 64:
        return False
    return not any(char in '@<>(),;:\\"[]' or char.isspace() or unicodedata.category(char)[0] == "C" for char in local)


def _ascii_domain(domain: str) -> str | None:
    domain = domain.rstrip(".")
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode().lower()
        except (idna.IDNAError, UnicodeError):
            return None
    return domain if _DOMAIN.fullmatch(domain) else None


def _phone(value: str, region: str) -> str | None:
    text = _EXTENSION.sub("", _DASHES.sub("-", _fold(_DASHES.sub("-", value)))).removeprefix("tel:")
    if not text:
        return None
    number = _valid_number(text, region)
    if number is None and text.startswith("00"):
        number = _valid_number("+" + text[2:], region)
    return number


def _valid_number(text: str, region: str) -> str | None:
    try:
        number = phonenumbers.parse(text, region or None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    number.extension = None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _identity(value: str, _: str) -> str | None:
    trimmed = value.strip()
    return trimmed if trimmed and len(trimmed.encode()) <= MAX_ID_BYTES else None


NORMALISERS: Mapping[str, Callable[[str, str], str | None]] = {"email": _email, "phone": _phone}
"""Types with a spelling of their own; all others are ids, kept as their system gave them."""
