"""The doors of sources: the Segment protocol, and vendors' webhooks.

Whoever knocks shows a write key, a signature over the raw bytes, or a secret in the address.
Nothing is answered before it is stored; what is refused is told item by item to who asks for it.
"""

import hmac
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from cdp import ingest
from cdp.connector import ConnectorType
from cdp.connector.kit import REASONS, Incoming, Item, SourceConfig
from cdp.connector.reading import as_object, read_json
from cdp.errors import FieldError, Problem, Refusal
from cdp.ingest import sources
from cdp.ingest.model import Source
from cdp.web import current, errors, metrics
from cdp.web.bodies import check_type, read_body
from cdp.web.cors import allow_any_origin
from cdp.web.limits import Admitted, Limits, client_address

blueprint = Blueprint("ingest", __name__)

CALLS = "identify", "track", "page", "screen", "group", "alias", "i", "t", "p", "s", "g", "a", "batch", "import", "b"
MANY = frozenset({"batch", "import", "b", "beacon", "hook"})
JSON_TYPES = ("application/json", "text/plain", "application/x-www-form-urlencoded")
"""What SDKs call their JSON: browsers avoid a preflight, and RudderStack's for Node names its gzip so."""

TOLD_TO_ANYBODY = REASONS | {"undeclared_event"}
"""Refusals that lie in what was sent. Any other may tell of a person, and a public key is in everybody's hands."""


@dataclass(frozen=True, slots=True)
class Door:
    """A source that may come in, and its connector."""

    config: SourceConfig
    kind: ConnectorType
    credentials: dict[str, str]


@blueprint.post("/v1/<any({}):call>".format(",".join(CALLS)), endpoint="segment")
def take_segment(call: str) -> ResponseReturnValue:
    """Take one call or a batch of the Segment protocol."""
    check_type(*JSON_TYPES)
    body = read_body(current.deployment().settings.max_batch_bytes)
    return _answer(_by_key(_keys(body)), _incoming(body, call))


@blueprint.post("/beacon/v1/batch")
def beacon() -> ResponseReturnValue:
    """Take RudderStack's last batch of a page that closes; a beacon can send no header, so the key is in the query."""
    body = read_body(current.deployment().settings.max_batch_bytes)
    return _answer(_by_key(iter([request.args.get("writeKey", "")])), _incoming(body, "beacon"))


@blueprint.get("/v1/projects/<string:write_key>/settings")
def segment_settings(write_key: str) -> Response:
    """Tell Segment's browser library where to send."""
    _by_key(iter([write_key]))
    protocol, _, host = current.deployment().settings.base_url.partition("://")
    to_us = {"apiKey": write_key, "apiHost": f"{host.rstrip('/')}/v1", "protocol": protocol}
    plan = {"track": {"__default": {"enabled": True}}}
    # Unless it is told not to, the library tells its maker how it fares.
    return jsonify({"integrations": {"Segment.io": to_us}, "plan": plan, "metrics": {"sampleRate": 0}})


@blueprint.get("/sourceConfig", strict_slashes=False)
@blueprint.get("/sourceConfig/", strict_slashes=False)
def rudder_settings() -> Response:
    """Tell RudderStack's libraries that this source is on and has no destinations of its own."""
    door = _by_key(_header_keys())
    silent = {"statsCollection": {"errors": {"enabled": False}, "metrics": {"enabled": False}}}
    source = {"id": door.config.name, "name": door.config.name, "enabled": True, "config": silent, "destinations": []}
    return jsonify({"source": {**source, "connections": [], "workspaceId": "sekisho", "dataplanes": {}}})


@blueprint.route("/hooks/<string:source>", methods=["GET", "POST"])
@blueprint.route("/hooks/<string:source>/<string:secret>", methods=["GET", "POST"])
def hook(source: str, secret: str = "") -> ResponseReturnValue:
    """Take a vendor's webhook, or answer its challenge."""
    door = _by_name(source)
    body = read_body(door.kind.manifest.limits.get("batch_bytes", current.deployment().settings.max_batch_bytes))
    incoming = _incoming(body, "hook")
    if request.method != "POST":
        _check_secret(door, secret, unsigned="signature")
        return _challenged(door, incoming)
    _check_secret(door, secret)
    return _verified(door, incoming)


def _by_key(keys: Iterator[str]) -> Door:
    with current.database().snapshot() as session:
        for key in keys:
            if (source := sources.find_by_key(session, key)) is not None:
                return _door(session, source)
    raise Problem(
        401, "write_key_wrong", "Show the source's write key.", headers={"WWW-Authenticate": 'Bearer realm="ingest"'}
    )


def _by_name(name: str) -> Door:
    with current.database().snapshot() as session:
        return _door(session, sources.get(session, name))


def _door(session: Session, source: Source) -> Door:
    kind = sources.type_of(session, source.type)
    return Door(sources.configured(session, source), kind, sources.credentials(session, source))


