"""Access tokens: RFC 9068 `at+jwt`, ES256, short; believed only when everything about them fits.

Refused whatever the signature says: another algorithm, another type, a key named by the token itself
(`jwk`, `jku`, `x5u`), any header that we do not write (`crit` too), another issuer or audience.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError

from cdp.clock import Clock
from cdp.web.auth.keys import ALGORITHM, SigningKeys
from cdp.web.auth.model import Client

SECONDS = 300
"""Longest life of an access token."""

TYPES = ("at+jwt", "application/at+jwt")

HEADERS = {"alg", "typ", "kid"}

LONGEST = 8192


class TokenRefused(Exception):
    """The token is not one of ours, or not any more."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What a believed token says."""

    client_id: str
    scopes: frozenset[str]
    purposes: frozenset[str]
    jti: str
    issued_at: int
    expires_at: int
    claims: dict[str, Any]


class Tokens:
    """Issues and reads the access tokens of one deployment."""

    def __init__(self, keys: SigningKeys, base_url: str, clock: Clock) -> None:
        self.keys = keys
        self.issuer = base_url.rstrip("/")
        self.audience = self.issuer + "/api"
        self.clock = clock

    def issue(self, client: Client, scopes: str) -> str:
        """Return a token for the client: its purposes ride along, the gate still decides per person."""
        issued = int(self.clock.now().timestamp())
        claims = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": client.client_id,
            "client_id": client.client_id,
            "scope": scopes,
            "cdp_purposes": client.purposes.split(),
            "jti": secrets.token_urlsafe(16),
            "iat": issued,
            "exp": issued + SECONDS,
        }
        key = self.keys.current
        return jwt.encode({"alg": ALGORITHM, "typ": "at+jwt", "kid": key.kid}, claims, key, algorithms=[ALGORITHM])

    def read(self, text: str) -> AccessToken:
        """Return what the token says; raises TokenRefused for any reason to doubt it."""
        try:
            return self._read(text)
        except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise TokenRefused from None

    def _read(self, text: str) -> AccessToken:
        if len(text) > LONGEST:
            raise ValueError("too long")
        header = jws.extract_compact(text.encode("ascii")).headers()
        key = self.keys.find(header.get("kid"))
        if key is None or set(header) != HEADERS or str(header["typ"]).lower() not in TYPES:
            raise ValueError("not a header of ours")
        claims = jwt.decode(text, key, algorithms=[ALGORITHM]).claims
        self._registry().validate(claims)
        return AccessToken(
            client_id=_text(claims["client_id"]),
            scopes=frozenset(_text(claims["scope"]).split()),
            purposes=frozenset(_text(name) for name in claims["cdp_purposes"]),
            jti=_text(claims["jti"]),
            issued_at=int(claims["iat"]),
            expires_at=int(claims["exp"]),
            claims=claims,
        )

    def _registry(self) -> jwt.JWTClaimsRegistry:
        return jwt.JWTClaimsRegistry(
            now=int(self.clock.now().timestamp()),
            leeway=0,
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": self.audience},
            exp={"essential": True},
            iat={"essential": True},
            jti={"essential": True},
            client_id={"essential": True},
        )


def end_of(token: AccessToken, at: datetime) -> datetime:
    """Return when the token ends by itself, for the rows that outlive it by nothing."""
    return at + timedelta(seconds=max(0, token.expires_at - int(at.timestamp())))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value
