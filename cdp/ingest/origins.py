"""Origins of registered sources: a third party is confirmed, people are told, records end (APPI 30, GDPR 14)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from cdp import gate, policy
from cdp.clock import months_later
from cdp.connector import provenance
from cdp.connector.model import ReceivedRecord
from cdp.connector.provenance import Receipt
from cdp.errors import FieldError, Problem
from cdp.ingest import sources
from cdp.ingest.model import Source
from cdp.policy import processing
from cdp.policy.terms import Law

NOTICE_MONTHS = 1
"""Within one month of obtaining the data (GDPR 14(3)(a)); at the first message or disclosure if that is earlier."""


@dataclass(frozen=True, slots=True)
class NoticeDue:
    """A source whose people were not yet told where their data come from."""

    source: str
    due: date


def confirm(
    session: Session,
    name: str,
    receipt: Receipt,
    received_on: date | None,
    at: datetime,
    items: Sequence[str] = (),
) -> str:
    """Record that a source's provider was confirmed and have its people decided again; returns the record's id.

    `items` are the categories of data received; without them, all that the source may bring. Raises Problem 404 for
    an unknown source, 409 and 422 as `provenance.confirm`, 422 for an unknown category.
    """
    unknown = sorted(set(items) - set(policy.of(session).categories))
    if unknown:
        wrong = [FieldError("/items", f"policies/categories.yaml declares no {one}.") for one in unknown]
        raise Problem(422, "unknown_category", "An item is no declared category; see errors.", wrong)
    items = list(items) or list(_categories(session, name))
    record = provenance.confirm(session, name, receipt, items, received_on or at.date(), at)
    sources.tell_terms(session, sources.get(session, name))
    return record


def doubt(session: Session, name: str, at: datetime) -> int:
    """Take a confirmation back; returns how many people wait from now on. Raises Problem 404, 409."""
    source = sources.get(session, name)
    provenance.doubt(session, name, at)
    sources.tell_terms(session, source)
    return gate.expire_source(session, name)


def notices_due(session: Session) -> list[NoticeDue]:
    """Return the sources that have data from others, under the GDPR, and whose people nobody was told of."""
    if Law.GDPR not in policy.of(session).packs:
        return []
    return [
        NoticeDue(name, months_later(one.since.date(), NOTICE_MONTHS))
        for name, one in sorted(provenance.origins(session).items())
        if one.obtained_from != provenance.SUBJECT and one.notice_at is None
    ]


def received(session: Session, names: list[str]) -> list[dict[str, Any]]:
    """Return the records of receipt of these sources as people are shown them (APPI 33(5))."""
    return [_shown(one) for one in provenance.records(session, names)]


def prune(session: Session, at: datetime) -> int:
    """Delete the records of receipt of sources that were closed longer ago than records are kept; returns how many."""
    begin = gate.kept.begin_of_time(policy.of(session), at)
    closed = list(session.scalars(select(col(Source.name)).where(col(Source.removed_at) < begin)))
    return provenance.forget(session, closed, begin) if closed else 0


def _categories(session: Session, name: str) -> Iterator[str]:
    """Yield the categories of data that the source may bring, in the policy's order."""
    config, terms = sources.config(session, name), policy.of(session)
    columns = (target for layout in config.layouts.values() for target in layout["columns"].values())
    targets = (target.partition(":") for column in columns for target in column.split(","))
    claimed = {name for kind, _, name in targets if kind == "claim"}
    held = {*config.traits, *claimed, *(one.namespace for one in config.identifiers), *config.events}
    found = {category for _, what, category in processing.categories(terms) if what in held}
    yield from (category for category in terms.categories if category in found)


def _shown(one: ReceivedRecord) -> dict[str, Any]:
    return {
        "record": one.id,
        "source": one.source,
        "provider": {"name": one.provider, "address": one.address, "representative": one.representative},
        "acquired": one.acquired,
        "route": one.route,
        "filing": one.filing,
        "items": one.items.split(),
        "received_on": one.received_on.isoformat(),
        "confirmed_at": one.confirmed_at.isoformat(),
    }
