"""Takes an IAB TC string of version 2 apart, strictly: what is not whole to its last bit is no string at all.

`Core[.DisclosedVendors][.AllowedVendors][.PublisherTC]`, each segment base64url. Refused with a reason, never raised:
anything cut, padded, repeated, out of order, out of range, of an unknown version, policy or segment, or without the
disclosed vendors that every string made since March 2026 must carry (TCF v2.3). A field that is read past its end
is a refusal, not a zero: a lenient reader takes a truncated string for consent to everything.

The format holds no checksum, so that a changed bit may leave a string that is as good as the first: whoever trusts
one needs more than the string (`cdp.connector.tcf`). The publisher's own segment is checked and read for nothing.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from cdp.errors import Refusal

REASONS = frozenset(
    {
        "tcf_too_long",
        "tcf_not_base64url",
        "tcf_too_short",
        "tcf_trailing_bits",
        "tcf_unknown_version",
        "tcf_unknown_policy",
        "tcf_unknown_purpose",
        "tcf_unknown_segment",
        "tcf_repeated_segment",
        "tcf_not_service_specific",
        "tcf_letters_malformed",
        "tcf_times_disordered",
        "tcf_range_malformed",
        "tcf_restriction_malformed",
        "tcf_undisclosed",
    }
)
"""Why a string is none."""

LONGEST = 4096
"""Characters of a string: what a cookie holds."""
VERSION = 2
POLICIES = frozenset({4, 5})
"""Policy versions of TCF 2.2 and 2.3. Earlier ones have been void since November 2023; later ones nobody has read."""
PURPOSES = 11
"""Purposes that these policies know."""
DISCLOSED_SINCE = datetime(2026, 3, 1, tzinfo=UTC)
"""Strings made since then name the vendors that were disclosed; TCF v2.3 asks it of those made after 28 February."""

DISCLOSED, ALLOWED, PUBLISHER = 1, 2, 3
"""Types of segments."""
NOT_ALLOWED, CONSENT_REQUIRED, INTEREST_REQUIRED = 0, 1, 2
"""Types of a publisher's restriction."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SEGMENT = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_ONES = re.compile("1+")
_LARGEST_ID = 2**16 - 1
_PADDING = 24
"""Fewer zero bits than this may follow the fields: encoders fill up to whole bytes and whole base64 groups."""


Vendors: TypeAlias = tuple[range, ...]
"""Ids of vendors, in ranges: a few bytes may name sixty thousand."""


@dataclass(frozen=True, slots=True)
class TcString:
    """What a whole string says, as far as anything is decided by it."""

    created: datetime
    updated: datetime
    purposes: frozenset[int]
    """Purposes consented to."""
    vendors: Vendors
    """Vendors consented to."""
    disclosed: Vendors | None
    """Vendors that the person was told of; None in older strings, which need not say."""
    barred: Mapping[int, Vendors] = field(default_factory=dict)
    """Purpose → vendors whom the publisher keeps from it, or from asking consent for it."""

    def consents(self, purposes: Iterable[int], vendors: Iterable[int]) -> bool:
        """Whether every purpose and vendor is consented to, each vendor disclosed, and barred from no purpose."""
        purposes = frozenset(purposes)
        return purposes <= self.purposes and all(self._has(purposes, vendor) for vendor in vendors)

    def _has(self, purposes: frozenset[int], vendor: int) -> bool:
        told = self.disclosed is None or _holds(self.disclosed, vendor)
        barred = any(_holds(self.barred.get(purpose, ()), vendor) for purpose in purposes)
        return _holds(self.vendors, vendor) and told and not barred


class _Broken(Exception):
    """No whole string; the message is the reason."""


class _Bits:
    """The bits of one segment, taken from the left; none may be missing, and none but padding left over."""

    def __init__(self, segment: str) -> None:
        self._bits, self._at = "".join(f"{octet:08b}" for octet in _octets(segment)), 0

    def cut(self, width: int) -> str:
        """Take a field as it stands."""
        field = self._bits[self._at : self._at + width]
        if len(field) < width:
            raise _Broken("tcf_too_short")
        self._at += width
        return field

    def take(self, width: int) -> int:
        """Take a number."""
        return int(self.cut(width), 2)

    def ids(self, width: int) -> Vendors:
        """Take a field whose leftmost bit is id 1."""
        return tuple(range(ones.start() + 1, ones.end() + 1) for ones in _ONES.finditer(self.cut(width)))

    def end(self) -> None:
        rest = self._bits[self._at :]
        if "1" in rest or len(rest) >= _PADDING:
            raise _Broken("tcf_trailing_bits")


