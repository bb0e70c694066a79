"""How long each category is kept, as `retention.yaml` says it (GDPR 30(1)(f), APPI 22)."""

from collections.abc import Mapping
from typing import Any

from cdp.policy.processing.words import ACTIONS, TRIGGERS, word
from cdp.policy.terms import Policy


def limits(policy: Policy, category: str, language: str, purpose: str = "") -> tuple[str, ...]:
    """Return the rules for a category in words; with `purpose`, those that hold for it."""
    return tuple(
        _limit(rule, language)
        for rule in policy.retention
        if rule["category"] == category and (not purpose or rule["purpose"] in ("", purpose))
    )


def _limit(rule: Mapping[str, Any], language: str) -> str:
    months = rule["months"]
    after, then = word(TRIGGERS, rule["trigger"], language), word(ACTIONS, rule["action"], language)
    said = f"{after}{months}か月で{then}" if language == "ja" else f"{then} {months} months {after}"
    where = rule["law"] or ", ".join(rule["countries"])
    return f"{said} ({where})" if where else said
