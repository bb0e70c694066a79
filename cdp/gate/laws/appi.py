"""The rules of the APPI (個人情報保護法), in the order of law.md 4.4, D.

Purpose first, consent second: inside the specified and notified purpose of use ordinary data need no
consent (17, 18, 21). Consent is asked for where data leave to a third party (27) or the country (28).
"""

from datetime import date

from cdp.gate.laws import consenting, provision
from cdp.gate.laws.rule import AboutPerson, AboutUse, Case, Declared, Rule, is_fresh
from cdp.policy.grounds import BASES, EQUIVALENT, EXCEPTIONS
from cdp.policy.terms import Law

APPI = Law.APPI
NOT_PERSONAL = frozenset({"personal_related", "anonymised"})
"""Classes of data that are nobody's personal data where they are: Article 27 does not speak of them."""


_NOT_CONSENTED = {"joint_user": "outside_joint_use", "processor": "entrustee_matches"}


def pseudonymised_contact(declared: Declared, on: date) -> str | None:
    """Article 41(8): 仮名加工情報 are used to call on nobody, by whatever way."""
    contacts = declared.purpose.data_class == "pseudonymised" and declared.use.channel != "none"
    return "pseudonymised_contact" if contacts else None


def pseudonymised_provision(declared: Declared, on: date) -> str | None:
    """Articles 41(6), 42(1): and go to no third party, whoever consents; entrustment and joint use stay open."""
    given = declared.purpose.data_class == "pseudonymised" and provision.is_third_party(declared)
    return "pseudonymised_provision" if given else None


def anonymised_relinked(declared: Declared, on: date) -> str | None:
    """Articles 43(5), 45: 匿名加工情報 hold nothing that identifies, and are not used to reach anybody."""
    if declared.purpose.data_class != "anonymised":
        return None
    direct = any(declared.policy.categories.get(name, {}).get("direct", True) for name in declared.categories)
    return "anonymised_relinked" if direct or declared.use.channel != "none" else None


def restricted(case: Case) -> str | None:
    """Article 35: use was stopped at the person's demand."""
    return "restricted" if case.standing.restricted and not case.declared.is_for_the_person else None


def objected(case: Case) -> str | None:
    """Article 35(5): direct marketing after a demand to stop harms the person's interests (Q&A 9-21)."""
    return "objected" if case.is_marketing and "direct_marketing" in case.standing.objections else None


def said_no(case: Case) -> str | None:
    """Article 35(5): no marketing to who said no to it, on whatever ground it stands (Q&A 9-21)."""
    if case.declared.kind(APPI) == "consent":
        return None
    in_europe = case.standing.country in case.declared.pack(Law.GDPR).countries
    return consenting.spoken_no(case, frozenset() if in_europe else consenting.ELECTRONIC_MAIL)


def inappropriate_use(declared: Declared, on: date) -> str | None:
    """Article 19: what may promote unlawful or unjust acts is not done, whoever consents."""
    risky = declared.purpose.unlawful_discrimination_risk or declared.beyond.unlawful_discrimination_risk
    return "inappropriate_use" if risky else None


def out_of_purpose(declared: Declared, on: date) -> str | None:
    """Articles 17, 18 and 21: a purpose that is declared, and told to people before this day."""
    kind = declared.kind(APPI)
    if kind not in BASES["APPI"]:
        return "out_of_purpose"
    if kind in EXCEPTIONS:
        return None
    notices = declared.policy.notices.values()
    told = any(declared.purpose.name in notice.purposes and notice.published <= on for notice in notices)
    return None if told else "out_of_purpose"


def collected_for_something_else(case: Case) -> str | None:
    """Article 18(1): not told when the data were collected, nor since as a change within a related scope (17(2))."""
    if _is_within_collection(case) or rests_on_a_change(case):
        return None
    return "out_of_purpose"


def rests_on_a_change(case: Case) -> bool:
    """Whether the purpose came later, as a change within a related scope that was told (17(2), 21(3))."""
    told = case.standing.collected_for
    return not _is_within_collection(case) and any(one.purpose in told and one.told for one in case.purpose.extends)


def _is_within_collection(case: Case) -> bool:
    told = case.standing.collected_for
    excepted = case.declared.is_for_the_person or _is_excepted(case.declared)
    return excepted or "*" in told or case.purpose.name in told


def special_care(declared: Declared, on: date) -> str | None:
    """Article 20(2): 要配慮個人情報 needs the person's consent, given before; what merely lets one guess is none."""
    own = declared.plain.categories
    if "special_care" not in declared.classes("appi_class", own) or declared.is_for_the_person:
        return None
    basis = declared.basis(APPI)
    explicit = basis is not None and basis.kind == "consent" and basis.explicit
    return None if explicit or _is_excepted(declared) else "special_category"


