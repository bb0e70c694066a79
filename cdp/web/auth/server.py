"""The authorization server: client credentials only, by secret or by signed assertion (RFC 6749, 7523).

Each assertion gives one token: its `jti` is inserted before the token exists, so that of two copies
arriving at once one loses. Revocation works, though tokens are JWT: every request asks for the row.
"""

import json
from datetime import UTC, datetime
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.integrations.flask_oauth2.requests import FlaskOAuth2Payload
from authlib.oauth2.base import OAuth2Error
from authlib.oauth2.rfc6749 import ClientMixin, InvalidClientError, InvalidScopeError, OAuth2Request, grants
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from flask import Flask, Response, request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import import_key
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from cdp.connector.reading import is_storable
from cdp.db import Database, insert_ignoring
from cdp.errors import Problem
from cdp.web import errors
from cdp.web.auth import clients, compact
from cdp.web.auth.caller import EVERYTHING
from cdp.web.auth.model import CLOCKS_APART, Client, RevokedToken, UsedAssertion
from cdp.web.auth.tokens import SECONDS, AccessToken, TokenRefused, Tokens, end_of

LONGEST_ASSERTION_LIFE = 3600
"""Seconds; what unmodified client libraries ask for. Single use is what keeps an assertion harmless."""

LEEWAY = 30

ASSERTION_HEADERS = {"alg", "typ", "kid"}

ASSERTION_ALGORITHMS = {"EC": ["ES256"], "OKP": ["EdDSA", "Ed25519"]}

_DETAILS = {
    "invalid_client": "The client could not be authenticated.",
    "invalid_request": "A parameter is missing, doubled or malformed.",
    "invalid_scope": "The client is not registered for a scope that was asked for.",
    "unsupported_grant_type": "Only grant_type=client_credentials is given here.",
    "unauthorized_client": "The client may not use this grant.",
    "unsupported_token_type": "Only access tokens are known here.",
    "invalid_grant": "The token does not belong to this client.",
}


class Registered(ClientMixin):  # type: ignore[misc]
    """A client as Authlib asks about it."""

    def __init__(self, row: Client, database: Database) -> None:
        self.row = row
        self._database = database

    def get_client_id(self) -> str:
        return self.row.client_id

    def get_allowed_scope(self, scope: str | None) -> str:
        """Return the scopes to grant: what was asked, else everything the client has."""
        has = self.row.scopes.split()
        asked = scope.split() if scope else has
        if not set(asked) <= set(has):
            raise InvalidScopeError()
        return " ".join(dict.fromkeys(asked))

    def check_client_secret(self, client_secret: str) -> bool:
        with self._database.snapshot() as session:
            return clients.secret_matches(session, self.row, client_secret)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == self.row.method

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "client_credentials"


class Assertion(JWTBearerClientAssertion):  # type: ignore[misc]
    """`private_key_jwt`: checked against the registered key only, each assertion once."""

    CLIENT_AUTH_METHOD = "private_key_jwt"

    def __init__(self, database: Database, tokens: Tokens) -> None:
        super().__init__(leeway=LEEWAY)
        self._database = database
        self._tokens = tokens

    def get_audiences(self) -> list[str]:
        return [self._tokens.issuer + "/oauth/token", self._tokens.issuer]

    def resolve_client_public_key(self, client: Registered) -> Any:
        if client.row.public_key is None:
            raise InvalidClientError(status_code=401)
        return import_key(json.loads(client.row.public_key))

    def __call__(self, query_client: Any, request: Any) -> Registered | None:
        """Authlib reads an assertion before it doubts it: only one that is a plain JWT comes so far."""
        try:
            if text := request.form.get("client_assertion"):
                compact.peek(text)
        except compact.Refused:
            raise InvalidClientError(status_code=401) from None
        client: Registered | None = super().__call__(query_client, request)
        return client

    def process_assertion_claims(self, assertion: str, resolve_key: Any) -> dict[str, Any]:
        """Return the claims; raises InvalidClientError unless the client's own key signed all of them."""
        try:
            algorithms = ASSERTION_ALGORITHMS[resolve_key.key_type]
            claims = compact.read(assertion, ASSERTION_HEADERS, lambda _: resolve_key, algorithms)
            self.verify_claims(claims)
        except (compact.Refused, JoseError, ValueError, TypeError, KeyError):
            raise InvalidClientError(status_code=401) from None
        return claims

    def verify_claims(self, claims: dict[str, Any]) -> None:
        """Raise unless the assertion was made by this client for this server alone, is short and new."""
        now = self._tokens.clock.now()
        jwt.JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=LEEWAY,
            iss={"essential": True, "value": claims["sub"]},
            sub={"essential": True, "value": request.form.get("client_id", claims["sub"])},
            aud={"essential": True},
            exp={"essential": True},
            jti={"essential": True},
        ).validate(claims)
        if claims["aud"] not in (*self.get_audiences(), *([one] for one in self.get_audiences())):
            raise ValueError("meant for somebody else too")
        if claims["exp"] > now.timestamp() + LONGEST_ASSERTION_LIFE + LEEWAY:
            raise ValueError("lives too long")
        if not self.validate_jti(claims, claims["jti"]):
            raise ValueError("used before")

    def validate_jti(self, claims: dict[str, Any], jti: object) -> bool:
        """Take the assertion's id; False if somebody was first."""
        if not isinstance(jti, str) or not 0 < len(jti) <= 128 or not is_storable(jti):
            return False
        now = self._tokens.clock.now()
        until = datetime.fromtimestamp(claims["exp"] + LEEWAY, UTC)

        def take(session: Session) -> None:
            session.execute(delete(UsedAssertion).where(col(UsedAssertion.until) < now - CLOCKS_APART))
            session.add(UsedAssertion(client=claims["sub"], jti=jti, until=until))
            session.flush()

        try:
            self._database.attempt(take)
        except IntegrityError:
            return False
        return True


