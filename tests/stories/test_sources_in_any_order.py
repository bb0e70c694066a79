"""Everything comes twice and in any order, through real sockets: every fact once, and the same people."""

from sqlalchemy import func, select

from cdp.profile.model import Fact
from tests.people import Cast, cast
from tests.stories.world import World

SHUFFLES = 10


def facts(world: World) -> dict[str, int]:
    with world.deployment.database.snapshot() as session:
        rows = session.execute(select(Fact.kind, func.count()).group_by(Fact.kind)).all()
    return {str(row[0]): int(row[1]) for row in rows}


def test_what_is_sent_twice_is_kept_once(world: World) -> None:
    world.arrive(cast(), times=1)
    once = facts(world)
    world.arrive(cast(), times=1)
    assert facts(world) == once
    assert once["Order Completed"] == len(cast().everybody)


def test_the_same_people_come_out_whatever_the_order(world: World) -> None:
    world.arrive(cast(0))
    expected = world.partition(cast(0).everybody)
    assert expected == one_person_each(cast(0))
    for seed in range(1, SHUFFLES + 1):
        world.arrive(cast(seed), seed=seed, times=2)
        assert world.partition(cast(seed).everybody) == expected, f"shuffle {seed}"
    assert facts(world)["Order Completed"] == (SHUFFLES + 1) * 5


def one_person_each(five: Cast) -> set[frozenset[str]]:
    return {frozenset(f"{kind} of {person.name}" for kind, _, _ in person.identifiers) for person in five.everybody}
