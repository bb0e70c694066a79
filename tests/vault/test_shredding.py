"""What erasure promises of every copy of the database, and what refuses a wrong keyring."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update
from sqlmodel import Session, SQLModel, col, func, select

from cdp import vault
from cdp.db import Database
from cdp.errors import CiphertextCorrupt, KeyUnavailable, StartRefused
from cdp.vault import Cell, Dek, Keyring, Vault, rotation
from cdp.vault.model import KeyringMark, SubjectKey
from cdp.vault.opening import open_sealed
from tests.vault.conftest import Disks


def fill(database: Database, subjects: range) -> dict[int, Dek]:
    """Give subjects data keys."""
    keys = database.context["vault"]
    minted = [keys.mint(subject) for subject in subjects]
    with database.transaction() as session:
        session.execute(insert(SubjectKey), [row for _, row in minted])
    return {row["subject"]: dek for dek, row in minted}


def alive(database: Database, subjects: range) -> set[int]:
    with database.snapshot() as session:
        return set(vault.deks(session, subjects))


def test_data_keys_of_many_subjects_come_back_in_one_go(vaulted: Database) -> None:
    minted = fill(vaulted, range(1, 1200))
    with vaulted.snapshot() as session:
        found = vault.deks(session, range(1, 1300))
    assert {subject: dek.kid for subject, dek in found.items()} == {s: dek.kid for s, dek in minted.items()}


def test_a_punctured_subject_is_dark_before_and_after_its_rows_go(vaulted: Database) -> None:
    fill(vaulted, range(1, 10))
    vault.puncture(vaulted.context["vault"], [3, 4])
    assert alive(vaulted, range(1, 10)) == {1, 2, 5, 6, 7, 8, 9}
    with vaulted.transaction() as session:
        assert vault.holder.forget(session, [3, 4]) == 2
        assert vault.holder.forget(session, [3, 4]) == 0
    assert alive(vaulted, range(1, 10)) == {1, 2, 5, 6, 7, 8, 9}


def test_the_holder_lists_that_a_key_is_held_and_never_the_key(vaulted: Database) -> None:
    fill(vaulted, range(1, 4))
    with vaulted.snapshot() as session:
        held = vault.holder.export(session, [3, 1, 99])
    assert [(one.subject, one.plain, one.sealed) for one in held] == [(1, {"tree": 1}, None), (3, {"tree": 1}, None)]


def test_every_old_copy_of_the_database_is_dark_for_the_erased_and_light_for_all_others(
    tmp_path: Path, keyring: Keyring
) -> None:
    database = Database(f"sqlite:///{tmp_path / 'cdp.db'}", context={"vault": Vault(keyring)})
    SQLModel.metadata.create_all(database.writer)
    deks = fill(database, range(1, 40))
    cell = Cell(7, "trait", "sealed", "name")
    sealed = vault.seal(deks[7], b"Eve", cell)
    del deks
    for generation in range(3):
        with sqlite3.connect(tmp_path / "cdp.db") as live, sqlite3.connect(tmp_path / f"copy{generation}.db") as copy:
            live.backup(copy)
        erased = [7 + generation, 20 + generation]
        vault.puncture(keyring, erased)
        with database.transaction() as session:
            vault.holder.forget(session, erased)
    gone = {7, 8, 9, 20, 21, 22}
    for name in ("cdp.db", "copy0.db", "copy1.db", "copy2.db"):
        copy_ = Database(f"sqlite:///{tmp_path / name}", context={"vault": Vault(keyring)})
        assert alive(copy_, range(1, 40)) == set(range(1, 40)) - gone
        copy_.dispose()
    with pytest.raises(CiphertextCorrupt):
        open_sealed(Dek(bytes(32)), sealed, cell)
    database.dispose()


def test_a_row_that_was_moved_between_subjects_is_corrupt(vaulted: Database) -> None:
    fill(vaulted, range(1, 4))
    with vaulted.transaction() as session:
        wrapped = session.exec(select(SubjectKey.wrapped).where(SubjectKey.subject == 1)).one()
        session.exec(update(SubjectKey).where(col(SubjectKey.subject) == 2).values(wrapped=wrapped))
    with vaulted.snapshot() as session, pytest.raises(CiphertextCorrupt):
        vault.deks(session, [2])


def test_a_session_without_a_vault_has_no_keys(empty_database: Database) -> None:
    with empty_database.snapshot() as session, pytest.raises(KeyUnavailable):
        vault.deks(session, [1])


# --- rotation of the root


def test_a_rotation_moves_every_key_in_batches_and_then_drops_the_old_tree(vaulted: Database) -> None:
    minted = fill(vaulted, range(1, 30))
    keys: Vault = vaulted.context["vault"]
    keys.keyring.puncture([5])
    keys.keyring.rotate_root()
    fill(vaulted, range(30, 35))
    assert _rewrap_once(vaulted) == 9
    assert alive(vaulted, range(1, 35)) == set(range(1, 35)) - {5}
    assert _finish(vaulted) == []
    while _rewrap_once(vaulted):
        pass
    assert _finish(vaulted) == [1]
    with vaulted.snapshot() as session:
        found = vault.deks(session, range(1, 30))
        assert session.exec(select(func.count()).select_from(SubjectKey)).one() == 33
    assert {s: d.kid for s, d in found.items()} == {s: d.kid for s, d in minted.items() if s != 5}
    assert set(keys.keyring.state().trees) == {2}


def test_what_was_erased_while_it_was_rewrapped_stays_erased(vaulted: Database) -> None:
    fill(vaulted, range(1, 4))
    keys: Vault = vaulted.context["vault"]
    keys.keyring.rotate_root()
    with vaulted.snapshot() as session:
        done = rotation.rewrap(keys, rotation.behind(session, keys, -1, 10))
    keys.keyring.puncture([2])
    with vaulted.transaction() as session:
        vault.holder.forget(session, [2])
    with vaulted.transaction() as session:
        assert rotation.keep(session, done) == 2
    assert alive(vaulted, range(1, 4)) == {1, 3}


def test_a_damaged_key_stays_and_keeps_its_tree(vaulted: Database) -> None:
    fill(vaulted, range(1, 4))
    with vaulted.transaction() as session:
        session.get(SubjectKey, 2).wrapped = bytes(90)
    vaulted.context["vault"].keyring.rotate_root()
    assert _rewrap_once(vaulted) == 2
    assert _finish(vaulted) == []


def test_a_reader_with_the_keyring_of_before_finds_a_key_that_was_just_moved(vaulted: Database, disks: Disks) -> None:
    fill(vaulted, range(1, 5))
    reader = Database(vaulted.url, context={"vault": Vault(disks.load())})
    vaulted.context["vault"].keyring.rotate_root()
    while _rewrap_once(vaulted):
        pass
    assert alive(reader, range(1, 5)) == {1, 2, 3, 4}
    reader.dispose()


def _rewrap_once(database: Database) -> int:
    keys: Vault = database.context["vault"]
    with database.snapshot() as session:
        done = rotation.rewrap(keys, rotation.behind(session, keys, -1, 10))
    with database.transaction() as session:
        return rotation.keep(session, done)


def _finish(database: Database) -> list[int]:
    with database.snapshot() as session:
        return rotation.finish(session, database.context["vault"])


# --- the mark


def check(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        vault.check_mark(session, keyring, database.clock.now())


def marks(session: Session) -> list[tuple[str, int]]:
    return [(mark.keyring, mark.version) for mark in session.exec(select(KeyringMark))]


def test_a_database_remembers_its_keyring_and_the_newest_version_of_it(vaulted: Database, keyring: Keyring) -> None:
    check(vaulted, keyring)
    keyring.puncture([1])
    check(vaulted, keyring)
    check(vaulted, keyring)
    with vaulted.snapshot() as session:
        assert marks(session) == [(keyring.id, 2)]


def test_a_foreign_keyring_refuses_the_start(vaulted: Database, keyring: Keyring, tmp_path: Path) -> None:
    check(vaulted, keyring)
    other = Disks(tmp_path / "other").create()
    with pytest.raises(StartRefused, match="another database"):
        check(vaulted, other)


def test_an_old_copy_of_the_keyring_refuses_the_start(vaulted: Database, keyring: Keyring, disks: Disks) -> None:
    """Erasing records the version: a copy of before would revive the erased in a restored backup."""
    check(vaulted, keyring)
    old = disks.keyring.read_bytes()
    fill(vaulted, range(1, 3))
    vault.puncture(keyring, [1])
    with vaulted.transaction() as session:
        vault.holder.forget(session, [1])
    for path in (disks.keyring, disks.mirror):
        path.write_bytes(old)
    with pytest.raises(StartRefused, match="old copy"):
        check(vaulted, disks.load())


def test_a_keyring_that_opens_nothing_refuses_the_start(vaulted: Database, keyring: Keyring, tmp_path: Path) -> None:
    """Even where no mark was left."""
    fill(vaulted, range(1, 5))
    other = Disks(tmp_path / "other").create()
    with pytest.raises(StartRefused, match="opens none"):
        check(vaulted, other)
    with vaulted.transaction() as session:
        session.exec(update(SubjectKey).values(wrapped=b"rubbish"))
    with pytest.raises(StartRefused, match="opens none"):
        check(vaulted, keyring)


def test_a_few_damaged_keys_do_not_refuse_the_start(vaulted: Database, keyring: Keyring) -> None:
    fill(vaulted, range(1, 5))
    keyring.puncture([1])
    with vaulted.transaction() as session:
        session.exec(update(SubjectKey).where(col(SubjectKey.subject) == 4).values(wrapped=b"rubbish"))
    check(vaulted, keyring)


def test_an_empty_database_takes_the_keyring_it_is_given(vaulted: Database, keyring: Keyring) -> None:
    check(vaulted, keyring)
    with vaulted.snapshot() as session:
        assert marks(session) == [(keyring.id, 1)]


def test_no_key_reaches_the_database(tmp_path: Path, keyring: Keyring) -> None:
    database = Database(f"sqlite:///{tmp_path / 'cdp.db'}", context={"vault": Vault(keyring)})
    SQLModel.metadata.create_all(database.writer)
    deks: dict[int, Any] = fill(database, range(1, 20))
    database.dispose()
    written = b"".join(path.read_bytes() for path in tmp_path.glob("cdp.db*"))
    state = keyring.state()
    secrets = [dek._key for dek in deks.values()] + [state.trees[1].leaf(subject) for subject in deks]
    assert not any(secret in written for secret in [*secrets, *state.keys.values(), *state.index.values()])
    assert all(dek.kid in written for dek in deks.values())
