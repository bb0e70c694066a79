"""How long each law gives: what its file in `policies/laws/` says, else what the law said when this was written.

A reform is a change of that file, not of the program. A number that is missing there falls back to the law's own, so
that an older folder of policies still has every clock; one that cannot be a period is refused.
"""

from dataclasses import dataclass

from cdp.errors import Problem
from cdp.policy.terms import Law, Policy

STATUTORY: dict[Law, dict[str, int]] = {
    Law.GDPR: {
        "access_months": 1,
        "extension_months": 2,
        "breach_authority_hours": 72,
        "breach_processor_hours": 24,
    },
    Law.APPI: {
        "disclosure_days": 14,
        "breach_preliminary_days": 3,
        "breach_preliminary_last_days": 5,
        "breach_final_days": 30,
        "breach_final_days_malicious": 60,
        "breach_people": 1000,
    },
}

LONGEST = 10_000
"""More of anything is a slip."""


@dataclass(frozen=True, slots=True)
class Periods:
    """How long there is to answer a person."""

    access_months: int = STATUTORY[Law.GDPR]["access_months"]
    extension_months: int = STATUTORY[Law.GDPR]["extension_months"]
    disclosure_days: int = STATUTORY[Law.APPI]["disclosure_days"]


def for_requests(policy: Policy) -> Periods:
    """Return what the packs say of requests; raises Problem 409 for what cannot be a period."""
    return Periods(
        access_months=number(policy, Law.GDPR, "access_months"),
        extension_months=number(policy, Law.GDPR, "extension_months"),
        disclosure_days=number(policy, Law.APPI, "disclosure_days"),
    )


def check(policy: Policy) -> list[str]:
    """Return a sentence for everything in the packs that cannot be a period."""
    wrong = []
    for look in (for_requests, for_breaches):
        try:
            look(policy)
        except Problem as problem:
            wrong.append(problem.detail)
    return wrong


def number(policy: Policy, law: Law, name: str) -> int:
    """Return one of the law's numbers; raises Problem 409 where the pack's cannot be one."""
    pack = policy.packs.get(law)
    said = pack.values.get(name) if pack else None
    if said is None:
        return STATUTORY[law][name]
    if isinstance(said, bool) or not isinstance(said, int) or not 1 <= said <= LONGEST:
        told = f"policies/laws/: {law.name}: values.{name} must be a whole number from 1 to {LONGEST}."
        raise Problem(409, "law_value_unusable", told)
    return said


@dataclass(frozen=True, slots=True)
class BreachTerms:
    """When a breach of security must be told, and from what size on."""

    authority_hours: int = STATUTORY[Law.GDPR]["breach_authority_hours"]
    authority_from: str = "risk"
    """The least risk to people that the authority is told of: `risk` or `high`."""
    processor_hours: int = STATUTORY[Law.GDPR]["breach_processor_hours"]
    people: int = STATUTORY[Law.APPI]["breach_people"]
    """More people than this are told of whatever happened."""
    preliminary_days: int = STATUTORY[Law.APPI]["breach_preliminary_days"]
    preliminary_last_days: int = STATUTORY[Law.APPI]["breach_preliminary_last_days"]
    final_days: int = STATUTORY[Law.APPI]["breach_final_days"]
    final_days_malicious: int = STATUTORY[Law.APPI]["breach_final_days_malicious"]


def for_breaches(policy: Policy) -> BreachTerms:
    """Return what the packs say of breaches; raises Problem 409 for what cannot be a period."""
    return BreachTerms(
        authority_hours=number(policy, Law.GDPR, "breach_authority_hours"),
        authority_from=_least_risk(policy),
        processor_hours=number(policy, Law.GDPR, "breach_processor_hours"),
        people=number(policy, Law.APPI, "breach_people"),
        preliminary_days=number(policy, Law.APPI, "breach_preliminary_days"),
        preliminary_last_days=number(policy, Law.APPI, "breach_preliminary_last_days"),
        final_days=number(policy, Law.APPI, "breach_final_days"),
        final_days_malicious=number(policy, Law.APPI, "breach_final_days_malicious"),
    )


def _least_risk(policy: Policy) -> str:
    pack = policy.packs.get(Law.GDPR)
    said = pack.values.get("breach_authority_from", "risk") if pack else "risk"
    if said not in ("risk", "high"):
        told = "policies/laws/: GDPR: values.breach_authority_from must be risk or high."
        raise Problem(409, "law_value_unusable", told)
    return str(said)
