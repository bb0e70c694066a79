"""Turns `policies/` into one frozen `Policy`, or refuses with every mistake at once."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache, reduce
from pathlib import Path
from typing import Any

from cdp.clock import SystemClock
from cdp.policy import groups, journeys, laws, notices, purposes, recipients, registry, scenarios
from cdp.policy.documents import Documents, Failures, Files, PolicyError, overlaid, read, read_files
from cdp.policy.grounds import EXCEPTIONS
from cdp.policy.inline import expanded
from cdp.policy.terms import DERIVED, Example, Law, Notice, Pack, Policy, Purpose, Recipient, Use

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
    if not folder.is_dir():
        raise PolicyError([f"{folder.name}: there is no such folder"])
    return _loaded(read_files(folder), on or SystemClock().now().date())


@lru_cache(maxsize=4)
def _loaded(files: Files, on: date) -> Policy:
    """Make a policy of these very contents, once: a command that asks in several places waits 0.4 s each time."""
    failures = Failures()
    policy = _read(read(files, failures), on, failures)
    if failures.lines or policy is None:
        raise PolicyError(sorted(set(failures.lines)))
    return policy


def reload(documents: Documents, on: date) -> Policy:
    """Assemble contents that were loaded before, as they hold on another day; raises PolicyError."""
    policy, failures = assemble(documents, on)
    if failures or policy is None:
        raise PolicyError(failures)
    return policy


def assemble(documents: Documents, on: date) -> tuple[Policy | None, list[str]]:
    """Return the policy that these contents make, and everything wrong with it.

    What is wrong is in it all the same, as far as it has a shape: the rules refuse on their own.
    """
    failures = Failures()
    policy = _read(documents, on, failures)
    return policy, sorted(set(failures.lines))


def vary(policy: Policy, layers: Iterable[Mapping[str, Any]], on: date) -> tuple[Policy | None, list[str]]:
    """Return the policy with some files said otherwise, layer upon layer, and what is wrong with it; as `assemble`.

    Without its scenarios: they ask of variants and are none.
    """
    trees = {path: tree for path, tree in policy.documents.trees.items() if not path.startswith("scenarios/")}
    return assemble(reduce(overlaid, layers, Documents(trees, policy.documents.notices)), on)


_LETS_GO = EXCEPTIONS | {"consent", "opt_out", "legitimate_interests"}
"""Bases on which data may go to another controller; interests only under the GDPR, where they are weighed."""


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


def _read(written: Documents, on: date, failures: Failures) -> Policy | None:
    documents = expanded(written, failures)
    _check_places(documents, failures)
    controller = registry.read_controller(documents, failures)
    categories = registry.read_categories(documents, failures)
    traits = registry.read_traits(documents, failures, categories)
    identifiers = registry.read_identifiers(documents, failures, categories)
    namespaces = identifiers.namespaces
    constraints = {name for name, term in namespaces.items() if term.role == "constrain"}
    known = (frozenset(traits) | frozenset(namespaces)).difference(DERIVED, constraints)
    statutes = laws.read_laws(documents, failures, on)
    packs = dict(statutes.packs)
    told = notices.read_notices(documents, failures)
    declared, examples = purposes.read_purposes(documents, failures, known, list(packs))
    receivers = recipients.read_recipients(documents, failures, known)
    parts = _Parts(
        {name: _dated(purpose, told, on) for name, purpose in declared.items()},
        {name: _dated_recipient(one, on) for name, one in receivers.items()},
        told,
        packs,
        categories,
        {name: term.category for name, term in traits.items()}
        | {name: namespace.category for name, namespace in namespaces.items()},
        on,
    )
    for line in (*_cross_checks(parts), *_check_examples(examples, parts)):
        failures.lines.append(line)
    if controller is None or not packs:
        return None
    return Policy(
        digest="" if failures.lines else _digest(documents, parts),
        controller=controller,
        purposes=parts.purposes,
        recipients=parts.recipients,
        notices=told,
        categories=categories,
        traits=traits,
        namespaces=namespaces,
        blocked_values=identifiers.blocked_values,
        breaker=identifiers.breaker,
        proposals=identifiers.proposals,
        packs=packs,
        uses=_uses(parts),
        audiences=groups.read_audiences(documents, failures, set(declared), set(categories)),
        journeys=journeys.read_journeys(documents, failures),
        events=registry.read_events(documents, failures),
        retention=groups.read_retention(documents, failures, categories),
        examples=examples,
        scenarios=scenarios.read_scenarios(documents, failures),
        articles=statutes.articles,
        on=on,
        documents=written,
    )


def _check_places(documents: Documents, failures: Failures) -> None:
    for path in documents.trees:
        folder = path.split("/")[0] if "/" in path else ""
        if path not in _SINGLE and folder not in _FOLDERS:
            failures.add(path, "no policy is kept here")


def _dated(purpose: Purpose, told: dict[notices.Key, Notice], on: date) -> Purpose:
    """Return the purpose with the notice versions that count on the day, and the changes told by then (APPI 21(3))."""
    current, superseded = notices.standing_versions(told.values(), purpose.name, on)
    own = [version for name, version in current if name == purpose.notice]
    return replace(
        purpose,
        min_notice_version=own[0] if own else "",
        notices_current=tuple(current),
        notices_superseded=tuple(superseded),
        extends=tuple(
            one if one.told is None or one.told <= on else replace(one, told=None) for one in purpose.extends
        ),
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
        for what in _unknown_terms(recipient, parts):
            yield f"recipients/{recipient.name}.yaml: {what}"
    for key, notice in parts.notices.items():
        for name in (*sorted(set(notice.purposes) - set(parts.purposes)),):
            yield f"{notices.file_of(key)}: there is no purpose {name}"
        for name in (*sorted(set(notice.recipients) - set(parts.recipients)),):
            yield f"{notices.file_of(key)}: there is no recipient {name}"


def _unknown_terms(recipient: Recipient, parts: _Parts) -> Iterator[str]:
    for name in recipient.joint_use.purposes if recipient.joint_use else ():
        if name not in parts.purposes:
            yield f"joint_use: there is no purpose {name}"
    for block in (recipient.joint_use, recipient.opt_out):
        for name in block.items if block else ():
            if name not in parts.categories:
                yield f"items: there is no category {name}"


def _unknown_names(purpose: Purpose, parts: _Parts) -> Iterator[str]:
    for name in purpose.recipients:
        if name not in parts.recipients:
            yield f"there is no recipient {name}"
    if purpose.notice not in {name for name, _, _ in parts.notices}:
        yield f"there is no notice {purpose.notice}"
    elif not any(purpose.name in one.purposes for key, one in parts.notices.items() if key[0] == purpose.notice):
        yield f"no version of the notice {purpose.notice} names this purpose"
    for one in purpose.extends:
        if one.purpose not in parts.purposes:
            yield f"extends: there is no purpose {one.purpose}"
    brands = {notice.brand for (name, _, _), notice in parts.notices.items() if name == purpose.notice}
    if brands - {"", purpose.brand}:
        yield f"its notice {purpose.notice} is of the brand {min(brands - {'', purpose.brand})}"


def _ungrounded(purpose: Purpose, parts: _Parts) -> Iterator[str]:
    """Yield where special categories or other controllers are reached without the ground that they need."""
    special = {"GDPR": "gdpr_class", "APPI": "appi_class"}
    if purpose.data_class == "pseudonymised" and set(purpose.channels) != {"none"}:
        yield "仮名加工情報 contacts nobody: its only channel is `none` (APPI 41(8))"
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
                is_theirs = law is Law.APPI and purpose.data_class in ("personal_related", "anonymised")
                if basis.kind not in _LETS_GO and not is_theirs:
                    yield f"gives data to the third party {name} without consent under {law.name} (APPI 27, GDPR 6)"
                if basis.kind == "opt_out" and receiver.opt_out is None:
                    yield f"the third party {name} has no filed `opt_out` scheme (APPI 27(2))"


def _untold(purpose: Purpose, parts: _Parts) -> Iterator[str]:
    """Yield what the notices that still count do not tell of this purpose."""
    receivers = [parts.recipients[name] for name in purpose.recipients if name in parts.recipients]
    kinds = {basis.kind for _, basis in purpose.bases}
    by_consent = (
        any(transfer.kind == "jp_consent" for receiver in receivers for _, transfer in receiver.transfers)
        and Law.APPI in parts.packs
    )
    by_risk = any(transfer.kind == "art49" for receiver in receivers for _, transfer in receiver.transfers)
    needed = notices.needed_items(purpose, kinds, {receiver.role for receiver in receivers}, by_consent)
    needed |= {"transfer_risks"} if by_risk else set()
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


def _dated_recipient(recipient: Recipient, on: date) -> Recipient:
    """Return the recipient without the joint use or opt-out that is yet to be told (APPI 27(2), 27(5)(iii))."""
    joint, scheme = recipient.joint_use, recipient.opt_out
    return replace(
        recipient,
        joint_use=joint if joint and joint.notified <= on else None,
        opt_out=scheme if scheme and scheme.published <= on else None,
    )


def _dated_pack(pack: Pack) -> dict[str, Any]:
    """Return all that a day decides of a law."""
    return {
        "ages": [pack.default_age, *pack.consent_ages],
        "adequate": sorted(pack.adequate),
        "values": pack.values,
    }


def _digest(documents: Documents, parts: _Parts) -> str:
    """Return SHA-256 over the canonical contents and over what the day decides of them."""
    dated = {
        "packs": {law.name: _dated_pack(pack) for law, pack in parts.packs.items()},
        "notices": {name: one.notices_current for name, one in parts.purposes.items()},
        "told": {name: [bool(other.told) for other in one.extends] for name, one in parts.purposes.items()},
        "recipients": {name: (one.joint_use is None, one.opt_out is None) for name, one in parts.recipients.items()},
    }
    contents = {"trees": dict(documents.trees), "notices": dict(documents.notices), "dated": dated}
    canonical = json.dumps(contents, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
