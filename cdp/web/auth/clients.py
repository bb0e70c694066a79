"""API clients: registered for one recipient and some purposes, with a secret or a public key.

A secret is 256 random bits, shown once; only its keyed digest is kept.
"""

import json
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from hmac import compare_digest
from typing import Any

from joserfc import jwk
from joserfc.errors import JoseError
from sqlmodel import Session, col, select

from cdp import ledger, policy, vault
from cdp.connector.reading import is_storable
from cdp.errors import FieldError, Problem
from cdp.web.auth.caller import DEFAULT_SCOPES, SCOPES
from cdp.web.auth.model import Client

METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt")

KEY_TYPES = {"EC": ("P-256",), "OKP": ("Ed25519",)}


def create(
    session: Session,
    name: str,
    recipient: str,
    purposes: Sequence[str],
    scopes: Sequence[str] = DEFAULT_SCOPES,
    public_key: str = "",
    *,
    at: datetime,
    secret_in_body: bool = False,
) -> tuple[str, str | None]:
    """Register a client; returns its id and, without a public key, its secret (shown this once).

    `public_key` is a JWK or PEM (EC P-256 or Ed25519). Raises Problem for an unknown recipient, purpose
    or scope, a key that cannot be used, or a name that is taken.
    """
    scopes = tuple(scopes) or DEFAULT_SCOPES
    _check_declared(session, name, recipient, purposes, scopes)
    secret = None if public_key else secrets.token_urlsafe(32)
    method = "private_key_jwt" if public_key else "client_secret_post" if secret_in_body else "client_secret_basic"
    client = Client(
        client_id=secrets.token_urlsafe(16),
        name=name,
        recipient=recipient,
        purposes=" ".join(purposes),
        scopes=" ".join(scopes),
        method=method,
        secret_digest=digest_secret(session, secret) if secret else None,
        public_key=import_public_key(public_key) if public_key else None,
        created_at=at,
    )
    session.add(client)
    header = {"client": client.client_id, "recipient": recipient, "purposes": list(purposes), "scopes": list(scopes)}
    ledger.note(session, "client.created", header, at)
    return client.client_id, secret


def list_all(session: Session) -> list[Client]:
    """Return every client, revoked ones too, by name."""
    return list(session.exec(select(Client).order_by(col(Client.name))))


def find(session: Session, client_id: str) -> Client | None:
    """Return the client if it exists and was not revoked."""
    if not client_id or not is_storable(client_id):
        return None
    client = session.get(Client, client_id)
    return client if client and client.revoked_at is None else None


def revoke(session: Session, client_or_name: str, at: datetime) -> bool:
    """Take a client's access back at once, its tokens too; False if there is no such live client."""
    statement = select(Client).where((col(Client.client_id) == client_or_name) | (col(Client.name) == client_or_name))
    client = session.exec(statement).first()
    if client is None or client.revoked_at is not None:
        return False
    client.revoked_at = at
    session.add(client)
    ledger.note(session, "client.revoked", {"client": client.client_id}, at)
    return True


def digest_secret(session: Session, secret: str) -> bytes:
    """Return what is kept of a secret."""
    return vault.of(session).digest("client_secret", secret.encode())


def secret_matches(session: Session, client: Client, secret: str) -> bool:
    """Compare in constant time; a client with a key has no secret and never matches."""
    if client.secret_digest is None:
        return False
    return compare_digest(client.secret_digest, digest_secret(session, secret))


def import_public_key(text: str) -> str:
    """Return the key as a JWK without private parts; raises Problem unless it is EC P-256 or Ed25519."""
    try:
        key = _parse(text).as_dict(private=False)
    except (JoseError, ValueError, TypeError, KeyError):
        raise _unusable_key() from None
    if key.get("crv") not in KEY_TYPES.get(str(key.get("kty")), ()):
        raise _unusable_key()
    return json.dumps(key)


def _parse(text: str) -> Any:
    if text.lstrip().startswith("{"):
        return jwk.import_key(json.loads(text))
    try:
        return jwk.ECKey.import_key(text)
    except (JoseError, ValueError, TypeError):
        return jwk.OKPKey.import_key(text)


def _unusable_key() -> Problem:
    return Problem(400, "unusable_key", "The public key must be a JWK or PEM of EC P-256 or Ed25519.")


def _check_declared(
    session: Session, name: str, recipient: str, purposes: Iterable[str], scopes: Iterable[str]
) -> None:
    declared = policy.of(session)
    errors = [] if recipient in declared.recipients else [FieldError("/recipient", "No such recipient in policies.")]
    errors += _unknown("/purposes", "No such purpose in policies.", purposes, declared.purposes)
    errors += _unknown("/scopes", "No such scope.", scopes, SCOPES)
    if not name or session.exec(select(Client).where(Client.name == name)).first():
        errors.append(FieldError("/name", "The name is empty or taken."))
    if errors:
        raise Problem(400, "invalid_client_registration", "The client cannot be registered; see errors.", errors)


def _unknown(pointer: str, detail: str, names: Iterable[str], known: Iterable[str]) -> list[FieldError]:
    return [FieldError(f"{pointer}/{n}", detail) for n, name in enumerate(names) if name not in set(known)]
