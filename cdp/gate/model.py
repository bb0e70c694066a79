"""Tables of the gate: each person's answer to every use, every page ever handed over, and what lists were followed."""

from datetime import date, datetime

from sqlalchemy import BigInteger, Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel


class Permission(SQLModel, table=True):
    """One row per person: one byte per use of the policy, 0 = yes, else the code of the first refusing rule.

    Readers test the byte, `policy` and `holds_until`; an absent, stale or unknown row is a no.
    """

    __tablename__ = "permission"
    __table_args__ = (
        Index("ix_permission_policy", "policy", "person"),
        Index("ix_permission_next_change_at", "next_change_at"),
    )

    person: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    policy: int
    """Number of the first policy version with the answers that the bytes were decided under."""
    laws: int
    """Bits of the laws that protect this person (GDPR 1, APPI 2): a recipient's verdict is per law."""
    restricted: bool = False
    erasing: bool = False
    codes: bytes
    collect: bytes | None = None
    """One byte per purpose of the policy, in the order of their names: 1 = may be collected for it. NULL: not known."""
    holds_until: datetime
    """After this instant the row says no until it is decided again."""
    next_change_at: datetime
    settled_at: datetime
    situation: bytes | None = None
    """Names the situation that it was decided from (`situation_value`)."""


class PolicyVersion(SQLModel, table=True):
    """Every content of `policies/` that decisions were ever made under, numbered."""

    __tablename__ = "policy_version"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    digest: str = Field(unique=True, max_length=64)
    at: datetime
    contents: bytes | None = None
    """The files as they were, compressed: a past decision can be made again."""
    day: date | None = None
    """The day whose ages, lists and notices it holds."""
    traits: str = Field(default="", max_length=64)
    """Digest of which traits stand in which slots; this and the next two say which rows a change concerns."""
    rules: str = Field(default="", max_length=64)
    """Digest of all that permissions rest on."""
    journeys: str = Field(default="", max_length=64)
    taken_up_at: datetime | None = None
    """When a worker, or `cdp policy apply`, last began to decide everybody under it."""


class PolicyPeriod(SQLModel, table=True):
    """From when on which policy version was in force; the newest row is the present one."""

    __tablename__ = "policy_period"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    policy: int
    at: datetime = Field(index=True)


class SituationValue(SQLModel, table=True):
    """A situation before the law, as JSON: no identifier and nobody's number, shared by everybody who is in it."""

    __tablename__ = "situation_value"

    digest: bytes = Field(primary_key=True)
    value: str


class Situated(SQLModel, table=True):
    """From when on a person was in which situation; what is to be answered about the past rests on it."""

    __tablename__ = "situated"
    __table_args__ = (Index("ix_situated_person_at", "person", "at"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True)
    person: int
    at: datetime
    digest: bytes
    changes_at: datetime
    """When time alone would change it."""
    subjects: bytes
    """Roaring bitmap of the person's subjects then: numbers change owners by merges and splits."""


class Disclosed(SQLModel, table=True):
    """One page of people that was opened for a recipient: a lease while `open`, a record for ever after.

    A lease that was never closed counts as disclosed.
    """

    __tablename__ = "disclosure"
    __table_args__ = (
        Index("ix_disclosure_state_deadline", "state", "deadline"),
        Index("ix_disclosure_review_at_opened_at", "review_at", "opened_at"),
    )

    id: str = Field(primary_key=True, max_length=32)
    recipient: str = Field(max_length=64, index=True)
    client: str = Field(default="", max_length=64)
    purpose: str = Field(max_length=64)
    channel: str = Field(max_length=16)
    fields: str
    kind: str = Field(max_length=16)
    """page | changes | lookup | export | explain | matching"""
    audience: str = Field(default="", max_length=64)
    policy: int
    people: bytes
    """Roaring bitmap of the subject numbers of these people at that instant."""
    count: int
    opened_at: datetime
    deadline: datetime
    state: str = Field(max_length=8)
    """open | closed"""
    handed_over_at: datetime | None = None
    entry: str = Field(max_length=32)
    review_at: datetime | None = None
    """When its people are looked at again, once its time on record is over; NULL: they never were."""


class ProvisionTerms(SQLModel, table=True):
    """On which terms a recipient got data for a purpose under one version of the policy, as its record must tell.

    The policy's own files may be others by the time that somebody asks (APPI 29, rule 20).
    """

    __tablename__ = "provision_terms"

    policy: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    recipient: str = Field(primary_key=True, max_length=64)
    purpose: str = Field(primary_key=True, max_length=64)
    name_ja: str
    name_en: str
    address: str
    representative: str
    role: str = Field(max_length=32)
    country: str = Field(max_length=2)
    contract: str
    route: str = Field(max_length=24, index=True)
    """By which door of the APPI it needs a record: consent | consent_abroad; empty = it needs none."""
    items: str
    """JSON: field → [ja, en]."""
    at: datetime


class ProvisionSubject(SQLModel, table=True):
    """Whose data a recorded provision was, after that person was erased; gone when the record's time is over."""

    __tablename__ = "provision_subject"

    erased: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    """The number that stands in the record, and leads to nobody else."""
    request: str = Field(max_length=32)
    """The subject request that erased them."""
    consents: str = ""
    """The consent records that the provisions rested on, by name: their entries in the ledger stay."""
    sealed: bytes | None = None
    """The name, under the key of records; only where the APPI alone protected the person."""
    until: datetime = Field(index=True)


class ProvisionPoint(SQLModel, table=True):
    """A keyed reference to that person: who brings the identifier can be answered, nobody can be read off it."""

    __tablename__ = "provision_point"

    erased: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    namespace: str = Field(primary_key=True, max_length=32)
    token: bytes = Field(primary_key=True, index=True)
    """Suppression token of an identifier that they had."""


class Feed(SQLModel, table=True):
    """One list of people for one use, as recipients follow it: what was told of it up to which position."""

    __tablename__ = "feed"
    __table_args__ = (UniqueConstraint("listed", "purpose", "recipient", "channel"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True)
    epoch: str = Field(max_length=32)
    """Changed when positions given before mean nothing any more."""
    listed: str = Field(max_length=160)
    """`audience:<name>` or `stage:<journey>/<stage>`."""
    purpose: str = Field(max_length=64)
    recipient: str = Field(max_length=64)
    channel: str = Field(max_length=16)
    position: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    """The last one given; given in the order of commits, without gaps."""
    pruned: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    """Who left up to here may be forgotten: whoever has read less begins again."""
    filled: bool = False
    """Everybody of the beginning is in it; before, nobody needs a cause to enter."""
    policy: int
    """Number of the policy version that the feed was last complete under."""
    as_of: datetime
    """When it was last complete: why somebody enters or leaves is looked for after this."""
    read_at: datetime
    """To the day."""


class FeedMember(SQLModel, table=True):
    """Whoever is in a feed, or was told to be, once, at the position of the last change: in it, or left and why.

    Who leaves before any reader was told goes without a trace: nobody hears of somebody they were never given.
    Of the erased only the recipient's own pseudonym is kept, so that the recipient can be told (GDPR 19).
    """

    __tablename__ = "feed_member"
    __table_args__ = (
        Index("ix_feed_member_feed_person", "feed", "person", unique=True),
        Index("ix_feed_member_person", "person"),
        Index("ix_feed_member_present_at", "present", "at"),
    )

    feed: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    position: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    person: int | None = None
    pseudonym: str | None = Field(default=None, max_length=64)
    present: bool
    told: bool = False
    """A reading handed them over as entered, at any time."""
    cause: str = Field(max_length=16)
    at: datetime
