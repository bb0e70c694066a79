"""What a rule is: one test that names its refusal, of one law, over the person or over the declaration.

The two kinds see different things on purpose. A rule about the person sees no date, so its answer
may be kept until the person's standing changes; a rule about the use sees no person, so one answer
serves everyone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from typing import TypeAlias

from cdp.gate.question import Consent, Reach, Standing
from cdp.policy.terms import Basis, Law, Pack, Policy, Purpose, Recipient, Use

MARKETING = frozenset({"direct_marketing", "third_party_sharing", "personalisation"})
"""Kinds that are marketing, or the profiling that serves it."""

EVERY = Law(0)
"""Binds whoever is protected, by whichever law."""

_NOTHING_DECLARED = frozenset[str]()


@dataclass(frozen=True, slots=True)
class Declared:
    """A use with everything that the policy says of it."""

    policy: Policy
    use: Use
    purpose: Purpose
    recipient: Recipient

    def basis(self, law: Law) -> Basis | None:
        return self.purpose.basis(law)

    def pack(self, law: Law) -> Pack:
        """Return the law's pack; one that is not configured protects most and permits least."""
        return self.policy.packs.get(law) or Pack(law, _NOTHING_DECLARED, (), 18, _NOTHING_DECLARED)

    @property
    def is_outside(self) -> bool:
        """Whether the data leaves the controller for somebody other than the person."""
        return self.recipient.role not in ("internal", "subject")

    @property
    def is_for_the_person(self) -> bool:
        """Whether the use serves the person's own rights, which no restriction or objection closes."""
        return self.purpose.kind == "legal" or self.recipient.role == "subject"

    @property
    def is_service(self) -> bool:
        """Whether the use is part of what the person asked for, and so passes unsubscribes (ruling R4)."""
        return self.purpose.kind in ("essential", "support", "legal") and not self.purpose.advertising


@lru_cache(maxsize=1 << 12)
def declared_use(policy: Policy, use: Use) -> Declared | None:
    """Return the use as the policy declares it, or None where it declares no such use."""
    if policy.find_use(use.purpose, use.recipient, use.channel) != use:
        return None
    purpose, recipient = policy.purposes.get(use.purpose), policy.recipients.get(use.recipient)
    return Declared(policy, use, purpose, recipient) if purpose and recipient else None


@dataclass(frozen=True)
class Case:
    """One use for one person by one way."""

    declared: Declared
    standing: Standing
    reach: Reach | None

    @property
    def purpose(self) -> Purpose:
        return self.declared.purpose

    @property
    def recipient(self) -> Recipient:
        return self.declared.recipient

    @property
    def channel(self) -> str:
        return self.declared.use.channel

    @cached_property
    def consent(self) -> Consent | None:
        return self.reach.consent(self.purpose.name) if self.reach else None

    @property
    def is_marketing(self) -> bool:
        return self.purpose.kind in MARKETING or self.purpose.advertising

    def is_under_age(self, law: Law) -> bool:
        """Whether the person is known to be too young to consent alone; an unknown age is an adult's."""
        age = self.standing.age
        return age is not None and age < self.declared.pack(law).age_of_consent(self.standing.country)


@dataclass(frozen=True, slots=True)
class AboutPerson:
    """A rule whose answer depends on the person."""

    law: Law
    cite: str
    """Which of the reason's articles: GDPR, EPRIVACY, APPI, TOKUTEI; empty = that of each law that protects."""
    test: Callable[[Case], str | None]
    article: str = ""
    """The article, where the rule knows it better than the register."""


@dataclass(frozen=True, slots=True)
class AboutUse:
    """A rule whose answer depends on declaration and date alone."""

    law: Law
    cite: str
    test: Callable[[Declared, date], str | None]
    article: str = ""


Rule: TypeAlias = AboutPerson | AboutUse


def months_later(day: date, months: int) -> date:
    """Return the same day so many calendar months on, or that month's last day."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month, last)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


def is_fresh(done: date | None, on: date, months: int = 12) -> bool:
    """Whether something that was done lies within so many months before the day, both ends included."""
    return done is not None and done <= on <= months_later(done, months)
