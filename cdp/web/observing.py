"""What the web process tells its operator: log lines by allow-list, liveness, readiness.

A line names the route's template, never the path, the query or the address that called.
"""

import sys
import time
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from typing import Any, TextIO, cast

import structlog
from flask import Blueprint, Flask, Response, g, jsonify

from cdp.errors import Problem
from cdp.settings import Settings
from cdp.web import current, draining, readiness
from cdp.web.metrics.scraping import method_of_request, route_of_request

ALLOWED = frozenset(
    {"event", "level", "timestamp", "logger", "method", "route", "status", "ms", "client", "error_id", "kind", "where"}
    | {"what"}
)
"""The only keys a log line may have; anything else is dropped before it is written."""

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}

blueprint = Blueprint("observing", __name__)

_log = structlog.get_logger("cdp.web")


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


def _policy_loaded() -> None:
    if not current.policy().uses:
        raise LookupError("the policy has no use")


def _not_stopping() -> None:
    if draining.is_draining():
        raise InterruptedError("about to stop")


CHECKS: dict[str, Callable[[], None]] = {
    "running": _not_stopping,
    "database": readiness.database_writes,
    "keyring": readiness.keyring_opens,
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
    seconds = time.perf_counter() - g.pop("started", time.perf_counter())
    client = getattr(g.get("client"), "client_id", "")
    _log.info(
        "request",
        method=method_of_request(),
        route=route_of_request(),
        status=response.status_code,
        ms=round(seconds * 1000, 1),
        client=client,
    )
    return response


class _Log:
    """Stderr, wherever it leads: a full disk under the log makes no answer fail."""

    def write(self, line: str) -> None:
        with suppress(OSError):
            sys.stderr.write(line)

    def flush(self) -> None:
        with suppress(OSError):
            sys.stderr.flush()


def _to_stderr(*_: Any) -> Any:
    return structlog.PrintLogger(cast(TextIO, _Log()))
