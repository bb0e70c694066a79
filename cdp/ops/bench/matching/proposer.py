"""This product's proposals on the benchmark's records, as if a reviewer had accepted every likely pair.

Trained on the very records, without labels; on tokens under a key of the run, as in production. Every pair from 0.95
on is joined, which is how others were measured; in production only mutual best pairs are proposed, run after run.
"""

import re
from collections.abc import Iterator, Sequence

from cdp.identity import proposals
from cdp.identity.proposals import Described, memory, rules, scoring, veil
from cdp.ops.bench.matching.forest import Forest
from cdp.ops.bench.matching.record import Record, Told

THRESHOLD = 0.95


def proposed(records: Sequence[Record], told: Told) -> list[int]:
    """Return clusters by the likely pairs."""
    described = list(_described(records))
    model = proposals.train(described)
    told(len(records) // 2, len(records))
    with memory.holding(veil.tokens(described)) as chamber:
        pairs = scoring.score(chamber, model, THRESHOLD)
    forest = Forest(len(records))
    for pair in pairs:
        if rules.has_grounds(pair.levels):
            forest.join(pair.a, pair.b)
    return [forest.root(number) for number in range(len(records))]


def _described(records: Sequence[Record]) -> Iterator[Described]:
    for number, record in enumerate(records):
        known = record.attributes
        place = " ".join(known[name] for name in ("house", "street", "suburb") if known.get(name))
        yield Described(
            number,
            family=known.get("family", ""),
            given=known.get("given", ""),
            birth_date=_iso(known.get("birth_date", "")),
            postal=known.get("postal", ""),
            block=place,
        )


def _iso(written: str) -> str:
    found = re.fullmatch(r"(\d{4})(\d\d)(\d\d)", written)
    return "-".join(found.groups()) if found else ""
