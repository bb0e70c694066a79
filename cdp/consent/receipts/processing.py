"""What is done with the data, on which ground, where and how long: by the policy in force, which the header names."""

from collections.abc import Mapping
from typing import Any

from cdp.consent.model import ConsentRecord
from cdp.consent.receipts import parties
from cdp.policy import vocabulary
from cdp.policy.terms import CONTACT_CHANNELS, Policy, Purpose
from cdp.policy.vocabulary import DPV, LAWS, RIGHTS

EVERY = "*"
UNDETERMINED = "und"
"""BCP 47: the language is not known, or nothing was shown."""

Told = Mapping[str, Any]

_SPECIAL = {"special_9": "special_category", "criminal_10": "criminal"}


def of(row: ConsentRecord, terms: Policy, base_url: str) -> Told:
    """Return the section: the notice shown, its language, and the purpose."""
    return {
        "privacy_notice": _notice(row, terms),
        "language": row.language or UNDETERMINED,
        "purposes": [_purpose(row, terms, base_url)],
    }


def _notice(row: ConsentRecord, terms: Policy) -> Told:
    """Tell which text was shown: its hash as kept with the record, and beside it that of the text declared today."""
    declared = terms.notices.get((row.notice, row.notice_version, row.language))
    return {
        "name": row.notice or None,
        "version": row.notice_version or None,
        "language": row.language or None,
        "title": declared.title if declared else None,
        "sha256": row.notice_sha256 or None,
        "declared_sha256": declared.sha256 if declared else None,
    }


def _purpose(row: ConsentRecord, terms: Policy, base_url: str) -> Told:
    purpose = terms.purposes.get(row.purpose)
    return {
        **_named(row, terms, purpose),
        **(_declared(row, terms, purpose) if purpose else _UNKNOWN),
        "pii_controllers": [parties.CONTROLLER],
        "collection_method": row.method,
        **_places(row, terms),
        "jurisdiction": _jurisdiction(terms, purpose),
        "withdrawal_method": _withdrawal(row, terms, base_url),
        "privacy_rights": _rights(terms, base_url),
    }


def _declared(row: ConsentRecord, terms: Policy, purpose: Purpose) -> Told:
    return {
        "lawful_basis": _bases(terms, purpose),
        "pii_information": [_data(terms, field) for field in purpose.fields],
        "retention_period": _retention(terms, purpose),
        "recipient_third_parties": [one.name for one in parties.recipients(row, terms)],
    }


_UNKNOWN: Told = dict.fromkeys(("lawful_basis", "pii_information", "retention_period", "recipient_third_parties"))
"""Of a purpose that the policy no longer has, or of all purposes at once."""


def _named(row: ConsentRecord, terms: Policy, purpose: Purpose | None) -> Told:
    every = row.purpose == EVERY
    iri = f"{DPV}Purpose" if every else vocabulary.purpose_iri(terms, row.purpose)
    named: dict[str, Any] = {"purpose": iri, "purpose_id": row.purpose, "channel": row.channel}
    named |= {"purpose_type": purpose.kind if purpose else None, "declared": every or purpose is not None}
    title = description = None
    if purpose is not None:
        title = {"ja": purpose.title_ja, "en": purpose.title_en}
        description = {"ja": purpose.text_ja, "en": purpose.text_en}
    elif every:
        title = {"ja": "すべての目的", "en": "Every purpose"}
    return {**named, "title": title, "description": description}


def _bases(terms: Policy, purpose: Purpose) -> list[Told]:
    return [
        {"law": LAWS[law], "kind": basis.kind, "iri": iri}
        for law, basis in purpose.bases
        if law in terms.packs
        for iri in vocabulary.basis_iris(law, basis)
    ]


def _data(terms: Policy, field: str) -> Told:
    name = terms.category_of(field)
    category = terms.categories.get(name, {})
    special = _SPECIAL.get(str(category.get("gdpr_class")))
    return {
        "pii_type": vocabulary.kind_of_data(terms, field),
        "pii_attribute_id": field,
        "pii_category": name or None,
        "sensitive_pii_category": category.get("appi_class") == "special_care",
        "special_pii_category": special,
    }


def _places(row: ConsentRecord, terms: Policy) -> Told:
    """Where it is kept: with the hosts, else where the controller is; and with those who handle it for us."""
    handling = [one for one in parties.recipients(row, terms) if one.role != "non_handling_host"]
    kept = [(one.name, one.country) for one in parties.hosts(terms)]
    kept = kept or [(parties.CONTROLLER, country) for country in terms.controller.establishments]
    kept += [(one.name, one.country) for one in handling]
    countries = {*terms.controller.establishments, *(one.country for one in handling)}
    return {
        "storage_locations": [{"party_id": name, "country": country} for name, country in kept],
        "processing_locations": sorted(countries),
    }


def _retention(terms: Policy, purpose: Purpose) -> list[Told]:
    categories = {terms.category_of(field) for field in purpose.fields}
    return [
        {
            "pii_category": rule["category"],
            "period": f"P{rule['months']}M",
            "after": rule["trigger"],
            "then": rule["action"],
            "law": rule.get("law") or None,
        }
        for rule in terms.retention
        if rule["category"] in categories and rule.get("purpose", "") in ("", purpose.name)
    ]


def _jurisdiction(terms: Policy, purpose: Purpose | None) -> Told:
    """Return the laws that the purpose was weighed under; which of them protects somebody depends on residence."""
    weighed = [law for law in terms.packs if purpose is None or purpose.basis(law) is not None]
    return {"laws": [LAWS[law] for law in weighed], "countries": list(terms.controller.establishments)}


def _rights(terms: Policy, base_url: str) -> list[Told]:
    return [
        {"law": LAWS[law], "right": right, "exercise": f"{base_url}/privacy"}
        for law in terms.packs
        for right in RIGHTS[law]
    ]


def _withdrawal(row: ConsentRecord, terms: Policy, base_url: str) -> Told:
    by_link = row.channel in CONTACT_CHANNELS and row.channel != "phone"
    link_ja, link_en = ("各メッセージの配信停止リンク、", "by the link in every message, ") if by_link else ("", "")
    return {
        "url": f"{base_url}/privacy",
        "contact": terms.controller.contact,
        "link_in_every_message": by_link,
        "ja": f"いつでも、{link_ja}上記のURL又は連絡先から撤回できます。",
        "en": f"At any time, {link_en}at this address or by this contact.",
    }
