"""Asks the questions of scenarios and examples, and compares the answers with those that are expected."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from json import dumps, loads
from types import MappingProxyType
from typing import Any

from cdp.gate import reasons, rounding
from cdp.gate.decide import decide, refusing
from cdp.gate.laws.rule import name_of
from cdp.gate.question import NOTHING_BEYOND, Beyond, Decision, Requester
from cdp.gate.rehearsal.staging import instant_of, stage
from cdp.policy.loading import vary
from cdp.policy.terms import Policy, Scenario

_WORDS = 12
"""Fewest letters of a line that name it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered to one question."""

    then: str
    """allow | deny | suppressed | a number."""
    because: str = ""
    codes: tuple[str, ...] = ()
    references: frozenset[str] = frozenset()
    obligations: tuple[str, ...] = ()
    basis: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    """Names of the rules that say no."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One scenario's answers, in the order of its questions, and what is wrong with them."""

    answers: tuple[Answer, ...] = ()
    failures: tuple[str, ...] = field(default=())


Elsewhere = Mapping[str, Callable[[Policy, Mapping[str, Any], datetime], Answer]]
"""Kinds of questions that others answer, by their key."""


def play(policy: Policy, scenario: Scenario, on: date, also: Elsewhere = MappingProxyType({})) -> Outcome:
    """Ask every question of a scenario; `on` is the day of those that name none, `also` who answers other kinds."""
    tree = scenario.tree
    answers: list[Answer] = []
    failures: list[str] = []
    unsound: set[str] = set()
    for n, ask in enumerate(tree["asks"]):
        day = ask["at"].date() if "at" in ask else ask.get("on", tree.get("on", on))
        staged, wrong = varied(policy, [tree["declares"], ask.get("declares", {})], day)
        unsound.update(set(wrong).difference(varied(policy, [], day)[1]))
        if staged is None:
            failures.append(f"{scenario.where}: what it declares makes no policy: {'; '.join(wrong)}")
            break
        at = ask.get("at") or instant_of(staged, day)
        kind = next((name for name in also if name in ask), "")
        answer = also[kind](staged, ask[kind], at) if kind else answered(staged, facts_of(tree, ask), ask, at)
        answers.append(answer)
        failures += [f"{scenario.where} asks.{n}: {what}" for what in differences(ask, answer)]
    failures += [f"{scenario.where}: {what}" for what in _soundness(tree["unsound"], unsound)]
    failures += [f"{scenario.where}: {what}" for what in _uncited(policy, tree, answers)]
    return Outcome(tuple(answers), tuple(failures))


def facts_of(tree: Mapping[str, Any], ask: Mapping[str, Any]) -> dict[str, Any]:
    """Return the situation that a question is about: the scenario's or the person's, with what the question changes."""
    whole = tree["people"][ask["about"]] if ask["about"] else tree.get("given", {})
    return {**whole, **ask["given"]}


def varied(policy: Policy, layers: list[Mapping[str, Any]], on: date) -> tuple[Policy | None, list[str]]:
    """Return the policy of a day with some files said otherwise, one layer over another; made once for each."""
    return _varied(policy, dumps(layers, sort_keys=True, ensure_ascii=False, default=str), on)


@lru_cache(maxsize=64)
def _varied(policy: Policy, layers: str, on: date) -> tuple[Policy | None, list[str]]:
    return vary(policy, loads(layers), on)


