"""One spelling per identifier: what is hashed, sealed and compared.

Refuses (None) what identifies nobody: malformed addresses, numbers that do not exist, oversized ids,
undeclared types and the policy's blocked values. Every normaliser is idempotent.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from cdp.identity.normalise.emails import email, is_role, mailbox
from cdp.identity.normalise.phones import is_fixed, is_mobile, phone
from cdp.policy.terms import DERIVED, Namespace, Policy

VERSION = 2
"""Stored with every identifier; a change of a rule is a new version, and rows keep the one they were written under.

2: fixed lines have a namespace of their own, and addresses lead to mailboxes.
"""

MAX_ID_BYTES = 256

PHONE, PHONE_FIXED = "phone", "phone_fixed"

_SCOPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}")


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

    The scope counts only for types that the policy limits per scope; elsewhere it is dropped. A telephone
    number goes to the namespace of its own type, as far as the policy declares it: a fixed line joins nobody.
    """
    if type not in policy.namespaces:
        return None
    spelled = normalise(type, value, region)
    if spelled is None:
        return None
    namespace = _numbered(policy, type, spelled)
    within = _scope(policy.namespaces[namespace], scope)
    if within is None or is_blocked(policy.blocked_values, value, spelled):
        return None
    return Canonical(namespace, within, spelled, verified)


def claimed(
    policy: Policy, type: str, value: Any, scope: str = "", region: str = "JP", verified: bool = False
) -> Canonical | None:
    """Return the identifier as `canonical`, for evidence from outside; None also for what is only ever derived.

    Whoever could state a mailbox beside another address would make one of two people's addresses.
    """
    return None if type in DERIVED else canonical(policy, type, value, scope, region, verified)


def derived(policy: Policy, name: Canonical) -> tuple[Canonical, ...]:
    """Return what else the identifier is evidence of, as sure as itself: an address of its mailbox."""
    also = (
        canonical(policy, namespace, name.value, name.scope, verified=name.verified)
        for namespace, source in DERIVED.items()
        if source == name.namespace
    )
    return tuple(one for one in also if one)


def with_derived(policy: Policy, names: Iterable[Canonical]) -> tuple[Canonical, ...]:
    """Return the identifiers with all that they are evidence of."""
    return tuple(one for name in names for one in (name, *derived(policy, name)))


def is_role_mailbox(namespaces: Mapping[str, Namespace], name: Canonical) -> bool:
    """Whether the identifier is an office's address by the declared local parts, or the mailbox of one."""
    term = namespaces.get(DERIVED.get(name.namespace, name.namespace))
    return term is not None and bool(term.role_mailboxes) and is_role(name.value, _offices(term.role_mailboxes))


@lru_cache(maxsize=8)
def _offices(local_parts: tuple[str, ...]) -> frozenset[str]:
    return frozenset(local_parts)


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


@lru_cache(maxsize=8)
def _compiled(patterns: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern, re.IGNORECASE) for pattern in patterns)


def _numbered(policy: Policy, type: str, spelled: str) -> str:
    """Return the namespace of a number by what the numbering plan says; where it says nothing, the source decides."""
    if type == PHONE and PHONE_FIXED in policy.namespaces and is_fixed(spelled):
        return PHONE_FIXED
    if type == PHONE_FIXED and PHONE in policy.namespaces and is_mobile(spelled):
        return PHONE
    return type


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


def _identity(value: str, _: str) -> str | None:
    trimmed = value.strip()
    return trimmed if trimmed and len(trimmed.encode()) <= MAX_ID_BYTES else None


NORMALISERS: Mapping[str, Callable[[str, str], str | None]] = {
    "email": lambda value, _: email(value),
    "email_canon": lambda value, _: mailbox(value),
    PHONE: phone,
    PHONE_FIXED: phone,
}
"""Types with a spelling of their own; all others are ids, kept as their system gave them."""
