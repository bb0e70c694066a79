"""The rules of the GDPR, in the order of law.md 4.4, C."""

from datetime import date

from cdp.gate.laws import consenting
from cdp.gate.laws.rule import OTHER_CONTROLLERS, AboutPerson, AboutUse, Case, Declared, Rule, is_fresh
from cdp.policy.grounds import BASES, NECESSARY
from cdp.policy.terms import Law

GDPR = Law.GDPR


def restricted(case: Case) -> str | None:
    """Article 18(2): nothing but storage, legal claims and what the person asks for."""
    return "restricted" if case.standing.restricted and not case.declared.is_for_the_person else None


def objected(case: Case) -> str | None:
    """Article 21(2)-(3): absolute for direct marketing and the profiling that serves it."""
    return "objected" if case.is_marketing and "direct_marketing" in case.standing.objections else None


def said_no(case: Case) -> str | None:
    """Article 21(2)-(3): a no to marketing is heard on whatever ground the marketing stands."""
    on_consent = case.declared.kind(GDPR) in ("consent", "soft_opt_in")
    return None if on_consent or basis_swapped(case) else consenting.spoken_no(case, consenting.EU_MAIL)


def objected_to_interests(case: Case) -> str | None:
    """Article 21(1): stopped until the person takes it back; nobody weighs it, which is stricter than the law."""
    if case.declared.kind(GDPR) != "legitimate_interests":
        return None
    against = {f"legitimate_interests:{case.purpose.name}", "legitimate_interests:*"}
    return "interests_objected" if against & set(case.standing.objections) else None


def criminal(declared: Declared, on: date) -> str | None:
    """Article 10: criminal data are for a duty of law alone."""
    if declared.purpose.kind == "legal" and not declared.purpose.advertising:
        return None
    return "criminal_data" if "criminal_10" in declared.classes("gdpr_class") else None


def special_category(declared: Declared, on: date) -> str | None:
    """Article 9: special categories, inferred ones too (C-184/20), need explicit consent."""
    if declared.is_for_the_person:
        return None
    return "special_category" if "special_9" in declared.classes("gdpr_class") and not _explicit(declared) else None


def child(case: Case) -> str | None:
    """Article 8: below the country's age a guardian consents; who said yes then and is older now is asked again."""
    if case.declared.kind(GDPR) not in ("consent", "soft_opt_in"):
        return None
    if not case.is_under_age(GDPR) and not case.consented_under_age(GDPR):
        return None
    return None if consenting.is_guarded(case) else "child"


def rests_on_a_guardian(case: Case) -> bool:
    """Whether a guardian's consent carries it: also when the person has come of age since (EDPB 05/2020)."""
    return case.declared.kind(GDPR) in ("consent", "soft_opt_in") and consenting.is_guarded(case)


def age_unknown(case: Case) -> str | None:
    """Article 8(2): a service directed at children finds out who consents."""
    asks = case.purpose.directed_at_children and case.declared.kind(GDPR) == "consent"
    return "age_unknown" if asks and case.standing.age is None and not consenting.is_guarded(case) else None


def child_advertising(case: Case) -> str | None:
    """Recital 71: no profiling of children for other people's advertising, whoever consents."""
    return "child_advertising" if case.purpose.kind == "third_party_sharing" and case.is_under_age(GDPR) else None


def no_lawful_basis(declared: Declared, on: date) -> str | None:
    """Article 6(1): one of its bases, with what it is necessary for where the law says necessary."""
    basis = declared.basis(GDPR)
    if basis is None or basis.kind not in BASES["GDPR"]:
        return "no_lawful_basis"
    return "no_lawful_basis" if basis.kind in NECESSARY and not basis.necessary_for else None


def not_told(declared: Declared, on: date) -> str | None:
    """Articles 13 and 14: a purpose that nobody has been told of yet is not in force."""
    if declared.kind(GDPR) == "legal_obligation":
        return None
    notices = declared.policy.notices.values()
    told = any(declared.purpose.name in notice.purposes and notice.published <= on for notice in notices)
    return None if told else "not_told"


def interests_not_assessed(declared: Declared, on: date) -> str | None:
    """Article 6(1)(f): a balancing test on file, looked at within 12 months."""
    basis = declared.basis(GDPR)
    if basis is None or basis.kind != "legitimate_interests":
        return None
    return None if basis.assessment and is_fresh(basis.reviewed, on) else "lia_missing_or_stale"


def basis_swapped(case: Case) -> str | None:
    """Articles 6(1), 7(3): who withdrew consent is not dealt with on interests instead (EDPB 05/2020 §§121-123)."""
    if case.declared.kind(GDPR) != "legitimate_interests" or not consenting.said_no(case):
        return None
    return "basis_swap" if case.consent and case.consent.once_given else None


def consent(case: Case) -> str | None:
    """Articles 6(1)(a) and 7; a soft opt-in stands in for it where the purpose says so (ruling R4)."""
    basis = case.declared.basis(GDPR)
    if basis is None or basis.kind not in ("consent", "soft_opt_in"):
        return None
    named = case.declared.role in OTHER_CONTROLLERS
    refusal = consenting.refusal(case, explicit=basis.explicit, named=named)
    return None if refusal and consenting.has_soft_opt_in(case) else refusal


