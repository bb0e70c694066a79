"""The interface's description (OpenAPI 3.1) and its resources, registered with the app."""

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from flask import Flask, Response
from flask_smorest import Api
from flask_smorest.spec import APISpecMixin
from werkzeug.exceptions import HTTPException

from cdp.web import errors
from cdp.web.api import (
    audiences,
    connectors,
    consents,
    decisions,
    identity,
    journeys,
    ledger,
    processing,
    profiles,
    proposals,
    receipts,
    schemas,
    subject_requests,
)
from cdp.web.api.fields import ProblemSchema
from cdp.web.auth.caller import SCOPES

RESOURCES = (
    audiences,
    journeys,
    profiles,
    consents,
    receipts,
    decisions,
    identity,
    proposals,
    subject_requests,
    schemas,
    connectors,
    ledger,
    processing,
)

DESCRIPTION = """Sekisho hands people's data out under a permit only. Get a token at `POST /oauth/token`
(client credentials). Every error is a problem document (RFC 9457). A refusal that depends on no person
is 403 with its reason; one about a person is absence or 404. Lists go on with `cursor`; writes take
`Idempotency-Key`; what is about people is never to be cached and not to be used after `use_by`."""


class Documented(Api):  # type: ignore[misc]
    """flask-smorest, with problem documents for its errors."""

    ERROR_SCHEMA = ProblemSchema

    def handle_http_exception(self, error: HTTPException) -> Response:
        return errors.from_http(error)

    def _register_responses(self) -> None:
        """Register the error responses under the media type that they really have."""
        usual: str = Api.DEFAULT_RESPONSE_CONTENT_TYPE
        self.DEFAULT_RESPONSE_CONTENT_TYPE = errors.CONTENT_TYPE
        APISpecMixin._register_responses(self)
        self.DEFAULT_RESPONSE_CONTENT_TYPE = usual


def register(app: Flask) -> None:
    """Register every resource and its description with the app."""
    app.config.update(
        API_TITLE="Sekisho",
        API_VERSION=_version(),
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/api",
        OPENAPI_JSON_PATH="openapi.json",
    )
    api = Documented(app, spec_kwargs={"info": {"description": DESCRIPTION}})
    flow: dict[str, Any] = {"tokenUrl": "/oauth/token", "scopes": SCOPES}
    scheme = {"type": "oauth2", "flows": {"clientCredentials": flow}}
    api.spec.components.security_scheme("oauth2", scheme)
    for resource in RESOURCES:
        api.register_blueprint(resource.blueprint)


def _version() -> str:
    try:
        return version("sekisho")
    except PackageNotFoundError:
        return "0"
