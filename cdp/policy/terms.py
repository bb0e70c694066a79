"""The values that `policies/` declares, once loaded: what each thing is, not how it is read.

Everything here is frozen and hashable, so that a decision over it can be remembered.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import IntFlag
from typing import Any

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
    assessment: str = ""
    """Legitimate interests: the id of the stored balancing test."""
    reviewed: date | None = None
    """When that assessment was last reviewed; older than 12 months is no basis."""


@dataclass(frozen=True, slots=True)
class Purpose:
    """Why data is used."""

    name: str
    kind: str
    """essential | support | direct_marketing | personalisation | analytics | insight | third_party_sharing"""
    channels: tuple[str, ...]
    fields: tuple[str, ...]
    """Most that may ever be opened for it: trait names and identifier namespaces."""
    recipients: tuple[str, ...]
    notice: str
    bases: tuple[tuple[Law, Basis], ...]
    brand: str = ""
    min_notice_version: str = ""
    """Oldest notice version whose consents still count (later ones changed nothing material)."""
    advertising: bool = False
    text_ja: str = ""
    text_en: str = ""

    def basis(self, law: Law) -> Basis | None:
        return dict(self.bases).get(law)


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
    mechanism: str = ""
    """How a transfer abroad is lawful: adequacy | scc | dpf | jp_designated | jp_equivalent | jp_consent | ''"""
    mechanism_checked: date | None = None
    joint_purposes: tuple[str, ...] = ()
    delivery: str = "poll"
    max_age_seconds: int = 3600
    """How long what was given out may be used: the page's `use_by`."""


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
    """Countries to which a transfer needs nothing more."""
    values: Mapping[str, Any] = field(default_factory=dict, hash=False, compare=False)


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

    def find_use(self, purpose: str, recipient: str, channel: str) -> Use | None:
        """Return the use of these three, or None where the policy declares no such use."""
        for use in self.uses:
            if (use.purpose, use.recipient, use.channel) == (purpose, recipient, channel):
                return use
        return None
