"""Assembles the web process. It refuses to start with a route that nobody thought about."""

import sys
from typing import NoReturn

import flask.json.provider
from flask import Flask, request
from werkzeug.exceptions import NotFound
from werkzeug.routing import IntegerConverter, Map

from cdp import deployment as deploying
from cdp.connector.reading import is_storable
from cdp.deployment import Deployment
from cdp.errors import Problem, StartRefused
from cdp.ids import GREATEST
from cdp.settings import read_settings
from cdp.web import errors, front, headers, ingest, limits, metrics, observing
from cdp.web.api import documents
from cdp.web.auth import access, events, routes
from cdp.web.privacy import pages

LARGEST_BODY = 1_048_576
"""Bytes as they arrive; doors that unpack have their own cap on what comes out."""


class _Number(IntegerConverter):
    """A number that the database gave, in a path; there is nothing under a larger one."""

    def __init__(self, map: Map) -> None:
        super().__init__(map, max=GREATEST)


def create_app(deployment: Deployment | None = None) -> Flask:
    """Return the app of this deployment, or of the one that the environment describes.

    When it may not start, prints the one sentence that says what to do, and exits.
    """
    try:
        return _assemble(deployment or deploying.assemble(read_settings()))
    except StartRefused as refused:
        _exit(refused)


def _assemble(deployment: Deployment) -> Flask:
    app = Flask("cdp.web")
    app.config.update(
        MAX_CONTENT_LENGTH=max(LARGEST_BODY, deployment.settings.max_batch_bytes),
        MAX_FORM_MEMORY_SIZE=65_536,
        MAX_FORM_PARTS=20,
    )
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.url_map.converters["int"] = _Number
    app.extensions["sekisho"] = deployment
    app.extensions["sekisho.limits"] = limits.Limits.of(deployment.settings)
    limits.trust_proxies(app, deployment.settings.trusted_proxies)
    if isinstance(app.json, flask.json.provider.DefaultJSONProvider):
        app.json.ensure_ascii = False
        app.json.sort_keys = False
    observing.configure_log(deployment.settings)
    headers.register(app, secure=deployment.settings.base_url.startswith("https://"))
    metrics.register(app)
    observing.register(app)
    errors.register(app)
    events.register(app)
    routes.register(app, deployment)
    app.register_blueprint(front.blueprint)
    app.register_blueprint(pages.blueprint)
    app.register_blueprint(ingest.blueprint)
    app.before_request(_only_storable)
    app.before_request(_only_json)
    documents.register(app)
    access.refuse_unnamed(app)
    return app


def _only_storable() -> None:
    """Nothing has a name with NUL in it, and no database may be asked for one."""
    if not is_storable(request.path):
        raise NotFound


def _only_json() -> None:
    """A body that the API would not read is refused, rather than treated as missing."""
    if request.path.startswith("/api/") and request.content_length and not request.is_json:
        raise Problem(415, "unsupported_media_type", "Send the body as application/json.")


def _exit(refused: StartRefused) -> NoReturn:
    print(refused, file=sys.stderr)  # noqa: T201 - the one sentence that a failed start says
    raise SystemExit(1)
