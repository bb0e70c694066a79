"""Gathers what the record tells beside the policy: sources, API clients, and rounded numbers of people."""

from datetime import date

from sqlmodel import Session

from cdp import connector, identity, policy
from cdp.db import is_sqlite
from cdp.gate import rounding
from cdp.ingest import sources
from cdp.ingest.model import Source
from cdp.policy import processing
from cdp.policy.processing import Feed, Holdings, Reader, Record
from cdp.web.auth import clients


def record(session: Session, on: date, language: str) -> Record:
    """Write the record as of now; reads the tables of people once, for their number."""
    return processing.describe(policy.of(session), holdings(session), on, language)


def holdings(session: Session) -> Holdings:
    """Return what is registered and held; numbers of people as anybody may be told them (ruling R7)."""
    readers = (
        Reader(one.name, one.recipient, frozenset(one.purposes.split()))
        for one in clients.list_all(session)
        if one.revoked_at is None
    )
    store = "SQLite" if is_sqlite(session) else "PostgreSQL"
    feeds = (_feed(session, one) for one in sources.list_all(session))
    return Holdings(tuple(feeds), tuple(readers), _people(session), store)


def _feed(session: Session, source: Source) -> Feed:
    config = sources.configured(session, source)
    title = connector.of(session)[source.type].manifest.title
    return Feed(
        name=source.name,
        title_ja=title["ja"],
        title_en=title["en"],
        origin=config.obtained_from,
        purposes=frozenset(config.purposes),
        events={name: frozenset(term.purposes) for name, term in config.events.items()},
    )


def _people(session: Session) -> dict[str, int | None]:
    groups: dict[str, dict[str, str]] = {"trait": {}, "identifier": {}, "event": {}}
    for kind, name, category in processing.categories(policy.of(session)):
        groups[kind][name] = category
    counted = identity.people_with(session, groups["trait"], groups["identifier"], groups["event"])
    return {name: rounding.told(counted.get(name, 0)) for name in policy.of(session).categories}
