"""How many people are in each stage, how many move between them, and how long they wait: numbers only.

Only people whose data may be used for the purpose are counted, and of fewer than twenty people no number
is told: None means "too few to say".
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Float, and_, case, cast, func, select
from sqlmodel import Session, col

from cdp import policy
from cdp.db import is_sqlite
from cdp.gate import listing
from cdp.gate.model import Permission
from cdp.gate.rounding import told
from cdp.journey.declared import find
from cdp.journey.model import Stage, Transition
from cdp.journey.stages import holds
from cdp.policy.terms import Use


@dataclass(frozen=True, slots=True)
class Flow:
    """Moves between two stages; "" = from outside the journey."""

    from_stage: str
    to_stage: str
    people: int | None
    moves: int | None
    median_wait: timedelta | None
    """How long people had been in the stage that they left; None for entries, or too few to say."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """A journey in numbers at one instant."""

    journey: str
    as_of: datetime
    stages: dict[str, int | None]
    """Stage → people there now, in the journey's order."""
    flows: list[Flow]


def sizes(session: Session, name: str, use: Use, at: datetime, *, exact: bool = False) -> Sizes:
    """Measure a journey over the people permitted for the use; raises Problem 404 `unknown_journey`.

    `exact` is for callers who may list the members (R7); others get numbers rounded down to fives.
    """
    journey = find(policy.of(session), name)
    allowed = and_(listing.allowed(session, use, at), col(Permission.restricted).is_(False))
    counted = dict(session.execute(_people_by_stage(name, and_(allowed, holds(at)))).tuples().all())
    stages = _beside_each_other({stage: told(counted.get(stage, 0), exact) for stage in journey.stages})
    rows = session.execute(_flows(session, name, allowed))
    flows = [_flow(*row, exact=exact) for row in rows]
    return Sizes(name, at, stages, flows)


def _people_by_stage(name: str, allowed: ColumnElement[bool]) -> Any:
    return (
        select(col(Stage.stage), func.count())
        .join(Permission, col(Permission.person) == col(Stage.person))
        .where(col(Stage.journey) == name, allowed)
        .group_by(col(Stage.stage))
    )


def _flows(session: Session, name: str, allowed: ColumnElement[bool]) -> Any:
    """Count moves by pair of stages, with the lower median of the seconds waited, in one statement."""
    before = func.lag(col(Transition.at)).over(partition_by=col(Transition.person), order_by=col(Transition.id))
    waits = (
        select(
            col(Transition.person),
            col(Transition.from_stage),
            col(Transition.to_stage),
            _seconds(session, before, col(Transition.at)).label("wait"),
        )
        .join(Permission, col(Permission.person) == col(Transition.person))
        .where(col(Transition.journey) == name, allowed)
        .subquery()
    )
    pair = (waits.c.from_stage, waits.c.to_stage)
    ranked = select(
        waits,
        func.row_number().over(partition_by=pair, order_by=waits.c.wait).label("rank"),
        func.count().over(partition_by=pair).label("of"),
    ).subquery()
    middle = case((and_(ranked.c.rank * 2 >= ranked.c.of, ranked.c.rank * 2 < ranked.c.of + 2), ranked.c.wait))
    return (
        select(
            ranked.c.from_stage,
            ranked.c.to_stage,
            func.count(ranked.c.person.distinct()),
            func.count(),
            func.max(middle),
        )
        .group_by(ranked.c.from_stage, ranked.c.to_stage)
        .order_by(ranked.c.from_stage, ranked.c.to_stage)
    )


def _seconds(session: Session, start: Any, end: Any) -> Any:
    if is_sqlite(session):
        return (func.julianday(end) - func.julianday(start)) * 86_400.0
    return cast(func.extract("epoch", end) - func.extract("epoch", start), Float)


def _beside_each_other(stages: dict[str, int | None]) -> dict[str, int | None]:
    """Leave out the smallest number beside the only one that is left out: from their sum it could be reckoned."""
    numbers = {stage: number for stage, number in stages.items() if number is not None}
    if len(stages) - len(numbers) != 1 or not numbers:
        return stages
    return {**stages, min(numbers, key=lambda stage: (numbers[stage], stage)): None}


def _flow(from_stage: str, to_stage: str, people: int, moves: int, wait: float | None, *, exact: bool) -> Flow:
    enough = told(people, exact) is not None
    median = timedelta(seconds=round(wait)) if enough and wait is not None and from_stage else None
    return Flow(from_stage, to_stage, told(people, exact), told(moves, exact) if enough else None, median)
