"""Who answers for each table that holds people: erasure and export are complete by construction.

A holder names its tables and can `export` and `forget` subjects. A test walks every table and
fails for one with people in it that no holder names.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session


@dataclass(frozen=True, slots=True)
class Holder:
    """One package's promise about its tables."""

    name: str
    tables: tuple[str, ...]
    forget: Callable[[Session, Sequence[int]], int]
    """Delete everything of these subjects; returns how many rows went."""
    export: Callable[[Session, Sequence[int]], list["Held"]]
    """List everything held of these subjects, sealed values still sealed."""


@dataclass(frozen=True, slots=True)
class Held:
    """One stored thing of a subject, as an export lists it."""

    kind: str
    subject: int
    plain: dict[str, Any]
    """Columns that stand in the clear, named as a person would read them."""
    sealed: bytes | None = None
    table: str = ""
    column: str = ""
    row: bytes | str = b""
    version: int = 1
