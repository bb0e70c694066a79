"""The changes feed of a list, as every route that follows one answers it.

Where to go on is told with every answer, sealed for the client and the list: nobody can ask for a place that
they were not given. It refuses a place that is too old to be continued (410).
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate
from sqlmodel import Session

from cdp import gate, journey
from cdp.errors import Refusal
from cdp.gate.feed import Change, Changes, List, Place
from cdp.journey.stages import DEFAULT_JOURNEY
from cdp.policy.terms import Use
from cdp.web import current
from cdp.web.api import asking, pages, paging
from cdp.web.api.fields import PeopleQuery, RowSchema, Text

CAUSES = (
    "start, rule, time, consent, permission, policy, merge, split; and of leaving: withdrawal, objection, restriction, "
    "erasure, small_audience. Third parties are told `other` where it is about what the person said or did"
)


class ChangesQuery(PeopleQuery):
    """What changed since a position."""

    since = Text(
        validate=validate.Length(max=1024),
        metadata={"description": "The last answer's `next_since`; left out: everybody enters"},
    )


class ChangeSchema(RowSchema):
    """Somebody entered, with what a page of members tells; or somebody left, of whom only the pseudonym is told."""

    change = fields.String(validate=validate.OneOf(["entered", "left"]))
    cause = fields.String(metadata={"description": CAUSES})
    at = fields.DateTime(metadata={"description": "When it was noticed"})


class ChangesPageSchema(Schema):
    """Changes in order: whoever replays them all holds exactly the members."""

    data = fields.List(fields.Nested(ChangeSchema))
    next_since = fields.String(metadata={"description": "Where to go on, at once or later; good for 30 days"})
    has_more = fields.Boolean(metadata={"description": "There is more to read at once"})
    use_by = fields.DateTime(allow_none=True, metadata={"description": "Not to use after this instant: ask again"})
    disclosure = fields.String(allow_none=True, metadata={"description": "The disclosure; null if nobody entered"})


def answer(
    use: Use, query: Mapping[str, Any], followed: List, about: str, in_journey: str = DEFAULT_JOURNEY
) -> Response:
    """Answer what changed in the list; `about` names it in the record, `in_journey` the journey that rows tell of."""
    caller, keys = current.caller(), current.deployment().vault
    bound = {"changes": followed.name, "purpose": use.purpose, "channel": use.channel}
    since = paging.read_cursor(keys, caller.client_id, bound, query.get("since"))
    request = pages.request_for(use, asking.fields_for(use, query.get("fields_")), "changes", about)
    stages: dict[int, str] = {}

    def beside(session: Session, entered: Sequence[int], at: datetime) -> None:
        nonlocal stages
        stages = journey.stage_of(session, entered, at, in_journey)

    place = Place(*since) if since else None
    found = gate.feed.read(current.database(), followed, request, place, int(query["limit"]), beside)
    if isinstance(found, Refusal):
        asking.refuse(found)
    next_since = paging.write_cursor(keys, caller.client_id, bound, list(found.place))
    return _hand_over(found, _body(found, stages, next_since))


def _body(found: Changes, stages: Mapping[int, str], next_since: str) -> dict[str, Any]:
    return {
        "data": [_row(change, stages) for change in found.changes],
        "next_since": next_since,
        "has_more": found.has_more,
        "use_by": found.page.use_by.isoformat() if found.page else None,
        "disclosure": found.page.id if found.page else None,
    }


def _row(change: Change, stages: Mapping[int, str]) -> dict[str, Any]:
    told = {"cause": change.cause, "at": change.at.isoformat()}
    if change.entered is None:
        return {"change": "left", "id": change.pseudonym, **told}
    return {"change": "entered", **pages.row(change.entered, stages), **told}


def _hand_over(found: Changes, body: dict[str, Any]) -> Response:
    if found.page is not None:
        return pages.hand_over(found.page, body)
    content = json.dumps(body, ensure_ascii=False)
    return Response(content, content_type="application/json", headers={"Cache-Control": "no-store"})
