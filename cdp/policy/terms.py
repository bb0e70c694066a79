"""The values that `policies/` declares, once loaded: what each thing is, not how it is read.

Everything here is frozen and hashable, so that a decision over it can be remembered.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import IntFlag
from typing import Any

KINDS = (
    "essential",
    "support",
    "legal",
    "direct_marketing",
    "personalisation",
    "analytics",
    "insight",
    "third_party_sharing",
)
"""What a purpose is for, as far as any law treats it differently."""

ROLES = ("processor", "third_party", "joint_user", "non_handling_host", "internal", "subject")

CHANNELS = ("email", "sms", "push", "line", "phone", "post", "web", "store", "ads", "none")

CONTACT_CHANNELS: Mapping[str, tuple[str, ...]] = {
    "email": ("email",),
    "sms": ("phone",),
    "phone": ("phone",),
    "line": ("line_uid",),
}
"""Channels that reach a contact point, and the identifier namespaces that are such points."""


class Law(IntFlag):
    """The bodies of law a person may be protected by; stored as bits of a permission."""

    GDPR = 1
    APPI = 2


@dataclass(frozen=True, slots=True)
class Basis:
    """The ground a purpose stands on under one law."""

    kind: str
    """consent | soft_opt_in | contract | legal_obligation | legitimate_interests | notified_purpose"""
    iri: str = ""
    explicit: bool = False
    """Only an explicit act of consent counts, as special categories need (GDPR 9(2)(a), APPI 20(2))."""
    assessment: str = ""
    """Legitimate interests: the id of the stored balancing test."""
    reviewed: date | None = None
    """When that assessment was last reviewed; older than 12 months is no basis."""


@dataclass(frozen=True, slots=True)
class Purpose:
    """Why data is used."""

    name: str
    kind: str
    """One of KINDS."""
    channels: tuple[str, ...]
    fields: tuple[str, ...]
    """Most that may ever be opened for it: trait names and identifier namespaces."""
    recipients: tuple[str, ...]
    notice: str
    bases: tuple[tuple[Law, Basis], ...]
    brand: str = ""
    min_notice_version: str = ""
    """Oldest version of its own notice whose consents still count (later ones changed nothing material)."""
    notices_current: tuple[tuple[str, str], ...] = ()
    """(notice, version) that name this purpose and whose consents still count."""
    notices_superseded: tuple[tuple[str, str], ...] = ()
    """(notice, version) that once named it; a later version changed something material."""
    advertising: bool = False
    title_ja: str = ""
    title_en: str = ""
    text_ja: str = ""
    """The 利用目的 as notified (APPI 17, 21)."""
    text_en: str = ""

    def basis(self, law: Law) -> Basis | None:
        return dict(self.bases).get(law)


@dataclass(frozen=True, slots=True)
class Transfer:
    """What makes handing data to a recipient in another country lawful, under one law."""

    kind: str
    """scc | bcr | dpf (GDPR 45-47) | jp_equivalent | jp_consent (APPI 28); an adequate country needs none."""
    evidence: str = ""
    checked: date | None = None
    """When the safeguards were last looked at; older than 12 months they carry nothing."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who gets data: an API client's owner, a connector's far end, staff, the person."""

    name: str
    role: str
    """processor | third_party | joint_user | non_handling_host | internal | subject"""
    country: str
    fields: tuple[str, ...]
    contract: str = ""
    contract_until: date | None = None
    supervised: date | None = None
    transfers: tuple[tuple[Law, Transfer], ...] = ()
    joint_purposes: tuple[str, ...] = ()
    """Joint use (APPI 27(5)(iii)): the purposes that were notified for it."""
    delivery: str = "poll"
    max_age_seconds: int = 3600
    """How long what was given out may be used: the page's `use_by`."""
    min_list: int = 0
    """Shortest list of people it may get at once (ruling R7)."""
    title_ja: str = ""
    title_en: str = ""
    address: str = ""

    def transfer(self, law: Law) -> Transfer | None:
        return dict(self.transfers).get(law)


@dataclass(frozen=True, slots=True)
class Notice:
    """The exact words shown, in one language, of one version."""

    name: str
    version: str
    language: str
    sha256: str
    material: bool
    published: date
    purposes: tuple[str, ...]
    recipients: tuple[str, ...] = ()
    """Recipients that it names: a consent to this notice reaches no other third party."""
    items: tuple[str, ...] = ()
    """What it tells, by the names of the mandatory items (GDPR 13, APPI 21, 27(5), 28(2))."""
    title: str = ""
    body: str = field(default="", repr=False)
    """Markdown, as shown."""


