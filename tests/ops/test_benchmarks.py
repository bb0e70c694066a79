"""What is measured is right: a benchmark that decided wrongly would measure something else."""

from pathlib import Path

from cdp.db import Database
from cdp.identity import rebuild
from cdp.ops.bench import settling
from cdp.ops.bench.rebuild import making
from cdp.ops.bench.rebuild import measuring as rebuilding
from cdp.ops.bench.stream import measuring as streaming
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


def test_a_stream_is_measured_on_either_database_beside_a_floor_of_the_very_same_rows(
    database_url: str, tmp_path: Path
) -> None:
    database = Database(database_url)
    try:
        found = streaming.measure(database, terms(), tmp_path, 200, 50, 1, lambda *_: None)
        with database.snapshot() as session:
            graph = rebuild.read(session)
            difference = rebuild.compare(graph, rebuild.compute(graph, terms().namespaces))
    finally:
        database.dispose()
    assert found.records == found.accepted == 200
    assert found.people < found.subjects == len(graph.subjects) < 200
    assert difference.is_none, "the floor holds other rows than an ingest would leave"
    (one,) = found.rounds
    assert 0 < one.sealing < one.whole
    assert one.floor > 0


def test_a_rebuild_is_measured_on_a_graph_of_the_feeds_shape(tmp_path: Path) -> None:
    found = rebuilding.measure(tmp_path, 3000)
    assert found.records == 3000
    assert 2 < found.evidence / found.records < 2.4
    assert 2.5 < found.records / found.components < 3.5
    assert 0.02 < found.difficult / found.components < 0.06
    assert found.megabytes > 0
    assert making.make(tmp_path / "again.db", 3000) == found.evidence, "the same seed draws another graph"