def consent(case: Case) -> str | None:
    basis = case.declared.basis(APPI)
    if basis is None or basis.kind != "consent":
        return None
    return consenting.refusal(case, explicit=basis.explicit)


def child(case: Case) -> str | None:
    """Acts of consent below the age need a guardian (Q&A 1-62); first-party notified use asks for none."""
    young = case.is_under_age(APPI) or case.consented_under_age(APPI)
    if not young or not _needs_consent(case):
        return None
    return None if consenting.is_guarded(case) else "child"


def related_information(declared: Declared, on: date) -> str | None:
    """Article 31(1): 個人関連情報 goes to who makes it personal once they confirmed the person's consent there."""
    if declared.purpose.data_class != "personal_related" or not declared.recipient.ties_to_person:
        return None
    said = declared.recipient.confirmation
    informed = said is not None and (said.foreign_information or not provision.is_abroad(declared))
    return None if said and informed and is_fresh(said.checked, on) else "related_information"


def related_information_joined(case: Case) -> str | None:
    """Article 31(1): and comes into what we hold of a person once that person consented to it here."""
    joins = case.purpose.data_class == "personal_related" and case.recipient.role == "internal"
    return "related_information" if joins and consenting.refusal(case) else None


def provision_stopped(case: Case) -> str | None:
    """Articles 27(2), 35(3): the person stopped provision to third parties."""
    stopped = case.standing.provision_stopped and provision.is_third_party(case.declared)
    return "provision_stopped" if stopped and not _is_excepted(case.declared) else None


def third_party(case: Case) -> str | None:
    """Article 27: provision rests on a law, entrustment, succession, joint use, consent or a filed opt-out.

    A consent that is general is enough (Q&A 7-8, 7-9).
    """
    declared = case.declared
    if not provision.is_third_party(declared) or _is_excepted(declared):
        return None
    if declared.purpose.data_class in NOT_PERSONAL:
        return None
    if declared.kind(APPI) == "opt_out":
        return None if provision.may_go_by_opt_out(declared, case.standing) else "opt_out_forbidden"
    if declared.purpose.kind == "statistics" and declared.pack(APPI).values.get("statistics_exemption"):
        return None
    if not consenting.refusal(case):
        return None
    return _NOT_CONSENTED.get(declared.recipient.role, "third_party")


def list_beyond_joint_use(declared: Declared, on: date) -> str | None:
    """Article 27(5)(iii): what a list lets one infer, or a question asks for, outside the items of a joint use."""
    exceeded = provision.is_joint_use(declared.plain) and not provision.is_joint_use(declared)
    return "outside_joint_use" if exceeded else None


def list_beyond_opt_out(declared: Declared, on: date) -> str | None:
    """Article 27(2): the same outside the items of a filed opt-out, or of special care."""
    plain = declared.plain
    by_opt_out = declared.kind(APPI) == "opt_out" and provision.is_third_party(plain)
    exceeded = by_opt_out and provision.is_within_scheme(plain) and not provision.is_within_scheme(declared)
    return "opt_out_forbidden" if exceeded else None


def foreign(declared: Declared, on: date) -> str | None:
    """Article 28(1), (3): abroad means designated, or an equivalent system looked at within 12 months, or consent.

    Holds for processors too: entrusting abroad is not exempt.
    """
    if not provision.is_abroad(declared) or _is_excepted(declared) or declared.purpose.data_class in NOT_PERSONAL:
        return None
    if declared.pack(APPI).is_adequate(declared.recipient.country, on):
        return None
    ground = declared.recipient.transfer(APPI)
    if ground is None or ground.kind not in EQUIVALENT | {"jp_consent"}:
        return "foreign_third_party"
    if ground.kind in EQUIVALENT and not is_fresh(ground.checked, on):
        return "jp_equivalent_check_overdue"
    return None


def foreign_consent(case: Case) -> str | None:
    """Article 28(2): where provision abroad rests on consent, country, system and measures were told first."""
    if not provision.rests_on_foreign_consent(case.declared) or _is_excepted(case.declared):
        return None
    if consenting.refusal(case):
        return "foreign_third_party"
    return None if consenting.told(case, "items") >= provision.FOREIGN_ITEMS else "foreign_information_missing"


def adequacy_purpose(case: Case) -> str | None:
    """Supplementary Rule 3: data that came on the EU's decision serve the purposes they were transferred for."""
    told = case.standing.collected_for
    if not case.standing.eu_adequacy or case.declared.is_for_the_person:
        return None
    return None if "*" in told or case.purpose.name in told else "eu_data_out_of_purpose"


