"""Security events: one log line for each call that was refused for who called, or how (ASVS 16.3.1, 16.3.2).

It says which route, how and by which client; never a token, a secret, or a name that was only claimed.
"""

import structlog
from flask import Flask, Response, g, request

from cdp.web.errors import URN

REFUSED = frozenset({401, 403})

_log = structlog.get_logger("cdp.web.security")


def register(app: Flask) -> None:
    """Note every refused call of this app."""
    app.after_request(_note)


def _note(response: Response) -> Response:
    wrong_grant = request.blueprint == "oauth" and response.status_code == 400
    if response.status_code in REFUSED or wrong_grant:
        said = response.get_json(silent=True) or {}
        _log.warning(
            "access_refused",
            method=request.method if request.url_rule else "other",
            route=request.url_rule.rule if request.url_rule else "unmatched",
            status=response.status_code,
            kind=str(said.get("type", "")).removeprefix(URN),
            client=getattr(g.get("client"), "client_id", ""),
        )
    return response
