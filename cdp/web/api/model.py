"""Table of answers already given, so that a write sent twice under one key happens once."""

from datetime import datetime

from sqlmodel import Field, SQLModel


class Idempotency(SQLModel, table=True):
    """What a client's write under a key was answered with; kept a day."""

    __tablename__ = "idempotency"

    client: str = Field(primary_key=True, max_length=64)
    key: bytes = Field(primary_key=True)
    """Keyed digest of the client's key: what clients choose is not ours to keep."""
    fingerprint: bytes
    """Keyed digest of method, address and body: the same key with another request is refused."""
    status: int
    """Negative while what follows the commit is not done; 0 within the writing transaction only."""
    sealed_answer: bytes
    """Under the keyring's credential key: an answer may hold a link that acts for its holder."""
    until: datetime = Field(index=True)
