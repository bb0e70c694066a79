"""Tables of the identity graph: evidence, overrides by people, and what resolution found in the way."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel


class Identifier(SQLModel, table=True):
    """Evidence: a subject was seen with this identifier. The token finds; the sealed value is compared."""

    __tablename__ = "identifier"
    __table_args__ = (Index("ix_identifier_namespace_token", "namespace", "token"),)

    subject: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    namespace: str = Field(primary_key=True, max_length=32)
    """For example `email`, `phone`, `crm_id`, `line_uid`, `anonymous_id`."""
    scope: str = Field(default="", max_length=64)
    """The system or provider that gave the value, where limits count per scope."""
    token: bytes = Field(primary_key=True)
    """Blind index of scope and normalised value under the epoch's key."""
    epoch: int
    suppression_token: bytes = Field(default=b"", index=True)
    """The same value under the suppression key: joins `suppression` without opening anything."""
    sealed: bytes
    """Sealed under the subject's key: JSON `{"value": as normalised, "scope": …}`."""
    verified: bool = False
    normaliser: int = 1
    first_at: datetime


class CorrectedIdentifier(SQLModel, table=True):
    """Evidence that a person had removed or added, as it was: what may not come back, and what can be restored."""

    __tablename__ = "corrected_identifier"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    request: str = Field(max_length=32, index=True)
    """The subject request that it was done for."""
    at: datetime
    removed: bool
    """True: was taken from the subject. False: was given to it."""
    subject: int = Field(index=True)
    namespace: str = Field(max_length=32)
    token: bytes
    scope: str = Field(default="", max_length=64)
    epoch: int
    suppression_token: bytes = Field(index=True)
    sealed: bytes
    """Still sealed as the identifier that it was."""
    verified: bool
    normaliser: int
    first_at: datetime


class Token(SQLModel, table=True):
    """One row per identifier token: what two processes that bring the same identifier lock, in token order."""

    __tablename__ = "token"

    namespace: str = Field(primary_key=True, max_length=32)
    token: bytes = Field(primary_key=True)
    state: str = Field(default="active", max_length=16)
    """active, generic (too many subjects), shared (too many unique ids), conflict, blocked"""


class Override(SQLModel, table=True):
    """A person's word on two subjects: must be one, or cannot be. Revoked, never deleted."""

    __tablename__ = "identity_override"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    kind: str = Field(max_length=8)
    """must | cannot"""
    subject: int = Field(index=True)
    other_subject: int = Field(index=True)
    reason: str
    actor: str
    at: datetime
    revoked_at: datetime | None = None


class Alias(SQLModel, table=True):
    """An earlier person number and where it went, for those who keep our numbers; closed when split again."""

    __tablename__ = "person_alias"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    old_person: int = Field(index=True)
    person: int = Field(index=True)
    from_at: datetime
    to_at: datetime | None = None
