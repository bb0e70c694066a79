"""The addresses of OAuth2: token, introspection, revocation, metadata and public keys."""

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, current_app, jsonify, request

from cdp.deployment import Deployment
from cdp.errors import Problem, StartRefused
from cdp.web.auth import clients, keys
from cdp.web.auth.caller import SCOPES
from cdp.web.auth.server import ASSERTION_ALGORITHMS, Server
from cdp.web.auth.tokens import Tokens

blueprint = Blueprint("oauth", __name__)

SINGLE = (
    "grant_type",
    "scope",
    "token",
    "token_type_hint",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
)


def register(app: Flask, deployment: Deployment) -> None:
    """Assemble the authorization server; raises StartRefused where secrets would travel in the clear."""
    if not travels_safely(deployment.settings.base_url):
        raise StartRefused("CDP_BASE_URL must begin with https:// (plain http is for this machine only).")
    signing = keys.load(deployment.settings.home)
    tokens = Tokens(signing, deployment.settings.base_url, deployment.clock)
    app.extensions["sekisho_tokens"] = tokens
    app.extensions["sekisho_oauth"] = Server(app, deployment.database, tokens)
    app.register_blueprint(blueprint)


def travels_safely(base_url: str) -> bool:
    """Whether secrets sent to this address stay secret: https, or a loopback address."""
    parts = urlsplit(base_url)
    if parts.scheme == "https":
        return bool(parts.hostname)
    if parts.scheme != "http" or not parts.hostname:
        return False
    try:
        return parts.hostname == "localhost" or ipaddress.ip_address(parts.hostname).is_loopback
    except ValueError:
        return False


@blueprint.post("/oauth/token")
def token() -> Response:
    """Exchange client credentials for an access token (RFC 6749 4.4)."""
    _check_form()
    return _answered(_server().create_token_response)


@blueprint.post("/oauth/introspect")
def introspect() -> Response:
    """Say whether a token holds, and what it says (RFC 7662)."""
    _check_form()
    return _answered(_server().create_endpoint_response, "introspection")


@blueprint.post("/oauth/revoke")
def revoke() -> Response:
    """Take a token back at once (RFC 7009)."""
    _check_form()
    return _answered(_server().create_endpoint_response, "revocation")


@blueprint.get("/.well-known/oauth-authorization-server")
def metadata() -> Response:
    """Describe the authorization server (RFC 8414)."""
    base = _tokens().issuer
    methods = list(clients.METHODS)
    algorithms = [name for names in ASSERTION_ALGORITHMS.values() for name in names]
    described: dict[str, Any] = {
        "issuer": base,
        "token_endpoint": f"{base}/oauth/token",
        "introspection_endpoint": f"{base}/oauth/introspect",
        "revocation_endpoint": f"{base}/oauth/revoke",
        "jwks_uri": f"{base}/.well-known/jwks.json",
        "scopes_supported": list(SCOPES),
        "response_types_supported": [],
        "grant_types_supported": ["client_credentials"],
        "service_documentation": f"{base}/api/docs",
    }
    for endpoint in ("token", "introspection", "revocation"):
        described[f"{endpoint}_endpoint_auth_methods_supported"] = methods
        described[f"{endpoint}_endpoint_auth_signing_alg_values_supported"] = algorithms
    return jsonify(described)


@blueprint.get("/.well-known/oauth-protected-resource")
def resource_metadata() -> Response:
    """Say which server gives tokens for the API (RFC 9728)."""
    tokens = _tokens()
    return jsonify(
        resource=tokens.audience,
        authorization_servers=[tokens.issuer],
        scopes_supported=list(SCOPES),
        bearer_methods_supported=["header"],
    )


@blueprint.get("/.well-known/jwks.json")
def jwks() -> Response:
    """Publish the keys that verify access tokens."""
    response = jsonify(_tokens().keys.published())
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


def _check_form() -> None:
    doubled = any(len(request.form.getlist(name)) > 1 for name in SINGLE)
    ways = (
        ("Authorization" in request.headers) + ("client_secret" in request.form) + ("client_assertion" in request.form)
    )
    if request.mimetype != "application/x-www-form-urlencoded" or doubled or ways > 1:
        raise _malformed()


def _answered(answer: Any, *arguments: str) -> Response:
    """Authlib decodes Basic headers and assertions before it doubts them."""
    try:
        response: Response = answer(*arguments)
    except ValueError:
        raise _malformed() from None
    return response


def _malformed() -> Problem:
    detail = "Send each parameter once, as application/x-www-form-urlencoded, in UTF-8; authenticate in one way only."
    return Problem(400, "invalid_request", detail, extra={"error": "invalid_request", "error_description": detail})


def _server() -> Server:
    server: Server = current_app.extensions["sekisho_oauth"]
    return server


def _tokens() -> Tokens:
    tokens: Tokens = current_app.extensions["sekisho_tokens"]
    return tokens
