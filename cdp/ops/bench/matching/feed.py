"""A feed as a shop in Japan and the Union has it, drawn from a seed, with the truth of who is who.

Hard on purpose, in the ways in which feeds are: shared mailboxes and tablets, kiosks, numbers that went to
strangers, members with two numbers, values that mean nobody, many spellings; and browsers that nobody ever signs in
from, so that no method on identifiers finds more than two pairs in three. The shares are a judgement, set so that at
full size plain union-find is right in a third of the pairs that it joins; somebody's own records will differ.
"""

from collections.abc import Iterator
from random import Random

from cdp.ops.bench.matching.household import Town
from cdp.ops.bench.matching.places import Places
from cdp.ops.bench.matching.record import Record
from cdp.ops.bench.matching.traces import Traces


def feed(people: int, seed: int = 1) -> Iterator[Record]:
    """Yield the records of so many people, household by household; 60,000 people leave some 320,000."""
    chance = Random(seed)  # noqa: S311 - draws a feed, guards nothing
    town, places = Town(chance), Places(chance, people)
    for household in town.homes(people):
        for person in household:
            yield from Traces(chance, places, person).records()
