"""Rectification (GDPR 16, APPI 34): what is wrong is put right, everywhere, in one transaction.

Values wait sealed under the person's key and go when they are used. Where accuracy is contested the
person can be restricted meanwhile (GDPR 18(1)(a)): then somebody decides, the value is put right, the
person is told, and the restriction ends. The result names who had got the wrong value (GDPR 19).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from cdp import consent, gate, identity, ledger, profile, vault
from cdp.errors import Problem
from cdp.holders import Held
from cdp.identity import Canonical, correcting, marks, places
from cdp.identity.correcting import Change
from cdp.rights import asked, restriction, steps
from cdp.rights.asked import CORRECTING, Corrections
from cdp.rights.grounds import Grounds
from cdp.rights.model import SubjectRequest
from cdp.rights.steps import Steps

COLUMN = "sealed_words"

NONE = {"identifiers": 0, "unmatched": 0, "kept_out": 0, "set_aside": 0}

TOLD_OF = timedelta(days=3 * 365)
"""How far back recipients of a wrong value are looked for: as long as a provision is on record (APPI 29)."""


def plan(right: str, requester: str, asked_: Mapping[str, Any]) -> Steps:
    """Return the steps that put right, take that back, or settle a dispute."""
    if asked_.get("revokes"):
        return (("revoke", revoke), ("wait", restriction.end))
    if asked_.get("by_hand"):
        return (("decide", None), ("wait", restriction.end))
    if asked_.get("restrict_meanwhile"):
        begin = (("stop", stop), ("wait", restriction.wait), ("decide", None))
        end: Steps = (("tell", None), ("lift", lift))
        return (*begin, ("correct", correct), *end)
    return (("correct", correct), ("wait", restriction.end))


def seal(session: Session, request: SubjectRequest, corrections: Corrections) -> None:
    """Keep what is to be put right under the key of the person's first subject; of nobody nothing is kept."""
    keys = vault.deks(session, steps.subjects_of(session, request))
    if keys:
        request.words_owner = min(keys)
        cell = vault.Cell(request.words_owner, "subject_request", COLUMN, request.id)
        request.sealed_words = vault.seal(keys[request.words_owner], asked.encode(corrections), cell)
        session.add(request)


def check_revocable(session: Session, request_id: str, subjects: Sequence[int]) -> None:
    """Raise Problem 409 unless this is a rectification of the same person that was carried out."""
    request = session.get(SubjectRequest, request_id)
    done = request is not None and request.right in CORRECTING and steps.is_taken(request, "correct")
    if request is None or not done or not set(steps.subjects_of(session, request)) & set(subjects):
        raise Problem(409, "nothing_to_revoke", "This is no rectification of the person that was carried out.")


def stop(grounds: Grounds, request_id: str) -> None:
    """Restrict the person for as long as the dispute lasts."""
    at = grounds.clock.now()
    with grounds.database.transaction() as session:
        request = steps.begin(session, request_id, "stop")
        if request is None:
            return
        subjects = steps.cluster(session, steps.subjects_of(session, request))
        steps.name_subjects(session, request, subjects)
        began = restriction.object_to(session, subjects, restriction.RESTRICTED, at, cause=request.id)
        steps.checkpoint(session, request, "stop", at, restriction=began)


def lift(grounds: Grounds, request_id: str) -> None:
    """End the restriction of this dispute, and no other."""
    at = grounds.clock.now()
    with grounds.database.transaction() as session:
        request = steps.begin(session, request_id, "lift")
        if request is None:
            return
        subjects = steps.subjects_of(session, request)
        ended = restriction.lift(session, subjects, restriction.RESTRICTED, at, cause=request.id)
        steps.checkpoint(session, request, "lift", at, restriction=ended)
        steps.finish(session, request, at)


def correct(grounds: Grounds, request_id: str) -> None:
    """Put everything right that was asked, with all that rests on it; lists who had got what was wrong."""
    at = grounds.clock.now()

    def work(session: Session) -> None:
        places.hold_still(session)
        request = steps.begin(session, request_id, "correct")
        if request is None:
            return
        corrections = _opened(session, request)
        subjects = steps.lasting(session, _locked(session, request, corrections.identifiers))
        kept_out = [one.add for one in corrections.identifiers if one.add and _is_erased(session, one.add)]
        told = who_got(session, subjects, corrections.names, at - TOLD_OF)
        counts = {"traits": profile.corrections.apply(session, subjects, corrections.traits, request.id, at)}
        marks.correct(session, subjects, corrections.traits, request.id, at)
        changes = corrections.identifiers
        counts |= NONE | correcting.put_right(session, subjects, changes, request.id, at, kept_out)
        request.sealed_words = request.words_owner = None
        steps.checkpoint(session, request, "correct", at, **counts, recipients=told)
        _note(session, request, "subject.rectified", corrections.names, at)

    grounds.database.attempt(work)


def revoke(grounds: Grounds, request_id: str) -> None:
    """Take back what another request put right, where no source has said something else since."""
    at = grounds.clock.now()

    def work(session: Session) -> None:
        places.hold_still(session)
        request = steps.begin(session, request_id, "revoke")
        if request is None:
            return
        earlier = session.get_one(SubjectRequest, str(steps.asked_of(request)["revokes"]))
        whose = {*steps.subjects_of(session, request), *steps.subjects_of(session, earlier)}
        changed = correcting.revoke(session, earlier.id, at, whose)
        traits = profile.corrections.revoke(session, earlier.id)
        steps.checkpoint(session, request, "revoke", at, traits=traits, identifiers=len(changed))
        _note(session, request, "subject.rectification_revoked", set(), at)

    grounds.database.attempt(work)


def who_got(session: Session, subjects: Sequence[int], names: set[str], since: datetime) -> list[dict[str, Any]]:
    """Name every recipient that was given one of these fields since, and when last; the person aside (GDPR 19)."""
    found: dict[str, dict[str, Any]] = {}
    for one in gate.given(session, subjects, since):
        fields = names if "*" in one.fields else names & set(one.fields)
        if fields and one.recipient != "subject":
            said = found.setdefault(one.recipient, {"recipient": one.recipient, "fields": []})
            said["fields"] = sorted({*said["fields"], *fields})
            said["last_at"] = one.at.isoformat()
    return [found[name] for name in sorted(found)]


def _opened(session: Session, request: SubjectRequest) -> Corrections:
    if request.sealed_words is None or request.words_owner is None:
        return Corrections()
    words = Held("words", request.words_owner, {}, request.sealed_words, "subject_request", COLUMN, request.id)
    said = gate.open_words(session, words)
    return Corrections() if said is None else asked.decode(said)


def _locked(session: Session, request: SubjectRequest, changes: Sequence[Change]) -> list[int]:
    """Lock the identifiers, then the person's subjects, each in order; returns all of these by now."""
    correcting.hold(session, steps.subjects_of(session, request), changes)
    subjects = steps.cluster(session, steps.subjects_of(session, request))
    steps.name_subjects(session, request, subjects)
    return subjects


def _is_erased(session: Session, name: Canonical) -> bool:
    """Whether the identifier may not come back: its owner had it erased (ruling R11)."""
    return bool(consent.suppressed_tokens(session, identity.silence_tokens(session, name), "erasure"))


def _note(session: Session, request: SubjectRequest, act: str, names: set[str], at: datetime) -> None:
    ledger.note(session, act, {"request": request.id, "fields": sorted(names)}, at)
