"""Schemas and fields that several resources speak."""

from datetime import datetime
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate
from webargs.fields import DelimitedList

from cdp.clock import parse_instant
from cdp.policy.terms import CHANNELS
from cdp.web.api.paging import LARGEST, SMALLEST, USUAL


class Strict(Schema):
    """A schema of input: what it does not know is an error, not noise."""

    class Meta:
        unknown = RAISE


class Instant(fields.DateTime):
    """An ISO 8601 instant; without a zone it is read as UTC."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> datetime:
        try:
            return parse_instant(value)
        except (TypeError, ValueError):
            raise ValidationError("Not an ISO 8601 instant.") from None


class Name(fields.String):
    """A declared name: of a purpose, a channel, a recipient; at most 64 characters."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validate=validate.Length(1, 64), **kwargs)


class IdentifierSchema(Strict):
    """How a person is known outside."""

    type = fields.String(required=True, validate=validate.Length(1, 32), metadata={"example": "email"})
    value = fields.String(required=True, validate=validate.Length(1, 320), metadata={"example": "ada@example.com"})
    scope = fields.String(
        load_default="", validate=validate.Length(max=64), metadata={"description": "System or provider, where needed"}
    )


class UseQuery(Strict):
    """What a use is asked for."""

    purpose = Name(required=True)
    channel = Name(metadata={"description": f"One of {', '.join(CHANNELS)}; may be left out if there is one only"})


class PageQuery(UseQuery):
    """One page of people."""

    fields_ = DelimitedList(
        fields.String(validate=validate.Length(1, 64)),
        data_key="fields",
        metadata={"description": "Left out: every field that purpose and recipient allow"},
    )
    limit = fields.Integer(load_default=USUAL, validate=validate.Range(SMALLEST, LARGEST))
    cursor = fields.String(validate=validate.Length(max=1024))


class RowSchema(Schema):
    """One person, as far as this recipient may know them."""

    id = fields.String(metadata={"description": "Pseudonym that is this recipient's own"})
    fields_ = fields.Dict(keys=fields.String(), data_key="fields")
    stage = fields.String(allow_none=True)
    links = fields.Dict(keys=fields.String(), values=fields.String())


class PeoplePageSchema(Schema):
    """One page of people, as disclosed."""

    data = fields.List(fields.Nested(RowSchema))
    next_cursor = fields.String(allow_none=True)
    use_by = fields.DateTime(metadata={"description": "Not to be used after this instant: ask again"})
    disclosure = fields.String(metadata={"description": "Id of the disclosure that was recorded"})


class ReasonSchema(Schema):
    """One ground of a decision."""

    code = fields.String()
    law = fields.String()
    article = fields.String()
    ja = fields.String()
    en = fields.String()
    remedy_ja = fields.String()
    remedy_en = fields.String()
    deny = fields.Boolean()


class FieldErrorSchema(Schema):
    """One thing wrong with the input."""

    pointer = fields.String()
    detail = fields.String()


class ProblemSchema(Schema):
    """A problem document (RFC 9457)."""

    type = fields.String(metadata={"example": "urn:sekisho:problem:unknown_purpose"})
    title = fields.String()
    status = fields.Integer()
    detail = fields.String()
    errors = fields.List(fields.Nested(FieldErrorSchema))
