"""Registered sources: added with their credentials, found by the key that they show.

A write key is kept as a keyed digest only; vendors' secrets are sealed under the keyring's
credential key, another class than people's data. Adding says once what the other side needs.
"""

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from cdp import connector, gate, ledger, policy, profile, vault
from cdp.connector import ConnectorType, provenance
from cdp.connector.kit import SourceConfig
from cdp.errors import FieldError, Problem
from cdp.ingest.model import Dropped, Source

NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")
LONGEST_KEY = 256
HOOK_SECRET = "hook_secret"  # noqa: S105 - the name of it


@dataclass(frozen=True, slots=True)
class Drop:
    """What a source brought that was not taken in: a field's or event's name and the reason, never a value."""

    what: str
    reason: str
    count: int
    last_day: date


def add(
    session: Session, name: str, type: str, settings: Mapping[str, str], at: datetime, base_url: str = ""
) -> list[tuple[str, str]]:
    """Register a source; returns what the other side needs, as (key, value), secrets for the only time.

    Raises Problem: unknown_connector_type, invalid_settings, unknown_notice, unknown_trait, source_exists.
    """
    kind = type_of(session, type)
    if not NAME.fullmatch(name):
        wrong = FieldError("/name", "Lower-case letters, digits, _ and -, beginning with a letter.")
        raise Problem(400, "invalid_settings", "The name is not acceptable; see errors.", [wrong])
    if session.get(Source, name) is not None:
        raise Problem(
            409,
            "source_exists",
            "There is or was a source of this name, which its facts refer to: choose another name.",
        )
    _check_notice(session, settings)
    _check_traits(session, settings)
    told = _register(session, name, kind, connector.check_settings(kind.manifest, settings), at)
    told |= {"base_url": base_url, "webhook_url": f"{base_url}/hooks/{name}{told.get('path', '')}"}
    ledger.note(session, "source.added", {"source": name, "type": type}, at)
    config = connector.configure(kind.manifest, name, settings)
    provenance.declare(session, name, config.obtained_from, at)
    tell_terms(session, get(session, name))
    return [(key, _filled(value, told)) for key, value in kind.source.welcome(config)]


def change(session: Session, name: str, settings: Mapping[str, str], at: datetime) -> None:
    """Change settings of a source, for example to take in a field that it drops, or a vendor's new secret.

    Raises Problem: unknown_source, and what `add` raises. What was received before is not read again.
    """
    source = get(session, name)
    kind = type_of(session, source.type)
    known = credentials(session, source)
    made = {key: value for key, value in known.items() if _is_made(kind, key)}
    asked = {key: value for key, value in known.items() if key not in made}
    _check_notice(session, settings)
    _check_traits(session, settings)
    plain, secret = _parted(kind, connector.check_settings(kind.manifest, {**asked, **settings}))
    source.settings, source.sealed_credentials = plain, _sealed(session, name, {**secret, **made})
    session.add(source)
    provenance.declare(session, name, configured(session, source).obtained_from, at)
    tell_terms(session, source)
    ledger.note(session, "source.changed", {"source": name, "settings": len(settings)}, at)


def remove(session: Session, name: str, at: datetime) -> None:
    """Close the door of a source: its key and secrets are forgotten, what it brought stays."""
    source = get(session, name)
    source.removed_at, source.key_digest, source.sealed_credentials = at, None, None
    session.add(source)
    ledger.note(session, "source.removed", {"source": name}, at)


def tell_all_terms(session: Session) -> None:
    """Say of every source what it declares of the people it brings; decides those people again where that is new."""
    for source in session.exec(select(Source)):
        tell_terms(session, source)


def tell_terms(session: Session, source: Source) -> None:
    """Say what a source declares of the people it brings, and what is known of where it has them from."""
    session.flush()
    name, settings, config = source.name, json.loads(source.settings), configured(session, source)
    declared = {
        "establishment": config.establishment,
        "offers_to": ",".join(config.offers_to),
        "collected_for": settings.get("collected_for", ""),
        "addresses": settings.get("addresses", ""),
        "employees": settings.get("people") == "employees",
        "from_opt_out": name in provenance.opt_out_sources(session),
        "eu_adequacy": settings.get("eu_adequacy") == "true",
        "quarantined": name in provenance.unconfirmed_sources(session),
    }
    if profile.declared.tell(session, name, declared):
        gate.expire_source(session, name)


def find_by_key(session: Session, key: str) -> Source | None:
    """Return the source that the write key opens, or None."""
    if not key or len(key) > LONGEST_KEY:
        return None
    statement = select(Source).where(Source.key_digest == _key_digest(session, key), col(Source.removed_at).is_(None))
    return session.exec(statement).first()


def find(session: Session, name: str) -> Source | None:
    """Return the source of this name that is in use, or None."""
    source = session.get(Source, name)
    return source if source is not None and source.removed_at is None else None


def get(session: Session, name: str) -> Source:
    """Return the source of this name; raises Problem (404 unknown_source)."""
    source = find(session, name)
    if source is None:
        raise Problem(
            404, "unknown_source", "No source has this name: see `cdp connector list` or GET /api/connectors."
        )
    return source


