"""After an erasure nothing of the person is left: no byte in any file, nothing that an old copy still opens (P6)."""

import random
import shutil
import sqlite3
from pathlib import Path

import pytest

from cdp.db import Database
from cdp.errors import KeyDestroyed
from cdp.vault import Keyring, Vault
from cdp.vault.model import SubjectKey
from tests.conftest import DEEP
from tests.figures import Figures
from tests.rights.conftest import Grounds

PEOPLE = 10_000 if DEEP else 40


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_file_holds_a_byte_and_no_copy_opens(grounds: Grounds, tmp_path: Path, figures: Figures) -> None:
    """Half of the people are erased one after another; a copy of the database from before is tried with the keyring."""
    mails = [f"canary-{n:05d}-{random.Random(n).randrange(10**9):09d}@people.test" for n in range(PEOPLE)]
    for start in range(0, PEOPLE, 500):
        grounds.bring(*mails[start : start + 500])
    owners = {mail: grounds.person(mail) for mail in mails}
    copy = tmp_path / "before.db"
    with sqlite3.connect(grounds.database.url.removeprefix("sqlite:///")) as live, sqlite3.connect(copy) as other:
        live.backup(other)
    gone, staying = mails[::2], mails[1::2]
    for mail in gone:
        assert grounds.erase(mail).state == "completed"
    assert [mail for mail in gone if grounds.person(mail) is not None] == []
    assert all(grounds.person(mail) == owners[mail] for mail in staying[:50])
    held = [path for path in tmp_path.rglob("*") if path.is_file() and any(canaries(path, gone))]
    assert held == []
    closed, opened = tried(grounds, copy, tmp_path, {owners[mail] for mail in gone})
    assert (closed, opened) == (len(gone), len(staying))
    figures("erasure canary", people=PEOPLE, erased=len(gone), bytes_found=0, opened_in_old_copy=0)


def canaries(path: Path, mails: list[str]):
    """Yield what a file holds of these people's addresses, whole or without their domain."""
    content = path.read_bytes()
    if b"canary-" in content:
        yield from (mail for mail in mails if mail.partition("@")[0].encode() in content)


def tried(grounds: Grounds, copy: Path, tmp_path: Path, erased: set[int]) -> tuple[int, int]:
    """Return how many keys of the old copy today's keyring refuses, and how many it opens; each as it should."""
    shutil.copytree(tmp_path / "keyring", tmp_path / "keyring_now")
    keys = Vault(Keyring.load(f"file:{tmp_path / 'keyring_now' / 'keyring.json'}"))
    old = Database(f"sqlite:///{copy}")
    closed = opened = 0
    with old.snapshot() as session:
        for row in session.query(SubjectKey):
            try:
                keys.unwrap(row.subject, row.tree, row.wrapped)
            except KeyDestroyed:
                assert row.subject in erased
                closed += 1
            else:
                assert row.subject not in erased
                opened += 1
    old.dispose()
    return closed, opened
