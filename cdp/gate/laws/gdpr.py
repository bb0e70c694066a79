"""The rules of the GDPR, in the order of law.md 4.4, C."""

from datetime import date

from cdp.gate.laws import consenting
from cdp.gate.laws.rule import AboutPerson, AboutUse, Case, Declared, Rule, is_fresh
from cdp.policy.terms import Law

GDPR = Law.GDPR
BASES = frozenset({"consent", "soft_opt_in", "contract", "legal_obligation", "legitimate_interests"})
OTHER_CONTROLLERS = frozenset({"third_party", "joint_user"})
TRANSFERS = frozenset({"scc", "bcr", "dpf"})


def restricted(case: Case) -> str | None:
    """Article 18(2): nothing but storage, legal claims and what the person asks for."""
    return "restricted" if case.standing.restricted and not case.declared.is_for_the_person else None


def objected(case: Case) -> str | None:
    """Article 21(2)-(3): absolute for direct marketing and the profiling that serves it."""
    return "objected" if case.is_marketing and "direct_marketing" in case.standing.objections else None


def objected_to_interests(case: Case) -> str | None:
    """Article 21(1): stopped until the person takes it back; nobody weighs it, which is stricter than the law."""
    if _kind(case.declared) != "legitimate_interests":
        return None
    against = {f"legitimate_interests:{case.purpose.name}", "legitimate_interests:*"}
    return "interests_objected" if against & set(case.standing.objections) else None


def special_category(declared: Declared, on: date) -> str | None:
    """Article 9: special categories need explicit consent; Article 10: criminal data are never for this."""
    classes = _classes(declared)
    if "criminal_10" in classes and declared.purpose.kind != "legal":
        return "special_category"
    basis = declared.basis(GDPR)
    explicit = basis is not None and basis.kind == "consent" and basis.explicit
    may = explicit or declared.is_for_the_person
    return "special_category" if "special_9" in classes and not may else None


def child(case: Case) -> str | None:
    """Article 8: below the country's age a guardian consents."""
    if _kind(case.declared) not in ("consent", "soft_opt_in") or not case.is_under_age(GDPR):
        return None
    return None if consenting.is_guarded(case) else "child"


def child_advertising(case: Case) -> str | None:
    """Recital 71: no profiling of children for other people's advertising, whoever consents."""
    return "child_advertising" if case.purpose.kind == "third_party_sharing" and case.is_under_age(GDPR) else None


def no_lawful_basis(declared: Declared, on: date) -> str | None:
    return None if _kind(declared) in BASES else "no_lawful_basis"


def interests_not_assessed(declared: Declared, on: date) -> str | None:
    """Article 6(1)(f): a balancing test on file, looked at within 12 months."""
    basis = declared.basis(GDPR)
    if basis is None or basis.kind != "legitimate_interests":
        return None
    return None if basis.assessment and is_fresh(basis.reviewed, on) else "lia_missing_or_stale"


def consent(case: Case) -> str | None:
    """Articles 6(1)(a) and 7; a soft opt-in stands in for it where the purpose says so (ruling R4)."""
    basis = case.declared.basis(GDPR)
    if basis is None or basis.kind not in ("consent", "soft_opt_in"):
        return None
    named = case.recipient.role in OTHER_CONTROLLERS
    refusal = consenting.refusal(case, explicit=basis.explicit, named=named)
    if refusal and basis.kind == "soft_opt_in" and consenting.has_soft_opt_in(case):
        return None
    return refusal


def incompatible(case: Case) -> str | None:
    """Articles 5(1)(b) and 6(4): collected for other purposes than this one."""
    collected_for = case.standing.collected_for
    foreign = "*" not in collected_for and case.purpose.name not in collected_for
    return "purpose_incompatible" if foreign and not case.declared.is_for_the_person else None


def third_party(declared: Declared, on: date) -> str | None:
    """Another controller needs a basis of its own for the disclosure: consent, or assessed interests."""
    if declared.recipient.role not in OTHER_CONTROLLERS:
        return None
    return None if _kind(declared) in ("consent", "legitimate_interests", "legal_obligation") else "third_party"


def transfer(declared: Declared, on: date) -> str | None:
    """Articles 44-47: adequacy on this day, or a safeguard on file. A host is a processor here."""
    country, pack = declared.recipient.country, declared.pack(GDPR)
    by_decision = any(country == one for one, _, _ in pack.adequacy)
    inside = country in pack.countries and not by_decision
    if not declared.is_outside or inside or pack.is_adequate(country, on):
        return None
    safeguard = declared.recipient.transfer(GDPR)
    carries = safeguard is not None and safeguard.kind in TRANSFERS and safeguard.evidence
    return None if carries else "transfer"


def _kind(declared: Declared) -> str:
    basis = declared.basis(GDPR)
    return basis.kind if basis else ""


def _classes(declared: Declared) -> set[str]:
    policy = declared.policy
    terms = [policy.traits[name] for name in declared.purpose.fields if name in policy.traits]
    return {str(policy.categories.get(term.category, {}).get("gdpr_class", "special_9")) for term in terms}


RULES: tuple[Rule, ...] = (
    AboutPerson(GDPR, "GDPR", restricted),
    AboutPerson(GDPR, "GDPR", objected),
    AboutPerson(GDPR, "GDPR", objected_to_interests),
    AboutUse(GDPR, "GDPR", special_category),
    AboutPerson(GDPR, "GDPR", child),
    AboutPerson(GDPR, "GDPR", child_advertising),
    AboutUse(GDPR, "GDPR", no_lawful_basis),
    AboutUse(GDPR, "GDPR", interests_not_assessed),
    AboutPerson(GDPR, "GDPR", consent),
    AboutPerson(GDPR, "GDPR", incompatible),
    AboutUse(GDPR, "GDPR", third_party),
    AboutUse(GDPR, "GDPR", transfer),
)