def incompatible(case: Case) -> str | None:
    """Articles 5(1)(b) and 6(4): collected for other purposes, with no assessment that says they go together.

    What was consented to for one purpose goes with no other.
    """
    told, declared = case.standing.collected_for, case.declared
    if "*" in told or case.purpose.name in told or declared.is_for_the_person:
        return None
    for one in case.purpose.extends:
        original = declared.policy.purposes.get(one.purpose)
        basis = original.basis(GDPR) if original else None
        if one.purpose in told and one.assessment and basis and basis.kind not in ("consent", "soft_opt_in"):
            return None
    return "purpose_incompatible"


def third_party(declared: Declared, on: date) -> str | None:
    """Another controller needs a basis of its own for the disclosure: consent, assessed interests, or a duty."""
    if declared.role not in OTHER_CONTROLLERS:
        return None
    grounds = {"consent", "legitimate_interests", "legal_obligation", "vital_interests", "public_task"}
    if declared.kind(GDPR) in grounds:
        return None
    return "entrustee_matches" if declared.recipient.role == "processor" else "third_party"


def transfer(declared: Declared, on: date) -> str | None:
    """Articles 44-47: adequacy on this day, or a safeguard on file. A host is a processor here.

    Standard clauses and binding rules come with an assessment of the country (C-311/18); a listing under the
    Data Privacy Framework is looked up every year, as the listed renew it.
    """
    if not _is_third_country(declared, on):
        return None
    safeguard = declared.recipient.transfer(GDPR)
    if safeguard is None or not safeguard.evidence:
        return "transfer"
    if safeguard.kind == "dpf":
        return None if is_fresh(safeguard.checked, on) else "transfer"
    if safeguard.kind in ("scc", "bcr"):
        return None if safeguard.assessment else "transfer"
    return None if safeguard.kind == "art49" else "transfer"


def repetitive_transfer(declared: Declared, on: date) -> str | None:
    """Article 49(1)(a), Recital 111: consent to the risk carries a single occasion, never what goes on and on."""
    return "repetitive_transfer" if _by_consent(declared, on) and declared.recipient.delivery != "once" else None


def transfer_consent(case: Case) -> str | None:
    """Article 49(1)(a): explicit consent, after having been told of the risks."""
    safeguard = case.recipient.transfer(GDPR)
    if not _is_outside_area(case.declared) or safeguard is None or safeguard.kind != "art49":
        return None
    if consenting.refusal(case, explicit=True) or "transfer_risks" not in consenting.told(case, "items"):
        return "transfer_not_consented"
    return None


def automated_decision(declared: Declared, on: date) -> str | None:
    """Article 22: what decides about somebody by machine alone needs explicit consent, a contract or a law."""
    purpose = declared.purpose
    if purpose.effect != "significant" or purpose.human_in_loop:
        return None
    return (
        None if declared.kind(GDPR) in ("contract", "legal_obligation") or _explicit(declared) else "automated_decision"
    )


def impact_not_assessed(declared: Declared, on: date) -> str | None:
    """Articles 35-36: what runs such a risk begins after its assessment was approved."""
    if not declared.purpose.risks:
        return None
    done = declared.purpose.dpia
    return None if done is not None and done.approved <= on else "dpia_missing"


def _explicit(declared: Declared) -> bool:
    basis = declared.basis(GDPR)
    return basis is not None and basis.kind == "consent" and basis.explicit


def _is_third_country(declared: Declared, on: date) -> bool:
    country, pack = declared.recipient.country, declared.pack(GDPR)
    by_decision = any(country == one for one, _, _ in pack.adequacy)
    inside = country in pack.countries and not by_decision
    return declared.is_outside and not inside and not pack.is_adequate(country, on)


def _is_outside_area(declared: Declared) -> bool:
    """Whether the country is neither of the area nor adequate on the policy's day."""
    country, pack = declared.recipient.country, declared.pack(GDPR)
    inside = country in pack.countries and not any(country == one for one, _, _ in pack.adequacy)
    return declared.is_outside and not inside and country not in pack.adequate


def _by_consent(declared: Declared, on: date) -> bool:
    safeguard = declared.recipient.transfer(GDPR)
    return _is_third_country(declared, on) and safeguard is not None and safeguard.kind == "art49"


RULES: tuple[Rule, ...] = (
    AboutPerson(GDPR, "GDPR", restricted),
    AboutPerson(GDPR, "GDPR", objected),
    AboutPerson(GDPR, "GDPR", said_no, "21(3)"),
    AboutPerson(GDPR, "GDPR", objected_to_interests),
    AboutUse(GDPR, "GDPR", criminal),
    AboutUse(GDPR, "GDPR", special_category),
    AboutPerson(GDPR, "GDPR", child),
    AboutPerson(GDPR, "GDPR", age_unknown),
    AboutPerson(GDPR, "GDPR", child_advertising),
    AboutUse(GDPR, "GDPR", no_lawful_basis),
    AboutUse(GDPR, "GDPR", not_told),
    AboutUse(GDPR, "GDPR", interests_not_assessed),
    AboutPerson(GDPR, "GDPR", basis_swapped),
    AboutPerson(GDPR, "GDPR", consent),
    AboutPerson(GDPR, "GDPR", incompatible),
    AboutUse(GDPR, "GDPR", third_party),
    AboutUse(GDPR, "GDPR", transfer),
    AboutUse(GDPR, "GDPR", repetitive_transfer),
    AboutPerson(GDPR, "GDPR", transfer_consent),
    AboutUse(GDPR, "GDPR", automated_decision),
    AboutUse(GDPR, "GDPR", impact_not_assessed),
)
