"""Who may call what: the one table of the access matrix. A route that is not here fails the suite.

`needs` is a scope, or how else a caller shows itself; `answers` is what whoever may call is told for the
request beside it, `elsewhere` what a client is told that is registered for other purposes.
"""

from dataclasses import dataclass
from typing import Any

from cdp.web.auth.caller import EVERYTHING

OPEN = "open"
"""Anybody, with any credentials or none."""
ANY_TOKEN = "any token"
CLIENT = "client credentials"
"""The client shows itself at this address, and no token does that for it."""
WRITE_KEY = "write key"
IN_QUERY = "write key in the query"
VENDOR = "signature of a vendor"

KNOWN = {"type": "email", "value": "nobody@people.example"}
USE = {"purpose": "email_marketing", "channel": "email"}
QUERY = "?purpose=email_marketing&channel=email"
STATEMENT = {"notice": "newsletter", "notice_version": "2", "language": "ja", "status": "given"}
RULE = {"everyone": True}
ABSENT = "0" * 32
PAIR = {"one": 1, "other": 2}
REQUEST = f"/api/subject-requests/{ABSENT}"


@dataclass(frozen=True)
class Cell:
    """What one method of one route needs, and a request that whoever may call can make."""

    needs: str
    path: str
    body: Any = None
    answers: int = 200
    elsewhere: int | None = None


