"""Tables of what people said: records that are only ever added, and contact points that must stay silent."""

from datetime import datetime

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
    """The contact point it is about (e-mail address, LINE id …); empty for purposes without a contact channel."""
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
    source: str = Field(max_length=64)
    brand: str = Field(default="", max_length=64)
    event_time: datetime
    received_time: datetime
    valid_until: datetime | None = None
    confirm_digest: bytes | None = Field(default=None, index=True)
    """Double opt-in: keyed digest of the confirmation token of a `requested` record."""


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
    """direct_marketing | legitimate_interests | restriction"""
    purpose: str = Field(default="*", max_length=64)
    cause: str = Field(default="", max_length=32)
    """The dispute that it lasts for; empty = it stands until it is lifted as such."""
    at: datetime
    lifted_at: datetime | None = None
