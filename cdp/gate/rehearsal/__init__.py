"""Runs every example and scenario that `policies/` states about itself, and says where the answer is another.

It stands in the gate because the answers are the gate's; `cdp policy check` prints what it returns.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import MappingProxyType

from cdp.clock import SystemClock
from cdp.gate import reasons, register
from cdp.gate.decide import RULES, decide, refusing
from cdp.gate.laws.rule import name_of
from cdp.gate.rehearsal.answering import Answer, Elsewhere, Outcome, play, varied
from cdp.gate.rehearsal.opposites import Turned, decisive
from cdp.gate.rehearsal.staging import Staged, instant_of, stage
from cdp.policy.documents import PolicyError
from cdp.policy.loading import load
from cdp.policy.terms import Example, Policy, Use

_NOBODY: Elsewhere = MappingProxyType({})


def check(folder: Path, on: date | None = None, also: Elsewhere = _NOBODY) -> list[str]:
    """Load the folder and run what it states about itself; one line per failure, none when all is well.

    `on` is the day of every question that names none; by default today, so that an overdue review shows. `also`
    answers kinds of questions that are not the gate's.
    """
    day = on or SystemClock().now().date()
    try:
        policy = load(folder, day)
    except PolicyError as error:
        return error.failures
    return rehearse(policy, day, also)


def rehearse(policy: Policy, on: date, also: Elsewhere = _NOBODY) -> list[str]:
    """Run every example and scenario of a loaded policy, and look up every article that a reason names."""
    lines = [line for example in policy.examples if (line := run(policy, example, on))]
    lines += [line for scenario in policy.scenarios for line in play(policy, scenario, on, also).failures]
    return lines + list(unregistered(policy))


def run(policy: Policy, example: Example, on: date) -> str:
    """Return what is wrong with the answer to one example, or nothing."""
    day = _day(policy, example, on)
    policy = policy if day == policy.on else varied(policy, [], day)[0] or policy
    use = policy.find_use(example.purpose, example.recipient, example.channel)
    if use is None:
        return f"{example.where}: the policy declares no such use"
    if example.because and example.because not in register.REGISTER:
        return f"{example.where}: there is no reason {example.because}"
    staged = _staged(policy, example, use, day)
    decision = decide(policy, use, staged.standing, staged.reach, day)
    if (decision.allow, decision.first_refusal) == (example.allow, example.because):
        return ""
    expected = "allow" if example.allow else f"deny, because {example.because}"
    answered = "allow" if decision.allow else f"deny, because {decision.first_refusal}"
    return f"{example.where}: expected {expected}; the answer is {answered}"


def coverage(policy: Policy, on: date, also: Elsewhere = _NOBODY) -> dict[str, list[str]]:
    """Return, for each rule, the questions that it alone decides."""
    found: dict[str, list[str]] = {name_of(rule): [] for rule in RULES}
    for example in policy.examples:
        day = _day(policy, example, on)
        dated = policy if day == policy.on else varied(policy, [], day)[0] or policy
        use = dated.find_use(example.purpose, example.recipient, example.channel)
        if use is None:
            continue
        staged = _staged(dated, example, use, day)
        names = {name_of(rule) for rule in refusing(dated, use, staged.standing, staged.reach, day)}
        if len(names) == 1:
            found[names.pop()].append(example.where)
    for scenario in policy.scenarios:
        outcome = play(policy, scenario, on, also)
        for n, answer in enumerate(outcome.answers if not outcome.failures else ()):
            if len(answer.rules) == 1:
                found[answer.rules[0]].append(f"{scenario.where} asks.{n}")
    return found


def unregistered(policy: Policy) -> Iterator[str]:
    """Yield every reference of a reason, a ground or an obligation that no register of articles has."""
    cited: dict[tuple[str, str], set[str]] = defaultdict(set)
    for code, law, article in reasons.citations():
        cited[law, article].add(code)
    for (law, article), codes in sorted(cited.items()):
        if article not in policy.articles.get(law, {}):
            yield f"laws/: {', '.join(sorted(codes))} rests on {law} {article}, which no `articles` has"


def _day(policy: Policy, example: Example, on: date) -> date:
    """Return the day on which an example is asked: its own, else today, but not before people are first told."""
    notices = policy.notices.values()
    told = [one.published for one in notices if example.purpose in one.purposes]
    return example.on or max([on, *([min(told)] if told else [])])


def _staged(policy: Policy, example: Example, use: Use, day: date) -> Staged:
    return stage(policy, example.given, policy.purposes[use.purpose], use.channel, instant_of(policy, day))


__all__ = [
    "Answer",
    "Elsewhere",
    "Outcome",
    "Turned",
    "check",
    "coverage",
    "decisive",
    "play",
    "rehearse",
    "run",
    "unregistered",
]
