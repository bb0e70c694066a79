"""Records of processing (GDPR 30) and 個人情報管理台帳, written from the live configuration."""

from typing import Any

from flask import Response
from marshmallow import fields, validate

from cdp.policy.processing import VIEWS
from cdp.policy.processing.words import LANGUAGES
from cdp.web import current
from cdp.web import processing as records
from cdp.web.api.fields import Strict
from cdp.web.api.resource import Resource
from cdp.web.auth.access import requires
from cdp.web.auth.caller import EVERYTHING
from cdp.web.processing import FORMATS

blueprint = Resource(
    "processing", __name__, url_prefix="/api", description="What is processed, why, for whom and how long"
)

_TYPES = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "html": "text/html; charset=utf-8",
}


class ProcessingQuery(Strict):
    """In which form and language, and which table a CSV holds."""

    format = fields.String(load_default="json", validate=validate.OneOf(list(FORMATS)))
    language = fields.String(load_default="en", validate=validate.OneOf(LANGUAGES))
    view = fields.String(load_default="inventory", validate=validate.OneOf(list(VIEWS)))


class ProcessingSchema(Strict):
    """The whole record."""

    form = fields.String()
    language = fields.String()
    made_on = fields.Date()
    policy_version = fields.String()
    controller = fields.Dict(keys=fields.String(), values=fields.String())
    activities = fields.List(fields.Dict())
    processor_view = fields.String()
    security = fields.List(fields.String())
    inventory = fields.List(fields.Dict())


@blueprint.get("/records-of-processing")
@requires(EVERYTHING)
@blueprint.arguments(ProcessingQuery, location="query")
@blueprint.response(200, ProcessingSchema)
@blueprint.doc(
    responses={
        "200": {
            "content": {
                "application/json": {"schema": ProcessingSchema},
                "text/html": {"schema": {"type": "string"}},
                "text/csv": {"schema": {"type": "string"}},
            }
        }
    }
)
def records_of_processing(query: dict[str, Any]) -> Response:
    """Read the record of processing activities

    `json` and `html` hold everything; `csv` holds one table: `inventory` is 個人情報管理台帳, `activities` is
    Article 30(1). Numbers of people are rounded. The page stands alone: it can be printed and handed over.
    """
    with current.database().snapshot() as session:
        record = records.record(session, current.now().date(), query["language"])
    form = query["format"]
    answer = Response(records.write(record, form, query["view"]), content_type=_TYPES[form])
    if form != "json":
        name = f"records-of-processing-{record.made_on.isoformat()}.{form}"
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Content-Language"] = record.language
    return answer
