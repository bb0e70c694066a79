"""Tables of what is known of people: subjects, their traits and facts, and the person derived from them."""

from datetime import date, datetime

from sqlalchemy import BigInteger, Column, Index
from sqlmodel import Field, SQLModel

TEXT_SLOTS = tuple(f"t{n:02d}" for n in range(1, 9))
NUMBER_SLOTS = tuple(f"n{n:02d}" for n in range(1, 7))


class Subject(SQLModel, table=True):
    """One distinct set of identifiers from one source. Its facts never move; its person may change."""

    __tablename__ = "subject"
    __table_args__ = {"sqlite_autoincrement": True}

    number: int | None = Field(default=None, primary_key=True)
    person: int = Field(index=True)
    """Lowest subject number of the cluster; 0 only between insert and resolution."""
    source: str = Field(max_length=64)
    fingerprint: bytes = Field(unique=True)
    """Keyed hash of source and identifiers: the same set from the same source is the same subject."""
    first_at: datetime
    residence_default: str = Field(default="", max_length=2)
    public: bool = False
    """Came through a browser or app key: what it states may protect a person more, never less."""
    erasing: bool = False
    """An erasure has begun: the gate is closed for the whole person, whatever its number becomes."""


class SourceTerms(SQLModel, table=True):
    """What a source declares of the people whom it brings, as far as a law asks."""

    __tablename__ = "source_terms"

    source: str = Field(primary_key=True, max_length=64)
    establishment: str = Field(default="", max_length=2)
    """Country of the establishment whose activity it is (GDPR 3(1)); empty = the controller's."""
    offers_to: str = ""
    """Countries that it addresses (GDPR 3(2)), by comma; empty = anywhere."""
    collected_for: str = ""
    """Purposes that were told when these data were collected, by comma; empty = no narrower limit."""
    addresses: str = Field(default="", max_length=20)
    """How its addresses were come by: written | published | published_no_ads | entity; empty = otherwise."""
    employees: bool = False
    """It speaks for the employer of these people: consent said there is presumed not to be free."""
    from_opt_out: bool = False
    """Who gave it us did so by an opt-out (APPI 27(2))."""
    eu_adequacy: bool = False
    """It came from the EU on its adequacy decision: the Supplementary Rules bind it for life."""
    quarantined: bool = False
    """Obtained from a third party without a confirmed origin (APPI 30): used for nothing until then."""


class Trait(SQLModel, table=True):
    """What a source says of a subject, newest statement per name. Either clear and coarse, or sealed."""

    __tablename__ = "trait"

    subject: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    name: str = Field(primary_key=True, max_length=64)
    clear: str | None = None
    """Only for traits that the policy declares coarse enough to stand in the clear."""
    sealed: bytes | None = None
    at: datetime
    source: str = Field(max_length=64)
    ref: bytes = b""
    """Digest of the message that said so: of two statements of one instant the greater wins."""


class Correction(SQLModel, table=True):
    """A statement that a person had put right, as it was: what may not come back, and what can be restored."""

    __tablename__ = "correction"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    subject: int = Field(index=True)
    name: str = Field(max_length=64)
    request: str = Field(max_length=32, index=True)
    """The subject request that it was done for."""
    at: datetime
    corrected_to: datetime
    """The instant of the statement that took its place."""
    source: str = Field(default="", max_length=64)
    """Who had said so; empty where nobody had said anything."""
    was_at: datetime | None = None
    clear: str | None = None
    sealed: bytes | None = None
    """Still sealed as a trait of `was_at`."""
    ref: bytes = b""
    ended_at: datetime | None = None
    """When the source that was wrong brought a third value, which counts from then on."""


class Fact(SQLModel, table=True):
    """One thing that happened. What it says is sealed; only pseudonymous columns stand in the clear."""

    __tablename__ = "fact"
    __table_args__ = (
        Index("ix_fact_subject_kind_at", "subject", "kind", "at"),
        Index("ix_fact_kind_at", "kind", "at"),
    )

    ref: bytes = Field(primary_key=True)
    """128-bit keyed digest of source and message id; binds the sealed payload to this row."""
    subject: int
    source: str = Field(max_length=64)
    kind: str = Field(max_length=64)
    """The event's declared name, for example `Order Completed`."""
    at: datetime
    received_at: datetime
    amount: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    """Minor units of `currency`; refunds are negative."""
    currency: str | None = Field(default=None, max_length=3)
    item: str | None = Field(default=None, max_length=128)
    channel: str = Field(default="none", max_length=16)
    sealed: bytes


class Person(SQLModel, table=True):
    """What the rules may read of a person without opening anything; derived from the subjects' rows."""

    __tablename__ = "person"

    person: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    country: str = Field(default="", max_length=2)
    """Residence: trait > postal address > phone prefix > the source's default; empty = conflict or unknown."""
    birth_year: int | None = None
    birth_day: str | None = Field(default=None, max_length=5)
    """`MM-DD`, in the clear so that a birthday can be asked for without opening a birth date."""
    customer_since: datetime | None = None
    """First completed order: the existing relation that soft opt-in asks for."""
    first_at: datetime
    active_on: date | None = None
    """First day of the month of the last fact: periods of retention count from it (GDPR 5(1)(e), APPI 22).

    None before the first one: then they count from `first_at`.
    """
    t01: str | None = Field(default=None, index=True, max_length=64)
    t02: str | None = Field(default=None, index=True, max_length=64)
    t03: str | None = Field(default=None, index=True, max_length=64)
    t04: str | None = Field(default=None, index=True, max_length=64)
    t05: str | None = Field(default=None, max_length=64)
    t06: str | None = Field(default=None, max_length=64)
    t07: str | None = Field(default=None, max_length=64)
    t08: str | None = Field(default=None, max_length=64)
    n01: float | None = Field(default=None, index=True)
    n02: float | None = Field(default=None, index=True)
    n03: float | None = None
    n04: float | None = None
    n05: float | None = None
    n06: float | None = None


__all__ = ["NUMBER_SLOTS", "TEXT_SLOTS", "Correction", "Fact", "Person", "SourceTerms", "Subject", "Trait"]
