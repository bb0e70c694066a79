"""Runs every example and scenario that `policies/` states about itself, and says where the answer is another.

It stands in the gate because the answers are the gate's; `cdp policy check` prints what it returns.
"""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from cdp.clock import SystemClock
from cdp.gate import reasons
from cdp.gate.decide import decide
from cdp.gate.laws import laws_for
from cdp.gate.question import Consent, Reach, Standing
from cdp.policy.documents import PolicyError
from cdp.policy.loading import load
from cdp.policy.terms import CONTACT_CHANNELS, Example, Policy, Purpose


def check(folder: Path, on: date | None = None) -> list[str]:
    """Load the folder and run what it states about itself; one line per failure, none when all is well.

    `on` is the day of every question that names none; by default today, so that an overdue review shows.
    """
    day = on or SystemClock().now().date()
    try:
        policy = load(folder, day)
    except PolicyError as error:
        return error.failures
    return rehearse(policy, day)


def rehearse(policy: Policy, on: date) -> list[str]:
    """Run every example of a loaded policy."""
    return [line for example in policy.examples if (line := run(policy, example, on))]


def run(policy: Policy, example: Example, on: date) -> str:
    """Return what is wrong with the answer to one example, or nothing."""
    use = policy.find_use(example.purpose, example.recipient, example.channel)
    if use is None:
        return f"{example.where}: the policy declares no such use"
    if example.because and example.because not in reasons.REGISTER:
        return f"{example.where}: there is no reason {example.because}"
    purpose = policy.purposes[example.purpose]
    reach = _reach(purpose, example.channel, example.given)
    standing = standing_of(policy, example.given, reach)
    decision = decide(policy, use, standing, reach, example.on or on)
    if (decision.allow, decision.first_refusal) == (example.allow, example.because):
        return ""
    expected = "allow" if example.allow else f"deny, because {example.because}"
    answered = "allow" if decision.allow else f"deny, because {decision.first_refusal}"
    return f"{example.where}: expected {expected}; the answer is {answered}"


def standing_of(policy: Policy, given: Mapping[str, Any], reach: Reach | None) -> Standing:
    """Return the situation that an example states."""
    country = str(given.get("country", ""))
    return Standing(
        laws=laws_for(policy, country),
        country=country,
        age=given.get("age"),
        customer=given.get("customer", False),
        restricted=given.get("restricted", False),
        erasing=given.get("erasing", False),
        objections=tuple(given.get("objections", ())),
        gpc=given.get("gpc", False),
        reaches=(reach,) if reach else (),
        collected_for=tuple(given.get("collected_for", ("*",))),
    )


def _reach(purpose: Purpose, channel: str, given: Mapping[str, Any]) -> Reach | None:
    if not given.get("reachable", True):
        return None
    silenced = tuple(given.get("suppressed", ())) if channel in CONTACT_CHANNELS else ()
    return Reach(channel, _consents(purpose, given), silenced)


def _consents(purpose: Purpose, given: Mapping[str, Any]) -> tuple[Consent, ...]:
    """Return the stated consent; left out, its notice is the purpose's own, in its newest version."""
    said = given.get("consent")
    if said is None:
        return ()
    notice = said.get("notice", purpose.notice)
    versions = [version for name, version in purpose.notices_current if name == notice]
    return (
        Consent(
            purpose.name,
            said["status"],
            notice,
            said.get("notice_version", versions[-1] if versions else ""),
            said.get("explicit", True),
            said.get("by_guardian", False),
        ),
    )
