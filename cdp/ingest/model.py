"""Tables of ingest: sources, what was already received, and counts of what was dropped (never values)."""

from datetime import date, datetime

from sqlmodel import Field, SQLModel


class Source(SQLModel, table=True):
    """A registered source: an instance of a connector type with its own settings and credentials."""

    __tablename__ = "source"

    name: str = Field(primary_key=True, max_length=64)
    type: str = Field(max_length=64)
    settings: str = "{}"
    """JSON of what is not secret."""
    sealed_credentials: bytes | None = None
    """Under the keyring's credential key: another key class than people's data."""
    key_digest: bytes | None = Field(default=None, unique=True)
    """Keyed digest of the write key, for sources that are addressed by one."""
    created_at: datetime
    removed_at: datetime | None = None


class Received(SQLModel, table=True):
    """A message that was taken in, so that its replay changes nothing; kept 30 days."""

    __tablename__ = "received"

    source: str = Field(primary_key=True, max_length=64)
    digest: bytes = Field(primary_key=True)
    at: datetime = Field(index=True)


class Dropped(SQLModel, table=True):
    """How often a source brought something that was not taken, by day, field or event name, and reason."""

    __tablename__ = "dropped"

    source: str = Field(primary_key=True, max_length=64)
    day: date = Field(primary_key=True)
    what: str = Field(primary_key=True, max_length=160)
    """`field:<name>` or `event:<name>` or `item`; names come from outside and are cut to printable text."""
    reason: str = Field(primary_key=True, max_length=48)
    count: int
