"""Reads JSON from strangers: strict UTF-8, no NaN, bounded depth, text that every database can store."""

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NoReturn

from cdp.clock import parse_instant
from cdp.errors import Problem

DEEPEST = 16
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST = 256
"""Most characters of an identifier or a name."""


class Malformed(Exception):
    """An item that cannot be taken: the reason and the field's pointer, never what stood there.

    For use inside a connector, which turns it into a Refusal where the item is known.
    """

    def __init__(self, reason: str, field: str = "") -> None:
        super().__init__(reason)
        self.reason, self.field = reason, field


def read_json(body: bytes) -> Any:
    """Parse the body; raises Problem (400 malformed_json) for anything that is no JSON in UTF-8."""
    try:
        return json.loads(body.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise Problem(400, "malformed_json", "The body is not JSON in UTF-8.") from None


def flaw(value: Any, depth: int = DEEPEST) -> str:
    """Return why a parsed value cannot be taken (`too_deep`, `unprintable_text`, `number_malformed`), or ''."""
    if isinstance(value, str):
        return "" if is_storable(value) else "unprintable_text"
    if isinstance(value, float):
        return "" if math.isfinite(value) else "number_malformed"
    if not isinstance(value, Mapping | list):
        return ""
    if depth == 0:
        return "too_deep"
    parts = [*value.keys(), *value.values()] if isinstance(value, Mapping) else value
    return next((found for part in parts if (found := flaw(part, depth - 1))), "")


def size(value: Any) -> int:
    """Return how many bytes a parsed value takes as compact JSON."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"))


def as_object(value: Any) -> Mapping[str, Any]:
    """Return the value if it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def as_list(value: Any) -> list[Any]:
    """Return the value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def as_text(value: Any, field: str, reason: str = "identifier_malformed") -> str:
    """Return a short text or whole number as text, '' for nothing; raises Malformed for anything else."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int) or len(str(value)) > LONGEST:
        raise Malformed(reason, field)
    return str(value).strip()


def as_instant(value: Any, field: str) -> datetime | None:
    """Return an ISO 8601 instant in UTC, None for nothing; raises Malformed for anything else."""
    if value is None:
        return None
    try:
        instant = parse_instant(value)
    except (TypeError, ValueError, OverflowError):
        raise Malformed("timestamp_malformed", field) from None
    if instant < EARLIEST:
        raise Malformed("timestamp_malformed", field)
    return instant


def is_storable(text: str) -> bool:
    """Whether the text has neither NUL nor half of a surrogate pair, which databases refuse."""
    if text.isascii():
        return "\x00" not in text
    return "\x00" not in text and not any("\ud800" <= sign <= "\udfff" for sign in text)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)
