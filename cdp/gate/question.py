"""What a decision is made from, and what it answers: values only, no session and no clock.

A `Standing` is everything about one person that any rule reads. It holds no identifier and no
instant, only states already worked out for the instant of the question, so that two people in
the same situation are equal and one decision serves both.
"""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from cdp.policy.terms import Law


@dataclass(frozen=True, slots=True, order=True)
class Consent:
    """What holds now of what a person said about one purpose at one place."""

    purpose: str
    status: str
    """given | refused | requested | withdrawn | expired | invalidated | unknown | partial (imported, half proven)"""
    notice: str = ""
    notice_version: str = ""
    explicit: bool = False
    """A declared act with full evidence, not a reported state."""
    by_guardian: bool = False
    age: int = 0
    """How old the person was when they said it, where that is known and below every age of consent; else 0."""
    once_given: bool = False
    """A no that took a yes back."""
    free: bool = True
    """False: said to their employer, which is presumed not to be free (GDPR 7(4), Recital 43)."""


@dataclass(frozen=True, slots=True, order=True)
class Reach:
    """One way to a person on one channel: a contact point, or the person itself where a channel has none."""

    channel: str
    consents: tuple[Consent, ...] = ()
    suppressed: tuple[str, ...] = ()
    """Reasons in force at this contact point: for every brand (`unsubscribe`), for one (`unsubscribe:north`), or for
    all but some (`unsubscribe^north,south`)."""
    address: str = ""
    """How it was come by: written | published | published_no_ads | entity (a legal entity's); empty = otherwise."""

    def consent(self, purpose: str) -> Consent | None:
        """Return what holds for the purpose here, or None if nothing was ever said."""
        return next((consent for consent in self.consents if consent.purpose == purpose), None)


@lru_cache(maxsize=1 << 12)
def unasked(channel: str, suppressed: tuple[str, ...], address: str) -> Reach:
    """Return a way on which nothing was ever said: most are, and they are few."""
    return Reach(channel, (), suppressed, address)


@dataclass(frozen=True, slots=True)
class Standing:
    """A person's situation before the law, at one instant."""

    laws: Law
    country: str
    """Residence; empty when unknown or in conflict (then every configured pack applies)."""
    age: int | None = None
    customer: bool = False
    restricted: bool = False
    erasing: bool = False
    objections: tuple[str, ...] = ()
    """`direct_marketing`, or `legitimate_interests:<purpose>` / `legitimate_interests:*`."""
    gpc: bool = False
    """A Global Privacy Control signal is in force for this person's devices."""
    reaches: tuple[Reach, ...] = ()
    collected_for: tuple[str, ...] = ("*",)
    """Purposes told when this person's data were collected; `*` = the sources set no narrower limit."""
    deceased: bool = False
    quarantined: bool = False
    """A source brought them whose origin nobody confirmed (APPI 30), or who were not told of it (GDPR 14)."""
    held: bool = False
    """A legal hold: kept for a duty of law, and used for nothing else (GDPR 17(3), 18)."""
    provision_stopped: bool = False
    """The person stopped provision to third parties (APPI 27(2), 35(3))."""
    from_opt_out: bool = False
    """Received from somebody who provided them by an opt-out (APPI 27(2) proviso)."""
    eu_adequacy: bool = False
    """Received from the EU on its adequacy decision for Japan: bound by the Supplementary Rules for life."""
    lapsed: tuple[str, ...] = ()
    """Categories whose period of retention is over (GDPR 5(1)(e), APPI 22)."""

    def on(self, channel: str) -> tuple[Reach, ...]:
        """Return the ways to this person on the channel; empty = cannot be reached there."""
        return tuple(reach for reach in self.reaches if reach.channel == channel)


@dataclass(frozen=True, slots=True)
class Requester:
    """Who asks for what is held about a person: the person, or somebody for them (GDPR 12(6), APPI 37(3))."""

    by: str = "subject"
    """subject | guardian | agent | heir"""
    verified: bool = True
    mandate_until: date | None = None
    mandate_covers: tuple[str, ...] = ()
    """Rights that an agent's mandate names; empty = every right."""
    right: str = "access"


@dataclass(frozen=True, slots=True)
class Beyond:
    """What one question holds beyond its use: what being on a list says of people, which data, and who asks."""

    infers: frozenset[str] = frozenset()
    """Data categories that membership of the list lets one infer (C-184/20)."""
    unlawful_discrimination_risk: bool = False
    categories: frozenset[str] = frozenset()
    """Data categories asked for; empty = all that the use may have."""
    requester: Requester | None = None


NOTHING_BEYOND = Beyond()


@dataclass(frozen=True, slots=True)
class Reason:
    """One ground of a decision, for people: what, by which law and article, and what would mend it."""

    code: str
    law: str
    article: str
    ja: str
    en: str
    remedy_ja: str = ""
    remedy_en: str = ""
    deny: bool = True


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to one use for one person: no if any rule says no, with every reason."""

    allow: bool
    reasons: tuple[Reason, ...]
    bases: tuple[str, ...]
    obligations: tuple[str, ...]

    @property
    def first_refusal(self) -> str:
        """Code of the first rule, in the order of the law, that says no; empty when allowed."""
        return next((reason.code for reason in self.reasons if reason.deny), "")
