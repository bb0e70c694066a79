"""Which route needs what: `@requires("audience:read")`, or a name in OPEN_ROUTES with its reason.

An app with a route that is neither does not start.
"""

from collections.abc import Callable
from copy import deepcopy
from functools import wraps
from typing import Any, TypeVar

from flask import Flask, current_app, g, request
from sqlalchemy import bindparam, select
from sqlmodel import col

from cdp.errors import Problem
from cdp.web import current
from cdp.web.auth.caller import Caller
from cdp.web.auth.model import Client, RevokedToken
from cdp.web.auth.tokens import AccessToken, TokenRefused, Tokens

OPEN_ROUTES: dict[str, str] = {
    "static": "Styles and scripts of the pages",
    "front.home": "Says what this is",
    "front.docs": "The page of the interface's description",
    "api-docs.openapi_json": "The interface's description holds no data",
    "observing.healthz": "Asked by the machine's supervisor, tells nothing",
    "observing.readyz": "Asked by load balancers, tells nothing of people",
    "metrics.metrics": "Counters without a label that could hold a person",
    "oauth.token": "Authenticates the client itself",
    "oauth.introspect": "Authenticates the client itself",
    "oauth.revoke": "Authenticates the client itself",
    "oauth.metadata": "Public by RFC 8414",
    "oauth.resource_metadata": "Public by RFC 9728",
    "oauth.jwks": "Public keys",
    "ledger.jwks": "Public keys: whoever holds a receipt checks it without us",
    "schemas.portability_1": "A JSON Schema: holds no data, and whoever gets a package needs it",
    "privacy.privacy": "Says how to exercise rights, and holds no data",
    "privacy.unsubscribe_page": "The link in a mail is the permission (RFC 8058)",
    "privacy.unsubscribe": "The link in a mail is the permission (RFC 8058)",
    "privacy.confirm_page": "The link in a mail is the permission (double opt-in)",
    "privacy.confirm": "The link in a mail is the permission (double opt-in)",
    "privacy.gpc": "Public by the GPC specification",
    "ingest.*": "Doors of sources: write key or signature, checked there",
}
"""Endpoint → why nobody needs a token for it. `name.*` opens a whole blueprint."""

_TAKEN_BACK = select(col(RevokedToken.jti)).where(col(RevokedToken.jti) == bindparam("jti"))

_STANDING = select(col(Client.recipient), col(Client.purposes), col(Client.scopes)).where(
    col(Client.client_id) == bindparam("client_id"), col(Client.revoked_at).is_(None), ~_TAKEN_BACK.exists()
)
"""What a client may do now, if it and this token of it still hold: asked at every call, so built once."""

ANY = ""
"""For routes that any client may call."""

F = TypeVar("F", bound=Callable[..., Any])


def requires(scope: str) -> Callable[[F], F]:
    """Let only clients with this scope in, and leave the caller in `g.client`; 401 or 403 otherwise."""

    def decorate(view: F) -> F:
        @wraps(view)
        def checked(*args: Any, **kwargs: Any) -> Any:
            g.client = authenticate()
            if scope and not g.client.may(scope):
                raise insufficient(scope)
            return view(*args, **kwargs)

        described = deepcopy(getattr(view, "_apidoc", {}))
        described.setdefault("manual_doc", {})["security"] = [{"oauth2": [scope] if scope else []}]
        checked._apidoc = described  # type: ignore[attr-defined]
        checked.scope_needed = scope  # type: ignore[attr-defined]
        return checked  # type: ignore[return-value]

    return decorate


def authenticate() -> Caller:
    """Return who is calling; raises Problem 401 unless the token and its client hold right now."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not text:
        raise _challenge("")
    tokens: Tokens = current_app.extensions["sekisho_tokens"]
    try:
        token = tokens.read(text.strip())
    except TokenRefused:
        raise _challenge("invalid_token") from None
    caller = _caller(token)
    if caller is None:
        raise _challenge("invalid_token")
    return caller


def refuse_unnamed(app: Flask) -> None:
    """Raise unless every route either requires a scope or is named open."""
    for rule in app.url_map.iter_rules():
        if not is_named(app, rule.endpoint):
            raise RuntimeError(f"route {rule.rule} neither requires a scope nor is in OPEN_ROUTES")


def is_named(app: Flask, endpoint: str) -> bool:
    """Whether somebody thought about who may call this."""
    if hasattr(app.view_functions[endpoint], "scope_needed"):
        return True
    return endpoint in OPEN_ROUTES or f"{endpoint.rpartition('.')[0]}.*" in OPEN_ROUTES


def _caller(token: AccessToken) -> Caller | None:
    """One indexed read: is the client still registered, and was this token taken back?"""
    with current.database().snapshot() as session:
        row = session.connection().execute(_STANDING, {"client_id": token.client_id, "jti": token.jti}).first()
    if row is None:
        return None
    return Caller(
        client_id=token.client_id,
        recipient=row.recipient,
        purposes=token.purposes & frozenset(row.purposes.split()),
        scopes=token.scopes & frozenset(row.scopes.split()),
    )


def _challenge(error: str) -> Problem:
    base = current.deployment().settings.base_url.rstrip("/")
    challenge = f'Bearer realm="sekisho", resource_metadata="{base}/.well-known/oauth-protected-resource"'
    if error:
        challenge += f', error="{error}"'
    kind = error or "unauthorized"
    detail = "Send an access token of POST /oauth/token as `Authorization: Bearer …`."
    return Problem(401, kind, detail, headers={"WWW-Authenticate": challenge})


def insufficient(scope: str, detail: str = "") -> Problem:
    """Return the 403 that names the scope which is missing."""
    challenge = f'Bearer realm="sekisho", error="insufficient_scope", scope="{scope}"'
    detail = detail or f"This needs the scope {scope}, which the token does not carry."
    return Problem(403, "insufficient_scope", detail, headers={"WWW-Authenticate": challenge}, extra={"scope": scope})
