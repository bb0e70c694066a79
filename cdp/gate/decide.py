"""Decides one use for one person: every rule of every law that protects, and any no is the answer.

Pure: the same policy, use, standing and date give the same answer. `decide` takes what depends on the
person and what depends on the declaration together; `person_code` and `recipient_refusals` are its two
halves, so that the first may be kept per person and the second asked once per request. They agree:
a person's code is 0 and no law that protects them refuses the use ⟺ `decide` allows it for some reach.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from cdp.gate import reasons
from cdp.gate.laws import appi, channel, consenting, gdpr, integrity, laws_for, provision
from cdp.gate.laws.rule import AboutPerson, AboutUse, Case, Declared, Rule, declared_use
from cdp.gate.question import NOTHING_BEYOND, Beyond, Decision, Reach, Reason, Standing
from cdp.policy.grounds import EQUIVALENT
from cdp.policy.terms import CONTACT_CHANNELS, Law, Policy, Use

RULES: tuple[Rule, ...] = (*integrity.RULES, *gdpr.RULES, *appi.RULES, *channel.RULES)
"""Every rule, in the order of the law."""


_WITHIN = frozenset({"entrustment", "succession", "joint_use"})
"""Doors of 27(5): who receives data there is no third party."""

OLDEST_AGE_OF_CONSENT = 21
"""No pack may declare a higher one."""


class _Refused(NamedTuple):
    code: str
    cite: str
    law: Law
    article: str = ""


def decide(
    policy: Policy,
    use: Use,
    standing: Standing,
    reach: Reach | None,
    on: date,
    beyond: Beyond = NOTHING_BEYOND,
) -> Decision:
    """Answer one use for one person by one way on one day, with every reason in the order of the law.

    `reach` is None where the person has no way on this channel; a channel that calls on nobody needs none.
    """
    laws = laws_of(policy, standing)
    declared = declared_use(policy, use, beyond)
    if declared is None:
        return Decision(False, tuple(_once(_told(_Refused("unknown_use", "", laws), use.channel))), (), ())
    case = Case(declared.plain, standing, reach)
    refused = [no for rule in _binding(laws) if (no := _refused(rule, case, declared, on, laws))]
    if refused:
        return Decision(False, tuple(_once(reason for no in refused for reason in _told(no, use.channel))), (), ())
    case = Case(declared, standing, reach)
    return Decision(True, tuple(_grounds(case, laws)), tuple(_bases(case, laws)), tuple(_obligations(case, laws)))


def refusing(
    policy: Policy, use: Use, standing: Standing, reach: Reach | None, on: date, beyond: Beyond = NOTHING_BEYOND
) -> list[Rule]:
    """Return the rules that say no: where there is one, it alone decides."""
    declared = declared_use(policy, use, beyond)
    if declared is None:
        return []
    case, laws = Case(declared.plain, standing, reach), laws_of(policy, standing)
    return [rule for rule in _binding(laws) if _refused(rule, case, declared, on, laws)]


def person_code(policy: Policy, use: Use, standing: Standing) -> int:
    """Return 0 if nothing about the person refuses the use by some way, else the number of the first refusal.

    Of several ways the one that gets furthest speaks: its remedy is the one that would help.
    """
    declared = declared_use(policy, use)
    if declared is None:
        return reasons.NUMBERS["unknown_use"]
    laws = laws_of(policy, standing)
    furthest = max(first_refusal(Case(declared, standing, reach), laws) for reach in ways(standing, use.channel))
    return 0 if furthest[1] == "" else reasons.NUMBERS[furthest[1]]


def recipient_refusals(policy: Policy, use: Use, on: date, beyond: Beyond = NOTHING_BEYOND) -> dict[Law, Reason]:
    """Return, for each law that refuses the use to everybody on this day, its first reason."""
    declared = declared_use(policy, use, beyond)
    found: dict[Law, Reason] = {}
    for law in policy.packs:
        if declared is None:
            found[law] = reasons.reason("unknown_use", law=law)
            continue
        for rule in _binding(law):
            if isinstance(rule, AboutUse) and (code := rule.test(declared, on)):
                found[law] = reasons.reason(code, rule.cite, law)
                break
    return found


def beyond_of(policy: Policy, listed: str) -> Beyond:
    """Return what being on a list says of people; `listed` is an audience's name, or `audience:<name>`."""
    declared = policy.audiences.get(listed.removeprefix("audience:"))
    if not declared or not (declared.get("infers") or declared.get("unlawful_discrimination_risk")):
        return NOTHING_BEYOND
    return Beyond(frozenset(declared.get("infers", ())), bool(declared.get("unlawful_discrimination_risk")))


def laws_in(refusals: Iterable[Law]) -> Law:
    """Return the laws of these refusals as one set of bits."""
    found = Law(0)
    for law in refusals:
        found |= law
    return found


def ways(standing: Standing, channel_name: str) -> tuple[Reach | None, ...]:
    """Return the ways to a person on a channel; (None,) where there is no way."""
    return standing.on(channel_name) or (nowhere(channel_name),)


def allowed_fields(policy: Policy, use: Use) -> tuple[str, ...]:
    """Return the fields that this recipient may get for this purpose at most, in the purpose's order."""
    declared = declared_use(policy, use)
    return declared.fields if declared else ()


def nowhere(channel_name: str) -> Reach | None:
    """Return the way to a person of whom no way is known: none, but where the channel calls on nobody."""
    return None if channel_name in CONTACT_CHANNELS else Reach(channel_name)


