"""The record of processing activities of one deployment, in one language (GDPR 30(1), (2); APPI 32; JIS Q 15001)."""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from cdp.policy.processing.holdings import Feed, Holdings, used_for
from cdp.policy.processing.inventory import Item, inventory
from cdp.policy.processing.keeping import limits
from cdp.policy.processing.naming import category_title, field_title
from cdp.policy.processing.receivers import Receiver, receiver
from cdp.policy.processing.words import BASES, ORIGINS, PEOPLE, PROCESSOR_VIEW, SECURITY, pick, word
from cdp.policy.terms import Basis, Controller, Law, Policy, Purpose

FORM = "sekisho.records-of-processing/1"


@dataclass(frozen=True, slots=True)
class Ground:
    """On what a purpose stands under one law."""

    law: str
    basis: str
    assessment: str
    reviewed: date | None


@dataclass(frozen=True, slots=True)
class Category:
    """One category of data that a purpose uses, and the fields and events of it."""

    name: str
    title: str
    items: tuple[str, ...]
    special: bool
    """Special under Article 9 or 10, or 要配慮個人情報."""
    limits: tuple[str, ...]
    """When it is erased."""


@dataclass(frozen=True, slots=True)
class Activity:
    """One processing activity: a purpose with all that Article 30(1) asks for."""

    purpose: str
    title: str
    text: str
    grounds: tuple[Ground, ...]
    people: str
    """Categories of data subjects."""
    categories: tuple[Category, ...]
    receivers: tuple[Receiver, ...]
    sources: tuple[str, ...]
    notice: str


@dataclass(frozen=True, slots=True)
class Record:
    """Everything, written on one day from one version of the policy."""

    form: str
    language: str
    made_on: date
    policy_version: str
    controller: dict[str, str]
    activities: tuple[Activity, ...]
    processor_view: str
    security: tuple[str, ...]
    inventory: tuple[Item, ...]

    def document(self) -> dict[str, Any]:
        """Return it as a JSON-able value."""
        found: dict[str, Any] = _plain(asdict(self))
        return found


def describe(policy: Policy, holdings: Holdings, on: date, language: str) -> Record:
    """Write the record from what is declared and registered on this day."""
    return Record(
        form=FORM,
        language=language,
        made_on=on,
        policy_version=policy.digest,
        controller=controller(policy.controller, language),
        activities=tuple(_activity(policy, holdings, one, on, language) for one in policy.purposes.values()),
        processor_view=pick(PROCESSOR_VIEW, language),
        security=tuple(pick(one, language) for one in SECURITY),
        inventory=inventory(policy, holdings, language),
    )


def controller(said: Controller, language: str) -> dict[str, str]:
    """Return who is responsible, and who speaks for them (GDPR 30(1)(a))."""
    return {
        "name": pick((said.name_ja, said.name_en), language),
        "address": said.address,
        "representative": said.representative,
        "contact": said.contact,
        "dpo": said.dpo_contact,
        "eu_representative": said.eu_representative,
    }


def _activity(policy: Policy, holdings: Holdings, purpose: Purpose, on: date, language: str) -> Activity:
    return Activity(
        purpose=purpose.name,
        title=pick((purpose.title_ja, purpose.title_en), language),
        text=pick((purpose.text_ja, purpose.text_en), language),
        grounds=tuple(_ground(law, basis, language) for law, basis in purpose.bases),
        people=word(PEOPLE, purpose.kind, language),
        categories=tuple(
            _category(policy, name, items, purpose.name, language)
            for name, items in used_for(policy, holdings, purpose.name).items()
        ),
        receivers=tuple(
            receiver(policy, policy.recipients[name], on, language)
            for name in purpose.recipients
            if name in policy.recipients
        ),
        sources=tuple(_source(feed, language) for feed in holdings.feeds if _serves(feed, purpose.name)),
        notice=f"{purpose.notice} {purpose.min_notice_version}",
    )


def _ground(law: Law, basis: Basis, language: str) -> Ground:
    return Ground(str(law.name), word(BASES, basis.kind, language), basis.assessment, basis.reviewed)


def _category(policy: Policy, name: str, items: list[str], purpose: str, language: str) -> Category:
    said = policy.categories[name]
    return Category(
        name=name,
        title=category_title(policy, name, language),
        items=tuple(dict.fromkeys(field_title(policy, one, language) for one in items)),
        special=said["gdpr_class"] != "ordinary" or said["appi_class"] != "ordinary",
        limits=limits(policy, name, language, purpose),
    )


def _source(feed: Feed, language: str) -> str:
    return f"{feed.name}: {pick((feed.title_ja, feed.title_en), language)}, {word(ORIGINS, feed.origin, language)}"


def _serves(feed: Feed, purpose: str) -> bool:
    return purpose in feed.purposes or any(purpose in whys for whys in feed.events.values())


def _plain(value: Any) -> Any:
    """Return a value with its days written as ISO 8601, at any depth."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value
