"""Reads JSON from strangers: strict UTF-8, no NaN, bounded depth, text that every database can store."""

import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn

from cdp.errors import Problem

DEEPEST = 16


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


def is_storable(text: str) -> bool:
    """Whether the text has neither NUL nor half of a surrogate pair, which databases refuse."""
    if text.isascii():
        return "\x00" not in text
    return "\x00" not in text and not any("\ud800" <= sign <= "\udfff" for sign in text)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)
