"""Tables of what people ask of us."""

from datetime import datetime

from sqlmodel import Field, SQLModel


class SubjectRequest(SQLModel, table=True):
    """A right exercised: its state, its steps and what was answered. Holds no identifier in the clear."""

    __tablename__ = "subject_request"

    id: str = Field(primary_key=True, max_length=32)
    right: str = Field(max_length=32)
    requester: str = Field(max_length=16)
    """subject | guardian | agent | staff"""
    verified: bool = False
    """Who asks is known to be the person, or to act for it; nothing is done before."""
    law: str = Field(default="", max_length=32)
    asked: str = "{}"
    """JSON of what is asked beside the right: a kind, a purpose, an end; names only, never a value of the person."""
    sealed_words: bytes | None = None
    """What is to be put right, sealed under a subject's key; gone once it is done."""
    words_owner: int | None = None
    """The subject whose key seals the words."""
    waits_for: str = Field(default="", max_length=16)
    """Whose word it waits for before it goes on: verification | notice | decision; empty = nobody's."""
    client: str = Field(default="", max_length=64)
    reason: str = ""
    state: str = Field(max_length=16, index=True)
    """received | in_progress | completed | refused"""
    steps: str = "[]"
    """JSON list of `{"step", "state", "at", "counts"}`."""
    points: str = "[]"
    """JSON list of `[namespace, suppression token]` whose holders the request reaches; empty once it is complete."""
    certificate: str | None = None
    """JSON, signed: what was destroyed, which copies of keys remain and until when."""
    package: bytes | None = None
    """An export at rest, sealed under the first subject's key; gone when it expires or the person is erased."""
    package_owner: int | None = None
    """The subject whose key seals the package."""
    package_until: datetime | None = None
    received_at: datetime
    due_at: datetime
    completed_at: datetime | None = None


class Concerned(SQLModel, table=True):
    """A subject that a request is about; deleted when an erasure has forgotten it."""

    __tablename__ = "request_subject"

    subject: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    request: str = Field(primary_key=True, max_length=32, index=True)
    unproved: bool = False
    """Only holds one of the identifiers without proof, and goes with the person whose it is."""


class BreachStatement(SQLModel, table=True):
    """One thing said of a breach of security; only ever added. Holds counts and kinds, nobody's data."""

    __tablename__ = "breach_statement"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: int | None = Field(default=None, primary_key=True)
    breach: str = Field(max_length=32, index=True)
    at: datetime
    act: str = Field(max_length=16)
    """recorded | amended | reported"""
    said: str
    """JSON: the facts, those that changed, or who was told and when."""
    reason: str = ""
    """Why it changed, or why it was told late."""
    entry: str = Field(max_length=32)
    """The ledger's entry, which holds a digest of what was said."""
