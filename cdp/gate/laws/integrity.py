"""Rules of no single law: what must be true before any law is asked (law.md 4.4, A)."""

from datetime import date

from cdp.gate.laws.rule import EVERY, AboutPerson, AboutUse, Case, Declared, Rule, is_fresh
from cdp.policy.terms import CONTACT_CHANNELS, Law

NEEDS_CONTRACT = frozenset({"processor", "joint_user", "third_party", "non_handling_host"})


def erasing(case: Case) -> str | None:
    """Refuse everything from the moment that an erasure began."""
    return "erasing" if case.standing.erasing else None


def no_contact_point(case: Case) -> str | None:
    return "no_contact_point" if case.reach is None and case.channel in CONTACT_CHANNELS else None


def erased(case: Case) -> str | None:
    """Refuse a contact point whose owner was erased; only a new first-party act reopens it (ruling R11)."""
    return "erased" if _is_silenced(case, "erasure") else None


def complained(case: Case) -> str | None:
    """A complaint silences the address for service messages too: they would be reported again."""
    return "complaint" if _is_silenced(case, "complaint") and case.purpose.kind != "legal" else None


def bounced(case: Case) -> str | None:
    return "bounced" if _is_silenced(case, "bounce") and case.purpose.kind != "legal" else None


def unsubscribed(case: Case) -> str | None:
    return "unsubscribed" if _is_silenced(case, "unsubscribe") and not case.declared.is_service else None


def objected_at_contact_point(case: Case) -> str | None:
    return "contact_objected" if _is_silenced(case, "objection") and not case.declared.is_service else None


def silenced_otherwise(case: Case) -> str | None:
    """A reason for silence that no rule knows is a no."""
    known = {"erasure", "complaint", "bounce", "unsubscribe", "objection"}
    return "suppressed" if case.reach and set(case.reach.suppressed) - known else None


def contract_expired(declared: Declared, on: date) -> str | None:
    """Whoever handles data for us, with us or after us does so under a contract in force."""
    recipient = declared.recipient
    if recipient.role not in NEEDS_CONTRACT:
        return None
    until = recipient.contract_until
    return None if recipient.contract and (until is None or on <= until) else "contract_expired"


def supervision_overdue(declared: Declared, on: date) -> str | None:
    """A processor is looked at every year, with a month of grace (APPI 25, GDPR 28(1))."""
    if declared.recipient.role != "processor":
        return None
    return None if is_fresh(declared.recipient.supervised, on, months=13) else "supervision_overdue"


def _is_silenced(case: Case, reason: str) -> bool:
    return case.reach is not None and reason in case.reach.suppressed


RULES: tuple[Rule, ...] = (
    AboutPerson(EVERY, "", erasing),
    AboutPerson(EVERY, "", no_contact_point),
    AboutPerson(EVERY, "", erased),
    AboutPerson(EVERY, "", complained),
    AboutPerson(EVERY, "", bounced),
    AboutPerson(EVERY, "", unsubscribed),
    AboutPerson(EVERY, "", objected_at_contact_point),
    AboutPerson(EVERY, "", silenced_otherwise),
    AboutUse(EVERY, "", contract_expired),
    AboutUse(Law.GDPR | Law.APPI, "", supervision_overdue),
)
