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
    "statistics",
    "third_party_sharing",
)
"""What a purpose is for, as far as any law treats it differently."""

ROLES = ("processor", "third_party", "joint_user", "successor", "non_handling_host", "internal", "subject")
"""What a recipient is to the controller. `successor`: takes the business over (APPI 27(5)(ii))."""

DATA_CLASSES = ("personal", "pseudonymised", "anonymised", "personal_related")
"""個人データ, 仮名加工情報 (APPI 41), 匿名加工情報 (43), 個人関連情報 (31)."""

RISKS = ("large_scale_profiling", "special_category", "children", "matching")
"""What makes an impact assessment a duty (GDPR 35)."""

CHANNELS = ("email", "sms", "push", "line", "phone", "post", "web", "store", "ads", "none")

CONTACT_CHANNELS: Mapping[str, tuple[str, ...]] = {
    "email": ("email",),
    "sms": ("phone",),
    "phone": ("phone", "phone_fixed"),
    "line": ("line_uid",),
}
"""Channels that reach a contact point, and the identifier namespaces that are such points."""

CONTACTS = tuple(sorted({namespace for namespaces in CONTACT_CHANNELS.values() for namespace in namespaces}))
"""Namespaces of contact points."""

DERIVED: Mapping[str, str] = {"email_canon": "email"}
"""Namespaces whose values are worked out of another's. They are evidence of who is who, and no contact point:
nobody said that they may be written to there, so that no purpose may open them."""


class Law(IntFlag):
    """The bodies of law a person may be protected by; stored as bits of a permission."""

    GDPR = 1
    APPI = 2


@dataclass(frozen=True, slots=True)
class Basis:
    """The ground a purpose stands on under one law."""

    kind: str
    """One of `cdp.policy.grounds.BASES` of its law."""
    iri: str = ""
    explicit: bool = False
    """Only an explicit act of consent counts, as special categories need (GDPR 9(2)(a), APPI 20(2))."""
    assessment: str = ""
    """Legitimate interests: the id of the stored balancing test."""
    reviewed: date | None = None
    """When that assessment was last reviewed; older than 12 months is no basis."""
    necessary_for: str = ""
    """Contract, legal obligation, vital interests, public task: what the data are necessary for (GDPR 6(1)(b)-(e))."""
    opt_out_offered: bool = False
    """Soft opt-in: a refusal was offered when the address was given, and is in every message (ePrivacy 13(2))."""
    valid_months: int = 0
    """Consent: how long an act counts; 0 = until it is withdrawn or its notice changes."""


@dataclass(frozen=True, slots=True)
class Extension:
    """An earlier purpose whose data this one may use too (GDPR 6(4); APPI 17(2), 21(3))."""

    purpose: str
    assessment: str = ""
    """The compatibility assessment on file; without one nothing is compatible under the GDPR."""
    told: date | None = None
    """When the changed purpose was notified or published; None before that day: out of purpose under the APPI."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """A data-protection impact assessment (GDPR 35): approved, or not there."""

    id: str
    approved: date


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
    incidental_advertising: bool = False
    """Messages about a contract that carry an advertisement beside (特定電子メール法施行規則 6条)."""
    offers: str = "mail_order"
    """What is advertised: mail_order (特定商取引法 12条の3) | other (特定電子メール法 3条 alone)."""
    data_class: str = "personal"
    """One of DATA_CLASSES: what the data are when they are used for this."""
    extends: tuple[Extension, ...] = ()
    effect: str = "none"
    """none | significant: a decision with legal or similarly significant effect (GDPR 22)."""
    human_in_loop: bool = True
    risks: tuple[str, ...] = ()
    """Those of RISKS that it runs."""
    dpia: Assessment | None = None
    directed_at_children: bool = False
    unlawful_discrimination_risk: bool = False
    """May promote or induce unlawful or unjust acts (APPI 19): blocked whoever consents."""
    dpv: str = ""
    """The term of the Data Privacy Vocabulary."""
    title_ja: str = ""
    title_en: str = ""
    text_ja: str = ""
    """The 利用目的 as notified (APPI 17, 21)."""
    text_en: str = ""

    def basis(self, law: Law) -> Basis | None:
        return next((basis for one, basis in self.bases if one is law), None)


@dataclass(frozen=True, slots=True)
class Transfer:
    """What makes handing data to a recipient in another country lawful, under one law."""

    kind: str
    """scc | bcr | dpf | art49 (GDPR 45-49); jp_equivalent (contract) | jp_certified (CBPR) | jp_consent (APPI 28).

    An adequate country needs none."""
    evidence: str = ""
    checked: date | None = None
    """When the safeguards were last looked at; older than 12 months they carry nothing."""
    assessment: str = ""
    """The transfer impact assessment beside standard clauses or binding rules (C-311/18)."""


@dataclass(frozen=True, slots=True)
class JointUse:
    """共同利用 as notified before (APPI 27(5)(iii)): who is responsible, for what, with which items."""

    purposes: tuple[str, ...]
    items: tuple[str, ...]
    """Data categories; nothing else may go."""
    responsible: str
    notified: date


@dataclass(frozen=True, slots=True)
class OptOutScheme:
    """Provision to third parties with an opt-out, filed with the commission (APPI 27(2)-(4))."""

    filing: str
    published: date
    items: tuple[str, ...]
    """Data categories that were filed; nothing else may go."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a recipient who makes 個人関連情報 personal confirmed: that the person consented there (APPI 31)."""

    evidence: str
    checked: date
    foreign_information: bool = False
    """The person was told of country, system and measures, where the recipient is abroad (31(1)(ii))."""


