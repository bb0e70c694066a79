"""Every error leaves as `application/problem+json` (RFC 9457) with a stable `type`.

No document here repeats what was sent: texts are ours, by status or by type, and a pointer names
a field only when it looks like a field's name. What we did not foresee is a 500 with an id; the
log line of that id holds the kind of the exception and where it rose, never its message.
"""

import json
import re
import secrets
import traceback
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from itertools import islice
from pathlib import Path
from typing import Any

import structlog
from flask import Flask, Response
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException

from cdp.errors import FieldError, Problem, Unavailable

URN = "urn:sekisho:problem:"

CONTENT_TYPE = "application/problem+json"

RETRY_AFTER_SECONDS = "5"

MOST_ERRORS = 100
"""How many mistakes of one input are told: a body may hold a hundred thousand."""

_DETAILS = {
    400: "The request is not well formed.",
    401: "Authenticate with an access token of POST /oauth/token.",
    403: "This is not allowed.",
    404: "There is nothing here, or nothing that may be shown.",
    405: "This address does not take that method; see the Allow header.",
    406: "This can only be answered as JSON.",
    413: "The body is larger than this door takes.",
    415: "Send the body as application/json.",
    422: "The request is well formed, but its content is not acceptable.",
    429: "Too many requests; see the Retry-After header.",
}

_OWN_HEADERS = ("content-type", "content-length")

_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_\-]{0,39}")

_log = structlog.get_logger("cdp.web")


def register(app: Flask) -> None:
    """Answer every error of this app with a problem document."""
    app.register_error_handler(Problem, respond)
    app.register_error_handler(ValidationError, lambda error: respond(invalid(error.messages)))
    app.register_error_handler(HTTPException, from_http)
    app.register_error_handler(Unavailable, _from_unavailable)
    app.register_error_handler(Exception, _from_fault)


def document(problem: Problem) -> dict[str, Any]:
    """Return the members of the problem document."""
    body: dict[str, Any] = {
        **problem.extra,
        "type": URN + problem.type,
        "title": problem.type.replace("_", " ").capitalize(),
        "status": problem.status,
        "detail": problem.detail,
    }
    if problem.errors:
        body["errors"] = [{"pointer": error.pointer, "detail": error.detail} for error in problem.errors]
    return body


def respond(problem: Problem) -> Response:
    """Return the problem as a response, with its headers."""
    body = json.dumps(document(problem), ensure_ascii=False)
    headers = {"Cache-Control": "no-store", **problem.headers}
    return Response(body, status=problem.status, headers=headers, content_type=CONTENT_TYPE)


def invalid(messages: Any, location: str = "") -> Problem:
    """Return the problem of input that a schema refused: a pointer and a text per field, no value."""
    errors = list(islice(_pointed(messages, location), MOST_ERRORS))
    return Problem(400, "invalid_input", "Some of the input is not acceptable; see errors.", errors=errors)


def from_http(error: HTTPException) -> Response:
    """Return an HTTP error as a problem, keeping Allow, WWW-Authenticate and Retry-After."""
    status = error.code or 500
    if status < 400:
        return Response(error.get_response().get_data(), status=status, headers=dict(error.get_headers()))
    messages = getattr(error, "data", {}).get("messages")
    if messages:
        return respond(_from_parser(messages))
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "error"
    kept = {name: value for name, value in error.get_headers() if name.lower() not in _OWN_HEADERS}
    kind = re.sub(r"[^a-z]+", "_", phrase.lower())
    return respond(Problem(status, kind, _DETAILS.get(status, phrase + "."), headers=kept))


def _from_parser(messages: Mapping[str, Any]) -> Problem:
    """Webargs keys its messages by where the input stood; the body needs no such prefix."""
    location, inner = next(iter(messages.items()))
    if location == "json":
        return invalid(inner)
    return invalid(inner, f"/{location}")


def _pointed(messages: Any, at: str) -> Iterator[FieldError]:
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            yield from _pointed(inner, at if key == "_schema" else f"{at}/{_name(key)}")
    elif isinstance(messages, list | tuple):
        for inner in messages:
            yield from _pointed(inner, at)
    else:
        yield FieldError(at or "/", str(messages))


def _name(key: object) -> str:
    """A key that does not look like a field's name may be somebody's address: it is not repeated."""
    text = str(key)
    return text if (text.isdigit() and len(text) < 6) or _FIELD.fullmatch(text) else "*"


def _from_unavailable(error: Unavailable) -> Response:
    _log.error("unavailable", what=error.what)
    detail = "Something that this answer depends on cannot be reached now; nothing was disclosed. Try again."
    return respond(Problem(503, "unavailable", detail, headers={"Retry-After": RETRY_AFTER_SECONDS}))


def _from_fault(error: Exception) -> Response:
    error_id = secrets.token_hex(8)
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    where = [f"{Path(frame.filename).name}:{frame.lineno}:{frame.name}" for frame in frames]
    _log.error("fault", error_id=error_id, kind=type(error).__name__, where=where)
    detail = "This is our fault. Give the error_id to whoever runs this deployment."
    return respond(Problem(500, "internal", detail, extra={"error_id": error_id}))
