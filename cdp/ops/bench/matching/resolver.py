"""This product's own resolver on the benchmark's records: the one place where the two meet.

As the rebuild does it: all the evidence at once, under the shipped configuration. Tokens and marks are made under a
key that lives for the run; birth dates and names are read as ingest reads them, and what it could not read is left out.
"""

import secrets
from collections.abc import Iterator, Sequence
from hashlib import blake2b

import numpy as np

from cdp import deployment as deploying
from cdp.identity import marks, seeing
from cdp.identity.normalise import canonical, is_role_mailbox
from cdp.identity.rebuild import Graph, assemble, compute
from cdp.identity.rebuild.reading import Row
from cdp.ops.bench.matching.record import Record, Told
from cdp.policy.terms import Policy
from cdp.profile import values
from cdp.settings import read_settings

_TRAITS = {
    "birth_date": "birthday",
    "family": "family_name",
    "given": "given_name",
    "family_kana": "family_name_kana",
    "given_kana": "given_name_kana",
}
_LOT = 10_000


def resolved(records: Sequence[Record], told: Told) -> list[int]:
    """Decide who is one person by the rules and policies of this deployment."""
    terms, key = deploying.load_policy(read_settings()), secrets.token_bytes(32)
    graph = gathered(terms, key, records, told)
    found = compute(graph, terms.namespaces).people
    return [int(person) for person in found]


def gathered(terms: Policy, key: bytes, records: Sequence[Record], told: Told) -> Graph:
    """Return the records as the graph that a rebuild reads."""
    numbers = np.arange(len(records), dtype=np.int64)
    graph = assemble(np.stack((numbers, numbers), axis=1), _lots(terms, key, records, told))
    graph.marks = list(_marks(terms, key, records))
    return graph


def _lots(terms: Policy, key: bytes, records: Sequence[Record], told: Told) -> Iterator[list[Row]]:
    for start in range(0, len(records), _LOT):
        lot = [
            row
            for number in range(start, min(start + _LOT, len(records)))
            for row in _rows(terms, key, number, records[number])
        ]
        told(start, len(records))
        yield lot


def _rows(terms: Policy, key: bytes, number: int, record: Record) -> Iterator[Row]:
    month = seeing.month_of(record.at)
    names = {}
    for one in record.identifiers:
        name = canonical(terms, one.namespace, one.value, one.scope, record.region, one.verified)
        if name is None or is_role_mailbox(terms.namespaces, name):
            continue
        if name not in names or name.verified:
            names[name] = name
    for name in names.values():
        token = _digest(key, f"{name.namespace}\0{name.scope}\0{name.value}", 16)
        yield number, name.namespace, token, name.scope, name.verified, token, month


def _marks(terms: Policy, key: bytes, records: Sequence[Record]) -> Iterator[tuple[int, str, int]]:
    for number, record in enumerate(records):
        traits = {}
        for name, text in record.attributes.items():
            if name in _TRAITS and text:
                try:
                    traits[_TRAITS[name]] = values.read("birthday" if name == "birth_date" else "text", text)
                except ValueError:
                    continue
        for namespace, text, size in marks.texts(traits):
            if text and marks.is_constraint(terms.namespaces.get(namespace)):
                yield number, namespace, int.from_bytes(_digest(key, f"{namespace}\0{text}", size))


def _digest(key: bytes, text: str, size: int) -> bytes:
    return blake2b(text.encode(), key=key, digest_size=size).digest()
