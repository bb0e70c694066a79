"""A copy of the database from before an erasure is put back: dark for the erased, light for everybody else."""

import json
import shutil
from pathlib import Path

import pytest
import requests
from sqlmodel import col, select

from cdp import identity, vault
from cdp.db import Database
from cdp.errors import KeyDestroyed
from cdp.identity.model import Identifier
from cdp.profile.model import Subject
from cdp.vault.model import SubjectKey
from tests.conftest import DEEP
from tests.figures import Figures
from tests.stories.world import World

PEOPLE, ERASED = (5_000, 100) if DEEP else (300, 10)


def address(number: int) -> str:
    return f"copied{number}@people.example"


@pytest.fixture
def populated(world: World) -> World:
    """Many people with a login and an address each."""
    for start in range(0, PEOPLE, 300):
        calls = [
            {
                "type": "identify",
                "messageId": f"copied-{number}",
                "userId": f"copied-{number}",
                "traits": {"email": address(number), "lastName": f"family-{number}"},
            }
            for number in range(start, min(start + 300, PEOPLE))
        ]
        body, key = json.dumps({"batch": calls}).encode(), world.told["site"]["write_key"]
        assert requests.post(f"{world.url}/v1/batch", data=body, auth=(key, ""), timeout=60).status_code == 200
    return world


def subjects_of(world: World, numbers: range) -> set[int]:
    with world.deployment.database.snapshot() as session:
        people = [identity.find(session, "email", "", address(number)) for number in numbers]
        return set(session.exec(select(Subject.number).where(col(Subject.person).in_(people))))


def opened(database: Database, keys: vault.Vault) -> tuple[set[int], set[int]]:
    """Try the key of every subject of a database; returns who can be opened, and who cannot."""
    light, dark = set(), set()
    with database.snapshot() as session:
        for row in session.exec(select(SubjectKey)).all():
            try:
                keys.unwrap(row.subject, row.tree, row.wrapped)
                light.add(row.subject)
            except KeyDestroyed:
                dark.add(row.subject)
    return light, dark


def test_a_copy_from_before_is_dark_for_the_erased_alone(populated: World, tmp_path: Path, figures: Figures) -> None:
    world, gone, kept = populated, range(ERASED), range(ERASED, PEOPLE)
    erased, others = subjects_of(world, gone), subjects_of(world, kept)
    world.cdp("backup", str(tmp_path / "copy"))
    for number in gone:
        body = {"right": "erasure", "identifier": {"type": "email", "value": address(number)}, "requester": "subject"}
        assert world.call("officer", "POST", "/api/subject-requests", body).json()["state"] == "completed"
    world.close()
    copied = tmp_path / "copy" / "database.sqlite"
    if copied.exists():
        stolen = shutil.copy(copied, tmp_path / "stolen.sqlite")
        light, dark = opened(Database(f"sqlite:///{stolen}"), world.deployment.vault)
        assert (dark, light) == (erased, others), "before the replay: the rows are there, their keys are not"
    world.cdp("restore", str(tmp_path / "copy"), "--yes")
    world.open()
    light, dark = opened(world.deployment.database, world.deployment.vault)
    assert not dark, "after the replay not even the rows are there"
    assert light == others
    with world.deployment.database.snapshot() as session:
        assert not [number for number in gone if identity.find(session, "email", "", address(number))]
        assert all(identity.find(session, "email", "", address(number)) for number in kept)
        left = set(session.exec(select(Identifier.subject).where(col(Identifier.subject).in_(erased))))
    assert not left
    kind = "SQLite" if world.deployment.database.is_sqlite else "PostgreSQL"
    figures(
        f"an old copy put back, {kind}",
        people=PEOPLE,
        erased=len(erased),
        opened_again=len(light & erased),
        others_opened=len(light),
    )
