"""Trains on everybody who may be compared, and looks for who is there twice; each a job that somebody starts.

The model is frozen: a file in the home that is named by its version, which the policy names too. Values are opened in
lots by the gate, become tokens in memory, and are gone before anything is compared; nothing is written but
the proposals.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlmodel import Session

from cdp import gate
from cdp.db import Database
from cdp.errors import Problem
from cdp.gate.matching import policy_of
from cdp.identity import matches, verdicts
from cdp.identity.model import MatchRun
from cdp.identity.proposals import Bounds, Described, Model, Run, Sample, Watch, problem, propose, read, train
from cdp.identity.proposals.memory import LIMIT
from cdp.policy.terms import Proposing

FOLDER = "matching"
"""In the home: one file per model."""

Told = Callable[[int], None]
"""Hears how many people were looked at."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to."""

    run: Run
    stored: int | None = None
    """Number of the run; None where it was only tried."""
    new: int = 0
    """Proposals that were not there before."""
    accepted: int = 0
    """Of those, accepted without a person."""


def learn(database: Database, home: Path, told: Told = lambda people: None, watch: Watch | None = None) -> Model:
    """Train on everybody who may be compared, and write the model's file.

    Raises Problem `proposals_off`, and what training and the gate raise.
    """
    terms_of(database)
    model = train(_described(database, told), watch=watch)
    folder = home / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file_of(home, model.version).write_text(model.to_json(), encoding="utf-8")
    return model


def run(
    database: Database,
    home: Path,
    told: Told = lambda people: None,
    *,
    keep: bool = True,
    watch: Watch | None = None,
) -> Outcome:
    """Look for who is there twice; with `keep`, write what was found for people to decide.

    Raises Problem `proposals_off`, `not_trained`, `model_changed`, and what comparing and the gate raise.
    """
    terms = terms_of(database)
    model = model_of(home, terms)
    with database.snapshot() as session:
        settled = matches.settled(session)
    bounds = Bounds(largest=terms.largest, touched=terms.touched)
    found = propose(_described(database, told), model, bounds, LIMIT, watch, settled)
    if not keep:
        return Outcome(found)
    row, new, sample = database.attempt(lambda session: _keep(session, found))
    accepted = [number for number in new if terms.accept and _accept(database, number, sample)]
    return Outcome(found, row, len(new), len(accepted))


def terms_of(database: Database) -> Proposing:
    """Return what the policy says of proposals; raises Problem `proposals_off` where they are not turned on."""
    terms = policy_of(database).proposals
    if not terms.enabled:
        raise problem("proposals_off")
    return terms


def model_of(home: Path, terms: Proposing) -> Model:
    """Return the model that the policy names; raises Problem `not_trained`, `model_changed`."""
    if not terms.model or not file_of(home, terms.model).exists():
        raise problem("not_trained")
    try:
        model = read(file_of(home, terms.model).read_text(encoding="utf-8"))
    except (ValueError, KeyError, TypeError, OSError):
        raise problem("model_changed") from None
    if model.version != terms.model:
        raise problem("model_changed")
    return model


def file_of(home: Path, version: str) -> Path:
    """Return where the model of a version is."""
    return home / FOLDER / f"{version}.json"


def _described(database: Database, told: Told) -> Iterator[Described]:
    return gate.open_for_matching(database, told)


def _keep(session: Session, found: Run) -> tuple[int, list[int], Sample]:
    at = session.info["clock"].now()
    sample = matches.sample_of(session, found.model_version)
    row, new = matches.keep(session, found, gate.comparable, at)
    return _number(row), [one.id for one in new if one.id is not None], sample


def _accept(database: Database, number: int, sample: Sample) -> bool:
    """Accept one without a person; what stands against it leaves it to people."""

    def work(session: Session) -> bool:
        return verdicts.accept_automatically(session, number, sample, session.info["clock"].now())

    try:
        return database.attempt(work)
    except Problem:
        return False


def _number(row: MatchRun) -> int:
    assert row.id is not None
    return row.id
