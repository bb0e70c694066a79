"""Two web processes hear of the same new people at once, each client in its own order: everybody is one person."""

import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from tests.conftest import DEEP
from tests.figures import Figures
from tests.stories.processes import Running

CLIENTS, PEOPLE = (16, 2_000) if DEEP else (16, 50)


@pytest.fixture
def running(tmp_path: Path, database_url: str) -> Iterator[Running]:
    live = Running(tmp_path / "home", database_url)
    live.cdp("init")
    yield live
    live.stop()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_clients_of_two_web_processes_with_the_same_new_people_make_each_once(
    running: Running, database_url: str, figures: Figures
) -> None:
    settings = ("--set", "key=server", "--set", "residence_default=JP")
    source = running.printed("connector", "add", "shop", "--type", "segment", *settings)
    running.serve(workers=2)

    def bring(client: int) -> list[int]:
        everybody = random.Random(client).sample(range(PEOPLE), PEOPLE)
        with requests.Session() as session:
            session.auth = (source["write_key"], "")
            calls = (called(person, f"{client}-{person}") for person in everybody)
            return [session.post(f"{running.url}/v1/identify", json=one, timeout=120).status_code for one in calls]

    with ThreadPoolExecutor(CLIENTS) as clients:
        answers = Counter(status for told in clients.map(bring, range(CLIENTS)) for status in told)
    people, subjects, names, doubled = counted(database_url)
    figures(
        "HTTP clients bringing the same new people, PostgreSQL, 2 web processes",
        clients=CLIENTS,
        identifiers=2 * PEOPLE,
        calls=answers.total(),
        refused=answers.total() - answers[200],
        people=people,
        doubled=doubled,
    )
    assert answers == {200: CLIENTS * PEOPLE}
    assert (people, subjects, names, doubled) == (PEOPLE, PEOPLE, 2 * PEOPLE, 0)


def called(person: int, message: str) -> dict[str, object]:
    traits = {"email": f"newcomer{person}@people.example"}
    return {"userId": f"newcomer-{person}", "messageId": message, "context": {"traits": traits}}


def counted(database_url: str) -> tuple[int, ...]:
    """Return how many people, subjects and distinct identifiers there are, and identifiers of more than one person."""
    engine = create_engine(database_url, poolclass=NullPool)
    several = (
        "SELECT namespace, token FROM identifier JOIN subject ON number = subject "
        "GROUP BY namespace, token HAVING count(DISTINCT person) > 1"
    )
    wanted = (
        "person",
        "subject",
        "(SELECT DISTINCT namespace, token FROM identifier) AS named",
        f"({several}) AS doubled",
    )
    with engine.connect() as connection:
        return tuple(connection.scalar(text(f"SELECT count(*) FROM {one}")) or 0 for one in wanted)
