"""Tables of the gate: what each person's answer is to every use, and every page ever handed over."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel


class Permission(SQLModel, table=True):
    """One row per person: one byte per use of the policy, 0 = yes, else the code of the first refusing rule.

    Readers test the byte, `policy` and `holds_until`; an absent, stale or unknown row is a no.
    """

    __tablename__ = "permission"
    __table_args__ = (Index("ix_permission_policy", "policy"), Index("ix_permission_next_change_at", "next_change_at"))

    person: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    policy: int
    """Number of the policy version that the bytes were decided under."""
    laws: int
    """Bits of the laws that protect this person (GDPR 1, APPI 2): a recipient's verdict is per law."""
    restricted: bool = False
    erasing: bool = False
    codes: bytes
    holds_until: datetime
    """After this instant the row says no until it is decided again."""
    next_change_at: datetime
    settled_at: datetime


class PolicyVersion(SQLModel, table=True):
    """Every content of `policies/` that decisions were ever made under, numbered."""

    __tablename__ = "policy_version"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    digest: str = Field(unique=True, max_length=64)
    at: datetime


class Disclosed(SQLModel, table=True):
    """One page of people that was opened for a recipient: a lease while `open`, a record for ever after.

    A lease that was never closed counts as disclosed.
    """

    __tablename__ = "disclosure"
    __table_args__ = (Index("ix_disclosure_state_deadline", "state", "deadline"),)

    id: str = Field(primary_key=True, max_length=32)
    recipient: str = Field(max_length=64, index=True)
    client: str = Field(default="", max_length=64)
    purpose: str = Field(max_length=64)
    channel: str = Field(max_length=16)
    fields: str
    kind: str = Field(max_length=16)
    """page | lookup | export | explain"""
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