def list_all(session: Session) -> list[Source]:
    """Return every source in use, by name."""
    return list(session.exec(select(Source).where(col(Source.removed_at).is_(None)).order_by(col(Source.name))))


def type_of(session: Session, type: str) -> ConnectorType:
    """Return the connector type; raises Problem (400 unknown_connector_type) naming those there are."""
    types = connector.of(session)
    if type not in types:
        raise Problem(400, "unknown_connector_type", f"The types are {', '.join(sorted(types))}.")
    return types[type]


def config(session: Session, name: str) -> SourceConfig:
    """Return what ingest and the connector must know of the source; raises Problem (404 unknown_source)."""
    return configured(session, get(session, name))


def configured(session: Session, source: Source) -> SourceConfig:
    """Return the source's manifest with its settings applied."""
    return connector.configure(type_of(session, source.type).manifest, source.name, json.loads(source.settings))


def credentials(session: Session, source: Source) -> dict[str, str]:
    """Return the source's settings and secrets by name, as its connector checks signatures with."""
    sealed = source.sealed_credentials
    opened = json.loads(vault.of(session).open_credentials(source.name, sealed)) if sealed else {}
    return {**json.loads(source.settings), **opened}


def drops(session: Session, name: str, since: date = date.min) -> list[Drop]:
    """Return what the source brought since that day that was not taken in, most frequent first.

    Raises Problem (404 unknown_source).
    """
    get(session, name)
    total = func.sum(col(Dropped.count))
    statement = (
        select(Dropped.what, Dropped.reason, total, func.max(col(Dropped.day)))
        .where(Dropped.source == name, col(Dropped.day) >= since)
        .group_by(col(Dropped.what), col(Dropped.reason))
        .order_by(total.desc(), col(Dropped.what), col(Dropped.reason))
        .limit(1000)
    )
    return [Drop(what, reason, int(count), day) for what, reason, count, day in session.exec(statement)]


def _register(
    session: Session, name: str, kind: ConnectorType, settings: Mapping[str, str], at: datetime
) -> dict[str, str]:
    """Write the source; returns what was made for it: `write_key`, or `secret` and the `path` that ends in it."""
    terms = kind.manifest.settings
    plain, secret = _parted(kind, settings)
    made: dict[str, str] = {}
    if kind.manifest.auth == "write_key":
        made["write_key"] = secrets.token_urlsafe(24)
    if kind.manifest.auth == "secret_url":
        made["secret"] = secret[HOOK_SECRET] = secrets.token_urlsafe(32)
        made["path"] = f"/{made['secret']}"
    made |= {key: secrets.token_urlsafe(32) for key, term in terms.items() if term.generated}
    secret |= {key: made[key] for key, term in terms.items() if term.generated}
    session.add(
        Source(
            name=name,
            type=kind.manifest.name,
            settings=plain,
            sealed_credentials=_sealed(session, name, secret),
            key_digest=_key_digest(session, made["write_key"]) if "write_key" in made else None,
            created_at=at,
        )
    )
    session.flush()
    return made


def _parted(kind: ConnectorType, settings: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Return what may stand in the clear, as JSON, and what may not."""
    terms = kind.manifest.settings
    secret = {key: value for key, value in settings.items() if key in terms and terms[key].secret}
    plain = {key: value for key, value in settings.items() if key not in secret}
    return json.dumps(plain, sort_keys=True, ensure_ascii=False), secret


def _is_made(kind: ConnectorType, key: str) -> bool:
    """Whether the secret was made here, not set by an operator."""
    term = kind.manifest.settings.get(key)
    return key == HOOK_SECRET or (term is not None and term.generated)


def _sealed(session: Session, name: str, secret: Mapping[str, str]) -> bytes | None:
    return vault.of(session).seal_credentials(name, json.dumps(secret).encode()) if secret else None


def _check_notice(session: Session, settings: Mapping[str, str]) -> None:
    """Refuse a notice that the policy does not hold: nothing said under it could ever count."""
    said = tuple(settings.get(key, "") for key in ("notice", "notice_version", "language"))
    if said[0] and not any(
        all(not ours or ours == theirs for ours, theirs in zip(said, known, strict=True))
        for known in policy.of(session).notices
    ):
        wrong = FieldError("/settings/notice", "The policy has no such notice in this version and language.")
        raise Problem(400, "unknown_notice", "The notice is not declared; see errors.", [wrong])


def _check_traits(session: Session, settings: Mapping[str, str]) -> None:
    """Refuse to map a field to a trait that the policy does not declare: it would be dropped all the same."""
    wrong = [
        FieldError(f"/settings/{key}", "policies/traits.yaml declares no such trait.")
        for key, trait in settings.items()
        if key.startswith("trait.") and trait not in policy.of(session).traits
    ]
    if wrong:
        raise Problem(400, "unknown_trait", "A field is mapped to a trait that is not declared; see errors.", wrong)


def _key_digest(session: Session, key: str) -> bytes:
    return vault.of(session).digest("write_key", key.encode("utf-8", "replace"))


def _filled(value: str, told: Mapping[str, str]) -> str:
    for key, text in told.items():
        value = value.replace("{" + key + "}", text)
    return value
