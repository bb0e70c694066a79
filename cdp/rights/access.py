"""Access and portability (GDPR 15 and 20, APPI 33 and 33(5)): everything held, complete by construction.

Every holder lists what it has; the gate opens it for the subject and records that. The package is
sealed under the person's own key until it is fetched or its time is over. It names recipients, not
only categories of them (C-154/21), and never holds another person.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlmodel import Session, col, select

from cdp import gate, identity, ledger, policy, vault
from cdp.errors import Problem
from cdp.holders import Held
from cdp.policy.terms import Policy
from cdp.rights import steps
from cdp.rights.grounds import Grounds
from cdp.rights.holders import HOLDERS
from cdp.rights.model import SubjectRequest
from cdp.rights.steps import Steps

FORM = "sekisho.access/1"
KEPT = timedelta(days=14)
"""How long a package can be fetched."""

COLUMN = "package"


def gather(grounds: Grounds, request_id: str) -> None:
    """Collect, open, seal and close in one transaction: a package without its disclosure cannot exist."""
    at = grounds.clock.now()
    with grounds.database.transaction() as session:
        request = steps.load(session, request_id, lock=True)
        subjects = steps.cluster(session, steps.subjects_of(request))
        steps.name_subjects(session, request, subjects)
        package = collect(session, request.id, subjects, at)
        _keep(session, request, subjects, package, at)
        steps.checkpoint(session, request, "gather", at, held=len(package["held"]))
        steps.complete(session, request, at)
        ledger.note(session, "request.step", {"request": request.id, "step": "completed", "right": request.right}, at)


STEPS: Steps = (("gather", gather),)


def collect(session: Session, request_id: str, subjects: Sequence[int], at: datetime) -> dict[str, Any]:
    """Return the whole package as a JSON-able value; opens everything under the gate's record."""
    terms = policy.of(session)
    held = [one for holder in HOLDERS for one in holder.export(session, subjects)]
    people = sorted(set(identity.people_of(session, subjects).values()))
    opened = gate.open_for_subject(session, people[0], held, at) if people else []
    return {
        "form": FORM,
        "request": request_id,
        "made_at": at.isoformat(),
        "controller": _controller(terms),
        "held": [_shown(one, value, terms) for one, value in opened],
        "categories": {name: dict(said) for name, said in terms.categories.items()},
        "purposes": _purposes(terms),
        "recipients": _recipients(held, terms),
        "sources": sorted({str(one.plain["source"]) for one in held if one.plain.get("source")}),
        "retention": _retention(terms),
        "automated_decisions": AUTOMATED,
        "rights": RIGHTS,
    }


def package(session: Session, request_id: str, at: datetime) -> dict[str, Any]:
    """Return the package of a completed request, opened for the subject.

    Raises Problem 404 where there is none, 410 when it expired or the person was erased since.
    """
    request = steps.load(session, request_id)
    if request.state != "completed" or not steps.is_taken(request, "gather"):
        raise Problem(404, "no_package", "The request has no package.")
    subjects = steps.subjects_of(request)
    if not subjects and steps.taken(request)[0]["counts"]["held"] == 0:
        return {"form": FORM, "request": request_id, "held": []}
    owner = request.package_owner
    if request.package is None or owner is None or request.package_until is None or request.package_until <= at:
        raise Problem(410, "package_gone", "The package is gone; ask again for a new one.")
    sealed = Held("package", owner, {}, request.package, "subject_request", COLUMN, request.id)
    people = sorted(identity.people_of(session, [owner]).values())
    [(_, opened)] = gate.open_for_subject(session, people[0], [sealed], at)
    found: dict[str, Any] = opened
    return found


def expire_packages(session: Session, at: datetime) -> int:
    """Delete packages whose time is over; returns how many."""
    query = select(SubjectRequest).where(col(SubjectRequest.package_until) <= at)
    over = session.exec(query).all()
    for request in over:
        request.package = request.package_until = request.package_owner = None
        session.add(request)
    return len(over)


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


def _shown(one: Held, value: Any, terms: Policy) -> dict[str, Any]:
    shown: dict[str, Any] = {"held_as": one.kind, "subject": one.subject, **one.plain}
    trait = terms.traits.get(str(one.plain.get("name", "")))
    if trait is not None:
        shown["category"] = trait.category
    if one.sealed is not None:
        shown["content"] = value
    return shown


def _controller(terms: Policy) -> dict[str, str]:
    said = terms.controller
    return {
        "name_ja": said.name_ja,
        "name_en": said.name_en,
        "address": said.address,
        "representative": said.representative,
        "contact": said.contact,
    }


def _purposes(terms: Policy) -> list[dict[str, Any]]:
    return [
        {
            "purpose": purpose.name,
            "ja": purpose.text_ja,
            "en": purpose.text_en,
            "bases": {str(law.name).lower(): basis.kind for law, basis in purpose.bases},
            "fields": list(purpose.fields),
        }
        for purpose in terms.purposes.values()
    ]


def _recipients(held: Iterable[Held], terms: Policy) -> list[dict[str, Any]]:
    """Everyone who was given data, by name, with what for and how often."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for one in held:
        if one.kind != "disclosure":
            continue
        name, purpose, when = one.plain["recipient"], one.plain["purpose"], one.plain["at"]
        said = found.setdefault((name, purpose), _recipient(terms, name, purpose) | {"first_at": when, "times": 0})
        said["times"] += 1
        said["first_at"], said["last_at"] = min(when, said["first_at"]), max(when, said.get("last_at", when))
        said["fields"] = sorted({*said["fields"], *one.plain["fields"]})
    return [found[key] for key in sorted(found)]


def _recipient(terms: Policy, name: str, purpose: str) -> dict[str, Any]:
    said: dict[str, Any] = {"recipient": name, "purpose": purpose, "fields": []}
    declared = terms.recipients.get(name)
    if declared is not None:
        said |= {"role": declared.role, "country": declared.country}
        said["safeguards"] = [transfer.kind for _, transfer in declared.transfers]
    return said


def _retention(terms: Policy) -> list[dict[str, Any]]:
    names = ("category", "purpose", "trigger", "months", "action", "law", "why")
    return [{name: rule[name] for name in names if rule.get(name)} for rule in terms.retention]


AUTOMATED = (
    "Stages and personas are worked out from the facts listed here by fixed rules: each move names the fact that "
    "caused it. They choose what is shown or sent; no decision with legal or similar effect is taken by them alone."
)

RIGHTS = [
    {"right": "rectification", "articles": ["GDPR 16", "APPI 34"]},
    {"right": "erasure", "articles": ["GDPR 17", "APPI 35"]},
    {"right": "restriction", "articles": ["GDPR 18", "APPI 35"]},
    {"right": "portability", "articles": ["GDPR 20"]},
    {"right": "objection", "articles": ["GDPR 21"]},
    {"right": "withdrawal of consent", "articles": ["GDPR 7(3)"]},
    {"right": "complaint to a supervisory authority", "articles": ["GDPR 77", "APPI 148"]},
    {"right": "records of what was given to third parties", "articles": ["APPI 33(5)"]},
]
