"""One person's answer to every use at once: what `person_code` says of each, from answers that people share.

A rule about the person reads the person (country, age, states …) and, of what reaches them, one way with what
was said there about one purpose. So the answers are kept by these, and not by everything that a person ever
said: thousands of people who differ as wholes share them.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from cdp.gate import reasons
from cdp.gate.decide import OLDEST_AGE_OF_CONSENT, first_refusal, laws_of, nowhere
from cdp.gate.laws.rule import Case, Declared, declared_use
from cdp.gate.question import Consent, Reach, Standing, unasked
from cdp.policy.terms import Law, Policy

_Heard: TypeAlias = tuple["_Place", Consent | None, Reach | None]
_Way: TypeAlias = tuple[Reach, dict[str, Consent]]
"""A way without what was said there, and what was said there, by purpose."""

_UNDECLARED = bytes([reasons.NUMBERS["unknown_use"]])


@dataclass(frozen=True, eq=False, slots=True)
class _Place:
    """A purpose on a channel, and the uses that differ in their recipient alone."""

    purpose: str
    channel: str
    nowhere: Reach | None
    uses: tuple[Declared, ...]


class _Answers(NamedTuple):
    """How far each use of a place gets by one way, and the numbers of what stops it there."""

    refusals: tuple[tuple[int, str], ...]
    numbers: bytes


def person_codes(policy: Policy, standing: Standing) -> bytes:
    """Return the person's code for every use of the policy, by the use's index.

    Ages beyond every law's interest count as one, so that adults share their answers.
    """
    if standing.age is not None and standing.age > OLDEST_AGE_OF_CONSENT:
        standing = replace(standing, age=OLDEST_AGE_OF_CONSENT)
    return _codes(policy, standing)


@lru_cache(maxsize=1 << 14)
def _codes(policy: Policy, standing: Standing) -> bytes:
    """Return the codes of everybody in this very situation: most people are in few."""
    person = replace(standing, reaches=())
    known, laws = _known(policy, person), laws_of(policy, standing)
    ways: dict[str, list[_Way]] = defaultdict(list)
    for reach in standing.reaches:
        said = {consent.purpose: consent for consent in reach.consents}
        ways[reach.channel].append((unasked(reach.channel, reach.suppressed, reach.address), said))
    places, arranged = _places(policy)
    found = [_number_of(known, place, person, laws, ways.get(place.channel)) for place in places]
    return bytes(arranged(b"".join((_UNDECLARED, *found))))


def _number_of(
    known: dict[_Heard, _Answers], place: _Place, person: Standing, laws: Law, ways: Sequence[_Way] | None
) -> bytes:
    """Return the number of each use of the place, by the way that gets it furthest: its remedy would help."""
    if ways is None:
        return _answers(known, place, person, laws, place.nowhere, None).numbers
    found = [_answers(known, place, person, laws, way, said.get(place.purpose)) for way, said in ways]
    if len(found) == 1:
        return found[0].numbers
    return bytes(_number(max(each)[1]) for each in zip(*(one.refusals for one in found), strict=True))


def _answers(
    known: dict[_Heard, _Answers], place: _Place, person: Standing, laws: Law, way: Reach | None, said: Consent | None
) -> _Answers:
    heard = (place, said, way)
    answers = known.get(heard)
    if answers is None:
        reach = replace(way, consents=(said,)) if way and said else way
        refusals = tuple(first_refusal(Case(declared, person, reach), laws) for declared in place.uses)
        answers = known[heard] = _Answers(refusals, bytes(_number(code) for _, code in refusals))
    return answers


def _number(code: str) -> int:
    return reasons.NUMBERS[code] if code else 0


@lru_cache(maxsize=1 << 12)
def _known(policy: Policy, person: Standing) -> dict[_Heard, _Answers]:
    """Return the answers known for people of this kind, to be added to."""
    return {}


@lru_cache(maxsize=8)
def _places(policy: Policy) -> tuple[tuple[_Place, ...], Callable[[bytes], Iterable[int]]]:
    """Return the places, and what brings their numbers, one place after another, into the order of the uses.

    Before the first number stands that of a use which the policy does not declare whole.
    """
    uses: dict[tuple[str, str], list[tuple[int, Declared]]] = defaultdict(list)
    for use in policy.uses:
        if (declared := declared_use(policy, use)) is not None:
            uses[use.purpose, use.channel].append((use.index, declared))
    order = {index: n for n, index in enumerate((index for some in uses.values() for index, _ in some), 1)}
    places = tuple(
        _Place(purpose, channel, nowhere(channel), tuple(declared for _, declared in some))
        for (purpose, channel), some in uses.items()
    )
    wanted = [order.get(use.index, 0) for use in policy.uses]
    return places, lambda numbers: [numbers[n] for n in wanted]
