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
    people: bytes | None = None
    """Roaring bitmap of the subject numbers concerned; removed when an erasure is complete."""
    holders: bytes | None = None
    """Of an erasure, those of `people` who only hold one of the identifiers without proof, and go with the person."""
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
