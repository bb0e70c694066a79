"""Tables of who may call: API clients, and one-time values that may not be used twice."""

from datetime import datetime, timedelta

from sqlmodel import Field, SQLModel

CLOCKS_APART = timedelta(days=1)
"""How much longer than its end a row that refuses something is kept: for a process whose clock is behind, what
it refuses has not ended yet."""


class Client(SQLModel, table=True):
    """An API client: it belongs to one recipient and is registered for purposes and scopes."""

    __tablename__ = "client"

    client_id: str = Field(primary_key=True, max_length=64)
    name: str = Field(unique=True, max_length=64)
    recipient: str = Field(max_length=64)
    purposes: str
    """Space separated names."""
    scopes: str
    """Space separated scopes."""
    method: str = Field(max_length=32)
    """client_secret_basic | client_secret_post | private_key_jwt"""
    secret_digest: bytes | None = None
    public_key: str | None = None
    """JWK of a `private_key_jwt` client."""
    created_at: datetime
    revoked_at: datetime | None = None


class RevokedToken(SQLModel, table=True):
    """An access token that was taken back before its end."""

    __tablename__ = "revoked_token"

    jti: str = Field(primary_key=True, max_length=64)
    until: datetime = Field(index=True)


class UsedAssertion(SQLModel, table=True):
    """A client assertion that was already exchanged: each gives one token."""

    __tablename__ = "used_assertion"

    client: str = Field(primary_key=True, max_length=64)
    jti: str = Field(primary_key=True, max_length=128)
    until: datetime = Field(index=True)
