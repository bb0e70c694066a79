"""Erasure (GDPR 17, APPI 35): no page after the first step holds the person, no key after the fourth exists.

stop     mark the person and whoever holds its identifiers without proof, silence every identifier of it
wait     until no page that was being handed over holds them
log      write the tombstone beside the keyring: from here on no restored backup brings them back
puncture destroy their leaves of the key tree: every copy of the database is dark for them
forget   let every holder delete its rows
certify  sign what was destroyed and what old copies of keys remain
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlmodel import Session, SQLModel, col

from cdp import consent, gate, identity, ledger, vault
from cdp.db import chunked, unsettle
from cdp.gate.model import Permission
from cdp.identity import graph
from cdp.identity.model import Identifier
from cdp.profile.model import Subject
from cdp.rights import certificate, journal, provisions, reach, remains, steps, tombstones
from cdp.rights.grounds import Grounds
from cdp.rights.holders import HOLDERS
from cdp.rights.model import SubjectRequest
from cdp.rights.reach import Points
from cdp.rights.steps import Steps
from cdp.rights.tombstones import Tombstone


@dataclass(frozen=True, slots=True)
class Reached:
    """Whom an erasure reaches, and what it silences."""

    own: frozenset[int]
    """The subjects of the person itself."""
    unproved: frozenset[int]
    """Subjects that hold one of its identifiers without proof: they go, and what else they hold is not silenced."""
    points: Points

    @property
    def subjects(self) -> set[int]:
        return {*self.own, *self.unproved}


def reach_from(session: Session, subjects: Iterable[int], points: Points) -> Reached:
    """Find whom an erasure of these subjects, and of the identifiers it was asked by, reaches now."""
    own = frozenset(steps.cluster(session, subjects))
    silenced = points | reach.points_of(session, own)
    return Reached(own, frozenset(reach.unproved(session, silenced, own)), silenced)


def reached_by(session: Session, request: SubjectRequest) -> Reached:
    """Find whom the request reaches now; who was found to hold an identifier without proof leads no further."""
    own = set(steps.subjects_of(session, request)) - steps.unproved_of(session, request)
    return reach_from(session, own, steps.points_of(request))


def stop(grounds: Grounds, request_id: str) -> None:
    """Close the gate for all whom the request reaches and silence the person's identifiers, in one transaction."""
    while not _stopped(grounds, request_id):
        pass


def _stopped(grounds: Grounds, request_id: str) -> bool:
    """Try with those found; False when there were more after we had waited for the locks."""
    at = grounds.clock.now()
    with grounds.database.transaction() as session:
        request = steps.begin(session, request_id, "stop")
        if request is None:
            return True
        reached = reached_by(session, request)
        lock_tokens(session, reached.subjects)
        graph.lock_subjects(session, reached.subjects)
        if reached_by(session, request) != reached:
            return False
        request.points = steps.as_points(reached.points)
        all_of_them = {*steps.subjects_of(session, request), *reached.subjects}
        steps.name_subjects(session, request, all_of_them, unproved=all_of_them - reached.own)
        consent.suppress_all(session, reached.points, "*", "erasure", at)
        mark_erasing(session, reached.subjects)
        counts = {"subjects": len(reached.subjects), "unproved": len(reached.unproved)}
        steps.checkpoint(session, request, "stop", at, silenced=len(reached.points), **counts)
    return True


def wait(grounds: Grounds, request_id: str) -> None:
    """Return when no page in flight holds the people; keep who got what, for those who must be told (GDPR 19).

    And what the records of provisions need of them, while there is a key that opens it (APPI 29).
    """
    with grounds.database.snapshot() as session:
        subjects = steps.subjects_of(session, steps.load(session, request_id))
    if subjects:
        gate.wait_until_clear(grounds.database, set(subjects))
    with grounds.database.transaction() as session:
        request = _begin_for(session, request_id, "wait", subjects)
        if request is None:
            return
        told = recipients_of(session, subjects)
        stays = provisions.keep(session, request_id, subjects, grounds.clock.now())
        steps.checkpoint(session, request, "wait", grounds.clock.now(), recipients=told, kept=stays)


