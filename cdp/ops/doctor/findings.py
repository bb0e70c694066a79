"""What a look finds: what it is, why it hurts and what to do, in the language of who asks."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from cdp.clock import Clock
from cdp.db import Database
from cdp.ops.doctor.texts import TEXTS
from cdp.ops.doctor.words import WORDS
from cdp.settings import Settings

LEVELS = ("sound", "note", "hurts")

NAMED = ("look", "what", "thing", "duty")
"""Facts that are names of ours, and have a Japanese one."""


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


def sound(look: str) -> Finding:
    """Say that a look found nothing."""
    return Finding("sound", look.replace(" ", "_"), _word(look))


def hurts(name: str, **facts: Any) -> Finding:
    """Say what must be mended; `facts` fill the text of this name."""
    return _found("hurts", name, facts)


def note(name: str, **facts: Any) -> Finding:
    """Say what should be known."""
    return _found("note", name, facts)


def _found(level: str, name: str, facts: dict[str, Any]) -> Finding:
    texts = TEXTS[name][1 if _is_japanese() else 0]
    said = {key: _word(fact) if key in NAMED else fact for key, fact in facts.items()}
    return Finding(level, name, *(text.format(**said) for text in texts))


def _word(name: str) -> str:
    return WORDS.get(name, name) if _is_japanese() else name


def _is_japanese() -> bool:
    """By the first of LC_ALL, LC_MESSAGES and LANG that says anything."""
    said = (os.environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return next((text for text in said if text), "").startswith("ja")
