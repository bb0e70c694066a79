"""Tables of journeys: where each person is, and every move with the fact that caused it."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel


class Stage(SQLModel, table=True):
    """Where a person is in a journey now; derived from the person's facts."""

    __tablename__ = "stage"
    __table_args__ = (Index("ix_stage_journey_stage", "journey", "stage"), Index("ix_stage_until", "until"))

    person: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    journey: str = Field(primary_key=True, max_length=64)
    stage: str = Field(max_length=64)
    since: datetime
    until: datetime | None = None
    """When the stage's time-out moves the person on, if nothing else does."""
    cause: bytes | None = None
    """`ref` of the fact that moved the person here; None for a time-out."""


class Transition(SQLModel, table=True):
    """One move of a person between stages, with its cause."""

    __tablename__ = "transition"
    __table_args__ = (Index("ix_transition_journey_at", "journey", "at"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True)
    person: int = Field(index=True)
    journey: str = Field(max_length=64)
    from_stage: str = Field(default="", max_length=64)
    to_stage: str = Field(max_length=64)
    at: datetime
    cause: bytes | None = None
    rule: str = Field(max_length=64)
