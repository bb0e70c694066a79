"""Rules of no single law: what must be true before any law is asked (law.md 4.4, A)."""

from datetime import date

from cdp.gate.laws.rule import EVERY, AboutPerson, AboutUse, Case, Declared, Rule, is_fresh
from cdp.policy.terms import CONTACT_CHANNELS, Law

NEEDS_CONTRACT = frozenset({"processor", "joint_user", "third_party", "successor", "non_handling_host"})
SILENCES = frozenset({"erasure", "complaint", "bounce", "unsubscribe", "objection", "do_not_call"})


def erasing(case: Case) -> str | None:
    """Refuse everything from the moment that an erasure began."""
    return "erasing" if case.standing.erasing else None


def no_contact_point(case: Case) -> str | None:
    return "no_contact_point" if case.reach is None and case.channel in CONTACT_CHANNELS else None


def quarantined(case: Case) -> str | None:
    """A list from somebody else is used once its origin is confirmed and its people are told (APPI 30, GDPR 14)."""
    return "quarantined" if case.standing.quarantined and not case.declared.is_for_the_person else None


def erased(case: Case) -> str | None:
    """Refuse a contact point whose owner was erased; only a new first-party act reopens it (ruling R11)."""
    return "erased" if case.is_silenced("erasure") else None


def complained(case: Case) -> str | None:
    """A complaint silences the address for service messages too: they would be reported again."""
    return "complaint" if case.is_silenced("complaint") and case.purpose.kind != "legal" else None


def bounced(case: Case) -> str | None:
    return "bounced" if case.is_silenced("bounce") and case.purpose.kind != "legal" else None


def unsubscribed(case: Case) -> str | None:
    """An unsubscribe holds for its brand and channel (ruling R12); what was ordered still arrives (ruling R4)."""
    return "unsubscribed" if case.is_silenced("unsubscribe") and not case.declared.is_service else None


def objected_at_contact_point(case: Case) -> str | None:
    return "contact_objected" if case.is_silenced("objection") and not case.declared.is_service else None


def listed_against_calls(case: Case) -> str | None:
    """National lists and refusals of calls (特定商取引法 17; ePrivacy 13(3))."""
    return _refused_by(case, "phone")


def listed_against_letters(case: Case) -> str | None:
    """Refusals of letters: no law of channels speaks of these, an objection all the same (GDPR 21(3), APPI 35(5))."""
    return _refused_by(case, "post")


def _refused_by(case: Case, channel: str) -> str | None:
    called = case.channel == channel and case.is_silenced("do_not_call")
    return "do_not_call" if called and not case.declared.is_service else None


def silenced_otherwise(case: Case) -> str | None:
    """A reason for silence that no rule knows is a no."""
    said = {one.partition("^")[0].partition(":")[0] for one in case.reach.suppressed} if case.reach else set()
    return "suppressed" if said - SILENCES else None


def deceased(case: Case) -> str | None:
    """No law protects the dead as such; nobody writes to them all the same (Recital 27, APPI 2(1))."""
    return "deceased" if case.standing.deceased and case.is_marketing else None


def held(case: Case) -> str | None:
    """What is kept for a duty of law alone serves that duty alone (GDPR 17(3)(b), 18(2); APPI 18(1))."""
    return "legal_hold" if case.standing.held and not case.declared.is_for_the_person else None


def retention_expired(case: Case) -> str | None:
    """Data whose period is over are not used, also while they wait to be deleted (GDPR 5(1)(e), APPI 22)."""
    lapsed = case.standing.lapsed
    if not lapsed or case.declared.is_for_the_person:
        return None
    policy = case.declared.policy
    contact = {policy.category_of(name) for name in CONTACT_CHANNELS.get(case.channel, ())}
    left = {policy.category_of(name) for name in case.declared.fields}.difference(lapsed)
    return "retention_expired" if contact & set(lapsed) or not left else None


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


def category_not_declared(declared: Declared, on: date) -> str | None:
    """A category that purpose and recipient do not share is not given (GDPR 5(1)(c), 25(2); APPI 18)."""
    asked = declared.beyond.categories
    may_get = {declared.policy.category_of(name) for name in declared.fields}
    return "category_not_declared" if asked - may_get else None


def minimised_to_nothing(declared: Declared, on: date) -> str | None:
    """Of what the purpose needs this recipient may get nothing: then there is nothing to give."""
    return "minimised_to_nothing" if declared.purpose.fields and not declared.fields else None


def requester_unverified(declared: Declared, on: date) -> str | None:
    """What is held about somebody goes to whoever is known to be them (GDPR 12(6), 32; APPI 33(2))."""
    asks = declared.beyond.requester
    return "requester_unverified" if asks and not asks.verified else None


def mandate_insufficient(declared: Declared, on: date) -> str | None:
    """An agent acts within a mandate in force (GDPR 12; APPI 37(3))."""
    asks = declared.beyond.requester
    if asks is None or asks.by != "agent":
        return None
    in_force = asks.mandate_until is not None and on <= asks.mandate_until
    covered = not asks.mandate_covers or asks.right in asks.mandate_covers
    return None if in_force and covered else "mandate_insufficient"


def heir(declared: Declared, on: date) -> str | None:
    """What an heir may have is national law's to say: somebody decides it by hand (Recital 27; APPI 2(1))."""
    asks = declared.beyond.requester
    return "heir_by_hand" if asks and asks.by == "heir" else None


RULES: tuple[Rule, ...] = (
    # Who asks comes first: the answer to somebody unverified says nothing of whom they ask about.
    AboutUse(EVERY, "", requester_unverified),
    AboutUse(EVERY, "", mandate_insufficient),
    AboutUse(EVERY, "", heir),
    AboutPerson(EVERY, "", erasing),
    AboutPerson(EVERY, "", no_contact_point),
    AboutPerson(EVERY, "", quarantined),
    AboutPerson(EVERY, "", erased),
    AboutPerson(EVERY, "", complained),
    AboutPerson(EVERY, "", bounced),
    AboutPerson(EVERY, "", unsubscribed),
    AboutPerson(EVERY, "", objected_at_contact_point),
    AboutPerson(Law.GDPR, "EPRIVACY", listed_against_calls),
    AboutPerson(Law.APPI, "ASCT", listed_against_calls),
    AboutPerson(EVERY, "", listed_against_letters),
    AboutPerson(EVERY, "", silenced_otherwise),
    AboutPerson(EVERY, "", deceased),
    AboutPerson(EVERY, "", held),
    AboutPerson(EVERY, "", retention_expired),
    AboutUse(EVERY, "", contract_expired),
    AboutUse(Law.GDPR | Law.APPI, "", supervision_overdue),
    AboutUse(EVERY, "", category_not_declared),
    AboutUse(EVERY, "", minimised_to_nothing),
)
