"""Access tokens: RFC 9068 `at+jwt`, ES256, short; believed only when everything about them fits.

Refused beside what no JWT may be (see `compact`): another algorithm, another type, any header that we do
not write, another issuer, audience or subject, a life longer than we give.

A token is a bearer's: DPoP and client certificates (RFC 9449, 8705) are not offered. What bounds a stolen
one is its five minutes, its client's recipient and purposes, and that revoking it holds at once.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from cdp.clock import Clock
from cdp.web.auth import compact
from cdp.web.auth.keys import ALGORITHM, SigningKeys
from cdp.web.auth.model import Client

SECONDS = 300
"""Longest life of an access token."""

TYPES = ("at+jwt", "application/at+jwt")

HEADERS = {"alg", "typ", "kid"}


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
        except (compact.Refused, JoseError, ValueError, TypeError, KeyError):
            raise TokenRefused from None

    def _read(self, text: str) -> AccessToken:
        claims = compact.read(text, HEADERS, self._key, [ALGORITHM])
        self._registry().validate(claims)
        if claims["aud"] != self.audience or claims["sub"] != claims["client_id"]:
            raise ValueError("not a token of ours")
        if claims["exp"] - claims["iat"] > SECONDS or not isinstance(claims["cdp_purposes"], list):
            raise ValueError("not a token of ours")
        return AccessToken(
            client_id=_text(claims["client_id"]),
            scopes=frozenset(_text(claims["scope"]).split()),
            purposes=frozenset(_text(name) for name in claims["cdp_purposes"]),
            jti=_text(claims["jti"]),
            issued_at=int(claims["iat"]),
            expires_at=int(claims["exp"]),
            claims=claims,
        )

    def _key(self, header: dict[str, Any]) -> ECKey | None:
        """Find the key that we signed with, by its id alone."""
        ours = set(header) == HEADERS and str(header["typ"]).lower() in TYPES
        return self.keys.find(header["kid"]) if ours else None

    def _registry(self) -> jwt.JWTClaimsRegistry:
        return jwt.JWTClaimsRegistry(
            now=int(self.clock.now().timestamp()),
            leeway=0,
            iss={"essential": True, "value": self.issuer},
            sub={"essential": True},
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
