"""Who gets data, in which role, where, and by which safeguard it may leave the country (GDPR 30(1)(d)-(e), APPI 28)."""

from dataclasses import dataclass
from datetime import date

from cdp.policy.processing.words import ROLES, TRANSFERS, pick, word
from cdp.policy.terms import Law, Policy, Recipient

OUTSIDE = frozenset({"processor", "third_party", "joint_user", "successor", "non_handling_host"})
"""Roles of those who are neither the controller nor the person."""

OTHER_CONTROLLERS = frozenset({"third_party", "joint_user", "successor"})

_HOME = ("国内（日本）", "inside Japan")
_EEA = ("EEA域内", "inside the EEA")
_ADEQUATE = ("十分性認定（45条）", "adequacy decision (45)")
_DESIGNATED = ("同等の制度の国（28条1項）", "country with an equivalent system (28(1))")
_NOT_HANDLED = ("個人データを取り扱わない（Q&A 7-53）", "does not handle the data (Q&A 7-53)")
_CHECKED = ("確認", "checked")


@dataclass(frozen=True, slots=True)
class Receiver:
    """One recipient as the record names it."""

    name: str
    title: str
    role: str
    country: str
    address: str
    representative: str
    contract: str
    transfer_gdpr: str
    """By what it may leave the EEA; empty = by nothing that is declared."""
    transfer_appi: str
    """By what it may leave Japan."""


def receiver(policy: Policy, recipient: Recipient, on: date, language: str) -> Receiver:
    """Return the recipient in the record's words."""
    return Receiver(
        name=recipient.name,
        title=pick((recipient.title_ja, recipient.title_en), language),
        role=word(ROLES, recipient.role_in_law, language),
        country=recipient.country,
        address=recipient.address,
        representative=recipient.representative,
        contract=recipient.contract,
        transfer_gdpr=_gdpr(policy, recipient, on, language),
        transfer_appi=_appi(policy, recipient, on, language),
    )


def _gdpr(policy: Policy, recipient: Recipient, on: date, language: str) -> str:
    pack = policy.packs.get(Law.GDPR)
    if pack is None or recipient.role_in_law not in OUTSIDE:
        return ""
    if pack.is_adequate(recipient.country, on):
        return pick(_ADEQUATE, language)
    by_decision = any(recipient.country == one for one, _, _ in pack.adequacy)
    if recipient.country in pack.countries and not by_decision:
        return pick(_EEA, language)
    return _safeguard(recipient, Law.GDPR, language)


def _appi(policy: Policy, recipient: Recipient, on: date, language: str) -> str:
    pack = policy.packs.get(Law.APPI)
    if pack is None or recipient.role_in_law not in OUTSIDE:
        return ""
    if recipient.country == pack.values.get("home", "JP"):
        return pick(_HOME, language)
    if recipient.role_in_law == "non_handling_host":
        return pick(_NOT_HANDLED, language)
    if pack.is_adequate(recipient.country, on):
        return pick(_DESIGNATED, language)
    return _safeguard(recipient, Law.APPI, language)


def _safeguard(recipient: Recipient, law: Law, language: str) -> str:
    ground = recipient.transfer(law)
    if ground is None:
        return ""
    checked = f", {pick(_CHECKED, language)} {ground.checked}" if ground.checked else ""
    return f"{word(TRANSFERS, ground.kind, language)}: {ground.evidence}{checked}"
