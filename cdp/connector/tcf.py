"""Hears what a TC string in an event says of device-scoped purposes: alone it can say no, and yes only where whole.

A TC string carries no checksum: one changed bit makes a no a yes, and no reader of the string can tell. So the string
comes with its SHA-256, made where the consent platform handed the string over: `{"tcString": …, "sha256": …}`. Then

- a *whole* string (well formed, in time, its digest fits) says yes to a purpose where every TCF purpose behind it and
  every vendor of the source's setting `tcf_vendors` was consented to, and no to the others;
- a string *without* digest says its noes only;
- a string that is damaged, stale or malformed says nothing at all;
- and as long as the string beside it does not say yes, no banner category's yes counts for a purpose that it covers.

What is promised: change, cut, lengthen or join a string in any way, by one bit or many, and the event grants nothing
that TCF speaks of, so never more than with the whole string. What is not: whoever makes the event makes the digest
too. It finds damage, not lies; against those a public key's yes binds the sender's own device only (ruling R3). And a
no that was damaged is not heard, so that what held before the event holds after it.
Legitimate interest is never a consent, and no string opens a contact channel (GDPR 4(11); law.md 2.5, rulings R2, R3).
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from cdp.connector import tcstring
from cdp.connector.kit import ConsentTerm
from cdp.connector.reading import as_object
from cdp.connector.tcstring import TcString
from cdp.errors import Refusal

REASONS = tcstring.REASONS | {
    "tcf_not_text",
    "tcf_damaged",
    "tcf_in_the_future",
    "tcf_stale",
    "tcf_unconfirmed",
    "tcf_vendors_unset",
}
"""Why a string says nothing, or says no yes: `tcf_unconfirmed` came without digest, `tcf_vendors_unset` is for the
operator to mend."""

PLACES = ("/context/consent/tcf", "/context/tcf")
"""Where an event may carry one: beside Segment's preferences, or alone. A bare text is a string without digest."""

KEPT = timedelta(days=13 * 30)
"""How long an answer counts before the person must be asked again: thirteen months, as TCF's policies count them."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What the strings of one event say."""

    answers: Mapping[ConsentTerm, bool | None] = field(default_factory=dict)
    """Purpose → yes, no, or None: it cannot be told, and nobody else's yes counts. Not in it: nothing was said."""
    refusals: tuple[Refusal, ...] = ()
    """Why a string, or its yes, was not believed; `where` is the place in the message, never what stood there."""


def hear(
    context: Mapping[str, Any], asked: Mapping[ConsentTerm, Collection[int]], vendors: Collection[int], at: datetime
) -> Heard:
    """Return what an event's context says by TC string; `asked` maps our purposes to those of TCF behind each.

    Of two strings that differ the no wins. An event without a string says nothing.
    """
    answers: dict[ConsentTerm, bool | None] = {}
    refusals: list[Refusal] = []
    for place, said in _strings(context) if asked else ():
        heard = _hear(said, place, asked, vendors, at)
        refusals += heard.refusals
        for term, answer in heard.answers.items():
            answers[term] = min(answers.get(term, True), answer, key=_leniency)
    return Heard(answers, tuple(dict.fromkeys(refusals)))


def _strings(context: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for place, holder in zip(PLACES, (as_object(context.get("consent")), context), strict=True):
        said = holder.get("tcf")
        if said is not None and (not isinstance(said, Mapping) or said.get("tcString") is not None):
            yield place, said


def _hear(
    said: Any, place: str, asked: Mapping[ConsentTerm, Collection[int]], vendors: Collection[int], at: datetime
) -> Heard:
    text = said["tcString"] if isinstance(said, Mapping) else said
    words = _read(text, at)
    digest = said.get("sha256") if isinstance(said, Mapping) else None
    if digest is not None and isinstance(words, TcString) and digest != sha256(text.encode()).hexdigest():
        words = Refusal("tcf_damaged")
    if isinstance(words, Refusal):
        return Heard(dict.fromkeys(asked), (Refusal(words.reason, place),))
    consented = {term: words.consents(purposes, vendors) for term, purposes in asked.items()}
    if digest is not None and vendors:
        return Heard(consented)
    # It may say no. Whole, yet without vendors to look for, it leaves the yes to others; without digest, to nobody.
    doubted = Refusal("tcf_unconfirmed" if digest is None else "tcf_vendors_unset", place)
    doubts = {term: None for term, yes in consented.items() if yes and digest is None}
    noes = {term: False for term, yes in consented.items() if not yes}
    return Heard({**doubts, **noes}, (doubted,) if any(consented.values()) else ())


def _read(text: Any, at: datetime) -> TcString | Refusal:
    if not isinstance(text, str):
        return Refusal("tcf_not_text")
    words = tcstring.decode(text)
    if isinstance(words, Refusal):
        return words
    if words.updated > at:  # and so created, which is not later
        return Refusal("tcf_in_the_future")
    return Refusal("tcf_stale") if at - words.updated > KEPT else words


def _leniency(answer: bool | None) -> int:
    return (False, None, True).index(answer)
