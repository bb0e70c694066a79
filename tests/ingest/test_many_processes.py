"""Many processes of an operating system that bring the same new identifiers at once, each in an order of its own.

Every person is made once, everything brought is attached, every value opens, and no deadlock reaches a caller:
what the database broke off was begun again.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func
from sqlmodel import select

from cdp import vault
from cdp.db import Database
from cdp.identity.model import Identifier, Token
from cdp.identity.sealed import cell
from cdp.profile import facts
from cdp.profile.model import Fact, Person, Subject
from cdp.vault.model import SubjectKey
from cdp.vault.opening import open_sealed
from tests.conftest import DEEP, ROOT
from tests.ingest.ground import furnish, partition, rows

PROCESSES, PEOPLE = (16, 2_000) if DEEP else (4, 100)


@pytest.fixture
def shop(postgres: str, tables: str, clock, tmp_path: Path) -> Iterator[Database]:
    from tests.conftest import postgres_database

    for url in postgres_database(postgres, tables):
        database = furnish(Database(url, clock=clock), tmp_path)
        yield database
        database.dispose()


def test_processes_with_the_same_new_identifiers_make_each_person_once(shop: Database, tmp_path: Path, figures) -> None:
    keyring = f"file:{tmp_path / 'keys' / 'keyring.json'}"
    command = [sys.executable, "-m", "tests.ingest.bringing", shop.url, keyring, str(PEOPLE)]
    running = [
        subprocess.Popen([*command, str(copy)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for copy in range(PROCESSES)
    ]
    for process in running:  # all have assembled themselves before any begins
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    told = [process.communicate(timeout=7_000)[0].split() for process in running]

    assert [process.returncode for process in running] == [0] * PROCESSES
    accepted, duplicates, begun_again = (sum(int(one[n]) for one in told) for n in range(3))
    figures(
        "processes bringing the same new identifiers, PostgreSQL",
        processes=PROCESSES,
        identifiers=PEOPLE,
        accepted=accepted,
        duplicates=duplicates,
        begun_again=begun_again,
        surfaced=sum(process.returncode != 0 for process in running),
    )
    # Of each person every process brings one event of its own, and one that all of them bring.
    assert accepted == PEOPLE * (PROCESSES + 1)
    assert duplicates == PEOPLE * (PROCESSES - 1)
    check(shop)


def check(shop: Database) -> None:
    """Everybody once, every fact of somebody, one key for each subject, and every value opens."""
    with shop.snapshot() as session:
        assert len(partition(session)) == PEOPLE
        subjects = {row.number: row.person for row in rows(session, Subject)}
        assert {row.person for row in rows(session, Person)} == set(subjects.values())
        assert all(person and person <= number for number, person in subjects.items())
        keys = list(session.scalars(select(SubjectKey.subject)))
        assert sorted(keys) == sorted(subjects)
        assert session.exec(select(func.count()).select_from(Fact)).one() == PEOPLE * (PROCESSES + 1)
        used = set(session.exec(select(Identifier.namespace, Identifier.token)).all())
        assert used == set(session.exec(select(Token.namespace, Token.token)).all())
        deks = vault.deks(session, subjects)
        for name in rows(session, Identifier):
            assert open_sealed(deks[name.subject], name.sealed, cell(name.subject, name.namespace, name.token))
        for fact in rows(session, Fact):
            assert open_sealed(deks[fact.subject], fact.sealed, facts.cell(fact.subject, fact.ref))
