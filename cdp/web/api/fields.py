"""Schemas and fields that several resources speak."""

from datetime import datetime
from typing import Any

from marshmallow import INCLUDE, RAISE, Schema, ValidationError, fields, validate
from webargs.fields import DelimitedList

from cdp.clock import EARLIEST, LATEST, parse_instant
from cdp.connector.reading import flaw, is_storable
from cdp.ids import GREATEST
from cdp.policy.terms import CHANNELS
from cdp.web.api.paging import LARGEST, SMALLEST, USUAL


class Strict(Schema):
    """A schema of input: what it does not know is an error, not noise."""

    class Meta:
        unknown = RAISE


DEEPEST = 40
"""Levels of a JSON value that a schema does not look into."""


class Instant(fields.DateTime):
    """An ISO 8601 instant between 1970 and 2999; without a zone it is read as UTC."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> datetime:
        try:
            instant = parse_instant(value)
        except (TypeError, ValueError, OverflowError):
            raise ValidationError("Not an ISO 8601 instant.") from None
        if not EARLIEST <= instant <= LATEST:
            raise ValidationError("Not an instant between 1970 and 2999.")
        return instant


class Text(fields.String):
    """A text from outside that every database can store and every answer can hold."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **more)
        if not is_storable(text):
            raise ValidationError("No text: it holds NUL or half of a surrogate pair.")
        return text


class Json(fields.Raw):
    """Any JSON whose texts can be stored, not endlessly deep; null only where that is allowed."""

    def __init__(self, *, metadata: dict[str, Any] | None = None, **kwargs: Any) -> None:
        kinds = ["object", "array", "string", "number", "boolean", *(["null"] if kwargs.get("allow_none") else [])]
        super().__init__(metadata={"type": kinds, **(metadata or {})}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        if flaw(value, DEEPEST):
            raise ValidationError("Too deep, or not storable: a text with NUL or half of a surrogate pair.")
        return value


class Flag(fields.Boolean):
    """Yes or no as JSON says it: 1, "on" and their like are slips."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Number(fields.Integer):
    """The number that the database gave a row; as JSON says it: 1.0 is one, 1.7 and "1" are slips."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(strict=True, validate=validate.Range(1, GREATEST), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        whole = int(value) if isinstance(value, float) and value.is_integer() else value
        return super()._deserialize(whole, attr, data, **more)


class After(fields.Integer):
    """The last number of the page before; left out: from the first."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(load_default=0, validate=validate.Range(0, GREATEST), **kwargs)


class Name(Text):
    """A declared name: of a purpose, a channel, a recipient; at most 64 characters."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validate=validate.Length(1, 64), **kwargs)


class Channel(Name):
    """A channel's name; another than these is answered as `unknown_channel`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(metadata={"enum": list(CHANNELS), **kwargs.pop("metadata", {})}, **kwargs)


class IdentifierSchema(Strict):
    """How a person is known outside."""

    type = Text(required=True, validate=validate.Length(1, 32), metadata={"example": "email"})
    value = Text(required=True, validate=validate.Length(1, 320), metadata={"example": "ada@example.com"})
    scope = Text(
        load_default="", validate=validate.Length(max=64), metadata={"description": "System or provider, where needed"}
    )


class UseQuery(Strict):
    """What a use is asked for."""

    purpose = Name(required=True)
    channel = Channel(metadata={"description": "May be left out if the purpose has one only"})


class PeopleQuery(UseQuery):
    """People, so many at a time."""

    fields_ = DelimitedList(
        Text(validate=validate.Length(1, 64), metadata={"pattern": "^[^,\\u0000]+$"}),  # a comma parts two names
        data_key="fields",
        metadata={"description": "Left out: every field that purpose and recipient allow"},
    )
    limit = fields.Integer(load_default=USUAL, validate=validate.Range(SMALLEST, LARGEST))


class PageQuery(PeopleQuery):
    """One page of people."""

    cursor = Text(validate=validate.Length(max=1024))


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
    """A problem document (RFC 9457); some kinds say more, beside these members."""

    class Meta:
        unknown = INCLUDE

    type = fields.String(required=True, metadata={"example": "urn:sekisho:problem:unknown_purpose"})
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    errors = fields.List(fields.Nested(FieldErrorSchema))
    reason = fields.String(metadata={"description": "Code of the rule that refuses the use"})
    law = fields.String()
    article = fields.String()
    ja = fields.String()
    en = fields.String()
    remedy_ja = fields.String()
    remedy_en = fields.String()
    reasons = fields.List(fields.Nested(ReasonSchema))
    scope = fields.String(metadata={"description": "The scope that the token lacks"})
    entry = fields.String(metadata={"description": "Ledger entry of the question"})
    error_id = fields.String(metadata={"description": "Of a fault: for whoever runs the deployment"})
