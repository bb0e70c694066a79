"""What a connector is, and what a source hands over: values only, nothing is stored or sent here.

A connector's Python subclasses `SourceType` (or `FileSource`) and stays pure; its YAML declares
what may be taken in. `cdp.ingest` runs it.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cdp.errors import Refusal

REASONS = frozenset(
    {
        "signature_missing",
        "signature_wrong",
        "timestamp_stale",
        "not_an_object",
        "too_large",
        "too_deep",
        "unprintable_text",
        "unknown_type",
        "event_name_missing",
        "no_identifier",
        "identifier_malformed",
        "timestamp_malformed",
        "email_malformed",
        "date_malformed",
        "date_ambiguous",
        "number_malformed",
        "row_malformed",
        "layout_unknown",
    }
)
"""Why a connector refuses what it was handed; `where` of the refusal says which item, never a value."""

COLUMN_KINDS = ("text", "date", "postal", "number", "word", "family", "given")
"""Kinds of columns that hold a trait, as a layout names them: `date:birthday`. `word`: one of the layout's words;
`family`, `given`: that part of a whole name."""


METHOD = re.compile(r"[a-z][a-z0-9_]{0,31}")
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})?")
NOTICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
"""How consent was asked for: words that enter the permanent ledger, so that nothing else may stand in them."""


@dataclass(frozen=True, slots=True)
class Claim:
    """An identifier as a source gave it; `scope` is the system or provider where the type needs one."""

    type: str
    """Namespace: email, phone, user_id, anonymous_id, line_uid, crm_id …"""
    value: str = field(repr=False)
    scope: str = ""
    verified: bool = False


@dataclass(frozen=True, slots=True)
class Signal:
    """Something said about consent inside an item."""

    purpose: str
    channel: str
    status: str
    """given | refused | requested | withdrawn | unknown"""
    act: bool
    """A declared act, or only a reported state (law.md ruling R3)."""
    method: str
    notice: str = ""
    notice_version: str = ""
    language: str = ""
    evidence: str = "full"
    contact: Claim | None = None
    """The contact point it is about; needed for contact channels."""
    evidenced_by: str = ""
    """Id of the kept evidence that it rests on (ruling R13); then only what is shown there counts as its notice."""


@dataclass(frozen=True, slots=True)
class Silence:
    """A contact point that must be left alone: an unsubscribe, a complaint, a hard bounce."""

    contact: Claim
    channel: str
    reason: str
    """unsubscribe | complaint | bounce"""


@dataclass(frozen=True, slots=True)
class Item:
    """One message of a source, in our words; may carry a fact, traits, consent signals, or a retraction."""

    at: datetime
    claims: tuple[Claim, ...]
    message_id: str = ""
    """The vendor's id of the message; empty makes the call not idempotent, and the report says so."""
    event: str = ""
    """Declared event name; empty for an item without a fact."""
    channel: str = "none"
    properties: Mapping[str, Any] = field(default_factory=dict, repr=False)
    traits: Mapping[str, Any] = field(default_factory=dict, repr=False)
    signals: tuple[Signal, ...] = ()
    silences: tuple[Silence, ...] = ()
    retracts: str = ""
    """Message id of an earlier item whose fact must be deleted (LINE `unsend`)."""
    pointer: str = ""
    """Where the item stood in what was received, for reports: `/batch/3`, `row 17`."""
    dropped: tuple[str, ...] = ()
    """Names of fields that were left out because nothing declares them; counted, never values."""
    unheard: tuple[Refusal, ...] = ()
    """What it says about consent and was not believed: the reason, and where in the item; counted, never values."""


@dataclass(frozen=True, slots=True)
class EventTerm:
    """An event that a source may bring: which of its properties are kept, what for, and by which channel.

    A bare field name keeps a plain value or a list of plain values. What is inside an object needs
    its path (`products.sku`, `address.country`; lists are walked), or `products.*` for all of it.
    """

    fields: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    channel: str = ""
    """Channel of the fact where the item names none."""
    consent: "ConsentTerm | None" = None
    """What the event says about consent, where it is a declared act."""


@dataclass(frozen=True, slots=True)
class ConsentTerm:
    """What an event or a banner category says about consent."""

    purpose: str
    channel: str
    status: str = "given"
    contact: str = ""
    """Namespace of the contact point it is about; empty = device scoped."""


