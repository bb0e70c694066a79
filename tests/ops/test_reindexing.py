"""The operator exchanges the key of the blind index: nobody is lost, and the older key is nowhere any more."""

from functools import partial

import pytest
from sqlmodel import col, select

from cdp import identity
from cdp.identity import epochs
from cdp.identity.model import Identifier, Token
from cdp.ops import reindexing
from cdp.vault.model import SubjectKey
from tests.ops.conftest import Home

MAILS = tuple(f"ada{number}@example.com" for number in range(20))


def lines(home: Home, *arguments: str, exit_code: int = 0) -> dict[str, str]:
    said = home.cdp(*arguments, exit_code=exit_code).stdout
    return dict(line.split("=", 1) for line in said.splitlines() if "=" in line)


def found(home: Home) -> list[int | None]:
    with home.opened() as deployment, deployment.database.snapshot() as session:
        return [identity.find(session, "email", "", mail) for mail in MAILS]


def test_the_index_is_rotated_and_everybody_is_found(home: Home) -> None:
    home.bring(*MAILS)
    before = found(home)
    said = lines(home, "keys", "reindex")
    assert (said["taken_up"], said["epoch"], said["destroyed"]) == ("no", "2", "1")
    assert lines(home, "keys", "status")["index_epochs"] == "2"
    assert found(home) == before
    home.bring(MAILS[0])
    assert found(home) == before
    with home.opened() as deployment, deployment.database.snapshot() as session:
        used = {bytes(row) for row in session.scalars(select(Identifier.token))}
        assert {bytes(row) for row in session.scalars(select(Token.token))} <= used


def test_a_rotation_that_was_stopped_is_taken_up(home: Home) -> None:
    home.bring(*MAILS)
    before = found(home)
    with home.opened() as deployment:
        deployment.vault.keyring.rotate_index()
        with deployment.database.snapshot() as session:
            some = epochs.behind(session, epochs.FIRST, 3)
        deployment.database.attempt(partial(epochs.move, keys=some, at=deployment.clock.now()))
    assert found(home) == before
    said = lines(home, "keys", "reindex")
    assert (said["taken_up"], said["epoch"], said["destroyed"]) == ("yes", "2", "1")
    assert found(home) == before


def test_the_older_key_stays_while_something_cannot_be_read(home: Home) -> None:
    home.bring(*MAILS[:2])
    with home.opened() as deployment, deployment.database.transaction() as session:
        row = session.scalars(select(Identifier).order_by(col(Identifier.subject))).first()
        assert row is not None
        row.sealed = b"x" * len(row.sealed)
    said = lines(home, "keys", "reindex", exit_code=1)
    assert (said["destroyed"], lines(home, "keys", "status")["index_epochs"]) == ("", "1 2")


def test_a_copy_from_before_is_indexed_again_by_the_same_command(home: Home) -> None:
    home.bring(*MAILS)
    before = found(home)
    with home.opened() as deployment:
        deployment.vault.keyring.rotate_index()
        deployment.vault.keyring.destroy_epoch(1)
    assert found(home) == before, "a look-up needs no key of the index"
    home.bring(*MAILS[:5])
    lines(home, "keys", "reindex")
    assert found(home) == before
    with home.opened() as deployment, deployment.database.snapshot() as session:
        assert set(session.scalars(select(col(Identifier.epoch)))) == {3}


def test_a_record_whose_data_key_is_damaged_is_told_and_everybody_else_is_brought_along(home: Home) -> None:
    home.bring(*MAILS[:3])
    with home.opened() as deployment, deployment.database.transaction() as session:
        row = session.scalars(select(SubjectKey).order_by(col(SubjectKey.subject))).first()
        assert row is not None
        row.wrapped = b"x" * len(row.wrapped)
    said = lines(home, "keys", "reindex", exit_code=1)
    assert (said["destroyed"], lines(home, "keys", "status")["index_epochs"]) == ("", "1 2")
    with home.opened() as deployment, deployment.database.snapshot() as session:
        behind = select(col(Identifier.subject)).where(col(Identifier.epoch) == 1).distinct()
        assert len(session.scalars(behind).all()) == 1
    said = lines(home, "keys", "reindex", "--leave-damaged", exit_code=1)
    assert (said["destroyed"], lines(home, "keys", "status")["index_epochs"]) == ("1", "2")
    said = lines(home, "keys", "reindex", "--leave-damaged", exit_code=1)
    assert (said["taken_up"], said["destroyed"]) == ("no", "2"), "what is damaged stops no later rotation"


@pytest.mark.parametrize("stopped", [1, 2, 3])
def test_progress_is_told_and_ends(home: Home, stopped: int) -> None:
    home.bring(*MAILS[:stopped])
    told: list[tuple[int, int]] = []
    with home.opened() as deployment:
        run = reindexing.reindex(deployment, lambda done, total: told.append((done, total)))
    assert run.moved >= stopped
    assert told[-1][0] == run.moved
