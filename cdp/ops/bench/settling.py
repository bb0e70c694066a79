"""Deciding everybody again after a change of policy: how many people a second, and whether the answers are right."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy import select, text
from sqlmodel import SQLModel, col

from cdp import gate, journey, profile
from cdp.db import Database, chunked, unsettle
from cdp.gate.decide import person_code
from cdp.gate.model import Permission
from cdp.gate.standing import load
from cdp.ops import applying
from cdp.ops.bench import crowd
from cdp.policy.terms import Law, Policy, Purpose

Told = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Measured:
    """One run over a fresh database."""

    people: int
    filled: float
    first: float
    words: float
    """Seconds until everybody could be believed again after a change of words alone."""
    again: float
    """Seconds until everybody was decided again after a change of answers."""
    changed: int
    """People of whom at least one answer is another now."""
    wrong: int
    """People of the sample whose row differs from a fresh decision."""
    sample: int


def measure(database: Database, terms: Policy, people: int, processes: int, told: Told) -> Measured:
    """Fill a database without people, decide everybody, change the policy, decide everybody again, and compare."""
    SQLModel.metadata.create_all(database.writer)
    database.settlers = [("profile", profile.settle), ("gate", gate.settle), ("journey", journey.settle)]
    database.context["policy"] = terms
    gate.register_policy(database)
    began = time.monotonic()
    crowd.fill(database, terms, people, told=lambda done, total: told("fill", done, total))
    filled = time.monotonic()
    decide_first(database, people, told)
    first = time.monotonic()
    if not database.is_sqlite:
        _analyze(database)
    before = _codes(database)
    words = _apply(database, reworded(terms), processes, lambda done, total: told("words", done, total))
    again = _apply(database, changed(terms), processes, lambda done, total: told("again", done, total))
    after = _codes(database)
    sample = random.Random(1).sample(sorted(after), min(1000, len(after)))  # noqa: S311 - draws a sample
    wrong = sum(not _is_fresh(database, one) for one in chunked(sample, 1))
    moved = sum(before.get(person) != codes for person, codes in after.items())
    return Measured(len(after), filled - began, first - filled, words, again, moved, wrong, len(sample))


def reworded(terms: Policy) -> Policy:
    """Return the policy with other titles: nobody's answers change."""
    purposes = {name: replace(one, title_en=one.title_en + ".") for name, one in terms.purposes.items()}
    return replace(terms, digest=terms.digest[:-1] + "w", purposes=purposes)


def changed(terms: Policy) -> Policy:
    """Return the policy with consent asked for where being a customer was enough: many people's answers change."""
    purposes = {name: _stricter(one) for name, one in terms.purposes.items()}
    return replace(terms, digest=terms.digest[:-1] + "x", purposes=purposes)


def _stricter(purpose: Purpose) -> Purpose:
    bases = tuple(
        (law, replace(basis, kind="consent") if law is Law.GDPR and basis.kind == "soft_opt_in" else basis)
        for law, basis in purpose.bases
    )
    return replace(purpose, bases=bases)


def decide_first(database: Database, people: int, told: Told = lambda what, done, total: None) -> None:
    """Settle everybody for the first time, as the batches that bring people do."""
    done = 0
    for some in chunked(crowd.everybody(database), 100 if database.is_sqlite else 1000):
        with database.transaction() as session:
            unsettle(session, some)
        done += len(some)
        told("first", done, people)


def _apply(database: Database, terms: Policy, processes: int, told: applying.Told) -> float:
    began = time.monotonic()
    database.context["policy"] = terms
    gate.register_policy(database)
    applying.apply(database, processes, told)
    return time.monotonic() - began


def _codes(database: Database) -> dict[int, bytes]:
    with database.snapshot() as session:
        query = select(col(Permission.person), col(Permission.codes))
        return {row.person: bytes(row.codes) for row in session.execute(query)}


def _is_fresh(database: Database, people: list[int]) -> bool:
    """Whether each row says what the rules say, asked one use at a time of what is loaded anew."""
    with database.snapshot() as session:
        at = database.clock.now()
        terms: Policy = database.context["policy"]
        for person, situation in load(session, people, at).items():
            row = session.get(Permission, person)
            fresh = bytes(person_code(terms, use, situation.standing) for use in terms.uses)
            if row is None or bytes(row.codes) != fresh or row.holds_until <= at:
                return False
    return True


def _analyze(database: Database) -> None:
    with database.transaction() as session:
        session.execute(text("ANALYZE"))
