"""What a rule is: one test that names its refusal, of one law, over the person, the declaration, or the question.

The kinds see different things on purpose. A rule about the person sees no date, so its answer may be
kept until the person's standing changes; a rule about the use sees no person, so one answer serves
everyone; a rule about the question sees neither, and is asked each time.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property, lru_cache
from typing import TypeAlias

from cdp.clock import months_later
from cdp.gate.question import NOTHING_BEYOND, Beyond, Consent, Reach, Standing
from cdp.policy.terms import Basis, Law, Pack, Policy, Purpose, Recipient, Use

MARKETING = frozenset({"direct_marketing", "third_party_sharing", "personalisation"})
"""Kinds that are marketing, or the profiling that serves it."""

OTHER_CONTROLLERS = frozenset({"third_party", "joint_user", "successor"})
"""Roles of who decides on the data themselves."""

EVERY = Law(0)
"""Binds whoever is protected, by whichever law."""

_NOTHING_DECLARED = frozenset[str]()


@dataclass(frozen=True)
class Declared:
    """A use with everything that the policy says of it, and what one question asks beyond."""

    policy: Policy
    use: Use
    purpose: Purpose
    recipient: Recipient
    beyond: Beyond = NOTHING_BEYOND

    def basis(self, law: Law) -> Basis | None:
        return self.purpose.basis(law)

    def kind(self, law: Law) -> str:
        """Return the kind of the basis under the law; empty where there is none."""
        basis = self.purpose.basis(law)
        return basis.kind if basis else ""

    def pack(self, law: Law) -> Pack:
        """Return the law's pack; one that is not configured protects most and permits least."""
        return self.policy.packs.get(law) or Pack(law, _NOTHING_DECLARED, (), 18, _NOTHING_DECLARED)

    @property
    def plain(self) -> "Declared":
        """The use alone: what is asked beyond it is judged by rules about the use, the same for everybody."""
        return self if self.beyond is NOTHING_BEYOND else replace(self, beyond=NOTHING_BEYOND)

    @cached_property
    def role(self) -> str:
        """What the recipient is by what it does."""
        return self.recipient.role_in_law

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """The most that this recipient may get for this purpose, in the purpose's order."""
        may_get = frozenset(self.recipient.fields)
        return tuple(name for name in self.purpose.fields if name in may_get)

    @cached_property
    def categories(self) -> frozenset[str]:
        """Data categories that the purpose's fields are of, and those that the list lets one infer."""
        own = frozenset(self.policy.category_of(name) for name in self.purpose.fields)
        return (own | self.beyond.infers) - {""}

    def classes(self, law: str, standing_in: frozenset[str] | None = None) -> frozenset[str]:
        """Return the classes of its categories under `gdpr_class`, `appi_class` or `adequacy_class`.

        A category that nobody declared is taken for the most protected.
        """
        strictest = {"gdpr_class": "special_9"}.get(law, "special_care")
        known = self.policy.categories
        looked = self.categories if standing_in is None else standing_in
        return frozenset(str(known.get(name, {}).get(law, strictest)) for name in looked)

    @property
    def is_outside(self) -> bool:
        """Whether the data leaves the controller for somebody other than the person."""
        return self.role not in ("internal", "subject")

    @property
    def is_for_the_person(self) -> bool:
        """Whether the use serves the person's own rights or a duty of law, which no restriction or objection closes."""
        return (self.purpose.kind == "legal" and not self.purpose.advertising) or self.role == "subject"

    @property
    def is_service(self) -> bool:
        """Whether the use is part of what the person asked for, and so passes unsubscribes (ruling R4)."""
        return self.purpose.kind in ("essential", "support", "legal") and not self.purpose.advertising

    @property
    def is_marketing(self) -> bool:
        return self.purpose.kind in MARKETING or self.purpose.advertising


@lru_cache(maxsize=1 << 12)
def declared_use(policy: Policy, use: Use, beyond: Beyond = NOTHING_BEYOND) -> Declared | None:
    """Return the use as the policy declares it, or None where it declares no such use."""
    if beyond is not NOTHING_BEYOND:
        plain = declared_use(policy, use)
        return replace(plain, beyond=beyond) if plain else None
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
    purpose: Purpose = field(init=False)
    recipient: Recipient = field(init=False)
    channel: str = field(init=False)
    consent: Consent | None = field(init=False)

    def __post_init__(self) -> None:
        declared = self.declared
        found = {
            "purpose": declared.purpose,
            "recipient": declared.recipient,
            "channel": declared.use.channel,
            "consent": self.reach.consent(declared.purpose.name) if self.reach else None,
        }
        for name, value in found.items():
            object.__setattr__(self, name, value)

    @property
    def is_marketing(self) -> bool:
        return self.declared.is_marketing

    def is_silenced(self, reason: str) -> bool:
        """Whether the contact point is silent for this reason, for all brands or for the purpose's own.

        A purpose of no brand speaks for every brand: one brand's silence silences it.
        """
        if self.reach is None:
            return False
        if reason in self.reach.suppressed:
            return True
        if any(self._brand_is_not_of(one) for one in self.reach.suppressed if one.startswith(reason + "^")):
            return True
        of_brands = [one for one in self.reach.suppressed if one.startswith(reason + ":")]
        return bool(of_brands) and (not self.purpose.brand or f"{reason}:{self.purpose.brand}" in of_brands)

    def _brand_is_not_of(self, silence: str) -> bool:
        """Whether silence for every brand but some (`unsubscribe^north,south`) silences the purpose's."""
        return self.purpose.brand not in silence.partition("^")[2].split(",")

    def is_under_age(self, law: Law) -> bool:
        """Whether the person is known to be too young to consent alone; an unknown age is an adult's."""
        age = self.standing.age
        return age is not None and age < self._age_of_consent(law)

    def consented_under_age(self, law: Law) -> bool:
        """Whether what was said, was said below the age: coming of age later makes no consent of it."""
        return self.consent is not None and 0 < self.consent.age < self._age_of_consent(law)

    def _age_of_consent(self, law: Law) -> int:
        return self.declared.pack(law).age_of_consent(self.standing.country)


@dataclass(frozen=True, slots=True)
class AboutPerson:
    """A rule whose answer depends on the person."""

    law: Law
    cite: str
    """Which of the reason's articles: GDPR, EPRIVACY, APPI, TOKUTEI …; empty = that of each law that protects."""
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


def name_of(rule: Rule) -> str:
    """Return the rule's name: its module and function, and whose article where one function serves two.

    For example `gdpr.consent`, or `integrity.listed_against_calls (ASCT)`.
    """
    name = f"{rule.test.__module__.rpartition('.')[2]}.{rule.test.__name__}"
    return f"{name} ({rule.cite})" if name.startswith("integrity.") and rule.cite else name


def is_fresh(done: date | None, on: date, months: int = 12) -> bool:
    """Whether something that was done lies within so many months before the day, both ends included."""
    return done is not None and done <= on <= months_later(done, months)
