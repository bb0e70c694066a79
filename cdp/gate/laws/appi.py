"""The rules of the APPI (個人情報保護法), in the order of law.md 4.4, D.

Purpose first, consent second: inside the specified and notified purpose of use ordinary data need no
consent (17, 18, 21). Consent is asked for where data leave to a third party (27) or the country (28).
"""

from datetime import date

from cdp.gate.laws import consenting
from cdp.gate.laws.rule import AboutPerson, AboutUse, Case, Declared, Rule, is_fresh
from cdp.policy.terms import Law

APPI = Law.APPI
BASES = frozenset({"consent", "contract", "legal_obligation", "notified_purpose"})
FOREIGN_ITEMS = frozenset({"foreign_country", "foreign_system", "foreign_measures"})
"""What the person must have been told before consenting to provision abroad (28(2), rule 17)."""
RECEIVERS = frozenset({"processor", "third_party", "joint_user"})
"""Roles that receive data in the law's eyes: a host that does not handle them is none (Q&A 7-53, ruling R6)."""


def restricted(case: Case) -> str | None:
    """Article 35: use was stopped at the person's demand."""
    return "restricted" if case.standing.restricted and not case.declared.is_for_the_person else None


def objected(case: Case) -> str | None:
    """Article 35(5): direct marketing after a demand to stop harms the person's interests (Q&A 9-21)."""
    return "objected" if case.is_marketing and "direct_marketing" in case.standing.objections else None


def out_of_purpose(declared: Declared, on: date) -> str | None:
    """Articles 17, 18 and 21: a purpose that is declared, and told to people before this day."""
    basis = declared.basis(APPI)
    if basis is None or basis.kind not in BASES:
        return "out_of_purpose"
    if basis.kind == "legal_obligation":
        return None
    notices = declared.policy.notices.values()
    told = any(declared.purpose.name in notice.purposes and notice.published <= on for notice in notices)
    return None if told else "out_of_purpose"


def collected_for_something_else(case: Case) -> str | None:
    """Article 18(1): the purposes told when the data were collected do not hold this one."""
    collected_for = case.standing.collected_for
    foreign = "*" not in collected_for and case.purpose.name not in collected_for
    return "out_of_purpose" if foreign and not case.declared.is_for_the_person else None


def special_care(declared: Declared, on: date) -> str | None:
    """Article 20(2): 要配慮個人情報 needs the person's consent, given before."""
    policy = declared.policy
    terms = [policy.traits[name] for name in declared.purpose.fields if name in policy.traits]
    classes = {str(policy.categories.get(term.category, {}).get("appi_class", "special_care")) for term in terms}
    basis = declared.basis(APPI)
    explicit = basis is not None and basis.kind == "consent" and basis.explicit
    return "special_category" if "special_care" in classes and not explicit and not declared.is_for_the_person else None


def consent(case: Case) -> str | None:
    basis = case.declared.basis(APPI)
    if basis is None or basis.kind != "consent":
        return None
    return consenting.refusal(case, explicit=basis.explicit)


def child(case: Case) -> str | None:
    """Acts of consent below the age need a guardian (Q&A 1-62); first-party notified use asks for none."""
    if not case.is_under_age(APPI) or not _needs_consent(case):
        return None
    return None if consenting.is_guarded(case) else "child"


def third_party(case: Case) -> str | None:
    """Article 27(1): provision to a third party rests on consent; one that is general is enough (Q&A 7-8, 7-9)."""
    if not _is_third_party(case.declared) or _has_basis_of_law(case.declared):
        return None
    return "third_party" if consenting.refusal(case) else None


def foreign(declared: Declared, on: date) -> str | None:
    """Article 28(1), (3): abroad means designated, or an equivalent system looked at within 12 months, or consent.

    Holds for processors too: entrusting abroad is not exempt.
    """
    if not _is_abroad(declared) or declared.pack(APPI).is_adequate(declared.recipient.country, on):
        return None
    ground = declared.recipient.transfer(APPI)
    if ground is None or ground.kind not in ("jp_equivalent", "jp_consent"):
        return "foreign_third_party"
    if ground.kind == "jp_equivalent" and not is_fresh(ground.checked, on):
        return "jp_equivalent_check_overdue"
    return None


def foreign_consent(case: Case) -> str | None:
    """Article 28(2): where provision abroad rests on consent, country, system and measures were told first."""
    if not _rests_on_foreign_consent(case.declared):
        return None
    if consenting.refusal(case):
        return "foreign_third_party"
    return None if consenting.told(case, "items") >= FOREIGN_ITEMS else "foreign_information_missing"


def provision_is_recorded(declared: Declared) -> bool:
    """Article 29: provision to a third party is recorded; provision abroad on consent always, entrustment too."""
    recorded = _is_third_party(declared) or _rests_on_foreign_consent(declared)
    return recorded and not _has_basis_of_law(declared)


def _needs_consent(case: Case) -> bool:
    basis = case.declared.basis(APPI)
    by_basis = basis is not None and basis.kind == "consent"
    by_mail = case.purpose.advertising and case.channel in consenting.ELECTRONIC_MAIL
    return by_basis or by_mail or _is_third_party(case.declared) or _rests_on_foreign_consent(case.declared)


def _is_third_party(declared: Declared) -> bool:
    joint = declared.recipient.role == "joint_user" and declared.purpose.name in declared.recipient.joint_purposes
    return declared.recipient.role in ("third_party", "joint_user") and not joint


def _has_basis_of_law(declared: Declared) -> bool:
    """Article 27(1)(i): laws and regulations."""
    basis = declared.basis(APPI)
    return basis is not None and basis.kind == "legal_obligation"


def _is_abroad(declared: Declared) -> bool:
    home = declared.pack(APPI).values.get("home", "JP")
    return declared.recipient.role in RECEIVERS and declared.recipient.country != home


def _rests_on_foreign_consent(declared: Declared) -> bool:
    ground = declared.recipient.transfer(APPI)
    return _is_abroad(declared) and ground is not None and ground.kind == "jp_consent"


RULES: tuple[Rule, ...] = (
    AboutPerson(APPI, "APPI", restricted),
    AboutPerson(APPI, "APPI", objected),
    AboutUse(APPI, "APPI", out_of_purpose),
    AboutPerson(APPI, "APPI", collected_for_something_else),
    AboutUse(APPI, "APPI", special_care),
    AboutPerson(APPI, "APPI", child),
    AboutPerson(APPI, "APPI", consent),
    AboutPerson(APPI, "APPI", third_party),
    AboutUse(APPI, "APPI", foreign),
    AboutPerson(APPI, "APPI", foreign_consent),
)
