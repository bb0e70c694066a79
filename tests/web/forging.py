"""Forges tokens and assertions as an attacker would: byte by byte, since no library writes what attacks need."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

from joserfc.jwk import ECKey
from joserfc.jws import JWSRegistry
from werkzeug.test import TestResponse

from tests.web.conftest import Site

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

Sign = Callable[[bytes], bytes]

LEFT_OUT = object()
"""In place of a member: leave it out."""


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def segment(members: dict[str, Any] | str) -> str:
    """A dictionary as JSON, or JSON as it is written, for what no dictionary can say."""
    text = members if isinstance(members, str) else json.dumps({k: v for k, v in members.items() if v is not LEFT_OUT})
    return b64(text.encode())


def jws(header: dict[str, Any] | str, claims: dict[str, Any] | str, sign: Sign) -> str:
    signed = f"{segment(header)}.{segment(claims)}"
    return f"{signed}.{b64(sign(signed.encode()))}"


def by_key(key: ECKey) -> Sign:
    return lambda signed: JWSRegistry.algorithms["ES256"].sign(signed, key)


def by_hmac(secret: bytes, name: str = "sha256") -> Sign:
    return lambda signed: hmac.new(secret, signed, getattr(hashlib, name)).digest()


def by_nobody(_: bytes) -> bytes:
    return b""


class Token:
    """A good access token of a client, and everything that can be changed about it."""

    def __init__(self, site: Site, *scopes: str, **how: Any) -> None:
        self.site, self.key = site, site.tokens.keys.current
        self.client_id, self.secret = site.client(*scopes, **how)
        self.text = site.token(self.client_id, self.secret).get_json()["access_token"]
        self.header: dict[str, Any] = {"alg": "ES256", "typ": "at+jwt", "kid": self.key.kid}
        self.claims = site.tokens.read(self.text).claims

    def changed(self, header: dict[str, Any] | None = None, sign: Sign | None = None, **claims: Any) -> str:
        """The token with other members; signed by our own key unless told otherwise."""
        return jws({**self.header, **(header or {})}, {**self.claims, **claims}, sign or by_key(self.key))

    def written(self, *members: str) -> str:
        """The token with members appended to its claims as they are written, ours signing all of it."""
        return jws(
            self.header, json.dumps(self.claims)[:-1] + "".join(f", {m}" for m in members) + "}", by_key(self.key)
        )

    def opens(self, text: str | None = None) -> TestResponse:
        """Call the API with a token."""
        shown = f"Bearer {self.text if text is None else text}".encode().decode("latin-1")
        return self.site.browser.get("/api/audiences", headers={"Authorization": shown})


class Signer:
    """A client with a key, and everything that can be wrong with its assertions."""

    def __init__(self, site: Site) -> None:
        self.site, self.key = site, ECKey.generate_key("P-256")
        self.client_id, _ = site.client(public_key=self.key.as_pem(private=False).decode())
        self.made = 0

    @property
    def header(self) -> dict[str, Any]:
        return {"alg": "ES256", "typ": "JWT"}

    @property
    def claims(self) -> dict[str, Any]:
        """Fresh claims: each call has its own `jti`."""
        now, base = int(self.site.clock.now().timestamp()), self.site.deployment.settings.base_url
        self.made += 1
        own = {"iss": self.client_id, "sub": self.client_id, "aud": f"{base}/oauth/token"}
        return {**own, "jti": f"once-{self.made}", "iat": now, "exp": now + 60}

    def changed(self, header: dict[str, Any] | None = None, sign: Sign | None = None, **claims: Any) -> str:
        return jws({**self.header, **(header or {})}, {**self.claims, **claims}, sign or by_key(self.key))

    def written(self, *members: str) -> str:
        return jws(
            self.header, json.dumps(self.claims)[:-1] + "".join(f", {m}" for m in members) + "}", by_key(self.key)
        )

    def opens(self, text: str, **form: str) -> TestResponse:
        """Ask for an access token with an assertion."""
        asked = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": text}
        return self.site.browser.post("/oauth/token", data={**asked, **form})
