"""Makes TC strings: an encoder that shares nothing with the decoder, and strings that IAB's own library made.

Fields are written as text of zeros and ones by the format's table; ids are sets of numbers.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from hypothesis import strategies as st

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
EVERYTHING = frozenset(range(1, 12))

OF_IAB = {
    "everything": (
        "CQjh0IAQkgb8AAfAEBENB4FgAP_gAAAAAAYgKKQBQABAAKAC3AvMC9QKKAAUQEAA.IKKQBQABAAKAC3AvMC9QKKAA.YAAAAAAAAAAA",
        EVERYTHING,
        {2, 10, 91, 755, 756, 757, 1300},
        {2, 10, 91, 755, 756, 757, 1300},
        {},
    ),
    "as a bit field": (
        "CQjh0IAQkgb8AAfAEBENB4FgAP_gAAAAAAYgAFEBAAAAAAAA.IAtwAwABAAKAC2AA.YAAAAAAAAAAA",
        EVERYTHING,
        {2, 10},
        {2, 10, 91},
        {},
    ),
    "analytics, and purposes of the publisher's own": (
        "CQjh0IAQkgb8AAfAEBENB4FgAIHgAAAAAAYgAtwAQAtgAAAA.IF5wAgAtgLzA.cCAAAAAAAUAA",
        {1, 8, 9, 10, 11},
        {91},
        {91, 755},
        {},
    ),
    "nothing": (
        "CQjh0IAQkgb8AAfAEBENB4FgAAAAAAAAAAYgAAAAAAAA.IF5wBAABAAKAC2AvMAAA.YAAAAAAAAAAA",
        set(),
        set(),
        {2, 10, 91, 755},
        {},
    ),
    "with restrictions": (
        "CQjh0IAQkgb8AAfAEBENB4FgAP_gAAAAAAYgF5wAgAtgLzAAAAEEAAgLzHQAQAtg.IF5wAgAtgLzA.YAAAAAAAAAAA",
        EVERYTHING,
        {91, 755},
        {91, 755},
        {2: {755}},
    ),
}
"""Made by @iabtechlabtcf/core 1.5.21, in May 2026 by their own clock → purposes, vendors, disclosed, barred."""


@dataclass(frozen=True)
class Made:
    """What a string is to say."""

    purposes: Collection[int] = EVERYTHING
    vendors: Collection[int] = (10, 91, 755)
    disclosed: Collection[int] | None = (10, 91, 755, 900)
    restrictions: Collection[tuple[int, int, tuple[int, ...]]] = ()
    """(purpose, type, vendors)"""
    created: datetime = datetime(2026, 5, 1, tzinfo=UTC)
    updated: datetime = datetime(2026, 5, 20, tzinfo=UTC)
    version: int = 2
    policy: int = 5
    specific: int = 1
    letters: str = "DE"
    interests: Collection[int] = (2, 7)
    in_ranges: bool = False
    publisher: Collection[int] | None = ()
    allowed: Collection[int] | None = None
    further: tuple[str, ...] = field(default=())
    """Segments as they are, after the others."""

    @property
    def text(self) -> str:
        segments = [self.first]
        if self.disclosed is not None:
            segments.append(sextets(_number(1, 3) + self.listed(self.disclosed)))
        if self.allowed is not None:
            segments.append(sextets(_number(2, 3) + self.listed(self.allowed)))
        if self.publisher is not None:
            segments.append(sextets(_number(3, 3) + _flags(self.publisher, 24) + "0" * 24 + _number(2, 6) + "1000"))
        return ".".join([*segments, *self.further])

    @property
    def first(self) -> str:
        when = "".join(_number(round(one.timestamp() * 10), 36) for one in (self.created, self.updated))
        country = "".join(_number(ord(letter) - ord("A"), 6) for letter in self.letters)
        head = _number(self.version, 6) + when + _number(31, 12) + _number(4, 12) + _number(1, 6) + country
        head += _number(120, 12) + _number(self.policy, 6) + str(self.specific) + "0" + "0" * 12
        asked = _flags(self.purposes, 24) + _flags(self.interests, 24) + "0" + country
        return sextets(head + asked + self.listed(self.vendors) + self.listed(self.interests) + self.restricted())

    def listed(self, ids: Collection[int]) -> str:
        largest = max(ids, default=0)
        body = ranges(ids) if self.in_ranges else _flags(ids, largest)
        return _number(largest, 16) + str(int(self.in_ranges)) + body

    def restricted(self) -> str:
        each = (_number(purpose, 6) + _number(kind, 2) + ranges(ids) for purpose, kind, ids in self.restrictions)
        return _number(len(self.restrictions), 12) + "".join(each)


def with_digest(text: str) -> dict[str, Any]:
    """The string as an event carries it whole."""
    return {"tcString": text, "sha256": sha256(text.encode()).hexdigest()}


def sextets(bits: str) -> str:
    """Write bits as base64url, filled up to whole groups of four characters."""
    bits += "0" * (-len(bits) % 24)
    return "".join(ALPHABET[int(bits[at : at + 6], 2)] for at in range(0, len(bits), 6))


def ranges(ids: Iterable[int]) -> str:
    runs: list[list[int]] = []
    for one in sorted(ids):
        if runs and runs[-1][-1] == one - 1:
            runs[-1].append(one)
        else:
            runs.append([one])
    written = (
        "1" + _number(run[0], 16) + _number(run[-1], 16) if len(run) > 1 else "0" + _number(run[0], 16) for run in runs
    )
    return _number(len(runs), 12) + "".join(written)


def _number(value: int, width: int) -> str:
    return f"{value:0{width}b}"


def _flags(ids: Collection[int], width: int) -> str:
    return "".join("1" if one in ids else "0" for one in range(1, width + 1))


def flips(text: str) -> Iterable[str]:
    """Yield the text with each bit changed that a character stands for, then each bit of the character itself."""
    for at, sign in enumerate(text):
        found = [ALPHABET[ALPHABET.index(sign) ^ 1 << bit] for bit in range(6)] if sign in ALPHABET else []
        found += [chr(ord(sign) ^ 1 << bit) for bit in range(8)]
        for changed in found:
            yield text[:at] + changed + text[at + 1 :]


_ids = st.sets(st.integers(1, 1500), max_size=12)
made = st.builds(
    Made,
    purposes=st.sets(st.integers(1, 11)),
    vendors=_ids,
    disclosed=_ids,
    interests=st.sets(st.integers(1, 11)),
    restrictions=st.lists(
        st.tuples(st.integers(1, 11), st.integers(0, 2), _ids.filter(bool).map(lambda ids: tuple(sorted(ids)))),
        max_size=3,
    ),
    in_ranges=st.booleans(),
    policy=st.sampled_from([4, 5]),
    publisher=st.one_of(st.none(), st.sets(st.integers(1, 11))),
    allowed=st.one_of(st.none(), _ids),
)
"""Any string of today."""