def log(grounds: Grounds, request_id: str) -> None:
    """Have the disks hold the tombstone before any key goes."""
    at = grounds.clock.now()
    with grounds.database.snapshot() as session:
        request = steps.load(session, request_id)
        subjects, points = steps.subjects_of(session, request), steps.points_of(request)
        stone = Tombstone(request_id, at, tuple(subjects), tuple(sorted(points)))
    tombstones.append(grounds.erasures, stone)
    with grounds.database.transaction() as session:
        if logged := _begin_for(session, request_id, "log", subjects):
            steps.checkpoint(session, logged, "log", at)


def puncture(grounds: Grounds, request_id: str) -> None:
    """Destroy the keys; when it returns, both copies of the keyring are on disk without them."""
    with grounds.database.snapshot() as session:
        subjects = steps.subjects_of(session, steps.load(session, request_id))
    version = vault.puncture(grounds.vault, subjects)
    with grounds.database.transaction() as session:
        request = _begin_for(session, request_id, "puncture", subjects)
        if request is None:
            return
        steps.checkpoint(session, request, "puncture", grounds.clock.now(), keys=len(subjects), keyring_version=version)


def forget(grounds: Grounds, request_id: str) -> None:
    """Delete every row; where more are reached than the tombstone names, go back to the first step."""
    at = grounds.clock.now()
    with grounds.database.transaction() as session:
        request = steps.begin(session, request_id, "forget")
        if request is None or not steps.is_taken(request, "puncture"):
            return
        logged = steps.subjects_of(session, request)
        lock_tokens(session, {*logged, *reached_by(session, request).subjects})
        if not reached_by(session, request).subjects.issubset(logged):
            steps.reopen(session, request, ("stop", "wait", "log", "puncture"))
            return
        forget_rows(session, request, logged, steps.points_of(request), at)


def forget_rows(
    session: Session, request: SubjectRequest | None, subjects: Sequence[int], points: Points, at: datetime
) -> None:
    """Let every holder delete what it has of the subjects, note it, and tell the request if there is one.

    Others who hold one of the points without proof lose that evidence.
    """
    destroyed = count_rows(session, subjects)
    severed = reach.sever(session, points, subjects)
    for holder in HOLDERS:
        holder.forget(session, subjects)
    digests = [vault.of(session).digest("ledger.subject", str(subject).encode()).hex() for subject in subjects]
    header = {"request": request.id if request else "", "subjects": digests, "rows": destroyed}
    ledger.note(session, "subject.erased", header, at)
    if request is not None:
        steps.checkpoint(session, request, "forget", at, subjects=len(subjects), destroyed=destroyed, severed=severed)


def certify(grounds: Grounds, request_id: str) -> None:
    """Sign the certificate and close the request."""
    emptied, at = journal.empty(grounds.database), grounds.clock.now()
    with grounds.database.transaction() as session:
        request = steps.begin(session, request_id, "certify")
        if request is None:
            return
        body = _certificate(grounds, request, at) | {"journal_emptied": emptied}
        request.certificate = certificate.sign(grounds.signer, body)
        request.points = "[]"
        steps.checkpoint(session, request, "certify", at)
        steps.complete(session, request, at)
        ledger.note(session, "request.step", {"request": request.id, "step": "certify", "right": request.right}, at)


STEPS: Steps = (
    ("stop", stop),
    ("wait", wait),
    ("log", log),
    ("puncture", puncture),
    ("forget", forget),
    ("certify", certify),
)


def _begin_for(session: Session, request_id: str, step: str, subjects: Sequence[int]) -> SubjectRequest | None:
    """Lock the request for a step that was done for these subjects; None where it reaches others by now."""
    request = steps.begin(session, request_id, step)
    same = request is not None and steps.subjects_of(session, request) == list(subjects)
    return request if same else None


