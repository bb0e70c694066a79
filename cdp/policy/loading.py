"""Turns `policies/` into one frozen `Policy`, or refuses with every mistake at once."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from cdp.clock import SystemClock
from cdp.policy import groups, journeys, laws, notices, purposes, recipients, registry
from cdp.policy.documents import Documents, Failures, PolicyError, read_folder
from cdp.policy.terms import Example, Law, Notice, Pack, Policy, Purpose, Recipient, Use

_SINGLE = {
    "controller.yaml",
    "categories.yaml",
    "traits.yaml",
    "identifiers.yaml",
    "events.yaml",
    "retention.yaml",
}
_FOLDERS = {"purposes", "recipients", "laws", "audiences", "journeys", "scenarios", "strategies"}


def load(folder: Path, on: date | None = None) -> Policy:
    """Load and check a folder of policies; raises PolicyError with every failure and its file.

    `on` is the day whose ages, adequacy decisions and notice versions hold; by default today. What
    changes with the day is part of the digest, so that another day's answers are another version's.
    """
    failures = Failures()
    if not folder.is_dir():
        raise PolicyError([f"{folder.name}: there is no such folder"])
    policy = _read(folder, on or SystemClock().now().date(), failures)
    if failures.lines or policy is None:
        raise PolicyError(sorted(set(failures.lines)))
    return policy


@dataclass(frozen=True, slots=True)
class _Parts:
    """What cross-checks look at together."""

    purposes: dict[str, Purpose]
    recipients: dict[str, Recipient]
    notices: dict[notices.Key, Notice]
    packs: dict[Law, Pack]
    categories: dict[str, dict[str, Any]]
    category_of: dict[str, str]
    on: date


def _read(folder: Path, on: date, failures: Failures) -> Policy | None:
    documents = read_folder(folder, failures)
    _check_places(documents, failures)
    controller = registry.read_controller(documents, failures)
    categories = registry.read_categories(documents, failures)
    traits = registry.read_traits(documents, failures, categories)
    namespaces, blocked = registry.read_identifiers(documents, failures)
    known = frozenset(traits) | frozenset(namespaces)
    packs = laws.read_packs(documents, failures, on)
    told = notices.read_notices(documents, failures)
    declared, examples = purposes.read_purposes(documents, failures, known, list(packs))
    receivers = recipients.read_recipients(documents, failures, known)
    parts = _Parts(
        {name: _dated(purpose, told, on) for name, purpose in declared.items()},
        receivers,
        told,
        packs,
        categories,
        {name: term.category for name, term in traits.items()},
        on,
    )
    for line in (*_cross_checks(parts), *_check_examples(examples, parts)):
        failures.lines.append(line)
    if controller is None:
        return None
    return Policy(
        digest="" if failures.lines else _digest(documents, parts),
        controller=controller,
        purposes=parts.purposes,
        recipients=receivers,
        notices=told,
        categories=categories,
        traits=traits,
        namespaces=namespaces,
        blocked_values=blocked,
        packs=packs,
        uses=_uses(parts),
        audiences=groups.read_audiences(documents, failures, set(declared)),
        journeys=journeys.read_journeys(documents, failures),
        events=registry.read_events(documents, failures),
        retention=groups.read_retention(documents, failures, categories),
        examples=(*examples, *groups.read_scenarios(documents, failures)),
    )


def _check_places(documents: Documents, failures: Failures) -> None:
    for path in documents.trees:
        folder = path.split("/")[0] if "/" in path else ""
        if path not in _SINGLE and folder not in _FOLDERS:
            failures.add(path, "no policy is kept here")


def _dated(purpose: Purpose, told: dict[notices.Key, Notice], on: date) -> Purpose:
    """Return the purpose with the notice versions that count on the day."""
    current, superseded = notices.standing_versions(told.values(), purpose.name, on)
    own = [version for name, version in current if name == purpose.notice]
    return replace(
        purpose,
        min_notice_version=own[0] if own else "",
        notices_current=tuple(current),
        notices_superseded=tuple(superseded),
    )


def _uses(parts: _Parts) -> tuple[Use, ...]:
    every = sorted(
        (purpose.name, recipient, channel)
        for purpose in parts.purposes.values()
        for recipient in set(purpose.recipients)
        for channel in set(purpose.channels)
    )
    return tuple(Use(index, *names) for index, names in enumerate(every))


def _cross_checks(parts: _Parts) -> Iterator[str]:
    for purpose in parts.purposes.values():
        where = f"purposes/{purpose.name}.yaml"
        for what in (*_unknown_names(purpose, parts), *_ungrounded(purpose, parts), *_untold(purpose, parts)):
            yield f"{where}: {what}"
    for recipient in parts.recipients.values():
        for name in recipient.joint_purposes:
            if name not in parts.purposes:
                yield f"recipients/{recipient.name}.yaml: there is no purpose {name}"
    for key, notice in parts.notices.items():
        for name in (*sorted(set(notice.purposes) - set(parts.purposes)),):
            yield f"{notices.file_of(key)}: there is no purpose {name}"
        for name in (*sorted(set(notice.recipients) - set(parts.recipients)),):
            yield f"{notices.file_of(key)}: there is no recipient {name}"


def _unknown_names(purpose: Purpose, parts: _Parts) -> Iterator[str]:
    for name in purpose.recipients:
        if name not in parts.recipients:
            yield f"there is no recipient {name}"
    if purpose.notice not in {name for name, _, _ in parts.notices}:
        yield f"there is no notice {purpose.notice}"
    elif not purpose.min_notice_version:
        yield f"no published version of the notice {purpose.notice} names this purpose"


def _ungrounded(purpose: Purpose, parts: _Parts) -> Iterator[str]:
    """Yield where special categories or other controllers are reached without the ground that they need."""
    special = {"GDPR": "gdpr_class", "APPI": "appi_class"}
    for law, basis in purpose.bases:
        classes = {
            parts.categories[parts.category_of[name]][special[law.name or ""]]
            for name in purpose.fields
            if parts.category_of.get(name) in parts.categories
        }
        explicit = (basis.kind == "consent" and basis.explicit) or purpose.kind == "legal"
        if classes - {"ordinary"} and not explicit:
            yield f"reaches a special category without explicit consent under {law.name} (GDPR 9(2)(a), APPI 20(2))"
    for name in purpose.recipients:
        receiver = parts.recipients.get(name)
        if receiver and receiver.role == "third_party":
            for law, basis in purpose.bases:
                if basis.kind not in ("consent", "legal_obligation"):
                    yield f"gives data to the third party {name} without consent under {law.name} (APPI 27, GDPR 6)"


def _untold(purpose: Purpose, parts: _Parts) -> Iterator[str]:
    """Yield what the notices that still count do not tell of this purpose."""
    receivers = [parts.recipients[name] for name in purpose.recipients if name in parts.recipients]
    kinds = {basis.kind for _, basis in purpose.bases}
    by_consent = (
        any(transfer.kind == "jp_consent" for receiver in receivers for _, transfer in receiver.transfers)
        and Law.APPI in parts.packs
    )
    needed = notices.needed_items(purpose, kinds, {receiver.role for receiver in receivers}, by_consent)
    for key in (key for key in parts.notices if key[:2] in purpose.notices_current and key[0] == purpose.notice):
        notice = parts.notices[key]
        for item in sorted(needed - set(notice.items)):
            yield f"its notice {notices.file_of(key)} does not tell {item}"
        for receiver in receivers:
            if receiver.role in ("third_party", "joint_user") and receiver.name not in notice.recipients:
                yield f"its notice {notices.file_of(key)} does not name the recipient {receiver.name}"


def _check_examples(examples: tuple[Example, ...], parts: _Parts) -> Iterator[str]:
    for example in examples:
        if example.recipient not in parts.purposes[example.purpose].recipients:
            yield f"{example.where}: {example.recipient} is no recipient of the purpose"


def _digest(documents: Documents, parts: _Parts) -> str:
    """Return SHA-256 over the canonical contents and over what the day decides of them."""
    dated = {
        "ages": {law.name: pack.consent_ages for law, pack in parts.packs.items()},
        "adequate": {law.name: sorted(pack.adequate) for law, pack in parts.packs.items()},
        "notices": {name: one.notices_current for name, one in parts.purposes.items()},
    }
    contents = {"trees": dict(documents.trees), "notices": dict(documents.notices), "dated": dated}
    canonical = json.dumps(contents, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
