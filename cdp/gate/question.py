"""What a decision is made from, and what it answers: values only, no session and no clock.

A `Standing` is everything about one person that any rule reads. It holds no identifier and no
instant, only states already worked out for the instant of the question, so that two people in
the same situation are equal and one decision serves both.
"""

from dataclasses import dataclass

from cdp.policy.terms import Law


@dataclass(frozen=True, slots=True, order=True)
class Consent:
    """What holds now of what a person said about one purpose at one place."""

    purpose: str
    status: str
    """given | refused | requested | withdrawn | expired | invalidated | unknown"""
    notice: str = ""
    notice_version: str = ""
    explicit: bool = False
    """A declared act with full evidence, not a reported state."""
    by_guardian: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Reach:
    """One way to a person on one channel: a contact point, or the person itself where a channel has none."""

    channel: str
    consents: tuple[Consent, ...] = ()
    suppressed: tuple[str, ...] = ()
    """Reasons in force at this contact point: unsubscribe, complaint, bounce, objection, erasure."""

    def consent(self, purpose: str) -> Consent | None:
        """Return what holds for the purpose here, or None if nothing was ever said."""
        return next((consent for consent in self.consents if consent.purpose == purpose), None)


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

    def on(self, channel: str) -> tuple[Reach, ...]:
        """Return the ways to this person on the channel; empty = cannot be reached there."""
        return tuple(reach for reach in self.reaches if reach.channel == channel)


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