@dataclass(frozen=True, slots=True)
class Transmission:
    """What a tag sends from people's devices to this recipient, as published (電気通信事業法 27条の12)."""

    sends_ja: str
    sends_en: str
    published: date


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
    matches_with_own_data: bool = False
    uses_for_own_purpose: bool = False
    joint_use: JointUse | None = None
    opt_out: OptOutScheme | None = None
    ties_to_person: bool = False
    """Makes 個人関連情報 personal by what it holds itself (APPI 31)."""
    confirmation: Confirmation | None = None
    transmission: Transmission | None = None
    delivery: str = "poll"
    """poll | push | file, each again and again; `once`: a single occasion."""
    max_age_seconds: int = 3600
    """How long what was given out may be used: the page's `use_by`."""
    min_list: int = 0
    """Shortest list of people it may get at once (ruling R7)."""
    title_ja: str = ""
    title_en: str = ""
    address: str = ""
    representative: str = ""

    @property
    def role_in_law(self) -> str:
        """Its role by what it does: who matches or uses data for itself is a third party (Q&A 7-42, GDPR 28(10))."""
        on_its_own = self.matches_with_own_data or self.uses_for_own_purpose
        return "third_party" if self.role not in ("joint_user", "successor") and on_its_own else self.role

    def transfer(self, law: Law) -> Transfer | None:
        return next((transfer for one, transfer in self.transfers if one is law), None)


@dataclass(frozen=True, slots=True)
class Notice:
    """The exact words shown, in one language, of one version."""

    name: str
    version: str
    language: str
    sha256: str
    material: bool | tuple[str, ...]
    """Whether it changed something material: for every purpose, for none, or for those named."""
    published: date
    purposes: tuple[str, ...]
    recipients: tuple[str, ...] = ()
    """Recipients that it names: a consent to this notice reaches no other third party."""
    items: tuple[str, ...] = ()
    """What it tells, by the names of the mandatory items (GDPR 13, APPI 21, 27(5), 28(2))."""
    title: str = ""
    brand: str = ""
    body: str = field(default="", repr=False)
    """Markdown, as shown."""

    def is_material_for(self, purpose: str) -> bool:
        """Whether who consented to an earlier version must be asked again for this purpose."""
        return self.material if isinstance(self.material, bool) else purpose in self.material


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
    title_ja: str = ""
    title_en: str = ""


