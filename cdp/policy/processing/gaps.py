"""What the record does not say and should: a line for each, with the file that would say it."""

from collections.abc import Iterator
from datetime import date

from cdp.policy.processing.holdings import Holdings
from cdp.policy.processing.receivers import OTHER_CONTROLLERS, OUTSIDE, Receiver
from cdp.policy.processing.record import Activity, Record, describe
from cdp.policy.processing.words import ACTIONS, BASES, LANGUAGES, PEOPLE, ROLES, TRIGGERS
from cdp.policy.terms import Law, Policy

_FILE = "controller.yaml"
_PURPOSE = "purposes/{}.yaml"
_RECIPIENT = "recipients/{}.yaml"


def gaps(policy: Policy, holdings: Holdings, on: date) -> list[str]:
    """Return every field of the record that is empty in one of its languages, and every word that it lacks."""
    found = [*_unworded(policy)]
    for language in LANGUAGES:
        record = describe(policy, holdings, on, language)
        found += [*_controller(policy, record), *_inventory(record)]
        for activity in record.activities:
            found += [*_activity(activity), *_receivers(policy, activity)]
    return sorted(set(found))


def _controller(policy: Policy, record: Record) -> Iterator[str]:
    said = record.controller
    for name in ("name", "address", "representative", "contact"):
        if not said[name]:
            yield f"{_FILE}: {name} is empty (GDPR 30(1)(a), APPI 32(1))"
    if not said["dpo"]:
        yield f"{_FILE}: dpo_contact is empty: name the data protection officer, or say why there is none (GDPR 37)"
    pack = policy.packs.get(Law.GDPR)
    if pack and not said["eu_representative"] and not pack.countries & set(policy.controller.establishments):
        yield f"{_FILE}: eu_representative is empty, and there is no establishment in the Union (GDPR 27)"


def _activity(activity: Activity) -> Iterator[str]:
    where = _PURPOSE.format(activity.purpose)
    for name, value in (("title", activity.title), ("text", activity.text), ("bases", activity.grounds)):
        if not value:
            yield f"{where}: {name} is empty in the record (GDPR 30(1)(b))"
    if not activity.receivers:
        yield f"{where}: nobody receives anything for it (GDPR 30(1)(d))"
    if not activity.categories:
        yield f"{where}: no category of data (GDPR 30(1)(c))"
    for category in activity.categories:
        if not category.title:
            yield f"categories.yaml: {category.name} has no title"
        if not category.limits:
            yield f"retention.yaml: nothing says when {category.name} is erased for {activity.purpose} (30(1)(f))"


def _receivers(policy: Policy, activity: Activity) -> Iterator[str]:
    for one in activity.receivers:
        where, role = _RECIPIENT.format(one.name), policy.recipients[one.name].role_in_law
        if not one.title:
            yield f"{where}: title is empty (GDPR 30(1)(d))"
        if role in OUTSIDE:
            yield from _outside(policy, one, where, role)


def _outside(policy: Policy, one: Receiver, where: str, role: str) -> Iterator[str]:
    if not one.address:
        yield f"{where}: address is empty (GDPR 30(1)(d), APPI 29)"
    if role in OTHER_CONTROLLERS and not one.representative:
        yield f"{where}: representative is empty, and the record of a provision names them (APPI 29, rule 20)"
    if Law.GDPR in policy.packs and not one.transfer_gdpr:
        yield f"{where}: no safeguard for {one.country} under the GDPR (30(1)(e), 44-49)"
    if Law.APPI in policy.packs and not one.transfer_appi:
        yield f"{where}: no ground for {one.country} under the APPI (28)"


def _inventory(record: Record) -> Iterator[str]:
    for item in record.inventory:
        if not item.limit:
            yield f"retention.yaml: nothing says how long {item.name} is kept (APPI 22)"


def _unworded(policy: Policy) -> Iterator[str]:
    """Yield the names that the policy uses and the record has no words for."""
    used = {
        "kind": (PEOPLE, {one.kind for one in policy.purposes.values()}),
        "basis": (BASES, {basis.kind for one in policy.purposes.values() for _, basis in one.bases}),
        "role": (ROLES, {one.role_in_law for one in policy.recipients.values()}),
        "trigger": (TRIGGERS, {str(rule["trigger"]) for rule in policy.retention}),
        "action": (ACTIONS, {str(rule["action"]) for rule in policy.retention}),
    }
    for what, (words, names) in used.items():
        for name in sorted(names - set(words)):
            yield f"the record has no words for the {what} {name}"
