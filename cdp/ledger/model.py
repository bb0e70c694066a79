"""Tables of the ledger: entries without order between them, and the sealed checkpoints over them."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel


class LedgerEntry(SQLModel, table=True):
    """One thing done. `header` is canonical JSON without a person's value; people are pseudonyms in it."""

    __tablename__ = "ledger_entry"
    __table_args__ = (Index("ix_ledger_entry_tree_index", "tree_index", unique=True), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True)
    entry: str = Field(unique=True, max_length=32)
    at: datetime
    act: str = Field(max_length=40, index=True)
    header: str
    leaf: bytes
    mac: bytes
    """HMAC under the keyring: an edit before sealing is caught too."""
    tree_index: int | None = None


class LedgerCheckpoint(SQLModel, table=True):
    """A signed tree head; the same lines are appended to a file outside the database."""

    __tablename__ = "ledger_checkpoint"

    origin: str = Field(primary_key=True)
    size: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    root: bytes
    signature: bytes
    at: datetime
