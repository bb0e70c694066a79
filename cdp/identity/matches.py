"""What runs found, kept for review: each pair once, closed where its clusters are others by now.

A run that was refused leaves its counts and closes nothing. A published one is the newest word on everybody: what
it does not find any more is gone, and what it finds again as it was stays the proposal that it is.
"""

import json
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from cdp import ledger
from cdp.db import among, chunked
from cdp.identity import resolution
from cdp.identity.model import MatchProposal, MatchRun, Override
from cdp.identity.proposals import Proposal, Run, Sample, Settled
from cdp.identity.proposals.rules import PRECISION, is_sure, written
from cdp.profile.model import Subject

FIRST_SAMPLE = 1000
"""Of the surest are drawn for people to look at, in each run until enough were right."""
LATER = 0.05
"""Share of the surest that people go on seeing while the rest is accepted without them."""

Allowed = Callable[[Session, Sequence[int], datetime], set[int]]
"""Says who of these people may be compared now."""


def settled(session: Session) -> Settled:
    """Return the pairs that nobody is to be asked about: kept apart by a word, or declined as they look."""
    apart = select(col(Override.subject), col(Override.other_subject))
    apart = apart.where(col(Override.kind) == "cannot", col(Override.revoked_at).is_(None))
    said = [tuple(row) for row in session.execute(apart)]
    rows = select(col(MatchProposal.subject_one), col(MatchProposal.subject_other), col(MatchProposal.levels))
    declined = [tuple(row) for row in session.execute(rows.where(col(MatchProposal.state) == "declined"))]
    people = resolution.people_of(session, {one for row in (*said, *declined) for one in row[:2]})
    return Settled(
        frozenset(pair for row in said if (pair := _pair(people, *row)) is not None),
        frozenset((*pair, row[2]) for row in declined if (pair := _pair(people, *row[:2])) is not None),
    )


def keep(
    session: Session, run: Run, allowed: Allowed, at: datetime, draw: random.Random | None = None
) -> tuple[MatchRun, list[MatchProposal]]:
    """Write a run and, where it is published, its proposals; returns it with those that are new."""
    row = MatchRun(
        at=at,
        model_version=run.model_version,
        counts=json.dumps(run.counts),
        refusals=json.dumps([[one.reason, one.where] for one in run.refusals]),
        state="published" if run.published else "refused",
    )
    session.add(row)
    session.flush()
    assert row.id is not None
    new = _write(session, row, run.proposals, allowed, at, draw or random.SystemRandom()) if run.published else []
    header = {"run": row.id, "model": run.model_version, "state": row.state, "new": len(new)}
    ledger.note(session, "identity.matched", header, at)
    return row, new


def sample_of(session: Session, model_version: str) -> Sample:
    """Return what people found of the sample of a model: what they have not decided counts as not right."""
    query = select(col(MatchProposal.state), col(Override.revoked_at))
    query = query.outerjoin(Override, col(Override.id) == col(MatchProposal.decision))
    query = query.where(col(MatchProposal.model_version) == model_version, col(MatchProposal.sampled))
    found = [tuple(row) for row in session.execute(query.where(col(MatchProposal.state) != "gone"))]
    return Sample(model_version, len(found), sum(state == "accepted" and gone is None for state, gone in found))


def standing(session: Session, rows: Sequence[MatchProposal]) -> set[int]:
    """Return the numbers of the proposals whose two clusters are still the two people that they were."""
    people = resolution.people_of(session, {one for row in rows for one in (row.subject_one, row.subject_other)})
    return {
        row.id
        for row in rows
        if row.id is not None
        and people.get(row.subject_one) == row.subject_one
        and people.get(row.subject_other) == row.subject_other
    }


def listed(
    session: Session, state: str = "open", after: int = 0, limit: int = 100, *, sampled: bool = False
) -> list[MatchProposal]:
    """Return proposals in the order of their numbers, likeliest first in each run; open ones only while they stand."""
    found: list[MatchProposal] = []
    while len(found) < limit:
        query = select(MatchProposal).where(col(MatchProposal.id) > after, col(MatchProposal.state) == state)
        if sampled:
            query = query.where(col(MatchProposal.sampled))
        rows = list(session.scalars(query.order_by(col(MatchProposal.id)).limit(limit)))
        stand = standing(session, rows) if state == "open" else {row.id for row in rows}
        found += [row for row in rows if row.id in stand]
        if len(rows) < limit:
            break
        after = rows[-1].id or after
    return found[:limit]


def _write(
    session: Session,
    run: MatchRun,
    proposals: Sequence[Proposal],
    allowed: Allowed,
    at: datetime,
    draw: random.Random,
) -> list[MatchProposal]:
    assert run.id is not None
    named = sorted({number for one in proposals for number in (one.a, one.b)})
    may = allowed(session, named, at) & _still_people(session, named)
    found = {(one.a, one.b): one for one in proposals if {one.a, one.b} <= may}
    open_ones = list(session.scalars(select(MatchProposal).where(col(MatchProposal.state) == "open")))
    kept = {(row.subject_one, row.subject_other) for row in _told_again(open_ones, found, at)}
    new = [_row(one, run.id) for pair, one in found.items() if pair not in kept]
    _draw(session, new, run.model_version, draw)
    session.add_all(new)
    session.flush()
    return new


def _told_again(
    rows: Iterable[MatchProposal], found: dict[tuple[int, int], Proposal], at: datetime
) -> Iterator[MatchProposal]:
    """Yield the open proposals that were found again as they were; close the others."""
    for row in rows:
        one = found.get((row.subject_one, row.subject_other))
        if one is not None and (one.model_version, written(one.levels)) == (row.model_version, row.levels):
            yield row
        else:
            row.state, row.closed_at = "gone", at


def _draw(session: Session, new: Sequence[MatchProposal], version: str, draw: random.Random) -> None:
    """Draw from the surest whom people look at in any case."""
    sure = [row for row in new if is_sure(row.probability, json.loads(row.levels))]
    enough = sample_of(session, version).precision >= PRECISION
    drawn = (
        [row for row in sure if draw.random() < LATER] if enough else draw.sample(sure, min(FIRST_SAMPLE, len(sure)))
    )
    for row in drawn:
        row.sampled = True


def _still_people(session: Session, numbers: Iterable[int]) -> set[int]:
    """Return those that are people still, and not being erased."""
    found: set[int] = set()
    for some in chunked(numbers):
        query = select(col(Subject.number)).where(among(session, col(Subject.number), some))
        query = query.where(col(Subject.person) == col(Subject.number), ~col(Subject.erasing))
        found.update(number for number in session.scalars(query) if number is not None)
    return found


def _row(one: Proposal, run: int) -> MatchProposal:
    return MatchProposal(
        run=run,
        model_version=one.model_version,
        subject_one=one.a,
        subject_other=one.b,
        log2_odds=one.log2_odds,
        probability=one.probability,
        band=one.band,
        levels=written(one.levels),
        vetoed=one.vetoed,
    )


def _pair(people: dict[int, int], one: int, other: int) -> tuple[int, int] | None:
    """Return the two people that two subjects are now, the lower first; None where they are one, or gone."""
    here, there = people.get(one), people.get(other)
    return None if here is None or there is None or here == there else (min(here, there), max(here, there))
