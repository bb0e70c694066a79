"""Channel law, after data-protection law: ePrivacy 5(3) and 13, 特定電子メール法, 特定商取引法 (law.md 4.4, E).

It goes by where the message arrives. LINE is none of the electronic mail that the Japanese acts speak of.
"""

from cdp.gate.laws import consenting
from cdp.gate.laws.rule import AboutPerson, Case, Rule
from cdp.policy.terms import Law

TRACKING = frozenset({"analytics", "personalisation", "third_party_sharing"})


def eu_electronic_mail(case: Case) -> str | None:
    """ePrivacy 13(1): prior consent; 13(2): or a customer's soft opt-in."""
    if not case.purpose.advertising or case.channel not in ("email", "sms", "push", "line"):
        return None
    return None if consenting.has_soft_opt_in(case) else consenting.refusal(case)


def eu_terminal_equipment(case: Case) -> str | None:
    """ePrivacy 5(3): what is not strictly necessary reads or stores nothing on a device without consent."""
    on_device = case.channel == "web" or case.purpose.kind == "analytics"
    if not on_device or case.purpose.kind not in TRACKING:
        return None
    return consenting.refusal(case)


def global_privacy_control(case: Case) -> str | None:
    """GDPR 21(5): an objection by automated means, to advertising and analytics."""
    return "gpc" if case.standing.gpc and _is_signalled(case) else None


def jp_electronic_mail(case: Case) -> str | None:
    """特定商取引法 12条の3, 特定電子メール法 3条: advertising mail and SMS on request or consent, on record."""
    if not case.purpose.advertising or case.channel not in consenting.ELECTRONIC_MAIL:
        return None
    if case.standing.country in case.declared.pack(Law.GDPR).countries:
        return None
    refusal = consenting.refusal(case)
    return "no_optin_record" if refusal == "unproven" else refusal


def jp_privacy_control(case: Case) -> str | None:
    """No Japanese law asks for it; the pack says whether we honour it all the same."""
    honoured = case.declared.pack(Law.APPI).values.get("honour_gpc", True)
    return "gpc" if honoured and case.standing.gpc and _is_signalled(case) else None


def _is_signalled(case: Case) -> bool:
    return case.purpose.kind in ("analytics", "third_party_sharing") or case.channel == "ads"


RULES: tuple[Rule, ...] = (
    AboutPerson(Law.GDPR, "EPRIVACY", eu_electronic_mail, "13(1)"),
    AboutPerson(Law.GDPR, "EPRIVACY", eu_terminal_equipment, "5(3)"),
    AboutPerson(Law.GDPR, "GDPR", global_privacy_control),
    AboutPerson(Law.APPI, "TOKUTEI", jp_electronic_mail),
    AboutPerson(Law.APPI, "POLICY", jp_privacy_control),
)