def lock_tokens(session: Session, subjects: Iterable[int]) -> None:
    """Lock the subjects' token rows in token order: whoever brings one of these identifiers waits."""
    found: set[tuple[str, bytes]] = set()
    for some in chunked(subjects):
        query = select(col(Identifier.namespace), col(Identifier.token)).where(col(Identifier.subject).in_(some))
        found.update((row[0], bytes(row[1])) for row in session.execute(query))
    graph.lock_tokens(session, found)


def mark_erasing(session: Session, subjects: Iterable[int]) -> None:
    """Make every permission of these people a no from this commit on, whatever they are merged with or split into."""
    people = set(identity.people_of(session, subjects).values())
    for some in chunked(sorted(subjects)):
        session.execute(update(Subject).where(col(Subject.number).in_(some)).values(erasing=True))
    for some in chunked(sorted(people)):
        session.execute(update(Permission).where(col(Permission.person).in_(some)).values(erasing=True))
    unsettle(session, people)


def count_rows(session: Session, subjects: Sequence[int]) -> dict[str, int]:
    """Count what is held of the subjects, by table; tables that hold nothing are left out."""
    counts: dict[str, int] = {}
    for name in sorted(table for holder in HOLDERS for table in holder.tables):
        table = SQLModel.metadata.tables[name]
        known = ("number",) if "number" in table.c else ("subject", "other_subject", "person", "old_person")
        columns = [table.c[column] for column in known if column in table.c]
        for some in chunked(subjects) if columns else ():
            query = select(func.count()).select_from(table).where(or_(*(column.in_(some) for column in columns)))
            counts[name] = counts.get(name, 0) + session.scalars(query).one()
    return {name: count for name, count in counts.items() if count}


def recipients_of(session: Session, subjects: Sequence[int]) -> list[dict[str, str]]:
    """Name who was ever given data of these subjects, and when last."""
    last: dict[str, datetime] = {}
    for one in gate.given(session, subjects):
        last[one.recipient] = max(one.at, last.get(one.recipient, one.at))
    return [{"recipient": recipient, "last_at": when.isoformat()} for recipient, when in sorted(last.items())]


def _certificate(grounds: Grounds, request: SubjectRequest, at: datetime) -> dict[str, Any]:
    counted = {entry["step"]: entry["counts"] for entry in steps.taken(request)}
    destroyed = counted.get("forget", {}).get("destroyed", {})
    stays = counted.get("wait", {}).get("kept", [])
    return {
        "request": request.id,
        "received_at": request.received_at.isoformat(),
        "completed_at": at.isoformat(),
        "controller": grounds.policy.controller.name_en,
        "held": bool(destroyed),
        "statement": (f"{HELD} {KEPT}" if stays else HELD) if destroyed else NOT_HELD,
        "destroyed": destroyed,
        "subjects": counted.get("forget", {}).get("subjects", 0),
        "unproved_holders": counted.get("stop", {}).get("unproved", 0),
        "shared_identifiers_removed": counted.get("forget", {}).get("severed", 0),
        "silenced": counted.get("stop", {}).get("silenced", 0),
        "keyring": remains.of(grounds),
        "recipients": counted.get("wait", {}).get("recipients", []),
        "kept": stays,
    }


HELD = (
    "The keys were destroyed in the keyring and its mirror, so every copy of the database, old or new, is unreadable "
    "for this person; the rows were deleted. Copies of the keyring made before are kept no longer than named here. "
    "An old copy of the database together with a keyring still answers whether an identifier was known: ending the "
    "index epochs named here ends that for the index, not for the names under which silences are kept, whose key stays."
)
KEPT = "What the law makes us keep, in which form, why and until when, stands under `kept`."
NOT_HELD = (
    "Nothing was held under this identifier. It is kept out from now on by a keyed token that cannot be read back."
)
