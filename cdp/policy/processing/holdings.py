"""What the record is written from beside the policy: sources, API clients, and how many people there are."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cdp.policy.terms import CONTACTS, Policy

CONTACT = "contact"
IDENTIFIER = "identifier"
PURCHASE = "purchase"
BEHAVIOUR = "behaviour"


@dataclass(frozen=True, slots=True)
class Feed:
    """One registered source, as far as the record tells of it."""

    name: str
    title_ja: str
    title_en: str
    origin: str = "subject"
    """Whom it has the data from: subject | third_party | public."""
    purposes: frozenset[str] = frozenset()
    events: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Event → the purposes it is collected for."""


@dataclass(frozen=True, slots=True)
class Reader:
    """One API client that may read."""

    name: str
    recipient: str
    purposes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a deployment adds to its policy; empty where only the policy is looked at."""

    feeds: tuple[Feed, ...] = ()
    readers: tuple[Reader, ...] = ()
    people: Mapping[str, int | None] = field(default_factory=dict)
    """Category → how many people, as it may be told; None: too few to say. Absent: not counted."""
    store: str = ""
    """The kind of database: SQLite, PostgreSQL."""


def category_of_field(policy: Policy, name: str) -> str:
    """Return the category of a trait, or of an identifier: a contact point (or a variant of one), or any other."""
    if name in policy.traits:
        return policy.traits[name].category
    return CONTACT if name in CONTACTS or name.partition("_")[0] in CONTACTS else IDENTIFIER


def category_of_event(policy: Policy, name: str) -> str:
    """Return the category of what happened: with an amount it is a purchase, else behaviour."""
    return PURCHASE if policy.events.get(name, {}).get("amount") else BEHAVIOUR


def categories(policy: Policy) -> Iterator[tuple[str, str, str]]:
    """Yield (`trait` | `identifier` | `event`, name, category) of everything that may be held."""
    for name, trait in policy.traits.items():
        yield "trait", name, trait.category
    for name in policy.namespaces:
        yield "identifier", name, category_of_field(policy, name)
    for name in policy.events:
        yield "event", name, category_of_event(policy, name)


def used_for(policy: Policy, holdings: Holdings, purpose: str) -> dict[str, list[str]]:
    """Return, by category, the fields and events that this purpose uses at most."""
    found: dict[str, list[str]] = {}
    for name in policy.purposes[purpose].fields:
        found.setdefault(category_of_field(policy, name), []).append(name)
    for name in sorted({one for feed in holdings.feeds for one, whys in feed.events.items() if purpose in whys}):
        found.setdefault(category_of_event(policy, name), []).append(name)
    return {name: found[name] for name in policy.categories if name in found}
