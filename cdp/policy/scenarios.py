"""Reads `policies/scenarios/`: worked cases that a lawyer can read, write and sign (docs/scenarios.md).

Here only shapes are checked; `cdp policy check` asks the questions and compares the answers.
"""

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from cdp.policy.documents import Bilingual, Documents, Failures, Shape, names, shaped
from cdp.policy.given import GivenShape
from cdp.policy.terms import CHANNELS, Scenario


class _ListShape(Shape):
    """What being on a list says of whoever is on it."""

    infers = names(load_default=list)
    unlawful_discrimination_risk = fields.Boolean(load_default=False)


class _RequesterShape(Shape):
    """Who asks for what is held about somebody, and how far that is proved."""

    by = fields.String(load_default="subject", validate=validate.OneOf(["subject", "guardian", "agent", "heir"]))
    verified = fields.Boolean(load_default=True)
    mandate_until = fields.Date()
    mandate_covers = names()
    right = fields.String(load_default="access")


class _SizeShape(Shape):
    """A number of people that somebody asks for, or a list of so many."""

    matching = fields.Integer(required=True, strict=True, validate=validate.Range(0))
    lists_members = fields.Boolean(load_default=False)
    """The caller may list the members for this purpose, channel and recipient (ruling R7)."""


class ScenarioAskShape(Shape):
    """A question with its answer."""

    says = fields.String(load_default="")
    about = fields.String(load_default="")
    given = fields.Nested(GivenShape, load_default=dict)
    declares = fields.Dict(keys=fields.String(), values=fields.Raw(), load_default=dict)
    """Files said otherwise for this question alone, over what the scenario says of them."""
    purpose = fields.String(load_default="")
    recipient = fields.String(load_default="")
    channel = fields.String(load_default="", validate=validate.OneOf(["", *CHANNELS]))
    on = fields.Date()
    at = fields.AwareDateTime()
    audience = fields.Nested(_ListShape)
    categories = names(load_default=list)
    requester = fields.Nested(_RequesterShape)
    count = fields.Nested(_SizeShape)
    listing = fields.Nested(_SizeShape)
    tcf = fields.Dict(keys=fields.String())
    breach = fields.Dict(keys=fields.String())
    then = fields.Raw(required=True)
    because = fields.String(load_default="")
    reasons = names(load_default=list)
    references = names(load_default=list)
    obligations = names(load_default=list)
    no_obligations = names(load_default=list)
    basis = names(load_default=list)

    @validates_schema
    def _whole(self, data: dict[str, Any], **_: Any) -> None:
        kinds = [name for name in ("count", "tcf", "breach") if name in data]
        if len(kinds) > 1:
            raise ValidationError("One question at a time.", kinds[1])
        if not kinds:
            for name in ("purpose", "recipient", "channel"):
                if not data[name]:
                    raise ValidationError("Needed where a use is asked for.", name)
            if data["then"] not in ("allow", "deny"):
                raise ValidationError("allow, or deny.", "then")
            if (data["then"] == "deny") != bool(data["because"]):
                raise ValidationError("A refusal says why, a permission does not.", "because")


class _ScenarioShape(Shape):
    scenario = fields.String(required=True)
    case = fields.String(load_default="")
    title = fields.Nested(Bilingual, required=True)
    references = names(required=True, validate=validate.Length(1))
    declares = fields.Dict(keys=fields.String(), values=fields.Raw(), load_default=dict)
    unsound = names(load_default=list)
    """What `cdp policy check` says of such a declaration: the answer holds even where somebody ran it all the same."""
    on = fields.Date()
    """The day of every question that names none; left out, the day of the check."""
    given = fields.Nested(GivenShape)
    people = fields.Dict(keys=fields.String(), values=fields.Nested(GivenShape), load_default=dict)
    asks = fields.List(fields.Nested(ScenarioAskShape), required=True, validate=validate.Length(1))

    @validates_schema
    def _known(self, data: dict[str, Any], **_: Any) -> None:
        for ask in data["asks"]:
            if ask["about"] and ask["about"] not in data["people"]:
                raise ValidationError(f"{ask['about']} is none of the people.", "asks")


def read_scenarios(documents: Documents, failures: Failures) -> tuple[Scenario, ...]:
    """Return every scenario file, its shape checked."""
    found: list[Scenario] = []
    for path, name, tree in documents.under("scenarios"):
        shape = shaped(_ScenarioShape, tree, path, failures)
        if shape is None:
            continue
        if shape["scenario"] != name:
            failures.add(path, f"the file says scenario {shape['scenario']}: a file is named as what it holds")
        found.append(Scenario(path, name, shape))
    return tuple(found)
