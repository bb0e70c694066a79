"""A page of people, from the gate's lease to the bytes that leave: shared by every route that hands people out."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import Response
from sqlmodel import Session

from cdp import gate, journey
from cdp.errors import Refusal
from cdp.gate.disclosure import Choose
from cdp.journey.stages import DEFAULT_JOURNEY
from cdp.policy.terms import Use
from cdp.web import current, metrics
from cdp.web.api import asking, paging

Candidates = Callable[[Session, datetime, int, int], Sequence[int]]
"""(session, at, after, limit) → people in ascending order, strictly after that number."""


@dataclass(slots=True)
class _Chosen:
    """What was chosen inside the recording transaction, and is needed after it."""

    last: int | None = None
    stages: dict[int, str] = field(default_factory=dict)


def answer_page(
    use: Use,
    query: Mapping[str, Any],
    question: dict[str, Any],
    candidates: Candidates,
    about: str,
    in_journey: str = DEFAULT_JOURNEY,
) -> Response:
    """Answer one page of the candidates, as far as each is permitted; the disclosure is written before it leaves.

    `question` is what a cursor is bound to; `about` names the audience or stage in the record,
    `in_journey` the journey whose stage each row tells.
    """
    caller, keys = current.caller(), current.deployment().vault
    fields, limit = asking.fields_for(use, query.get("fields_")), int(query["limit"])
    bound = {**question, "purpose": use.purpose, "channel": use.channel, "fields": list(fields)}
    after = paging.read_cursor(keys, caller.client_id, bound, query.get("cursor")) or 0
    chosen = _Chosen()

    def choose(session: Session, at: datetime) -> Iterable[int]:
        people = list(candidates(session, at, after, limit))
        chosen.last = people[-1] if len(people) == limit else None
        chosen.stages = journey.stage_of(session, people, at, in_journey)
        return people

    page = _read(use, fields, choose, "page", about)
    cursor = None if chosen.last is None else paging.write_cursor(keys, caller.client_id, bound, chosen.last)
    body = {
        "data": [row(one, chosen.stages) for one in page.rows],
        "next_cursor": cursor,
        "use_by": page.use_by.isoformat(),
        "disclosure": page.id,
    }
    return hand_over(page, body)


def read_one(
    use: Use, fields: tuple[str, ...], find: Callable[[Session], int | None]
) -> tuple[gate.Page, dict[int, str]]:
    """Open a page of at most one person, found inside the recording transaction."""
    chosen = _Chosen()

    def choose(session: Session, at: datetime) -> Iterable[int]:
        person = find(session)
        people = [] if person is None else [person]
        chosen.stages = journey.stage_of(session, people, at)
        return people

    return _read(use, fields, choose, "lookup", ""), chosen.stages


def row(one: gate.Disclosure, stages: Mapping[int, str]) -> dict[str, Any]:
    """Return one disclosed person as it leaves."""
    return {"id": one.pseudonym, "fields": one.fields, "stage": stages.get(one.person), "links": one.links}


def hand_over(page: gate.Page, body: dict[str, Any]) -> Response:
    """Return the response; closing the lease is the last thing before it, and may refuse with 503."""
    content = json.dumps(body, ensure_ascii=False, default=str)
    response = Response(content, content_type="application/json", headers={"Cache-Control": "no-store"})
    page.hand_over()
    metrics.count_page(page, current.caller().recipient)
    return response


def request_for(use: Use, fields: tuple[str, ...], kind: str, about: str) -> gate.PageRequest:
    """Return what the caller asks the gate for; `about` names the list in the record."""
    settings = current.deployment().settings
    return gate.PageRequest(
        use=use,
        fields=fields,
        client=current.caller().client_id,
        kind=kind,
        audience=about,
        base_url=settings.base_url.rstrip("/"),
        lease_seconds=settings.lease_seconds,
    )


def _read(use: Use, fields: tuple[str, ...], choose: Choose, kind: str, about: str) -> gate.Page:
    page = gate.read_page(current.database(), request_for(use, fields, kind, about), choose)
    if isinstance(page, Refusal):
        asking.refuse(page)
    return page