@dataclass(frozen=True, slots=True)
class TraitTerm:
    """A declared trait: its category, and whether it is sealed or coarse enough for a clear slot."""

    name: str
    category: str
    type: str
    """text | number | date | country | birthday | address | boolean"""
    slot: str = ""
    """Column of `person` that holds it in the clear; empty = sealed."""
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Namespace:
    """How one type of identifier may join people (identity.md 4.4)."""

    name: str
    role: str
    """link | attribute"""
    priority: int
    limit: int = 0
    """Most distinct values of this namespace in one person; 0 = no limit."""
    per_scope: bool = False
    """The limit counts per scope (one CRM id per system)."""
    max_degree: int = 0
    """A value on more subjects than this is generic and joins nothing; 0 = no cap."""
    unique: bool = False
    """Two different values prove two people; a token under more than `max_unique` of them is shared."""
    max_unique: int = 2
    verified_only: bool = False


@dataclass(frozen=True, slots=True)
class Use:
    """Purpose + recipient + channel: what a permission has one byte for."""

    index: int
    purpose: str
    recipient: str
    channel: str


@dataclass(frozen=True, slots=True)
class Controller:
    """Who decides why and how: named in notices, mails and certificates."""

    name_ja: str
    name_en: str
    address: str
    representative: str
    contact: str
    establishments: tuple[str, ...]
    """ISO 3166 countries."""
    time_zone: str = "Asia/Tokyo"


@dataclass(frozen=True, slots=True)
class Pack:
    """One law's declared values: whom it protects, ages, lists of countries, with their references."""

    law: Law
    countries: frozenset[str]
    """Residences it protects."""
    consent_ages: tuple[tuple[str, int], ...]
    """Country → age from which a person consents alone."""
    default_age: int
    adequate: frozenset[str]
    """Countries to which a transfer needs nothing more, on the day that the policy was loaded."""
    adequacy: tuple[tuple[str, date, date], ...] = ()
    """(country, first day, last day) of every such decision."""
    values: Mapping[str, Any] = field(default_factory=dict, hash=False, compare=False)

    def is_adequate(self, country: str, on: date) -> bool:
        """Whether data may go to the country on this day with nothing more."""
        return any(one == country and first <= on <= last for one, first, last in self.adequacy)

    def age_of_consent(self, country: str) -> int:
        """Return the age from which a resident consents alone; an unknown country gives the highest known."""
        ages = dict(self.consent_ages)
        return ages[country] if country in ages else max([self.default_age, *ages.values()])


@dataclass(frozen=True, slots=True)
class Example:
    """One case that a policy file states about itself: given someone, asking this, the answer must be that."""

    where: str
    """File and position, for the report."""
    purpose: str
    recipient: str
    channel: str
    given: Mapping[str, Any] = field(hash=False)
    allow: bool
    because: str = ""
    """Code of the first refusal; empty for a yes."""
    on: date | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """Everything that `policies/` says, checked and frozen; compared by identity, versioned by `digest`."""

    digest: str
    controller: Controller
    purposes: Mapping[str, Purpose]
    recipients: Mapping[str, Recipient]
    notices: Mapping[tuple[str, str, str], Notice]
    """(name, version, language) → notice."""
    categories: Mapping[str, Mapping[str, Any]]
    traits: Mapping[str, TraitTerm]
    namespaces: Mapping[str, Namespace]
    blocked_values: tuple[str, ...]
    """Regular expressions of identifier values that mean nobody (`^[0-]*$`, `anonymous` …)."""
    packs: Mapping[Law, Pack]
    uses: tuple[Use, ...]
    audiences: Mapping[str, Mapping[str, Any]]
    journeys: Mapping[str, Mapping[str, Any]]
    events: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Declared event names; a source may declare more."""
    retention: tuple[Mapping[str, Any], ...] = ()
    examples: tuple[Example, ...] = ()
    positions: Mapping[tuple[str, str, str], Use] = field(init=False, repr=False)
    """(purpose, recipient, channel) → use, so that finding one is a look-up."""

    def __post_init__(self) -> None:
        positions = {(use.purpose, use.recipient, use.channel): use for use in self.uses}
        object.__setattr__(self, "positions", positions)

    def find_use(self, purpose: str, recipient: str, channel: str) -> Use | None:
        """Return the use of these three, or None where the policy declares no such use."""
        return self.positions.get((purpose, recipient, channel))