@dataclass(frozen=True, slots=True)
class IdentifierTerm:
    """Where a source carries an identifier, and how far it is believed."""

    field: str
    namespace: str
    scope: str = ""
    verified: bool = False
    """Already resolved for the source: through a public key nothing is verified (ruling R3)."""


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """One registered source as ingest sees it: what it may bring, and on which terms."""

    name: str
    events: Mapping[str, EventTerm] = field(default_factory=dict)
    traits: tuple[str, ...] = ()
    """Traits it may state; each must be declared by the policy too."""
    purposes: tuple[str, ...] = ()
    """What items without an event (traits alone) are collected for."""
    region: str = "JP"
    """ISO 3166 region that phone numbers without a country code are read in."""
    currency: str = ""
    """ISO 4217 code of amounts that name none; empty = such amounts are not counted."""
    residence_default: str = ""
    """Country of people who state none; empty = unknown."""
    establishment: str = ""
    offers_to: tuple[str, ...] = ()
    obtained_from: str = "subject"
    """subject | third_party | public: whom the source has the data from (APPI 30, GDPR 14)."""
    readmits: bool = False
    """First-party acts through it may start anew after an erasure (law.md ruling R11)."""
    public: bool = False
    """Its key stands in browsers or apps: identifiers are unverified, grants bind the device only."""
    brand: str = ""
    notice: str = ""
    """Terms of its banner or form, for signals that name none: they make a signal evidence."""
    notice_version: str = ""
    language: str = ""
    method: str = ""
    actor: str = "subject"
    """Who speaks through it: subject, staff or import."""
    type: str = ""
    """Type of connector: the manifest's name."""
    kind: str = ""
    """site | crm | sns | email"""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Vendor's event name → declared name."""
    identifiers: tuple[IdentifierTerm, ...] = ()
    trait_paths: Mapping[str, str] = field(default_factory=dict)
    """Vendor's field path → trait; their names are `traits`."""
    banner: Mapping[str, ConsentTerm] = field(default_factory=dict)
    """Cookie banner category → device-scoped purpose; never a contact channel (ruling R2)."""
    tcf: Mapping[ConsentTerm, tuple[int, ...]] = field(default_factory=dict)
    """Device-scoped purpose → TCF purposes that must all be consented to."""
    tcf_vendors: tuple[int, ...] = ()
    """Vendors of the global list that must all be consented to, too; without one a TC string says no yes."""
    gpc: tuple[ConsentTerm, ...] = ()
    """What Global Privacy Control withdraws."""
    layouts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Column layouts of a file source."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """The instance's own settings, without its secrets."""

    def declared(self, vendor_name: str) -> str:
        """Return the declared name of the vendor's event, or the name as it is."""
        return self.aliases.get(vendor_name, vendor_name)


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request as it arrived; signatures are checked over these very bytes (after unpacking gzip)."""

    body: bytes = field(repr=False)
    at: datetime
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Names in lower case."""
    call: str = ""
    """Which door it came through, where the protocol has several: `track`, `batch` …"""
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    event_limit: int = 32_000
    """Bytes that one event may have."""


class SourceType(ABC):
    """A kind of source: pure, so that it can be tested with bytes alone."""

    @abstractmethod
    def verify(self, incoming: Incoming, credentials: Mapping[str, str], at: datetime) -> Refusal | None:
        """Check the sender over the raw bytes; `credentials` holds settings and secrets by name."""

    @abstractmethod
    def read(self, incoming: Incoming, config: SourceConfig) -> Iterator[Item | Refusal]:
        """Yield an item or a refusal for everything in it; raises Problem for what is no message at all."""

    @abstractmethod
    def welcome(self, config: SourceConfig) -> list[tuple[str, str]]:
        """List what the other side must be told, as (key, value) lines; `{…}` is filled by `cdp connector add`."""

    def challenge(self, incoming: Incoming, credentials: Mapping[str, str]) -> bytes | None:
        """Answer a vendor's GET challenge; None = this vendor sends none."""
        return None


RowReader = Callable[[Mapping[str, str], str, datetime], "Item | Refusal"]
"""Makes an item of one row's cells by column name, its pointer and the instant; never raises for a cell."""


class FileSource(SourceType):
    """A kind of source whose items are rows of files."""

    @abstractmethod
    def plan(self, columns: Sequence[str], config: SourceConfig) -> RowReader | Refusal:
        """Decide by the column names how rows are read; refuses columns that fit no layout."""
