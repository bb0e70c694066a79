"""Tables of what people said: records that are only ever added, and contact points that must stay silent."""

from datetime import date, datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel


class ConsentRecord(SQLModel, table=True):
    """One statement about one purpose and channel, with what proves it. Never changed; only erasure deletes it."""

    __tablename__ = "consent_record"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: int | None = Field(default=None, primary_key=True)
    record: str = Field(unique=True, max_length=32)
    subject: int = Field(index=True)
    """Who said it: the subject, not the person, so that a merge rewrites nothing."""
    namespace: str = Field(default="", max_length=32)
    token: bytes = Field(default=b"", index=True)
    """The contact point it is about (e-mail address, LINE id …); empty for purposes without a contact channel.

    Its blind index: a rotation of the index writes the newer one here, and says nothing else."""
    purpose: str = Field(max_length=64)
    """A purpose's name, or `*` for all."""
    channel: str = Field(max_length=16)
    """A channel, or `*` for all."""
    status: str = Field(max_length=16)
    """given | refused | requested | withdrawn | invalidated | unknown (an import without evidence)"""
    act: bool = True
    """True: a declared act. False: a reported state, which never overrides a withdrawal (ruling R3)."""
    verified: bool = False
    """Said by the identified person (login, confirmed contact point, staff), not by an unverified device."""
    public: bool = False
    """Came through a public (browser) key: grants bind that device only."""
    notice: str = Field(default="", max_length=64)
    notice_version: str = Field(default="", max_length=32)
    language: str = Field(default="", max_length=8)
    notice_sha256: str = Field(default="", max_length=64)
    """Of the text that was shown, as declared when this was recorded; empty where none was, or before it was kept."""
    method: str = Field(max_length=32)
    """checkbox, button, double_opt_in, banner, gpc, one_click, import, staff, api …"""
    evidence: str = Field(default="full", max_length=8)
    """full | partial | none"""
    sealed_evidence: bytes | None = None
    actor: str = Field(default="subject", max_length=16)
    verification: str = Field(default="", max_length=64)
    """Of a guardian: how their parental responsibility was verified (GDPR 8(2)); without it they are none."""
    source: str = Field(max_length=64)
    brand: str = Field(default="", max_length=64)
    event_time: datetime
    received_time: datetime
    valid_until: datetime | None = None
    confirm_digest: bytes | None = Field(default=None, index=True)
    """Double opt-in: keyed digest of the confirmation token of a `requested` record."""
    evidenced_by: str = Field(default="", max_length=32)
    """The `consent_evidence` that an imported yes rests on."""


class ConsentEvidence(SQLModel, table=True):
    """What proves the consents of one cohort of an imported list (ruling R13): what was shown, how, where, when,
    and who answers for it. It holds nobody of the list, and is never deleted: proof is asked for years later."""

    __tablename__ = "consent_evidence"

    id: str = Field(primary_key=True, max_length=32)
    """From the bundle's digest and the cohort's name: the same bundle again is the same evidence."""
    bundle: str = Field(max_length=64, index=True)
    """SHA-256 over the bundle and its documents."""
    cohort: str = Field(max_length=64)
    purpose: str = Field(max_length=64)
    channel: str = Field(max_length=16)
    evidence: str = Field(max_length=8)
    """full | partial | none"""
    missing: str
    """JSON list of what is missing for full evidence."""
    declared: str
    """JSON of the cohort as it was declared, the exact wording with it."""
    signed_by: str = Field(default="", max_length=200)
    """Who answers for it, with their role; a person of the controller, not of the list."""
    signed_on: date | None = None
    document: str = Field(default="", max_length=64)
    """SHA-256 of the form's image or text."""
    at: datetime
    entry: str = Field(max_length=32)
    """The ledger's entry of its keeping."""


class ConsentDocument(SQLModel, table=True):
    """A form's image or text as it was handed in, once however many cohorts name it."""

    __tablename__ = "consent_document"

    sha256: str = Field(primary_key=True, max_length=64)
    media_type: str = Field(max_length=64)
    content: bytes
    at: datetime


class Suppression(SQLModel, table=True):
    """A contact point that must not be used, or an identifier that must not come back. Holds a token only."""

    __tablename__ = "suppression"
    __table_args__ = (
        Index("ix_suppression_namespace_token", "namespace", "token"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    namespace: str = Field(max_length=32)
    token: bytes
    """Under the keyring's suppression key, not a subject's: it survives the erasure that made it."""
    channel: str = Field(default="*", max_length=16)
    reason: str = Field(max_length=16)
    """unsubscribe | complaint | bounce | erasure | objection"""
    brand: str = Field(default="", max_length=64)
    """Empty = every brand."""
    except_brands: str = ""
    """Of silence for every brand: those that the person said yes to since, by comma."""
    at: datetime
    lifted_at: datetime | None = None
    lifted_by: str = Field(default="", max_length=32)


class Objection(SQLModel, table=True):
    """A subject's objection (GDPR 21) or restriction (GDPR 18, APPI 35): a state with a beginning and an end."""

    __tablename__ = "objection"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    subject: int = Field(index=True)
    kind: str = Field(max_length=24)
    """direct_marketing | legitimate_interests | restriction | provision (APPI 35(3)) | deceased | legal_hold"""
    purpose: str = Field(default="*", max_length=64)
    cause: str = Field(default="", max_length=32)
    """The dispute that it lasts for; empty = it stands until it is lifted as such."""
    at: datetime
    lifted_at: datetime | None = None
