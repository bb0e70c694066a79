"""Who has to do with it: the controller, recipients that the notice names for the purpose, and who stores it all."""

from collections.abc import Mapping
from typing import Any

from cdp.consent.model import ConsentRecord
from cdp.policy.terms import Notice, Policy, Recipient
from cdp.policy.vocabulary import LAWS, ROLES

CONTROLLER = "controller"
"""The controller's id among the parties."""

_NO_THIRD_PARTY = frozenset({"internal", "subject"})


def of(row: ConsentRecord, terms: Policy) -> list[Mapping[str, Any]]:
    """Return the parties, the controller first."""
    who = terms.controller
    controller = {
        "party_id": CONTROLLER,
        "party_name": {"ja": who.name_ja, "en": who.name_en},
        "party_address": who.address,
        "party_contact": who.contact,
        "party_type": ROLES["controller"],
        "party_role": "controller",
        "party_representative": who.representative,
        "party_data_protection_officer": who.dpo_contact or None,
        "party_representative_eu": who.eu_representative or None,
        "party_countries": list(who.establishments),
    }
    others = dict.fromkeys([*recipients(row, terms), *hosts(terms)])
    return [controller, *(_recipient(one, terms) for one in others)]


def recipients(row: ConsentRecord, terms: Policy) -> list[Recipient]:
    """Return whom the consent reaches: of the purpose's recipients outside, those that the notice names.

    Where that very text is no longer declared, or none was shown, all of the purpose's; a record about
    every purpose names none by itself.
    """
    purpose = terms.purposes.get(row.purpose)
    if purpose is None:
        return []
    notice = shown(row, terms)
    named = [name for name in purpose.recipients if notice is None or name in notice.recipients]
    found = [terms.recipients[name] for name in named if name in terms.recipients]
    return [one for one in found if one.role not in _NO_THIRD_PARTY]


def hosts(terms: Policy) -> list[Recipient]:
    """Return who stores everything of this deployment without handling it."""
    return [one for one in terms.recipients.values() if one.role == "non_handling_host"]


def shown(row: ConsentRecord, terms: Policy) -> Notice | None:
    """Return the notice that was shown, if the policy has that text still: what it names may be told then."""
    declared = terms.notices.get((row.notice, row.notice_version, row.language))
    if declared is None or (row.notice_sha256 and declared.sha256 != row.notice_sha256):
        return None
    return declared


def _recipient(one: Recipient, terms: Policy) -> Mapping[str, Any]:
    return {
        "party_id": one.name,
        "party_name": {"ja": one.title_ja, "en": one.title_en},
        "party_address": one.address or None,
        # Everybody who acts for or with the controller is reached through it, whatever else they offer.
        "party_contact": terms.controller.contact,
        "party_type": ROLES.get(one.role_in_law),
        "party_role": one.role_in_law,
        "party_countries": [one.country],
        "transfers": [{"law": LAWS[law], "mechanism": transfer.kind} for law, transfer in one.transfers],
    }
