"""Decides one use for one person: every rule of every law that protects, and any no is the answer.

Pure: the same policy, use, standing and date give the same answer. `decide` takes what depends on the
person and what depends on the declaration together; `person_code` and `recipient_refusals` are its two
halves, so that the first may be kept per person and the second asked once per request. They agree:
a person's code is 0 and no law that protects them refuses the use ⟺ `decide` allows it for some reach.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from cdp.gate import reasons
from cdp.gate.laws import appi, channel, consenting, gdpr, integrity, laws_for
from cdp.gate.laws.rule import AboutPerson, AboutUse, Case, Declared, Rule, declared_use
from cdp.gate.question import Decision, Reach, Reason, Standing
from cdp.policy.terms import CONTACT_CHANNELS, Law, Policy, Use

RULES: tuple[Rule, ...] = (*integrity.RULES, *gdpr.RULES, *appi.RULES, *channel.RULES)
"""Every rule, in the order of the law."""


OLDEST_AGE_OF_CONSENT = 21
"""No pack may declare a higher one."""


class _Refused(NamedTuple):
    code: str
    cite: str
    law: Law
    article: str = ""


def decide(policy: Policy, use: Use, standing: Standing, reach: Reach | None, on: date) -> Decision:
    """Answer one use for one person by one way on one day, with every reason in the order of the law.

    `reach` is None where the person has no way on this channel; a channel that calls on nobody needs none.
    """
    laws = _laws(policy, standing)
    declared = declared_use(policy, use)
    if declared is None:
        refused = [_Refused("unknown_use", "", laws)]
    else:
        case = Case(declared, standing, reach)
        refused = [no for rule in RULES if (no := _refused(rule, case, on, laws))]
    denials = tuple(_once(reason for no in refused for reason in _told(no, use.channel)))
    if denials or declared is None:
        return Decision(False, denials, (), ())
    case = Case(declared, standing, reach)
    return Decision(True, tuple(_grounds(case, laws)), tuple(_bases(case, laws)), tuple(_obligations(case, laws)))


@lru_cache(maxsize=1 << 17)
def person_code(policy: Policy, use: Use, standing: Standing) -> int:
    """Return 0 if nothing about the person refuses the use by some way, else the number of the first refusal.

    Of several ways the one that gets furthest speaks: its remedy is the one that would help.
    """
    declared = declared_use(policy, use)
    if declared is None:
        return reasons.NUMBERS["unknown_use"]
    laws = _laws(policy, standing)
    furthest = max(_first_refusal(Case(declared, standing, reach), laws) for reach in ways(standing, use.channel))
    return 0 if furthest[1] == "" else reasons.NUMBERS[furthest[1]]


def person_codes(policy: Policy, standing: Standing) -> bytes:
    """Return the person's code for every use of the policy, by the use's index.

    Ages beyond every law's interest count as one, so that adults share their answers.
    """
    is_adult = standing.age is not None and standing.age > OLDEST_AGE_OF_CONSENT
    return _codes(policy, replace(standing, age=OLDEST_AGE_OF_CONSENT) if is_adult else standing)


@lru_cache(maxsize=1 << 16)
def _codes(policy: Policy, standing: Standing) -> bytes:
    return bytes(person_code.__wrapped__(policy, use, standing) for use in policy.uses)


def recipient_refusals(policy: Policy, use: Use, on: date) -> dict[Law, Reason]:
    """Return, for each law that refuses the use to everybody on this day, its first reason."""
    declared = declared_use(policy, use)
    found: dict[Law, Reason] = {}
    for law in policy.packs:
        if declared is None:
            found[law] = reasons.reason("unknown_use", law=law)
            continue
        for rule in RULES:
            if isinstance(rule, AboutUse) and _binds(rule, law) and (code := rule.test(declared, on)):
                found[law] = reasons.reason(code, rule.cite, law)
                break
    return found


def laws_in(refusals: Iterable[Law]) -> Law:
    """Return the laws of these refusals as one set of bits."""
    found = Law(0)
    for law in refusals:
        found |= law
    return found


def ways(standing: Standing, channel_name: str) -> tuple[Reach | None, ...]:
    """Return the ways to a person on a channel; (None,) where there is no way."""
    return standing.on(channel_name) or (_in_person(channel_name),)


def allowed_fields(policy: Policy, use: Use) -> tuple[str, ...]:
    """Return the fields that this recipient may get for this purpose at most, in the purpose's order."""
    declared = declared_use(policy, use)
    if declared is None:
        return ()
    may_get = frozenset(declared.recipient.fields)
    return tuple(name for name in declared.purpose.fields if name in may_get)


