"""Tables of the vault: one wrapped data key per subject, and which keyring belongs to this database."""

from datetime import datetime

from sqlmodel import Field, SQLModel


class SubjectKey(SQLModel, table=True):
    """A subject's data key (DEK), wrapped by the subject's leaf of the keyring."""

    __tablename__ = "subject_key"

    subject: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    tree: int
    """Which tree of the keyring holds the leaf (rotation of the root starts another)."""
    wrapped: bytes


class KeyringMark(SQLModel, table=True):
    """The keyring this database was made with, and the newest version of it ever seen here."""

    __tablename__ = "keyring_mark"

    keyring: str = Field(primary_key=True)
    version: int
    at: datetime