TABLE: dict[str, Cell] = {
    "GET /": Cell(OPEN, "/"),
    "GET /static/<path:filename>": Cell(OPEN, "/static/page.css"),
    "GET /healthz": Cell(OPEN, "/healthz"),
    "GET /readyz": Cell(OPEN, "/readyz"),
    "GET /metrics": Cell(OPEN, "/metrics"),
    "GET /.well-known/gpc.json": Cell(OPEN, "/.well-known/gpc.json"),
    "GET /.well-known/jwks.json": Cell(OPEN, "/.well-known/jwks.json"),
    "GET /.well-known/oauth-authorization-server": Cell(OPEN, "/.well-known/oauth-authorization-server"),
    "GET /.well-known/oauth-protected-resource": Cell(OPEN, "/.well-known/oauth-protected-resource"),
    "POST /oauth/token": Cell(CLIENT, "/oauth/token", {"grant_type": "client_credentials"}),
    "POST /oauth/introspect": Cell(CLIENT, "/oauth/introspect", {"token": "x"}),
    "POST /oauth/revoke": Cell(CLIENT, "/oauth/revoke", {"token": "x"}),
    "GET /privacy": Cell(OPEN, "/privacy"),
    "GET /privacy/unsubscribe/<token>": Cell(OPEN, "/privacy/unsubscribe/x", answers=404),
    "POST /privacy/unsubscribe/<token>": Cell(OPEN, "/privacy/unsubscribe/x", answers=404),
    "GET /privacy/confirm/<token>": Cell(OPEN, "/privacy/confirm/x"),
    "POST /privacy/confirm/<token>": Cell(OPEN, "/privacy/confirm/x", answers=404),
    "GET /api/docs": Cell(OPEN, "/api/docs"),
    "GET /api/openapi.json": Cell(OPEN, "/api/openapi.json"),
    "GET /api/schemas/portability-1.json": Cell(OPEN, "/api/schemas/portability-1.json"),
    "GET /api/audiences": Cell("audience:read", "/api/audiences"),
    "GET /api/audiences/<string:name>": Cell("audience:read", "/api/audiences/everyone"),
    "GET /api/audiences/<string:name>/count": Cell(
        "audience:read", f"/api/audiences/everyone/count{QUERY}", elsewhere=403
    ),
    "GET /api/audiences/<string:name>/members": Cell(
        "audience:read", f"/api/audiences/everyone/members{QUERY}", elsewhere=403
    ),
    "GET /api/audiences/<string:name>/changes": Cell(
        "audience:read", f"/api/audiences/everyone/changes{QUERY}", elsewhere=403
    ),
    "POST /api/audiences/preview": Cell(
        "audience:read", "/api/audiences/preview", {"rule": RULE, **USE}, elsewhere=403
    ),
    "POST /api/audiences/<string:name>/explain": Cell(
        "decision:read", "/api/audiences/everyone/explain", {"identifier": KNOWN, **USE}, answers=404, elsewhere=403
    ),
    "GET /api/journeys": Cell("journey:read", "/api/journeys"),
    "GET /api/journeys/<string:name>": Cell("journey:read", f"/api/journeys/standard{QUERY}", elsewhere=403),
    "GET /api/journeys/<string:name>/stages/<string:stage>/members": Cell(
        "journey:read", f"/api/journeys/standard/stages/purchase/members{QUERY}", elsewhere=403
    ),
    "GET /api/journeys/<string:name>/stages/<string:stage>/changes": Cell(
        "journey:read", f"/api/journeys/standard/stages/purchase/changes{QUERY}", elsewhere=403
    ),
    "POST /api/profiles/lookup": Cell(
        "profile:read", "/api/profiles/lookup", {"identifier": KNOWN, **USE}, answers=404, elsewhere=403
    ),
    "POST /api/consents": Cell(
        "consent:write", "/api/consents", {"identifier": KNOWN, **USE, **STATEMENT}, answers=201, elsewhere=403
    ),
    "GET /api/consents": Cell("consent:write", "/api/consents?subject=x", answers=404),
    "POST /api/consents/lookup": Cell("consent:write", "/api/consents/lookup", {"identifier": KNOWN}),
    "GET /api/consents/<string:record_id>/receipt": Cell(
        "consent:write", f"/api/consents/{ABSENT}/receipt", answers=404
    ),
    "POST /api/consents/withdraw": Cell("consent:write", "/api/consents/withdraw", {"identifier": KNOWN}),
    "GET /api/identity/cases": Cell("identity:review", "/api/identity/cases"),
    "GET /api/identity/cases/<int:case_id>": Cell("identity:review", "/api/identity/cases/1", answers=404),
    "POST /api/identity/cases/<int:case_id>/decision": Cell(
        "identity:review", "/api/identity/cases/1/decision", {"action": "block", "reason": "no one"}, answers=404
    ),
    "POST /api/identity/cases/<int:case_id>/undo": Cell(
        "identity:review", "/api/identity/cases/1/undo", {"reason": "no"}, answers=404
    ),
    "POST /api/identity/explanations": Cell("identity:review", "/api/identity/explanations", PAIR, answers=404),
    "GET /api/identity/decisions": Cell("identity:review", "/api/identity/decisions"),
    "POST /api/identity/decisions": Cell(
        "identity:review", "/api/identity/decisions", {**PAIR, "kind": "must", "reason": "one"}, answers=404
    ),
    "POST /api/identity/retractions": Cell(
        "identity:review",
        "/api/identity/retractions",
        {"subject": 1, "value": "email ●000000", "reason": "typed"},
        answers=404,
    ),
    "DELETE /api/identity/decisions/<int:decision>": Cell("identity:review", "/api/identity/decisions/1", answers=404),
    "GET /api/identity/proposals": Cell("identity:review", "/api/identity/proposals"),
    "GET /api/identity/proposals/<int:proposal>": Cell("identity:review", "/api/identity/proposals/1", answers=404),
    "POST /api/identity/proposals/<int:proposal>/decision": Cell(
        "identity:review", "/api/identity/proposals/1/decision", {"action": "accept", "reason": "one"}, answers=404
    ),
    "DELETE /api/identity/proposals/<int:proposal>/decision": Cell(
        "identity:review", "/api/identity/proposals/1/decision", answers=404
    ),
    "POST /api/decisions": Cell("decision:read", "/api/decisions", {"subject": "x", **USE}, answers=404, elsewhere=403),
    "POST /api/subject-requests": Cell(
        "request:write",
        "/api/subject-requests",
        {"right": "access", "identifier": KNOWN, "requester": "subject"},
        answers=202,
    ),
    "GET /api/subject-requests/<string:id>": Cell("request:write", f"/api/subject-requests/{ABSENT}", answers=404),
    "GET /api/subject-requests/<string:id>/package": Cell(
        "request:write", f"/api/subject-requests/{ABSENT}/package", answers=404
    ),
    "GET /api/subject-requests": Cell(EVERYTHING, "/api/subject-requests"),
    "POST /api/subject-requests/<string:id>/accept": Cell(EVERYTHING, f"{REQUEST}/accept", answers=404),
    "POST /api/subject-requests/<string:id>/close": Cell(
        EVERYTHING, f"{REQUEST}/close", {"outcome": "refused", "reason": "not theirs"}, answers=404
    ),
    "POST /api/subject-requests/<string:id>/extend": Cell(
        EVERYTHING, f"{REQUEST}/extend", {"at": "2026-06-01T00:00:00Z", "reason": "many systems"}, answers=404
    ),
    "POST /api/subject-requests/<string:id>/tell": Cell(
        EVERYTHING, f"{REQUEST}/tell", {"at": "2026-06-01T00:00:00Z"}, answers=404
    ),
    "POST /api/subject-requests/<string:id>/verify": Cell(EVERYTHING, f"{REQUEST}/verify", answers=404),
    "GET /api/connectors": Cell("ingest:write", "/api/connectors"),
    "GET /api/connector-types": Cell("ingest:write", "/api/connector-types"),
    "GET /api/connectors/<string:name>/drops": Cell("ingest:write", "/api/connectors/shop/drops"),
    "GET /api/records-of-processing": Cell(EVERYTHING, "/api/records-of-processing"),
    "GET /api/ledger/checkpoint": Cell(ANY_TOKEN, "/api/ledger/checkpoint", answers=404),
    "GET /api/ledger/jwks.json": Cell(OPEN, "/api/ledger/jwks.json"),
    "GET /api/ledger/proof/<string:entry>": Cell(ANY_TOKEN, f"/api/ledger/proof/{ABSENT}", answers=404),
    "POST /v1/<call>": Cell(WRITE_KEY, "/v1/batch", {"batch": []}),
    "POST /beacon/v1/batch": Cell(IN_QUERY, "/beacon/v1/batch", {"batch": []}),
    "GET /v1/projects/<string:write_key>/settings": Cell(WRITE_KEY, "/v1/projects/x/settings", answers=401),
    "GET /sourceConfig": Cell(WRITE_KEY, "/sourceConfig"),
    "GET /sourceConfig/": Cell(WRITE_KEY, "/sourceConfig/"),
    "GET /hooks/<string:source>": Cell(VENDOR, "/hooks/line", answers=405),
    "POST /hooks/<string:source>": Cell(VENDOR, "/hooks/line", {"events": []}, answers=401),
    "GET /hooks/<string:source>/<string:secret>": Cell(VENDOR, "/hooks/line/x", answers=404),
    "POST /hooks/<string:source>/<string:secret>": Cell(VENDOR, "/hooks/line/x", {"events": []}, answers=404),
}