def adequacy_special_care(case: Case) -> str | None:
    """Supplementary Rule 1: sex life, orientation and trade-union membership are special care among such data."""
    declared = case.declared
    if not case.standing.eu_adequacy or declared.is_for_the_person or _is_excepted(declared):
        return None
    basis = declared.basis(APPI)
    explicit = basis is not None and basis.kind == "consent" and basis.explicit
    return "special_category" if "special_care" in declared.classes("adequacy_class") and not explicit else None


def list_of_adequacy_special_care(declared: Declared, on: date) -> str | None:
    """Supplementary Rule 1, of what a list lets one infer: whose data came from the EU stands on it like the others."""
    inferred = "special_care" in declared.classes("adequacy_class", declared.beyond.infers)
    basis = declared.basis(APPI)
    explicit = basis is not None and basis.kind == "consent" and basis.explicit
    return "special_category" if inferred and not explicit and not declared.is_for_the_person else None


def adequacy_onward(case: Case) -> str | None:
    """Supplementary Rule 4: out of Japan again by consent to it, or to whoever a contract binds to equivalent measures.

    A certificate (APEC CBPR) binds nobody to the exporter: it carries other data, not these (2019/419, recital 79).
    """
    declared, pack = case.declared, case.declared.pack(APPI)
    leaves = provision.is_abroad(declared) and declared.recipient.country not in pack.adequate
    if not case.standing.eu_adequacy or not leaves or _is_excepted(declared):
        return None
    ground = declared.recipient.transfer(APPI)
    equivalent = ground is not None and ground.kind == "jp_equivalent"
    informed = consenting.told(case, "items") >= provision.FOREIGN_ITEMS
    return None if equivalent or (not consenting.refusal(case) and informed) else "eu_onward_transfer"


def certified_contact(case: Case) -> str | None:
    """JIS Q 15001 J.8.7: who holds the mark asks before calling on somebody, whatever the Act lets pass."""
    certified = case.declared.pack(APPI).values.get("contact_needs_consent")
    contacts = case.is_marketing and case.channel in consenting.ADDRESSED | {"post"}
    return consenting.refusal(case) if certified and contacts else None


def _needs_consent(case: Case) -> bool:
    declared = case.declared
    if _is_excepted(declared):
        return False
    by_basis = declared.kind(APPI) == "consent"
    by_mail = case.purpose.advertising and case.channel in consenting.ELECTRONIC_MAIL
    by_provision = provision.is_third_party(declared) and declared.kind(APPI) != "opt_out"
    by_bill = bool(declared.pack(APPI).values.get("minors_need_representative")) and case.is_marketing
    return by_basis or by_mail or by_provision or by_bill or provision.rests_on_foreign_consent(declared)


def _is_excepted(declared: Declared) -> bool:
    """Articles 18(3), 20(2), 27(1)(i)-(vii): laws, life, public health, the state, research."""
    return declared.kind(APPI) in EXCEPTIONS


RULES: tuple[Rule, ...] = (
    AboutUse(APPI, "APPI", pseudonymised_contact),
    AboutUse(APPI, "APPI", pseudonymised_provision),
    AboutUse(APPI, "APPI", anonymised_relinked),
    AboutPerson(APPI, "APPI", restricted),
    AboutPerson(APPI, "APPI", objected),
    AboutPerson(APPI, "APPI", said_no, "35(5)"),
    AboutUse(APPI, "APPI", inappropriate_use),
    AboutUse(APPI, "APPI", out_of_purpose),
    AboutPerson(APPI, "APPI", collected_for_something_else),
    AboutUse(APPI, "APPI", special_care),
    AboutPerson(APPI, "APPI", child),
    AboutPerson(APPI, "APPI", consent),
    AboutUse(APPI, "APPI", related_information),
    AboutPerson(APPI, "APPI", related_information_joined),
    AboutPerson(APPI, "APPI", provision_stopped),
    AboutPerson(APPI, "APPI", third_party),
    AboutUse(APPI, "APPI", list_beyond_joint_use),
    AboutUse(APPI, "APPI", list_beyond_opt_out),
    AboutUse(APPI, "APPI", foreign),
    AboutPerson(APPI, "APPI", foreign_consent),
    AboutPerson(APPI, "ADEQUACY", adequacy_purpose),
    AboutPerson(APPI, "ADEQUACY", adequacy_special_care),
    AboutUse(APPI, "ADEQUACY", list_of_adequacy_special_care),
    AboutPerson(APPI, "ADEQUACY", adequacy_onward),
    AboutPerson(APPI, "PMARK", certified_contact, "J.8.7"),
)
