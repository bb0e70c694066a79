"""What is measured is right: a benchmark that decided wrongly would measure something else."""

from cdp.db import Database
from cdp.ops.bench import settling
from tests.policy.shipped import terms


def test_deciding_everybody_again_is_measured_on_either_database_with_nobody_wrong(database_url: str) -> None:
    database = Database(database_url)
    try:
        found = settling.measure(database, terms(), 60, 1, lambda *_: None)
    finally:
        database.dispose()
    assert found.people == found.sample == 60
    assert found.wrong == 0
    assert 0 < found.changed < 60