def decode(text: str) -> TcString | Refusal:
    """Return what the string says, or why it is none (`REASONS`)."""
    try:
        return _decode(text)
    except _Broken as broken:
        return Refusal(str(broken))


def _decode(text: str) -> TcString:
    if len(text) > LONGEST:
        raise _Broken("tcf_too_long")
    first, *rest = text.split(".")
    bits = _Bits(first)
    created, updated = _header(bits)
    purposes = _asked(bits)
    vendors = _vendors(bits)
    _vendors(bits)  # legitimate interests: never a consent
    barred = _restrictions(bits)
    bits.end()
    disclosed = _segments(rest)
    if disclosed is None and created >= DISCLOSED_SINCE:
        raise _Broken("tcf_undisclosed")
    return TcString(created, updated, purposes, vendors, disclosed, barred)


def _octets(segment: str) -> bytes:
    if not segment:
        raise _Broken("tcf_too_short")
    if not _SEGMENT.fullmatch(segment) or len(segment) % 4 == 1:
        raise _Broken("tcf_not_base64url")
    octets = urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    if urlsafe_b64encode(octets).rstrip(b"=") != segment.encode():
        raise _Broken("tcf_not_base64url")  # bits that belong to no byte are set
    return octets


def _header(bits: _Bits) -> tuple[datetime, datetime]:
    if bits.take(6) != VERSION:
        raise _Broken("tcf_unknown_version")
    created, updated = _instant(bits), _instant(bits)
    if updated < created:
        raise _Broken("tcf_times_disordered")
    bits.cut(12 + 12 + 6)  # CMP, its version, its screen
    _letters(bits)  # language
    bits.cut(12)  # version of the vendor list
    if bits.take(6) not in POLICIES:
        raise _Broken("tcf_unknown_policy")
    return created, updated


def _asked(bits: _Bits) -> frozenset[int]:
    if not bits.take(1):
        raise _Broken("tcf_not_service_specific")  # strings for the whole web are void
    bits.cut(1 + 12)  # non-standard texts, special features
    purposes = frozenset().union(*bits.ids(24))
    if any(purpose > PURPOSES for purpose in purposes):
        raise _Broken("tcf_unknown_purpose")
    bits.cut(24 + 1)  # legitimate interests, treatment of purpose 1
    _letters(bits)  # the publisher's country
    return purposes


def _instant(bits: _Bits) -> datetime:
    return _EPOCH + timedelta(milliseconds=100 * bits.take(36))


def _letters(bits: _Bits) -> None:
    if bits.take(6) > 25 or bits.take(6) > 25:
        raise _Broken("tcf_letters_malformed")


def _vendors(bits: _Bits) -> Vendors:
    largest = bits.take(16)
    return _ranges(bits, largest) if bits.take(1) else bits.ids(largest)


def _ranges(bits: _Bits, largest: int) -> Vendors:
    found, last = [], 0
    for _ in range(bits.take(12)):
        many, start = bits.take(1), bits.take(16)
        end = bits.take(16) if many else start
        if start <= last or end > largest or (many and end <= start):
            raise _Broken("tcf_range_malformed")
        found.append(range(start, end + 1))
        last = end
    return tuple(found)


def _holds(ids: Vendors, one: int) -> bool:
    return any(one in some for some in ids)


def _restrictions(bits: _Bits) -> dict[int, Vendors]:
    barred: defaultdict[int, Vendors] = defaultdict(tuple)
    for _ in range(bits.take(12)):
        purpose, kind = bits.take(6), bits.take(2)
        if not 1 <= purpose <= PURPOSES or kind not in (NOT_ALLOWED, CONSENT_REQUIRED, INTEREST_REQUIRED):
            raise _Broken("tcf_restriction_malformed")
        vendors = _ranges(bits, _LARGEST_ID)
        if kind != CONSENT_REQUIRED:
            barred[purpose] += vendors
    return dict(barred)


def _segments(segments: list[str]) -> Vendors | None:
    """Check every further segment; returns the disclosed vendors, or None where no segment names them."""
    disclosed, seen = None, set()
    for segment in segments:
        bits = _Bits(segment)
        kind = bits.take(3)
        if kind in seen:
            raise _Broken("tcf_repeated_segment")
        seen.add(kind)
        if kind == DISCLOSED:
            disclosed = _vendors(bits)
        elif kind == ALLOWED:
            _vendors(bits)
        elif kind == PUBLISHER:
            bits.cut(24 + 24)
            bits.cut(2 * bits.take(6))  # purposes of the publisher's own
        else:
            raise _Broken("tcf_unknown_segment")
        bits.end()
    return disclosed
