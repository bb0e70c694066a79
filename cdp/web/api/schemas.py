"""JSON Schemas of what people take along; public, so that whoever receives a package can check it."""

from flask import Response

from cdp.rights import portability
from cdp.web.api.resource import Resource

blueprint = Resource("schemas", __name__, url_prefix="/api/schemas", description="JSON Schemas of packages")


@blueprint.get("/portability-1.json")
@blueprint.doc(security=[])
@blueprint.response(200)
def portability_1() -> Response:
    """Read the schema of a portability package (GDPR 20)"""
    return Response(portability.schema(), content_type="application/schema+json")