def _keys(body: bytes) -> Iterator[str]:
    yield from _header_keys()
    in_body = as_object(read_json(body)).get("writeKey")
    yield in_body if isinstance(in_body, str) else ""


def _header_keys() -> Iterator[str]:
    shown = request.authorization
    if shown is not None:
        yield (shown.username if shown.type == "basic" else shown.token) or ""
    yield request.args.get("writeKey", "") if request.method == "GET" else ""


def _check_secret(door: Door, secret: str, unsigned: str = "") -> None:
    auth = door.kind.manifest.auth
    if auth == "secret_url":
        if not hmac.compare_digest(door.credentials[sources.HOOK_SECRET].encode(), secret.encode("utf-8", "replace")):
            raise Problem(401, "secret_wrong", "The address lacks the secret that was told when the source was added.")
    elif auth != "signature" or secret:
        raise Problem(404, "unknown_source", "There is no webhook at this address.")


def _challenged(door: Door, incoming: Incoming) -> ResponseReturnValue:
    answer = door.kind.source.challenge(incoming, door.credentials)
    if answer is None:
        raise Problem(405, "method_not_allowed", "This vendor sends no challenge.", headers={"Allow": "POST"})
    return Response(answer, content_type="text/plain; charset=utf-8")


def _verified(door: Door, incoming: Incoming) -> ResponseReturnValue:
    refused = door.kind.source.verify(incoming, door.credentials, incoming.at)
    if refused is not None:
        raise Problem(401, refused.reason, "The signature does not hold.", [FieldError(refused.where, refused.reason)])
    return _answer(door, incoming)


def _incoming(body: bytes, call: str) -> Incoming:
    return Incoming(
        body=body,
        at=current.now(),
        headers={name.lower(): value for name, value in request.headers.items()},
        call=call,
        query=request.args.to_dict(),
        event_limit=current.deployment().settings.max_event_bytes,
    )


def _answer(door: Door, incoming: Incoming) -> ResponseReturnValue:
    """Store, then answer; a single call that cannot be read is the caller's mistake."""
    items = list(door.kind.source.read(incoming, door.config))
    admitted = _admit(door.config, items)
    report = ingest.take(current.database(), door.config, admitted.items, incoming.at)
    metrics.count_ingest(door.config.name, report)
    admitted.refuse_rest()
    if incoming.call not in MANY and isinstance(items[0], Refusal):
        status = 413 if items[0].reason == "too_large" else 400
        wrong = FieldError(items[0].where or "/", items[0].reason)
        raise Problem(status, items[0].reason, "The call cannot be taken; see errors.", [wrong])
    if "return=representation" not in request.headers.get("Prefer", "").replace(" ", ""):
        return jsonify(success=True)
    report = _for_anybody(report) if door.config.public else report
    return jsonify(_told(report)), 200, {"Preference-Applied": "return=representation"}


def _admit(config: SourceConfig, items: list[Item | Refusal]) -> Admitted:
    if not config.public:
        return Admitted(items)
    held: Limits = current_app.extensions["sekisho.limits"]
    return held.admit(config.name, client_address(), items)


def _for_anybody(report: ingest.Report) -> ingest.Report:
    """Return what a public key may hear: whoever is unknown, silenced or erased is answered alike.

    A message that came before counts as accepted too, since one refused for its person is not remembered;
    and no ledger entry is named, since its text counts the refusals.
    """
    return ingest.Report([_public(outcome) for outcome in report.outcomes])


def _public(outcome: ingest.Outcome) -> ingest.Outcome:
    if outcome.status == "refused" and outcome.reason in TOLD_TO_ANYBODY:
        return replace(outcome, notes=())
    return ingest.Outcome(outcome.pointer, "accepted", idempotent=outcome.idempotent)


def _told(report: ingest.Report) -> dict[str, Any]:
    return {
        "success": True,
        "accepted": report.accepted,
        "duplicates": report.duplicates,
        "refused": sum(report.refused.values()),
        "items": [_item(outcome) for outcome in report.outcomes],
        "entries": report.entries,
    }


def _item(outcome: ingest.Outcome) -> dict[str, Any]:
    told: dict[str, Any] = {"pointer": outcome.pointer, "status": outcome.status}
    told["accepted"] = outcome.status == "accepted"
    if outcome.status != "accepted":
        told["reason"] = outcome.reason or outcome.status
    if not outcome.idempotent:
        told["idempotent"] = False
    if outcome.notes:
        told["notes"] = [{"reason": note.reason, "pointer": note.where} for note in outcome.notes]
    return told


@blueprint.errorhandler(Problem)
def _refused(problem: Problem) -> Response:
    """Say the reason by the names that SDKs read, too: who misses them takes a no for a fault, and asks again."""
    problem.extra = {**problem.extra, "code": problem.type, "message": problem.detail}
    return errors.respond(problem)


allow_any_origin(blueprint, "/v1/", "/beacon/", "/sourceConfig")
