"""Tables of where data come from: each source's declared origin, and what a provider confirmed (APPI 30, GDPR 14)."""

from datetime import date, datetime

from sqlmodel import Field, SQLModel


class SourceOrigin(SQLModel, table=True):
    """Whom a source has its data from. A third party is confirmed first: before, nothing of it may be used."""

    __tablename__ = "source_origin"

    source: str = Field(primary_key=True, max_length=64)
    obtained_from: str = Field(max_length=16)
    """subject | third_party | public"""
    since: datetime
    """When it was declared, which is before anything of it arrived."""
    confirmed: bool = False
    """Who provides it and how they acquired it was confirmed, and nobody doubted it since."""
    notice_at: datetime | None = None
    """When the people were told where their data come from (GDPR 14)."""


class ReceivedRecord(SQLModel, table=True):
    """What a provider confirmed about data received from them; kept three years (APPI 30(3)-(4), rule 24)."""

    __tablename__ = "received_record"

    id: str = Field(primary_key=True, max_length=32)
    source: str = Field(max_length=64, index=True)
    """Whose subjects are the people: each keeps the source that it came from."""
    provider: str
    address: str
    representative: str = ""
    """Of a company; empty for a natural person."""
    acquired: str
    """How the provider acquired the data, as it told (取得の経緯)."""
    seen: str
    """By what that was confirmed: a contract, a form, the commission's list."""
    route: str = Field(max_length=16)
    """consent | opt_out: on which ground the provider may hand them over (27(1), 27(2))."""
    filing: str = ""
    """Opt-out: the number under which the commission publishes it."""
    items: str
    """Categories of data, separated by blanks."""
    received_on: date
    confirmed_at: datetime
