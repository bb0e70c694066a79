"""The policies that ship, loaded once for a fixed day, and short words for people and questions."""

import shutil
from dataclasses import replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from cdp import policy
from cdp.gate.decide import decide, ways
from cdp.gate.laws import laws_for
from cdp.gate.question import Consent, Decision, Reach, Standing
from cdp.policy.terms import Policy, Purpose, Recipient, Use
from cdp.settings import CHECKOUT

FOLDER = CHECKOUT / "policies"
DAY = date(2026, 6, 1)

OWN_NOTICE = {"email_marketing": "newsletter", "line_marketing": "line", "ads_sharing": "ads"}


@lru_cache(maxsize=1)
def terms() -> Policy:
    return policy.load(FOLDER, DAY)


def use(purpose: str, recipient: str, channel: str = "") -> Use:
    found = terms().find_use(purpose, recipient, channel or terms().purposes[purpose].channels[0])
    assert found is not None, (purpose, recipient, channel)
    return found


def consent(purpose: str, status: str = "given", **how: Any) -> Consent:
    notice = how.pop("notice", OWN_NOTICE.get(purpose, "cookies"))
    return Consent(purpose, status, notice, how.pop("notice_version", "1"), how.pop("explicit", True), **how)


def person(country: str = "DE", *reaches: Reach, **how: Any) -> Standing:
    return Standing(laws=laws_for(terms(), country), country=country, reaches=reaches, **how)


def reach(channel: str, *consents: Consent, suppressed: tuple[str, ...] = ()) -> Reach:
    return Reach(channel, consents, suppressed)


def answer(who: Standing, what: Use, on: date = DAY, of: Policy | None = None) -> Decision:
    """Decide by the way that allows, else by the last one."""
    decisions = [decide(of or terms(), what, who, way, on) for way in ways(who, what.channel)]
    return next((one for one in decisions if one.allow), decisions[-1])


def codes(decision: Decision) -> list[str]:
    return [reason.code for reason in decision.reasons if reason.deny]


def with_purpose(changed: Purpose) -> Policy:
    return replace(terms(), purposes={**terms().purposes, changed.name: changed})


def with_recipient(changed: Recipient) -> Policy:
    return replace(terms(), recipients={**terms().recipients, changed.name: changed})


def copied(folder: Path) -> Path:
    return Path(shutil.copytree(FOLDER, folder / "policies"))