def answered(policy: Policy, given: Mapping[str, Any], ask: Mapping[str, Any], at: datetime) -> Answer:
    """Answer one question about somebody's situation."""
    if "count" in ask:
        number = rounding.told(ask["count"]["matching"], ask["count"]["lists_members"])
        return Answer("suppressed" if number is None else str(number), references=frozenset(rounding.CITED))
    if not ask["purpose"]:
        return Answer("unanswered")
    if ask["purpose"] not in policy.purposes or ask["recipient"] not in policy.recipients:
        return Answer("nothing: there is no such purpose or recipient")
    use = policy.find_use(ask["purpose"], ask["recipient"], ask["channel"])
    if use is None:
        return Answer("deny", "unknown_use", ("unknown_use",))
    beyond, purpose = _beyond(ask), policy.purposes[use.purpose]
    staged = stage(policy, given, purpose, use.channel, at)
    decision = decide(policy, use, staged.standing, staged.reach, at.date(), beyond)
    rules = refusing(policy, use, staged.standing, staged.reach, at.date(), beyond)
    if decision.allow and "listing" in ask:
        least = rounding.smallest_list(policy, use)
        if ask["listing"]["matching"] < least:
            small = reasons.reason("small_audience")
            return Answer("deny", small.code, (small.code,), _cited(Decision(False, (small,), (), ())))
    return Answer(
        "allow" if decision.allow else "deny",
        decision.first_refusal,
        tuple(dict.fromkeys(reason.code for reason in decision.reasons)),
        _cited(decision),
        decision.obligations,
        decision.bases,
        tuple(dict.fromkeys(name_of(rule) for rule in rules)),
    )


def differences(ask: Mapping[str, Any], answer: Answer) -> Iterator[str]:
    """Yield how an answer differs from the one that was expected."""
    expected = str(ask["then"])
    if (answer.then, answer.because) != (expected, ask["because"]):
        wanted = f"{expected}, because {ask['because']}" if ask["because"] else expected
        got = f"{answer.then}, because {answer.because}" if answer.because else answer.then
        yield f"expected {wanted}; the answer is {got}"
    for kind, wanted_names, found in (
        ("reason", ask["reasons"], answer.codes),
        ("reference", ask["references"], answer.references),
        ("obligation", ask["obligations"], answer.obligations),
        ("basis", ask["basis"], answer.basis),
    ):
        for name in wanted_names:
            if name not in found:
                yield f"the answer has no {kind} {name}; it has {', '.join(sorted(found)) or 'none'}"
    for name in ask["no_obligations"]:
        if name in answer.obligations:
            yield f"the answer has the obligation {name}"


def _beyond(ask: Mapping[str, Any]) -> Beyond:
    audience, asks = ask.get("audience"), ask.get("requester")
    if not (audience or asks or ask["categories"]):
        return NOTHING_BEYOND
    return Beyond(
        frozenset(audience["infers"]) if audience else frozenset(),
        bool(audience and audience["unlawful_discrimination_risk"]),
        frozenset(ask["categories"]),
        Requester(**{**asks, "mandate_covers": tuple(asks.get("mandate_covers", ()))}) if asks else None,
    )


def _cited(decision: Decision) -> frozenset[str]:
    found = {
        f"{law} {one}" for reason in decision.reasons for law, one in reasons.references(reason.law, reason.article)
    }
    return frozenset(found | {reference for name in decision.obligations for reference in reasons.cited_by(name)})


def _soundness(expected: list[str], found: set[str]) -> Iterator[str]:
    """Yield where `cdp policy check` says something else of the declarations than the scenario says it does."""
    for line in sorted(found):
        if not any(words in line for words in expected if len(words) >= _WORDS):
            yield f"unsound: {line}"
    for words in expected:
        if len(words) < _WORDS:
            yield f"unsound: {words!r} says too little: give at least {_WORDS} letters of the line"
        elif not any(words in line for line in found):
            yield f"unsound: nothing is said of {words!r}"


def _uncited(policy: Policy, tree: Mapping[str, Any], answers: list[Answer]) -> Iterator[str]:
    cited = {reference for answer in answers for reference in answer.references}
    for reference in tree["references"]:
        law, _, article = reference.partition(" ")
        if article not in policy.articles.get(law, {}):
            yield f"references: no register of articles has {reference}"
        elif reference not in cited:
            yield f"references: no answer cites {reference}; they cite {', '.join(sorted(cited)) or 'nothing'}"