def laws_of(policy: Policy, standing: Standing) -> Law:
    """Return the laws that protect the person; every configured one where none is known to."""
    return standing.laws or laws_for(policy, "")


def _refused(rule: Rule, case: Case, declared: Declared, on: date, laws: Law) -> _Refused | None:
    """Ask one rule: about the person, of no list or question; or about what is declared and asked beyond."""
    code = rule.test(case) if isinstance(rule, AboutPerson) else rule.test(declared, on)
    return _Refused(code, rule.cite, (rule.law & laws) or laws, rule.article) if code else None


def first_refusal(case: Case, laws: Law) -> tuple[int, str]:
    """Return how far a case gets among the rules about the person, and the code that stops it."""
    for step, rule in enumerate(_rules_about_person(laws)):
        if code := rule.test(case):
            return step, code
    return len(RULES), ""


@lru_cache(maxsize=16)
def _binding(laws: Law) -> tuple[Rule, ...]:
    """Return the rules of these laws, and those of no single law, in the order of the law."""
    return tuple(rule for rule in RULES if not rule.law or rule.law & laws)


@lru_cache(maxsize=16)
def _rules_about_person(laws: Law) -> tuple[AboutPerson, ...]:
    return tuple(rule for rule in _binding(laws) if isinstance(rule, AboutPerson))


def _told(refused: _Refused, channel_name: str) -> Iterator[Reason]:
    """Yield the refusal once for each law that it rests on; mail in Japan is spoken of by the law of mail."""
    if refused.cite:
        yield reasons.reason(refused.code, refused.cite, refused.law, refused.article)
        return
    for law in Law:
        if law in refused.law:
            by_mail = law is Law.APPI and channel_name in consenting.ELECTRONIC_MAIL
            yield reasons.reason(refused.code, "TOKUTEI" if by_mail else "", law)


def _once(found: Iterator[Reason]) -> list[Reason]:
    return list(dict.fromkeys(found))


def _grounds(case: Case, laws: Law) -> Iterator[Reason]:
    if Law.GDPR in laws:
        yield reasons.ground(_gdpr_ground(case))
        if channel.goes_to_entity(case):
            yield reasons.ground("mail_to_entity")
        if gdpr.rests_on_a_guardian(case):
            yield reasons.ground("guardian_consent")
    if Law.APPI in laws:
        yield reasons.ground(_appi_ground(case))
        door = provision.route(case.declared)
        if door and door != case.declared.kind(Law.APPI):
            yield reasons.ground(door)
        if door in _WITHIN and case.purpose.data_class == "pseudonymised":
            yield reasons.ground("pseudonymised_kept_close")
        yield from map(reasons.ground, provision.abroad_by(case.declared))
        if appi.rests_on_a_change(case):
            yield reasons.ground("changed_purpose")
        if _is_guessed(case.declared):
            yield reasons.ground("jp_inference_not_special_care")
    if not case.standing.country:
        yield reasons.ground("residence_unknown")


def _gdpr_ground(case: Case) -> str:
    kind = case.declared.kind(Law.GDPR) or "consent"
    return "consent" if kind == "soft_opt_in" and consenting.refusal(case) is None else kind


def _appi_ground(case: Case) -> str:
    kind = case.declared.kind(Law.APPI) or "consent"
    return kind if kind in ("notified_purpose", "opt_out") else f"jp_{kind}"


def _bases(case: Case, laws: Law) -> Iterator[str]:
    for law in Law:
        basis = case.declared.basis(law) if law in laws else None
        if basis is None:
            continue
        if basis.kind == "soft_opt_in" and consenting.refusal(case) is None:
            yield "eu-gdpr:A6-1-a"
        else:
            yield basis.iri or basis.kind


def _obligations(case: Case, laws: Law) -> Iterator[str]:
    declared = case.declared
    if declared.purpose.advertising and case.channel in consenting.ADDRESSED:
        yield "identify_sender_and_offer_opt_out"
    if Law.APPI in laws and channel.strips_promotion(case):
        yield "strip_promotional"
    if Law.APPI in laws and _is_guessed(declared):
        yield "review_inference"
    if not declared.is_outside:
        return
    yield "log_disclosure"
    if Law.APPI in laws:
        yield from _obligations_of_provision(declared, laws)


def _obligations_of_provision(declared: Declared, laws: Law) -> Iterator[str]:
    if declared.role == "processor":
        yield "supervise_entrustee"
    if provision.is_recorded(declared):
        yield "record_provision_three_years"
        # A duty of Japanese law alone holds back no erasure under the GDPR (17(3)(b)).
        if Law.GDPR in laws:
            yield "pseudonymise_record_on_erasure"
    ground = declared.recipient.transfer(Law.APPI)
    if ground and ground.kind in EQUIVALENT:
        yield "explain_foreign_measures_on_demand"


def _is_guessed(declared: Declared) -> bool:
    """Whether the list lets one guess at what would be special care if it were known."""
    return "special_care" in declared.classes("appi_class", declared.beyond.infers)


__all__ = [
    "RULES",
    "allowed_fields",
    "beyond_of",
    "decide",
    "first_refusal",
    "laws_for",
    "laws_in",
    "laws_of",
    "nowhere",
    "person_code",
    "recipient_refusals",
    "refusing",
    "ways",
]
