"""Whether contact points can be reached for a purpose now, and the first reason why not: for reports of many at once.

Reachable is whom any of the purpose's recipients but the person may use it for. Names nobody and opens nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

from sqlmodel import Session

from cdp import policy
from cdp.gate.decide import decide, laws_for
from cdp.gate.question import Reach, Standing
from cdp.gate.standing import Situation, load
from cdp.policy.terms import CONTACT_CHANNELS, Law, Policy, Use


class Asked(NamedTuple):
    """One contact point, or the person as a whole where the channel has none, for one purpose."""

    people: Mapping[int, int]
    """Whoever has the contact point, with how much speaks for it that they are meant: the most decides."""
    purpose: str
    channel: str
    tokens: frozenset[bytes] = frozenset()
    """Blind indexes of the contact point, one for each epoch."""


class Reached(NamedTuple):
    """The answer: the laws that protect, the first refusal (empty = reachable), and what holds of consent there."""

    laws: Law
    refusal: str
    consent: str = ""


UNKNOWN = Reached(Law(0), "no_contact_point")
"""Nobody has it."""


def reached(session: Session, asked: Sequence[Asked], at: datetime) -> list[Reached]:
    """Answer each question; of several people with one contact point whoever may be reached speaks.

    Never by their numbers: the same people found in another order give the same answer.
    """
    terms = policy.of(session)
    situations: dict[str, dict[int, Situation]] = {}
    for channel in sorted({one.channel for one in asked}):
        people = {person for one in asked if one.channel == channel for person in one.people}
        situations[channel] = load(session, people, at, channel)
    return [_best(terms, one, situations[one.channel], at.date()) for one in asked]


def _best(terms: Policy, asked: Asked, situations: dict[int, Situation], on: date) -> Reached:
    answers = [
        (answer := _answer(terms, asked, situations[person], on), (bool(answer.refusal), -weight, answer))
        for person, weight in asked.people.items()
        if person in situations
    ]
    return min(answers, key=itemgetter(1))[0] if answers else UNKNOWN


def _answer(terms: Policy, asked: Asked, situation: Situation, on: date) -> Reached:
    standing, way = situation.standing, _way(asked, situation)
    laws = standing.laws or laws_for(terms, "")
    refusals = [_refusal(terms, use, standing, way, on) for use in _uses(terms, asked.purpose, asked.channel)]
    refusal = "" if "" in refusals else next(iter(refusals), "unknown_use")
    said = way.consent(asked.purpose) if way else None
    return Reached(laws, refusal, said.status if said else "")


def _way(asked: Asked, situation: Situation) -> Reach | None:
    ways = zip(situation.standing.reaches, situation.points, strict=True)
    on_channel = [(reach, point) for reach, point in ways if reach.channel == asked.channel]
    if asked.channel in CONTACT_CHANNELS:
        return next((reach for reach, point in on_channel if point and point.token in asked.tokens), None)
    return next((reach for reach, point in on_channel if point is None), Reach(asked.channel))


@lru_cache(maxsize=1 << 8)
def _uses(terms: Policy, purpose: str, channel: str) -> tuple[Use, ...]:
    found: Iterable[Use] = (use for use in terms.uses if (use.purpose, use.channel) == (purpose, channel))
    return tuple(use for use in found if terms.recipients[use.recipient].role != "subject")


@lru_cache(maxsize=1 << 14)
def _refusal(terms: Policy, use: Use, standing: Standing, way: Reach | None, on: date) -> str:
    return decide(terms, use, standing, way, on).first_refusal
