"""Connectors for integrators: the sources that are set up, the types there are, and what was dropped and why."""

from datetime import timedelta
from typing import Any

from flask import Response, jsonify
from marshmallow import fields, validate

from cdp import connector
from cdp.ingest import sources
from cdp.web import current
from cdp.web.api.fields import Strict
from cdp.web.api.resource import Resource
from cdp.web.auth.access import requires

blueprint = Resource("connectors", __name__, url_prefix="/api", description="Sources and what they bring")


class SourceSchema(Strict):
    """A source that was set up."""

    name = fields.String()
    type = fields.String()
    created_at = fields.DateTime()


class SourcesSchema(Strict):
    """Every source."""

    data = fields.List(fields.Nested(SourceSchema))
    next_cursor = fields.String(allow_none=True)


class TypesSchema(Strict):
    """Every type of connector."""

    data = fields.List(fields.Dict())
    next_cursor = fields.String(allow_none=True)


class DropsQuery(Strict):
    """How far back."""

    days = fields.Integer(load_default=30, validate=validate.Range(1, 366))


class DropSchema(Strict):
    """How often something was not taken in; names of fields and events, never values."""

    what = fields.String()
    reason = fields.String()
    count = fields.Integer()
    last_day = fields.Date()


class DropsSchema(Strict):
    """What a source brought and was not taken in."""

    data = fields.List(fields.Nested(DropSchema))
    next_cursor = fields.String(allow_none=True)


@blueprint.get("/connectors")
@requires("ingest:write")
@blueprint.response(200, SourcesSchema)
def list_sources() -> Response:
    """List the sources that are set up"""
    with current.database().snapshot() as session:
        data = [
            {"name": one.name, "type": one.type, "created_at": one.created_at.isoformat()}
            for one in sources.list_all(session)
        ]
    return jsonify(data=data, next_cursor=None)


@blueprint.get("/connector-types")
@requires("ingest:write")
@blueprint.response(200, TypesSchema)
def list_types() -> Response:
    """List the types of connectors, and what each asks for"""
    with current.database().snapshot() as session:
        data = [_type(name, one) for name, one in sorted(connector.of(session).items())]
    return jsonify(data=data, next_cursor=None)


@blueprint.get("/connectors/<string:name>/drops")
@requires("ingest:write")
@blueprint.arguments(DropsQuery, location="query")
@blueprint.response(200, DropsSchema)
@blueprint.alt_response(404, "NOT_FOUND")
def drops(query: dict[str, Any], name: str) -> Response:
    """See what a source brought that was not taken in

    By field or event name and reason, most frequent first; never a value.
    """
    since = current.now().date() - timedelta(days=query["days"])
    with current.database().snapshot() as session:
        data = [
            {"what": one.what, "reason": one.reason, "count": one.count, "last_day": one.last_day.isoformat()}
            for one in sources.drops(session, name, since)
        ]
    return jsonify(data=data, next_cursor=None)


def _type(name: str, one: connector.ConnectorType) -> dict[str, Any]:
    manifest = one.manifest
    return {
        "type": name,
        "kind": manifest.kind,
        "title": dict(manifest.title),
        "auth": manifest.auth,
        "settings": {
            key: {"help": term.help, "required": term.required, "choices": list(term.choices), "default": term.default}
            for key, term in manifest.settings.items()
            if not term.generated
        },
    }
