"""What others would make of the same records, without any protection: plain union-find, and equal names.

`ceiling` is no rival: it joins what methods on exact identifiers could join, and never two people, because it looks.
"""

from collections.abc import Iterator, Sequence

from cdp.identity.normalise import normalise
from cdp.ops.bench.matching.forest import join_by
from cdp.ops.bench.matching.record import Record, Told

_NAME = ("family", "given", "birth_date")


def raw(records: Sequence[Record], told: Told) -> list[int]:
    """Join on equal strings, as an SQL join on the columns does."""
    return join_by([{(one.namespace, one.scope, one.value) for one in record.identifiers} for record in records])


def normalised(records: Sequence[Record], told: Told) -> list[int]:
    """Join on equal identifiers, each in its one spelling; values that mean nobody join like any other."""
    return join_by([set(_spelled(record)) for record in records])


def named_alike(records: Sequence[Record], told: Told) -> list[int]:
    """Join on equal family name, given name and birth date; all three must be there."""
    names = [tuple(record.attributes.get(part, "") for part in _NAME) for record in records]
    return join_by([[name] if all(name) else [] for name in names])


def ceiling(records: Sequence[Record], told: Told) -> list[int]:
    """Join on equal identifiers within the true person: what exact identifiers reach at most."""
    return join_by([{(name, record.person) for name in _spelled(record)} for record in records])


def _spelled(record: Record) -> Iterator[tuple[str, str, str]]:
    for one in record.identifiers:
        value = normalise(one.namespace, one.value, record.region)
        if value is not None:
            yield one.namespace, one.scope, value
