"""What a look finds: what it is, why it hurts and what to do, in the language of who asks."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from cdp.clock import Clock
from cdp.db import Database
from cdp.ops.doctor.texts import TEXTS
from cdp.settings import Settings

LEVELS = ("sound", "note", "hurts")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: `sound`, `note` (know it) or `hurts` (mend it)."""

    level: str
    name: str
    """Stable, for scripts: `keyring_alone`, `clock_behind` …"""
    what: str
    why: str = ""
    todo: str = ""


Look = Callable[["Patient"], Iterator[Finding]]


@dataclass(slots=True)
class Patient:
    """What the looks look at."""

    settings: Settings
    clock: Clock
    database: Database


def hurts(name: str, **facts: Any) -> Finding:
    """Say what must be mended; `facts` fill the text of this name."""
    return _found("hurts", name, facts)


def note(name: str, **facts: Any) -> Finding:
    """Say what should be known."""
    return _found("note", name, facts)


def _found(level: str, name: str, facts: dict[str, Any]) -> Finding:
    texts = TEXTS[name][1 if _is_japanese() else 0]
    return Finding(level, name, *(text.format(**facts) for text in texts))


def _is_japanese() -> bool:
    """By the first of LC_ALL, LC_MESSAGES and LANG that says anything."""
    said = (os.environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return next((text for text in said if text), "").startswith("ja")