def _in_person(channel_name: str) -> Reach | None:
    return None if channel_name in CONTACT_CHANNELS else Reach(channel_name)


def _laws(policy: Policy, standing: Standing) -> Law:
    return standing.laws or laws_for(policy, "")


def _binds(rule: Rule, laws: Law) -> bool:
    return not rule.law or bool(rule.law & laws)


def _refused(rule: Rule, case: Case, on: date, laws: Law) -> _Refused | None:
    if not _binds(rule, laws):
        return None
    code = rule.test(case) if isinstance(rule, AboutPerson) else rule.test(case.declared, on)
    return _Refused(code, rule.cite, (rule.law & laws) or laws, rule.article) if code else None


def _first_refusal(case: Case, laws: Law) -> tuple[int, str]:
    """Return how far a case gets among the rules about the person, and the code that stops it."""
    for step, rule in enumerate(_rules_about_person(laws)):
        if code := rule.test(case):
            return step, code
    return len(RULES), ""


@lru_cache(maxsize=16)
def _rules_about_person(laws: Law) -> tuple[AboutPerson, ...]:
    return tuple(rule for rule in RULES if isinstance(rule, AboutPerson) and _binds(rule, laws))


def _told(refused: _Refused, channel_name: str) -> Iterator[Reason]:
    """Yield the refusal once for each law that it rests on; mail in Japan is spoken of by the law of mail."""
    if refused.cite:
        yield reasons.reason(refused.code, refused.cite, article=refused.article)
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
    if Law.APPI in laws:
        yield reasons.ground(_appi_ground(case))
        route = _route(case.declared)
        if route:
            yield reasons.ground(route)
    if not case.standing.country:
        yield reasons.ground("residence_unknown")


def _gdpr_ground(case: Case) -> str:
    basis = case.declared.basis(Law.GDPR)
    kind = basis.kind if basis else "consent"
    if kind == "soft_opt_in" and consenting.refusal(case) is None:
        return "consent"
    return kind


def _appi_ground(case: Case) -> str:
    basis = case.declared.basis(Law.APPI)
    kind = basis.kind if basis else "consent"
    return kind if kind == "notified_purpose" else f"jp_{kind}"


def _route(declared: Declared) -> str:
    """Return by which door of Article 27 the data may go, if it is another than consent."""
    role = declared.recipient.role
    if role == "joint_user" and declared.purpose.name in declared.recipient.joint_purposes:
        return "joint_use"
    return {"processor": "entrustment", "non_handling_host": "not_handled"}.get(role, "")


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
    if not declared.is_outside:
        return
    yield "log_disclosure"
    if Law.APPI not in laws:
        return
    if declared.recipient.role == "processor":
        yield "supervise_entrustee"
    if appi.provision_is_recorded(declared):
        yield "record_provision_three_years"
    ground = declared.recipient.transfer(Law.APPI)
    if ground and ground.kind == "jp_equivalent":
        yield "explain_foreign_measures_on_demand"


__all__ = [
    "RULES",
    "allowed_fields",
    "decide",
    "laws_for",
    "laws_in",
    "person_code",
    "person_codes",
    "recipient_refusals",
    "ways",
]
