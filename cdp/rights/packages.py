"""Packages: what a person asked to have, gathered in one transaction, sealed, fetched until its time is over.

Every holder lists what it has; the gate opens it for the subject and records that. The package rests in
the request alone, sealed under the person's own key, so that an erasure takes it too.
"""

import json
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlmodel import Session, col, select

from cdp import gate, identity, ledger, policy, vault
from cdp.errors import Problem
from cdp.holders import Held
from cdp.policy.terms import Policy
from cdp.rights import access, disclosures, portability, steps
from cdp.rights.grounds import Grounds
from cdp.rights.holders import HOLDERS
from cdp.rights.model import SubjectRequest
from cdp.rights.steps import Steps

KEPT = timedelta(days=14)
"""How long a package can be fetched."""

COLUMN = "package"

Collect = Callable[[Session, Sequence[int], Sequence[tuple[Held, Any]]], dict[str, Any]]
"""(session, subjects, everything held of them with its opened value) → what the package holds."""

CONTENTS: dict[str, tuple[str, Collect]] = {
    "access": (access.FORM, access.collect),
    "appi_33": (access.FORM, access.collect),
    "appi_33_5": (disclosures.FORM, disclosures.collect),
    "portability": (portability.FORM, portability.collect),
}
"""Right → the form of its package, and what makes it."""


def gather(grounds: Grounds, request_id: str) -> None:
    """Collect, open, seal and close in one transaction: a package without its disclosure cannot exist."""
    at = grounds.clock.now()
    with grounds.database.transaction() as session:
        request = steps.begin(session, request_id, "gather")
        if request is None:
            return
        subjects = steps.cluster(session, steps.subjects_of(session, request))
        steps.name_subjects(session, request, subjects)
        lasting = steps.lasting(session, subjects)
        held, package = collect(session, request, lasting, at)
        _keep(session, request, lasting, package, at)
        steps.checkpoint(session, request, "gather", at, held=held)
        steps.finish(session, request, at)


STEPS: Steps = (("gather", gather),)


def collect(
    session: Session, request: SubjectRequest, subjects: Sequence[int], at: datetime
) -> tuple[int, dict[str, Any]]:
    """Return how much is held and the package as a JSON-able value; opens under the gate's record."""
    form, contents = CONTENTS[request.right]
    held = [one for holder in HOLDERS for one in holder.export(session, subjects)]
    people = sorted(set(identity.people_of(session, subjects).values()))
    opened = gate.open_for_subject(session, people[0], held, at) if people else []
    head: dict[str, Any] = {"form": form, "request": request.id, "made_at": at.isoformat()}
    head["controller"] = _controller(policy.of(session))
    return len(held), head | contents(session, subjects, opened)


def package(session: Session, request_id: str, at: datetime, client: str = "") -> dict[str, Any]:
    """Return the package of a completed request, opened for the subject; `client` is who fetches it.

    Raises Problem 404 where there is none, 410 when it expired or an erasure of the person has begun since.
    """
    request = steps.load(session, request_id)
    if request.right not in CONTENTS or request.state != "completed" or not steps.is_taken(request, "gather"):
        raise Problem(404, "no_package", "The request has no package.")
    if not steps.subjects_of(session, request) and steps.taken(request)[0]["counts"]["held"] == 0:
        return {"form": CONTENTS[request.right][0], "request": request_id, "held": []}
    owner = request.package_owner
    if request.package is None or owner is None or request.package_until is None or request.package_until <= at:
        raise _gone()
    sealed = Held("package", owner, {}, request.package, "subject_request", COLUMN, request.id)
    people = sorted(identity.people_of(session, steps.lasting(session, [owner])).values())
    opened = gate.open_for_subject(session, people[0], [sealed], at, client)[0][1] if people else None
    if opened is None:
        raise _gone()
    ledger.note(session, "request.fetched", {"request": request_id, "client": client}, at)
    found: dict[str, Any] = opened
    return found


def expire_packages(session: Session, at: datetime, limit: int = 100) -> int:
    """Delete at most so many packages whose time is over; returns how many."""
    query = select(SubjectRequest).where(col(SubjectRequest.package_until) <= at)
    over = session.exec(query.order_by(col(SubjectRequest.package_until)).limit(limit)).all()
    for request in over:
        request.package = request.package_until = request.package_owner = None
        session.add(request)
    return len(over)


def _gone() -> Problem:
    return Problem(410, "package_gone", "The package is gone; ask again for a new one.")


def _keep(
    session: Session, request: SubjectRequest, subjects: Sequence[int], package: dict[str, Any], at: datetime
) -> None:
    keys = vault.deks(session, subjects)
    if not keys:
        return
    owner = min(keys)
    cell = vault.Cell(owner, "subject_request", COLUMN, request.id)
    request.package = vault.seal(keys[owner], json.dumps(package, ensure_ascii=False, default=_written).encode(), cell)
    request.package_until = at + KEPT
    request.package_owner = owner
    session.add(request)


def _written(value: Any) -> str:
    """Write what JSON has no form for: instants by ISO 8601, bytes in hex."""
    return value.isoformat() if isinstance(value, date) else bytes(value).hex()


def _controller(terms: Policy) -> dict[str, str]:
    said = terms.controller
    return {
        "name_ja": said.name_ja,
        "name_en": said.name_en,
        "address": said.address,
        "representative": said.representative,
        "contact": said.contact,
    }
