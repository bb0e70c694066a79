"""Signed JWTs from outside, read as strictly as anybody may read them.

Refused whatever the signature says: another serialisation than the compact one, a header that we do not
expect (a key or a critical extension in it), a member named twice, numbers that JSON does not have, and
instants that are no numbers. A library reads the last of two `sub` where another reads the first.
"""

import json
import math
from collections.abc import Callable, Collection, Sequence
from typing import Any, NoReturn

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey
from joserfc.util import urlsafe_b64decode

LONGEST = 8192
"""Characters of a token or an assertion."""

INSTANTS = ("exp", "iat", "nbf")

Key = ECKey | OKPKey


class Refused(Exception):
    """The text is no JWT that can be believed."""


def read(
    text: str, headers: Collection[str], find_key: Callable[[dict[str, Any]], Key | None], algorithms: Sequence[str]
) -> dict[str, Any]:
    """Return the claims of a compact JWT that the key signed; raises Refused for any reason to doubt it.

    `headers` are the only ones that may stand in it; `find_key` chooses by them, never from them.
    """
    header, claims = peek(text)
    try:
        key = find_key(header)
        if key is None or not set(header) <= set(headers):
            raise Refused
        jwt.decode(text, key, algorithms=list(algorithms))
    except (JoseError, ValueError, TypeError, KeyError):
        raise Refused from None
    if not all(_is_instant(claims[name]) for name in INSTANTS if name in claims):
        raise Refused
    return claims


def peek(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and claims unbelieved; raises Refused where they are not each one plain JSON object."""
    parts = text.split(".")
    if len(text) > LONGEST or len(parts) != 3:
        raise Refused
    try:
        header, claims = (_object(urlsafe_b64decode(part.encode("ascii"))) for part in parts[:2])
    except (ValueError, RecursionError):
        raise Refused from None
    return header, claims


def _object(raw: bytes) -> dict[str, Any]:
    value = json.loads(raw.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_number)
    if not isinstance(value, dict):
        raise ValueError("no object")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member named twice")
    return members


def _no_number(_: str) -> NoReturn:
    raise ValueError("no number of JSON")


def _is_instant(value: object) -> bool:
    """`true` is a number to Python, and 1e999 is one to JSON."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)
