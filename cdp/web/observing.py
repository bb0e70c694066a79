"""What the web process tells its operator: log lines and metrics by allow-list, liveness, readiness.

A line names the route's template, never the path, the query or the address that called; metrics have
no label that could hold a person.
"""

import sys
import time
from collections.abc import Callable, MutableMapping
from typing import Any

import structlog
from flask import Blueprint, Flask, Response, current_app, g, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from sqlalchemy import text

from cdp.errors import Problem
from cdp.settings import Settings
from cdp.web import current

ALLOWED = frozenset(
    {"event", "level", "timestamp", "logger", "method", "route", "status", "ms", "client", "error_id", "kind", "where"}
    | {"what"}
)
"""The only keys a log line may have; anything else is dropped before it is written."""

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}

blueprint = Blueprint("observing", __name__)

_log = structlog.get_logger("cdp.web")


class Meters:
    """The metrics of one app, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "sekisho_http_requests", "Requests answered", ["method", "route", "status"], registry=self.registry
        )
        self.seconds = Histogram("sekisho_http_seconds", "Time to answer", ["route"], registry=self.registry)


def configure_log(settings: Settings) -> None:
    """Write one JSON object a line to stderr, with allowed keys only."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            only_allowed,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[settings.log_level]),
        logger_factory=_to_stderr,
        cache_logger_on_first_use=False,
    )


def only_allowed(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop every key that is not on the list."""
    return {key: value for key, value in line.items() if key in ALLOWED}


def register(app: Flask) -> None:
    """Observe every request of this app."""
    app.extensions["sekisho_meters"] = Meters()
    app.before_request(_start)
    app.after_request(_note)
    app.register_blueprint(blueprint)


@blueprint.get("/healthz")
def healthz() -> Response:
    """Say that the process answers."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def readyz() -> Response:
    """Say whether the process can do its work: database, keyring and policy; 503 while it cannot."""
    checks = {name: _passes(check) for name, check in CHECKS.items()}
    if not all(checks.values()):
        detail = "Not ready: " + ", ".join(name for name, passed in checks.items() if not passed) + "."
        raise Problem(503, "not_ready", detail, headers={"Retry-After": "5"}, extra={"checks": checks})
    return jsonify(status="ready", checks=checks)


@blueprint.get("/metrics")
def metrics() -> Response:
    """Return the counters in Prometheus's text format."""
    meters: Meters = current_app.extensions["sekisho_meters"]
    return Response(generate_latest(meters.registry), content_type=CONTENT_TYPE_LATEST)


def _database_answers() -> None:
    with current.database().snapshot() as session:
        session.execute(text("SELECT 1"))


def _keyring_reads() -> None:
    current.deployment().vault.digest("readiness", b"")


def _policy_loaded() -> None:
    if not current.policy().uses:
        raise LookupError("the policy has no use")


CHECKS: dict[str, Callable[[], None]] = {
    "database": _database_answers,
    "keyring": _keyring_reads,
    "policy": _policy_loaded,
}


def _passes(check: Callable[[], None]) -> bool:
    try:
        check()
    except Exception as error:  # whatever it is, the answer is "not ready"
        _log.warning("not_ready", kind=type(error).__name__)
        return False
    return True


def _start() -> None:
    g.started = time.perf_counter()


def _note(response: Response) -> Response:
    route = request.url_rule.rule if request.url_rule else "unmatched"
    method = request.method if request.method in METHODS else "other"
    seconds = time.perf_counter() - g.pop("started", time.perf_counter())
    meters: Meters = current_app.extensions["sekisho_meters"]
    meters.requests.labels(method, route, str(response.status_code)).inc()
    meters.seconds.labels(route).observe(seconds)
    client = getattr(g.get("client"), "client_id", "")
    _log.info(
        "request",
        method=method,
        route=route,
        status=response.status_code,
        ms=round(seconds * 1000, 1),
        client=client,
    )
    return response


def _to_stderr(*_: Any) -> Any:
    return structlog.PrintLogger(sys.stderr)
