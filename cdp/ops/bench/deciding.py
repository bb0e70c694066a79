"""How long one decision takes, by people who are drawn as a shop has them and loaded as the gate loads them."""

import statistics
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date

from cdp.db import Database
from cdp.gate.decide import decide, ways
from cdp.gate.question import Reach, Standing
from cdp.gate.standing import load
from cdp.policy.terms import Policy, Use

Question = tuple[Use, Standing, Reach | None]


@dataclass(frozen=True, slots=True)
class Times:
    """Microseconds of a thread's own time, so that what else the machine does counts less; and of the clock."""

    questions: int
    median: float
    p99: float
    by_clock: float
    spread: float
    """Between the quickest and the slowest round's median, in hundredths of the middle one."""


def questions(database: Database, terms: Policy, people: Iterable[int]) -> list[Question]:
    """Return every use for each of these people, by their first way."""
    with database.snapshot() as session:
        standings = [one.standing for one in load(session, people, database.clock.now()).values()]
    return [(use, who, ways(who, use.channel)[0]) for who in standings for use in terms.uses]


def warm(terms: Policy, asked: list[Question], on: date, rounds: int = 5) -> Times:
    """Time decisions that a process makes day in, day out; the first round only warms up."""
    list(_each(terms, asked, on))
    return _summed([list(_each(terms, asked, on)) for _ in range(rounds)])


def cold(terms: Policy, asked: list[Question], on: date, rounds: int = 5) -> Times:
    """Time decisions under a policy that the process has never met: nothing that it works out once is there."""
    some = asked[:: max(1, len(asked) // 500)]
    return _summed([[taken for one in some for taken in _each(replace(terms), [one], on)] for _ in range(rounds)])


def _each(terms: Policy, asked: Iterable[Question], on: date) -> Iterator[tuple[int, int]]:
    """Yield nanoseconds of this thread and of the clock for each decision."""
    for use, who, way in asked:
        clock, mine = time.perf_counter_ns(), time.thread_time_ns()
        decide(terms, use, who, way, on)
        yield time.thread_time_ns() - mine, time.perf_counter_ns() - clock


def _summed(rounds: list[list[tuple[int, int]]]) -> Times:
    mine = sorted(taken for one in rounds for taken, _ in one)
    medians = sorted(statistics.median(taken for taken, _ in one) for one in rounds)
    middle = statistics.median(medians)
    return Times(
        len(rounds[0]),
        statistics.median(mine) / 1000,
        mine[len(mine) * 99 // 100] / 1000,
        statistics.median(by_clock for one in rounds for _, by_clock in one) / 1000,
        100 * (medians[-1] - medians[0]) / middle,
    )
