"""What every method gets and gives: records in, one label for each out. Nothing else passes between them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

Told = Callable[[int, int], None]
"""Hears how much is done of how much."""


class Identifier(NamedTuple):
    """An identifier as its source wrote it."""

    namespace: str
    """One of `policies/identifiers.yaml`."""
    value: str
    scope: str = ""
    verified: bool = True
    """The source vouches for it; a browser vouches for nothing."""


@dataclass(frozen=True, slots=True)
class Record:
    """What one source said once of somebody."""

    source: str
    key: str
    at: datetime
    """When it happened at the source, which is not the order of arrival."""
    person: int
    """The truth. No method reads it; the ceiling alone does."""
    identifiers: tuple[Identifier, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    """Of family, given, family_kana, given_kana, birth_date, postal, address, national_id … what the source has."""
    region: str = "JP"
    """Where telephone numbers without a country's prefix are from."""


Method = Callable[[Sequence[Record], Told], list[int]]
"""Returns a label for each record in turn; records with one label are one person."""
