"""Channel law, after data protection: ePrivacy 5(3), 13; 特定電子メール法, 特定商取引法, 電気通信事業法.

It goes by where the message arrives. LINE is none of the electronic mail that the Japanese acts speak of.
"""

from datetime import date

from cdp.gate.laws import consenting
from cdp.gate.laws.rule import AboutPerson, AboutUse, Case, Declared, Rule
from cdp.policy.terms import Law

_EU_MAIL = frozenset({"email", "sms", "push", "line"})
"""What counts as electronic mail under the Directive: any message that is stored until it is fetched (2(h))."""

NECESSARY = frozenset({"essential", "support", "legal"})
"""Kinds of what the visitor asked for: strictly necessary on a device."""
TRACKING = frozenset({"analytics", "personalisation", "third_party_sharing"})


def eu_electronic_mail(case: Case) -> str | None:
    """ePrivacy 13(1): prior consent; 13(2): or a customer's soft opt-in; 13(5): for legal entities the country says."""
    if not case.purpose.advertising or case.channel not in _EU_MAIL:
        return None
    if _may_write_to_entity(case) and not consenting.said_no(case):
        return None
    return None if consenting.has_soft_opt_in(case) else consenting.refusal(case)


def eu_terminal_equipment(case: Case) -> str | None:
    """ePrivacy 5(3): what is not strictly necessary reads or stores nothing on a device without consent."""
    on_device = case.channel == "web" or case.purpose.kind == "analytics"
    if not on_device or case.purpose.kind in NECESSARY:
        return None
    own_measurement = case.purpose.kind == "analytics" and case.declared.role in ("internal", "processor")
    if own_measurement and case.declared.pack(Law.GDPR).values.get("own_measurement_exempt"):
        return None
    return consenting.refusal(case)


def global_privacy_control(case: Case) -> str | None:
    """GDPR 21(5): an objection by automated means, to advertising and analytics."""
    return "gpc" if case.standing.gpc and _is_signalled(case) else None


def jp_electronic_mail(case: Case) -> str | None:
    """特定商取引法 12条の3, 特定電子メール法 3条: advertising mail and SMS on request or consent, on record.

    Only what is no mail-order offer may go to customers, to addresses given in writing and to published ones (3(1)).
    """
    if not case.purpose.advertising or case.channel not in consenting.ELECTRONIC_MAIL:
        return None
    if case.standing.country in case.declared.pack(Law.GDPR).countries:
        return None
    refusal = consenting.refusal(case)
    if refusal is None or (case.purpose.offers == "other" and _is_excepted(case)):
        return None
    address = case.reach.address if case.reach else ""
    if refusal == "no_consent" and case.purpose.offers == "other" and address == "published_no_ads":
        return "address_refuses_ads"
    return "no_optin_record" if refusal == "unproven" else refusal


def jp_transmission(declared: Declared, on: date) -> str | None:
    """電気通信事業法 27条の12: what a tag sends, to whom and what for is published before it sends."""
    if declared.use.channel != "web" or declared.purpose.kind not in TRACKING or not declared.is_outside:
        return None
    told = declared.recipient.transmission
    return None if told is not None and told.published <= on else "tag_unregistered"


def jp_privacy_control(case: Case) -> str | None:
    """No Japanese law asks for it; the pack says whether we honour it all the same."""
    honoured = case.declared.pack(Law.APPI).values.get("honour_gpc", True)
    return "gpc" if honoured and case.standing.gpc and _is_signalled(case) else None


def strips_promotion(case: Case) -> bool:
    """Whether an advertisement beside a contract's message is left out, for who refused advertising.

    The law lets it pass (施行規則 6条, ruling R5); the pack may be stricter.
    """
    stricter = case.declared.pack(Law.APPI).values.get("strip_incidental_advertising")
    return bool(stricter) and case.purpose.incidental_advertising and case.is_silenced("unsubscribe")


def goes_to_entity(case: Case) -> bool:
    """Whether an advertisement goes to a legal entity whose country asks for no prior consent (ePrivacy 13(5))."""
    advertises = case.purpose.advertising and case.channel in _EU_MAIL
    return advertises and _may_write_to_entity(case) and consenting.refusal(case) is not None


def _may_write_to_entity(case: Case) -> bool:
    """Whether the country leaves mail to legal entities to an opt-out (ePrivacy 13(5))."""
    rules = case.declared.pack(Law.GDPR).values.get("mail_to_entities", {})
    is_entity = case.reach is not None and case.reach.address == "entity"
    return is_entity and rules.get(case.standing.country, rules.get("default", "consent")) == "opt_out"


def _is_excepted(case: Case) -> bool:
    """特定電子メール法 3(1)(ii)-(iv): written notice of the address, a relation in business, a published address."""
    if consenting.said_no(case):
        return False
    address = case.reach.address if case.reach else ""
    return case.standing.customer or address in ("written", "published")


def _is_signalled(case: Case) -> bool:
    return case.purpose.kind in ("analytics", "third_party_sharing") or case.channel == "ads"


RULES: tuple[Rule, ...] = (
    AboutPerson(Law.GDPR, "EPRIVACY", eu_electronic_mail, "13(1)"),
    AboutPerson(Law.GDPR, "EPRIVACY", eu_terminal_equipment, "5(3)"),
    AboutPerson(Law.GDPR, "GDPR", global_privacy_control),
    AboutPerson(Law.APPI, "TOKUTEI", jp_electronic_mail),
    AboutUse(Law.APPI, "TELECOM", jp_transmission),
    AboutPerson(Law.APPI, "POLICY", jp_privacy_control),
)