@dataclass(frozen=True, slots=True)
class Namespace:
    """How one type of identifier may join people (identity.md 4.4)."""

    name: str
    role: str
    """link | constrain | attribute"""
    priority: int
    """Order of strength, 1 first. A constraint stands against joining by this strength and weaker."""
    limit: int = 0
    """Most distinct values of this namespace in one person; 0 = no limit."""
    limit_days: int = 0
    """The limit counts what was seen within so many days of each other; 0 = ever."""
    limit_agreed: int = 0
    """Most where those who have such a value share a name and differ in neither name nor birth date; 0 = `limit`."""
    per_scope: bool = False
    """The limit counts per scope (one CRM id per system)."""
    max_degree: int = 0
    """A value on more subjects than this is generic and joins nothing; 0 = no cap."""
    unique: bool = False
    """Two different values prove two people; a token under more than `max_unique` of them is shared."""
    max_unique: int = 2
    verified_only: bool = False
    ttl_days: int = 0
    """Evidence that was not seen again for so long counts no more; 0 = it stays."""
    hold_above: int = 0
    """Two identified people of more records than this are not joined by it before somebody looked; 0 = they are."""
    on_conflict: str = "isolate"
    """isolate | latest | review | household: what becomes of a value that may not join all it is on."""
    category: str = "identifier"
    role_mailboxes: tuple[str, ...] = ()
    """Of addresses: local parts that are an office's and no person's; with one of these, an address joins nobody."""


@dataclass(frozen=True, slots=True)
class Breaker:
    """When a source that joins too many people is put on hold; without `records`, never."""

    records: int = 0
    """How many records it must have brought within the window."""
    minutes: int = 10
    share: float = 0.3
    """Of so many records, more than this share made two people one."""


@dataclass(frozen=True, slots=True)
class Proposing:
    """Whether people are proposed to be one by what describes them, and within which bounds."""

    enabled: bool = False
    accept: bool = False
    """Also accept without a reviewer, where reviewed samples of the model allow it."""
    model: str = ""
    """Version of the frozen model; another one is refused."""
    touched: float = 0.01
    """Share of all people that one run may concern."""
    largest: int = 10
    """People that may hang together by likely pairs."""


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
    dpo_contact: str = ""
    """Data protection officer, or who answers for personal data (GDPR 37, 個人情報保護管理者)."""
    eu_representative: str = ""
    """Who represents it in the Union, where it has no establishment there (GDPR 27)."""


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
    by_establishment: bool = False
    """Whether it also protects whoever is dealt with by an establishment in its countries (GDPR 3(1))."""
    values: Mapping[str, Any] = field(default_factory=dict, hash=False, compare=False)
    """Thresholds, periods and switches, as they hold on the day; its enabled amendments included."""

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


@dataclass(frozen=True, slots=True)
class Scenario:
    """One worked case of `scenarios/`: people, what the policy says beside, questions and their answers."""

    where: str
    name: str
    tree: Mapping[str, Any] = field(hash=False, compare=False)
    """As written, its shape checked; `cdp.gate.rehearsal` reads it."""


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
    scenarios: tuple[Scenario, ...] = ()
    articles: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    """Law → article → its title in `ja` and `en`: the register that every reference must stand in."""
    on: date | None = None
    """The day whose ages, lists and notices it holds."""
    documents: Any = field(default=None, repr=False)
    """The contents as read (`cdp.policy.documents.Documents`): what a past version is kept by."""
    breaker: Breaker = Breaker()
    proposals: Proposing = Proposing()
    positions: Mapping[tuple[str, str, str], Use] = field(init=False, repr=False)
    """(purpose, recipient, channel) → use, so that finding one is a look-up."""

    def __post_init__(self) -> None:
        positions = {(use.purpose, use.recipient, use.channel): use for use in self.uses}
        object.__setattr__(self, "positions", positions)

    def category_of(self, field: str) -> str:
        """Return the data category of a trait or identifier; empty where the field is not declared."""
        if field in self.traits:
            return self.traits[field].category
        return self.namespaces[field].category if field in self.namespaces else ""

    def find_use(self, purpose: str, recipient: str, channel: str) -> Use | None:
        """Return the use of these three, or None where the policy declares no such use."""
        return self.positions.get((purpose, recipient, channel))
