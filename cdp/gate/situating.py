"""From what is known of a person to the values that the rules read: age, consent as it stands, whose law, what lapsed.

Pure: the same rows at the same instant give the same values, and the instant at which time alone changes them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol
from zoneinfo import ZoneInfo

from cdp.clock import months_later
from cdp.consent.rules import Effective, Said, effective
from cdp.gate.decide import OLDEST_AGE_OF_CONSENT
from cdp.gate.laws import ANYWHERE, laws_for
from cdp.gate.neighbours import Born
from cdp.gate.question import Consent
from cdp.policy.terms import Policy, Purpose

_YESES = ("given", "partial")

STATES = frozenset({"restriction", "deceased", "legal_hold", "provision"})
"""States of a person that are no objections."""


class Declares(Protocol):
    """What a source declares of the people it brings (`cdp.profile.model.SourceTerms`)."""

    @property
    def establishment(self) -> str: ...
    @property
    def offers_to(self) -> str: ...
    @property
    def collected_for(self) -> str: ...
    @property
    def from_opt_out(self) -> bool: ...
    @property
    def eu_adequacy(self) -> bool: ...
    @property
    def quarantined(self) -> bool: ...


class Standing(NamedTuple):
    """What holds of what somebody said about a purpose at one place, and until when by itself."""

    consent: Consent
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Lives:
    """One person at one instant: how old they are, and were when they spoke."""

    terms: Policy
    at: datetime
    born: Born | None
    employers: frozenset[str] = frozenset()
    """Sources that speak for people's employer."""

    def age(self) -> tuple[int | None, datetime | None]:
        """Return the age in full years and, while age may matter, when it changes next.

        A year without a day counts as born on its last day: the younger reading protects.
        """
        years = self.age_at(self.at)
        if years is None or years >= OLDEST_AGE_OF_CONSENT:
            return years, None
        _, month, day = self._birth()
        if (month, day) == (2, 29):
            month, day = 3, 1
        zone = ZoneInfo(self.terms.controller.time_zone)
        today = self.at.astimezone(zone).date()
        year = today.year + (1 if (today.month, today.day) >= (month, day) else 0)
        return years, datetime(year, month, day, tzinfo=zone).astimezone(UTC)

    def age_at(self, instant: datetime) -> int | None:
        """Return the age in full years at an instant, where the controller is."""
        if self.born is None or self.born.birth_year is None:
            return None
        year, month, day = self._birth()
        then = instant.astimezone(ZoneInfo(self.terms.controller.time_zone)).date()
        return then.year - year - (0 if (then.month, then.day) >= (month, day) else 1)

    def consent(self, said: Sequence[Said], purpose: Purpose, channel: str, token: bytes) -> Standing | None:
        """Return what holds for the purpose there, with its own end: that of the act, or of the purpose's period."""
        holds = effective(said, purpose.name, channel, token, self.at, purpose.brand)
        if holds is None:
            return None
        until = _until(holds, purpose)
        is_over = holds.status in _YESES and until is not None and until <= self.at
        return Standing(self._consent(holds, purpose.name, "expired" if is_over else holds.status), until)

    def _consent(self, holds: Effective, purpose: str, status: str) -> Consent:
        age = self.age_at(holds.at) if status in _YESES else None
        return Consent(
            purpose,
            status,
            holds.notice,
            holds.notice_version,
            holds.explicit,
            holds.by_guardian,
            max(age, 1) if age is not None and age < OLDEST_AGE_OF_CONSENT else 0,
            holds.once_given,
            holds.source not in self.employers,
        )

    def _birth(self) -> tuple[int, int, int]:
        assert self.born is not None and self.born.birth_year is not None
        month, day = (int(part) for part in (self.born.birth_day or "12-31").split("-"))
        return self.born.birth_year, month, day


def declared_by(terms: Policy, country: str, sources: Iterable[Declares]) -> dict[str, Any]:
    """Return what follows for a person from what their sources declare: which laws protect, and what binds the data.

    Deny overrides: of several limits each holds.
    """
    mine = list(sources)
    establishments = frozenset(one.establishment for one in mine if one.establishment)
    if any(not one.establishment for one in mine):
        establishments |= frozenset(terms.controller.establishments)
    offers = frozenset(name for one in mine for name in one.offers_to.split(",") if one.offers_to)
    limits = [frozenset(one.collected_for.split(",")) for one in mine if one.collected_for]
    return {
        "laws": laws_for(terms, country, establishments, offers if all(one.offers_to for one in mine) else ANYWHERE),
        "collected_for": tuple(sorted(frozenset.intersection(*limits))) if limits else ("*",),
        "from_opt_out": any(one.from_opt_out for one in mine),
        "eu_adequacy": any(one.eu_adequacy for one in mine),
        "quarantined": any(one.quarantined for one in mine),
    }


def _until(holds: Effective, purpose: Purpose) -> datetime | None:
    periods = [basis.valid_months for _, basis in purpose.bases if basis.valid_months]
    ends = [holds.valid_until] if holds.valid_until is not None else []
    if periods and holds.status in _YESES:
        day = months_later(holds.at.date(), min(periods))
        ends.append(datetime.combine(day, holds.at.timetz()))
    return min(ends, default=None)
