"""The shape of somebody's situation as an example or a scenario states it.

What it leaves out is an ordinary adult's.
"""

from marshmallow import fields, validate

from cdp.policy.documents import Shape, names
from cdp.policy.terms import CHANNELS

STATUSES = ("given", "refused", "requested", "withdrawn", "expired", "invalidated", "unknown", "partial")
ADDRESSES = ("", "written", "published", "published_no_ads", "entity")
"""How an address was come by: given in writing, published for business, published with a refusal, a legal entity's."""


class _ConsentShape(Shape):
    """What holds of what the person said about the purpose that is asked for."""

    status = fields.String(required=True, validate=validate.OneOf(STATUSES))
    purpose = fields.String()
    notice = fields.String()
    notice_version = fields.String()
    explicit = fields.Boolean()
    by_guardian = fields.Boolean()
    age = fields.Integer(strict=True)
    once_given = fields.Boolean()
    free = fields.Boolean()


class _SaidShape(Shape):
    """One statement, with its instant: what holds of several is worked out as for anybody."""

    at = fields.AwareDateTime()
    """Left out: not known; early for a yes, late for a no."""
    status = fields.String(required=True, validate=validate.OneOf(STATUSES))
    purpose = fields.String(required=True)
    channel = fields.String(validate=validate.OneOf([*CHANNELS, "*"]))
    notice = fields.String()
    notice_version = fields.String()
    method = fields.String(load_default="checkbox")
    act = fields.Boolean(load_default=True)
    verified = fields.Boolean(load_default=True)
    public = fields.Boolean(load_default=False)
    evidence = fields.String(load_default="full", validate=validate.OneOf(["full", "partial", "none"]))
    by = fields.String(load_default="subject", validate=validate.OneOf(["subject", "guardian"]))
    brand = fields.String(load_default="")
    record = fields.Integer(load_default=1, strict=True)
    """Which of the joined records said it."""
    until = fields.AwareDateTime()


class GivenShape(Shape):
    """Someone's situation."""

    country = fields.String()
    establishment = names()
    offers_to = names()
    age = fields.Integer(strict=True)
    born = fields.Date()
    customer = fields.Boolean()
    restricted = fields.Boolean()
    erasing = fields.Boolean()
    deceased = fields.Boolean()
    quarantined = fields.Boolean()
    legal_hold = fields.Boolean()
    provision_stopped = fields.Boolean()
    from_opt_out = fields.Boolean()
    eu_adequacy = fields.Boolean()
    lapsed = names()
    gpc = fields.Boolean()
    objections = fields.List(
        fields.String(validate=validate.Regexp(r"direct_marketing\Z|legitimate_interests:(\*|[a-z0-9_]+)\Z"))
    )
    reachable = fields.Boolean()
    address = fields.String(validate=validate.OneOf(ADDRESSES))
    suppressed = fields.List(
        fields.String(
            validate=validate.Regexp(
                r"(unsubscribe|complaint|bounce|objection|erasure|do_not_call|court)([:^][a-z0-9_,]+)?\Z"
            )
        )
    )
    collected_for = names()
    consent = fields.Nested(_ConsentShape)
    said = fields.List(fields.Nested(_SaidShape))