class ClientCredentials(grants.ClientCredentialsGrant):  # type: ignore[misc]
    """The one grant."""

    TOKEN_ENDPOINT_AUTH_METHODS = clients.METHODS

    def validate_requested_scope(self) -> None:
        self.request.client.get_allowed_scope(self.request.payload.scope)


class Introspection(IntrospectionEndpoint):  # type: ignore[misc]
    """RFC 7662: a client may ask about its own tokens, an administrator about all."""

    CLIENT_AUTH_METHODS = clients.METHODS

    def query_token(self, token_string: str, token_type_hint: str | None) -> AccessToken | None:
        token: AccessToken | None = self.server.read(token_string)
        return token

    def check_permission(self, token: AccessToken, client: Registered, request: Any) -> bool:
        return token.client_id == client.row.client_id or EVERYTHING in client.row.scopes.split()

    def create_introspection_payload(self, token: AccessToken | None) -> dict[str, Any]:
        if token is None or not self.server.holds(token):
            return {"active": False}
        return {"active": True, "token_type": "Bearer", **token.claims}


class Revocation(RevocationEndpoint):  # type: ignore[misc]
    """RFC 7009: takes back a token of the client that asks; one that means nothing is answered alike."""

    CLIENT_AUTH_METHODS = clients.METHODS

    def authenticate_token(self, request: Any, client: Registered) -> AccessToken | None:
        self.check_params(request, client)
        token: AccessToken | None = self.server.read(request.form["token"])
        return token if token and token.client_id == client.row.client_id else None

    def revoke_token(self, token: AccessToken, request: Any) -> None:
        self.server.take_back(token)


class Server(AuthorizationServer):  # type: ignore[misc]
    """Authlib's server over the deployment's database, keys and clock."""

    def __init__(self, app: Flask, database: Database, tokens: Tokens) -> None:
        super().__init__(app, query_client=self._find, save_token=lambda token, request: None)
        self._database = database
        self._tokens = tokens
        self.register_token_generator("default", self._issue)
        self.register_client_auth_method("private_key_jwt", Assertion(database, tokens))
        self.register_grant(ClientCredentials)
        self.register_endpoint(Introspection)
        self.register_endpoint(Revocation)

    def read(self, text: str) -> AccessToken | None:
        """Return what the token says, or None if it is not one of ours."""
        try:
            return self._tokens.read(text)
        except TokenRefused:
            return None

    def holds(self, token: AccessToken) -> bool:
        """Whether the token was not taken back and its client is still registered."""
        with self._database.snapshot() as session:
            live = clients.find(session, token.client_id) is not None
            return live and session.get(RevokedToken, token.jti) is None

    def take_back(self, token: AccessToken) -> None:
        """Refuse the token from now on; rows of tokens that ended long ago go."""
        now = self._tokens.clock.now()
        with self._database.transaction() as session:
            session.execute(delete(RevokedToken).where(col(RevokedToken.until) < now - CLOCKS_APART))
            insert_ignoring(session, RevokedToken, [{"jti": token.jti, "until": end_of(token, now)}])

    def create_oauth2_request(self, _: Any) -> "FormRequest":
        return FormRequest()

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""

    def handle_error_response(self, _: Any, error: OAuth2Error) -> Response:
        """Answer RFC 6749's members inside a problem document; Authlib's texts may repeat input."""
        status = 401 if error.error == "invalid_client" else error.status_code
        headers = {"WWW-Authenticate": 'Basic realm="sekisho"'} if status == 401 else {}
        detail = _DETAILS.get(error.error, "The request was refused.")
        extra: dict[str, object] = {"error": error.error, "error_description": detail}
        return errors.respond(Problem(status, error.error, detail, headers=headers, extra=extra))

    def _find(self, client_id: str) -> Registered | None:
        with self._database.snapshot() as session:
            row = clients.find(session, client_id)
        return Registered(row, self._database) if row else None

    def _issue(self, grant_type: str, client: Registered, scope: str | None, **_: Any) -> dict[str, Any]:
        granted = client.get_allowed_scope(scope)
        token = self._tokens.issue(client.row, granted)
        return {"token_type": "Bearer", "access_token": token, "expires_in": SECONDS, "scope": granted}


class FormRequest(OAuth2Request):  # type: ignore[misc]
    """An OAuth request whose parameters stand in the body only: a URL ends up in logs.

    Whether the way here is safe is judged once, at the start, by `CDP_BASE_URL`: TLS usually ends
    at a proxy, so that the scheme seen here says nothing.
    """

    def __init__(self) -> None:
        super().__init__(request.method, "https://judged.at.the.start/", headers=request.headers)
        self.payload = FormPayload(request)

    @property
    def args(self) -> dict[str, str]:
        return {}

    @property
    def form(self) -> Any:
        return request.form


class FormPayload(FlaskOAuth2Payload):  # type: ignore[misc]
    """Parameters of the body."""

    @property
    def data(self) -> Any:
        return request.form
