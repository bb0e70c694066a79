"""Values become tokens that only this run can compare: HMAC-SHA256 under a random key, overwritten at the end.

Equal tokens mean equal parts of a value, and overlapping sets mean similar ones, so that similarity needs no
plaintext. A stolen table of such tokens could be guessed at by counting (how many hold the commonest name), which
is why neither key nor token outlives the run or reaches a disk. An attribute of few values gets no token of its own
(sex, year of birth, prefecture): there counting is enough. Month and day stand together for that reason.
"""

import hmac
import re
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from cdp.identity.proposals.described import Described
from cdp.identity.proposals.folding import fold_name, fold_place, writing

VERSION = 2
"""Of the tokens; a model knows which it was trained on, and is refused for others."""

LONG_ENOUGH = 4
"""Letters from which on a name may be one letter off: 健 and 健一 are two people, サトウ and カトウ are too."""
PREFIX = 3
COMMON = 500
"""A date of birth on more than one in this many people is a form's default, and says nothing."""
_NEVER_COMMON = 20
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_PLACEHOLDERS = {"1900-01-01", "1970-01-01", "9999-12-31"}

Row = dict[str, Any]
"""Column → token (int), list of tokens or None for unknown."""

Watch = Callable[[bytearray, list[Row]], None]
"""Sees the key and the tokens while both are there: how a test proves that neither is left anywhere."""


@contextmanager
def veil() -> Iterator[bytearray]:
    """Yield a random key of 32 bytes; it is overwritten at the end, also of a failure."""
    key = bytearray(secrets.token_bytes(32))
    try:
        yield key
    finally:
        key[:] = bytes(len(key))


def tokens(described: Iterable[Described], watch: Watch | None = None) -> list[Row]:
    """Return a row of tokens per person, in the order of their numbers, under a key that is gone by then.

    Raises ValueError where a cluster comes twice.
    """
    with veil() as key:
        rows = [veiled(one, key) for one in sorted(described, key=lambda one: one.cluster)]
        if watch is not None:
            watch(key, rows)
    if len({row["cluster"] for row in rows}) < len(rows):
        raise ValueError("one row per cluster")
    return _without_defaults(rows)


def veiled(one: Described, key: bytearray) -> Row:
    """Return one person's row of tokens under this key."""
    return {
        "cluster": one.cluster,
        **_name("given", one.givens, key),
        **_name("family", one.families, key),
        **_birth(one.birth_date, key),
        **_place(one.postal, one.block, key),
    }


def token(key: bytearray, kind: str, value: str) -> int:
    """Return 64 bits of the keyed digest; equal values of two kinds have different tokens."""
    digest = hmac.digest(key, f"{kind}\0{value}".encode(), "sha256")
    return int.from_bytes(digest[:8], "big", signed=True)


def _name(column: str, writings: Iterable[str], key: bytearray) -> Row:
    """Return a name's tokens; the parts of all its writings stand in one set."""
    names = list(dict.fromkeys(spelling for name in writings for spelling in fold_name(name)))
    same = [token(key, column, name) for name in names]
    spelled = [name for name in names if writing(name) != "CJK"]
    alike = [token(key, f"{column} prefix", name[:PREFIX]) for name in spelled]
    near = {token(key, f"{column} near", part) for name in spelled for part in _neighbours(name)}
    return {
        column: same[0] if same else None,
        f"{column}_writings": sorted({writing(name) for name in names}) or None,
        f"{column}_same": same or None,
        f"{column}_near": sorted(near) or None,
        f"{column}_alike": alike or None,
        f"{column}_keys": same + alike or None,
    }


def _neighbours(name: str) -> set[str]:
    """Return the name and what is left when any one letter is dropped: two that share one are a letter apart."""
    if len(name) < LONG_ENOUGH:
        return set()
    return {name, *(name[:at] + name[at + 1 :] for at in range(len(name)))}


def _birth(date: str, key: bytearray) -> Row:
    parts = _DATE.fullmatch(date)
    if parts is None or date in _PLACEHOLDERS:
        return {"birth": None, "birth_parts": None}
    year, month, day = parts.groups()
    two = (("year, month", year + month), ("year, day", year + day), ("month, day", month + day))
    return {
        "birth": token(key, "birth", year + month + day),
        "birth_parts": [token(key, f"birth {kind}", part) for kind, part in two],
    }


def _place(postal: str, block: str, key: bytearray) -> Row:
    code, rest = fold_place(postal, block)
    exact = {
        "postal": token(key, "postal", code) if code else None,
        "block": token(key, "block", rest) if rest else None,
    }
    area = token(key, "postal prefix", code[:PREFIX]) if code else None
    return {**exact, "postal_area": area, "place_keys": [one for one in exact.values() if one is not None] or None}


def _without_defaults(rows: list[Row]) -> list[Row]:
    """Take away dates of birth that too many share."""
    held = Counter(row["birth"] for row in rows if row["birth"] is not None)
    most = max(_NEVER_COMMON, len(rows) // COMMON)
    for row in rows:
        if held[row["birth"]] > most:
            row["birth"] = row["birth_parts"] = None
    return rows
