import shutil
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlmodel import Session

from cdp import rights, vault
from cdp.errors import KeyDestroyed, StartRefused
from cdp.identity.model import Identifier
from cdp.identity.sealed import cell, plaintext
from cdp.profile.model import Subject
from cdp.rights import tombstones
from cdp.rights.model import SubjectRequest
from cdp.vault.model import SubjectKey
from tests.rights.conftest import Grounds

MANY, ERASED = 160, 100


def mail(number: int) -> str:
    return f"p{number}@example.com"


def put_aside(grounds: Grounds) -> Path:
    """Copy the embedded database as an operator's file backup would."""
    path = Path(grounds.database.url.removeprefix("sqlite:///"))
    with grounds.database.writer.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.exec_driver_sql("BEGIN")
    return Path(shutil.copy(path, path.with_name("aside.db")))


def put_back(grounds: Grounds, copy: Path) -> None:
    grounds.database.dispose()
    path = Path(grounds.database.url.removeprefix("sqlite:///"))
    for end in ("-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    shutil.copy(copy, path)


def openable(session: Session, grounds: Grounds) -> set[int]:
    """Subjects whose data key the keyring still unwraps."""
    found = set()
    for key in session.scalars(select(SubjectKey)):
        try:
            grounds.vault.unwrap(key.subject, key.tree, key.wrapped)
        except KeyDestroyed:
            continue
        found.add(key.subject)
    return found


@pytest.fixture
def only_sqlite(grounds: Grounds) -> Grounds:
    if not grounds.database.is_sqlite:
        pytest.skip("copies one file; tests/ops tells the story with backups of both databases")
    return grounds


def test_a_hundred_erased_people_stay_dark_in_a_copy_put_back_and_all_others_stay_light(only_sqlite: Grounds) -> None:
    grounds = only_sqlite
    grounds.bring(*map(mail, range(MANY)))
    erased = {grounds.person(mail(number)) for number in range(ERASED)}
    others = set(grounds.subjects()) - erased
    copy = put_aside(grounds)
    for number in range(ERASED):
        grounds.erase(mail(number))
    put_back(grounds, copy)

    with grounds.database.snapshot() as session:
        assert openable(session, grounds) == others, "before the replay: the keys are gone, the rows are back"
        for row in session.scalars(select(Identifier).where(Identifier.subject.in_(erased)).limit(20)):
            assert vault.deks(session, [row.subject]) == {}
    assert rights.replay(grounds) == ERASED
    with grounds.database.snapshot() as session:
        assert openable(session, grounds) == others
        assert set(session.scalars(select(Subject.number))) == others
    for number in range(ERASED, MANY, 10):
        assert grounds.person(mail(number)) in others
    assert grounds.bring(*map(mail, range(ERASED))).accepted == 0
    assert rights.replay(grounds) == 0


def test_those_who_stay_can_still_be_read_after_others_went(only_sqlite: Grounds) -> None:
    from cdp.identity import Canonical

    grounds = only_sqlite
    grounds.bring("eve@example.com", "ada@example.com")
    copy = put_aside(grounds)
    grounds.erase("eve@example.com")
    put_back(grounds, copy)
    rights.replay(grounds)
    with grounds.database.snapshot() as session:
        [row] = session.scalars(select(Identifier))
        key = vault.deks(session, [row.subject])[row.subject]
        name = plaintext(Canonical("email", "", "ada@example.com"))
        assert vault.matches(key, row.sealed, cell(row.subject, "email", bytes(row.token)), name)


def test_a_keyring_put_back_is_punctured_again(grounds: Grounds) -> None:
    grounds.bring("eve@example.com")
    ring = grounds.erasures[0].parent / "keyring.json"
    with grounds.database.snapshot() as session:
        [key] = [(one.subject, one.tree, one.wrapped) for one in session.scalars(select(SubjectKey))]
    before = ring.read_bytes()
    grounds.erase("eve@example.com")
    ring.write_bytes(before)
    old = vault.Vault(vault.Keyring.load(f"file:{ring}"))
    old.unwrap(*key)
    grounds.vault = old
    rights.replay(grounds)
    with pytest.raises(KeyDestroyed):
        old.unwrap(*key)


@pytest.mark.parametrize("step", ["log", "puncture"])
def test_a_start_between_two_steps_forgets_and_the_request_is_certified_after(grounds: Grounds, step: str) -> None:
    grounds.bring("eve@example.com", "ada@example.com")
    paused = grounds.erase("eve@example.com", stop_after=step)
    assert rights.replay(grounds) == 1
    assert grounds.person("ada@example.com") is not None
    assert len(grounds.subjects()) == 1
    done = rights.advance(grounds, paused.id)
    assert done.state == "completed"
    assert '"subject_key": 1' in done.certificate


def test_a_lost_suppression_is_restored(grounds: Grounds) -> None:
    from sqlalchemy import delete

    from cdp.consent.model import Suppression

    grounds.bring("eve@example.com")
    grounds.erase("eve@example.com")
    with grounds.database.transaction() as session:
        session.execute(delete(Suppression))
    assert rights.replay(grounds) == 0
    assert grounds.bring("eve@example.com").accepted == 0


def test_a_torn_last_line_starts_and_a_damaged_one_does_not(grounds: Grounds) -> None:
    grounds.bring("eve@example.com", "ada@example.com")
    grounds.erase("eve@example.com")
    [log] = grounds.erasures
    with log.open("a") as file:
        file.write('{"request":"x","at":"2026-')
    assert rights.replay(grounds) == 0
    grounds.erase("ada@example.com")
    assert len(tombstones.read([log])) == 2
    log.write_text("not a line\n" + log.read_text())
    with pytest.raises(StartRefused):
        rights.replay(grounds)


def test_the_log_is_read_in_batches_with_progress(grounds: Grounds) -> None:
    grounds.bring(*map(mail, range(3)))
    for number in range(3):
        grounds.erase(mail(number))
    seen: list[tuple[int, int]] = []
    rights.replay(grounds, lambda done, total: seen.append((done, total)))
    assert seen == [(3, 3)]


def test_an_erasure_of_nobody_known_replays_too(grounds: Grounds) -> None:
    done = grounds.erase("nobody@example.com")
    assert rights.replay(grounds) == 0
    with grounds.database.snapshot() as session:
        assert session.get(SubjectRequest, done.id).state == "completed"


def test_many_tombstones_whose_points_are_silent_cost_a_statement_per_thousand(grounds: Grounds) -> None:
    from sqlalchemy import event

    from cdp import consent

    grounds.bring("eve@example.com")
    grounds.erase("eve@example.com")
    at = grounds.clock.now()
    points = [("email", number.to_bytes(16, "big")) for number in range(3000)]
    lines = [tombstones.Tombstone(f"r{number}", at, (), (point,)).line() for number, point in enumerate(points)]
    with grounds.erasures[0].open("a") as file:
        file.writelines(f"{line}\n" for line in lines)
    with grounds.database.transaction() as session:
        consent.suppress_all(session, points, "*", "erasure", at)
    asked: list[str] = []
    event.listen(grounds.database.reader, "before_cursor_execute", lambda *given: asked.append(given[2]))
    assert rights.replay(grounds) == 0
    assert sum("suppression" in statement for statement in asked) == 4
