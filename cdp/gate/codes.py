"""One person's answer to every use at once: what `person_code` says of each, from answers that people share.

A rule about the person reads the person (country, age, states …) and, of what reaches them, one way with what
was said there about one purpose. So the answers are kept by these, and not by everything that a person ever
said: thousands of people who differ as wholes share them.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from cdp.gate import reasons
from cdp.gate.decide import OLDEST_AGE_OF_CONSENT, first_refusal, laws_of, nowhere
from cdp.gate.laws.rule import Case, Declared, declared_use
from cdp.gate.question import Consent, Reach, Standing
from cdp.policy.terms import Law, Policy

_Heard: TypeAlias = tuple["_Place", Consent | None, Reach | None]


@dataclass(frozen=True, eq=False, slots=True)
class _Place:
    """A purpose on a channel, and the uses that differ in their recipient alone."""

    purpose: str
    channel: str
    nowhere: Reach | None
    uses: tuple[tuple[int, Declared], ...]


class _Answers(NamedTuple):
    """How far each use of a place gets by one way, and the numbers of what stops it there."""

    refusals: tuple[tuple[int, str], ...]
    numbers: bytes


def person_codes(policy: Policy, standing: Standing) -> bytes:
    """Return the person's code for every use of the policy, by the use's index.

    Ages beyond every law's interest count as one, so that adults share their answers.
    """
    age = standing.age
    is_adult = age is not None and age > OLDEST_AGE_OF_CONSENT
    person = replace(standing, age=OLDEST_AGE_OF_CONSENT if is_adult else age, reaches=())
    known, laws = _known(policy, person), laws_of(policy, standing)
    ways: dict[str, list[Reach]] = defaultdict(list)
    for reach in standing.reaches:
        ways[reach.channel].append(reach)
    codes = bytearray(_undeclared(policy))
    for place in _places(policy):
        found = [_answers(known, place, person, laws, way) for way in ways.get(place.channel) or (place.nowhere,)]
        for (index, _), number in zip(place.uses, _furthest(found), strict=True):
            codes[index] = number
    return bytes(codes)


def _answers(
    known: dict[_Heard, _Answers], place: _Place, person: Standing, laws: Law, reach: Reach | None
) -> _Answers:
    consent = reach.consent(place.purpose) if reach else None
    way = _bare(reach.channel, reach.suppressed, reach.address) if reach else None
    answers = known.get((place, consent, way))
    if answers is None:
        heard = replace(way, consents=(consent,)) if way and consent else way
        refusals = tuple(first_refusal(Case(declared, person, heard), laws) for _, declared in place.uses)
        answers = _Answers(refusals, bytes(_number(code) for _, code in refusals))
        known[place, consent, way] = answers
    return answers


def _furthest(found: Sequence[_Answers]) -> bytes:
    """Return the numbers of the ways that get furthest: their remedies are those that would help."""
    if len(found) == 1:
        return found[0].numbers
    return bytes(_number(max(each)[1]) for each in zip(*(one.refusals for one in found), strict=True))


def _number(code: str) -> int:
    return reasons.NUMBERS[code] if code else 0


@lru_cache(maxsize=1 << 12)
def _known(policy: Policy, person: Standing) -> dict[_Heard, _Answers]:
    """Return the answers known for people of this kind, to be added to."""
    return {}


@lru_cache(maxsize=1 << 12)
def _bare(channel: str, suppressed: tuple[str, ...], address: str) -> Reach:
    """Return a way without what was said there."""
    return Reach(channel, (), suppressed, address)


@lru_cache(maxsize=8)
def _places(policy: Policy) -> tuple[_Place, ...]:
    uses: dict[tuple[str, str], list[tuple[int, Declared]]] = defaultdict(list)
    for use in policy.uses:
        if (declared := declared_use(policy, use)) is not None:
            uses[use.purpose, use.channel].append((use.index, declared))
    return tuple(_Place(purpose, channel, nowhere(channel), tuple(some)) for (purpose, channel), some in uses.items())


@lru_cache(maxsize=8)
def _undeclared(policy: Policy) -> bytes:
    return bytes([reasons.NUMBERS["unknown_use"]]) * len(policy.uses)
