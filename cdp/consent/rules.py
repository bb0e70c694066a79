"""What holds of everything a person said: effective consent over a cluster (law.md 4.5, rulings R3, R10, R13).

Said by the identified person, the newest act wins and a tie is a no. What an unverified device
said is a branch of its own, and any branch's no stands until a later act by the identified
person. A reported state may be the first word, never the last: it overrides no no. Nor does an
imported yes, however well it is proven and whatever instant it bears: a list is no act of the person.

Hosts' clocks differ. A no that is written counts, whatever its instant; a yes waits for its own.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from cdp.policy.terms import CONTACT_CHANNELS

YES = frozenset({"given"})
NO = frozenset({"refused", "withdrawn"})
INVALID_METHODS = frozenset({"pre_ticked", "silence", "scroll", "inactivity", "bundled_terms"})
"""Ways of asking that are no consent (GDPR 4(11); C-673/17, C-61/19)."""

IMPORT = "import"
"""The actor of what a list says."""

_IDENTIFIED = 0


@dataclass(frozen=True, slots=True)
class Said:
    """One consent record, as far as the rules read it."""

    order: int
    """The record's number: which of two was written first."""
    subject: int
    purpose: str
    channel: str
    token: bytes
    status: str
    act: bool
    verified: bool
    public: bool
    method: str
    evidence: str
    notice: str
    notice_version: str
    actor: str
    at: datetime
    received: datetime
    valid_until: datetime | None = None
    source: str = ""
    brand: str = ""
    verification: str = ""

    @property
    def says_no(self) -> bool:
        return self.status in NO

    @property
    def says_yes(self) -> bool:
        return self.status in YES and self.evidence == "full"

    @property
    def is_first_hand(self) -> bool:
        """Whether it is an act that came from the person, not a reported state and not a list."""
        return self.act and self.actor != IMPORT


@dataclass(frozen=True, slots=True)
class Effective:
    """What holds now for one purpose at one place, and the record it rests on."""

    status: str
    order: int
    notice: str
    notice_version: str
    explicit: bool
    by_guardian: bool
    valid_until: datetime | None
    at: datetime
    """The instant of the act."""
    source: str
    once_given: bool
    """A no that took an earlier yes back."""


def effective(
    said: Iterable[Said], purpose: str, channel: str, token: bytes, at: datetime, brand: str = ""
) -> Effective | None:
    """Return what holds for the purpose on the channel at the contact point, or None if nothing was said.

    `token` is the contact point's or device's blind index; empty asks for the person as a whole. `brand` is the
    purpose's: a no to everything that was said to another brand is not about it (ruling R12).
    """
    spoken = (one for one in said if one.says_no or one.at <= at)
    relevant = as_written([one for one in spoken if _covers(one, purpose, channel, token, brand)])
    winner = _decisive(relevant) or _newest([one for one in relevant if not one.says_no and not one.says_yes])
    if winner is None:
        return None
    return Effective(
        status=_status(winner, at),
        order=winner.order,
        notice=winner.notice,
        notice_version=winner.notice_version,
        explicit=winner.act and winner.evidence == "full",
        by_guardian=winner.actor == "guardian" and bool(winner.verification),
        valid_until=winner.valid_until,
        at=winner.at,
        source=winner.source,
        once_given=winner.says_no and any(one.says_yes for one in relevant),
    )


def as_written(said: list[Said]) -> list[Said]:
    """Return the same with no no earlier than a yes that was there before it.

    Where a no was written after a yes, yet received before it by the clocks, the two hosts' clocks
    differ, and their instants say nothing of what came first. Then the later written no is the last word.
    """
    yeses = [one for one in said if one.says_yes]
    return [_not_before(one, yeses) if one.says_no else one for one in said]


def _not_before(no: Said, yeses: Iterable[Said]) -> Said:
    passed = (yes.at for yes in yeses if yes.order < no.order and no.received < yes.received)
    return replace(no, at=max([no.at, *passed]))


def _covers(one: Said, purpose: str, channel: str, token: bytes, brand: str) -> bool:
    if one.purpose not in (purpose, "*") or one.channel not in (channel, "*"):
        return False
    if one.purpose == "*" and one.brand and brand and one.brand != brand:
        return False
    if one.says_no:
        return one.token in (b"", token) or token == b""
    # A yes never widens: it opens the contact point or device it was given for. Only where the
    # channel has no contact point may the identified person speak for the person as a whole.
    if one.purpose == "*" or one.channel == "*":
        return False
    if channel in CONTACT_CHANNELS:
        return one.token == token and not one.public
    if one.token == b"":
        return one.verified and not one.public
    return one.token == token


def _decisive(relevant: list[Said]) -> Said | None:
    anyone_said_no = any(one.says_no for one in relevant)
    branches: dict[int, list[Said]] = {}
    for one in relevant:
        if one.says_no or (one.says_yes and (one.is_first_hand or not anyone_said_no)):
            branches.setdefault(_IDENTIFIED if one.verified else one.subject, []).append(one)
    words = {branch: _newest(records) for branch, records in branches.items()}
    identified = words.pop(_IDENTIFIED, None)
    standing_noes = [
        word
        for word in words.values()
        if word is not None and word.says_no and not (_is_act_of_yes(identified) and _later(identified, word))
    ]
    if identified is not None and identified.says_no:
        return identified
    if standing_noes:
        return _newest(standing_noes)
    return identified or _newest([word for word in words.values() if word is not None])


def _is_act_of_yes(one: Said | None) -> bool:
    return one is not None and one.says_yes and one.act


def _later(one: Said | None, other: Said) -> bool:
    return one is not None and one.at > other.at


def _newest(records: list[Said]) -> Said | None:
    return max(records, key=_precedence, default=None)


def _precedence(one: Said) -> tuple[Any, ...]:
    """Sort by time, a no above a yes, then by what was said; by arrival only where that makes no difference."""
    shorter = -one.valid_until.timestamp() if one.valid_until else float("-inf")
    return (
        *(one.at, one.says_no, one.status, one.act, one.notice, one.notice_version, shorter),
        *(one.actor, one.method, one.evidence, one.token, one.order),
    )


def _status(winner: Said, at: datetime) -> str:
    if winner.status in YES:
        if winner.evidence not in ("full", "partial"):
            return "unknown"
        if winner.valid_until is not None and winner.valid_until <= at:
            return "expired"
        if winner.evidence == "partial":
            return "partial"
    return winner.status
