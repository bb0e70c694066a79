"""Entries are noted without a queue, sealed without a gap, and proven with one key."""

import json
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete
from sqlmodel import col, func, select

from cdp import ledger
from cdp.db import Database
from cdp.errors import StartRefused
from cdp.ledger import tree
from cdp.ledger.checkpoints import read_notes
from cdp.ledger.model import LedgerCheckpoint, LedgerEntry

AT = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)


def note(database: Database, count: int = 1) -> list[str]:
    with database.transaction() as session:
        return ledger.note_all(session, [("staff.act", {"n": number}) for number in range(count)], AT)


def seal(database: Database, signer: ledger.Signer, **how: Any) -> ledger.Checkpoint | None:
    with database.transaction() as session:
        return ledger.seal(session, signer, AT, **how)


def test_an_entry_is_one_canonical_text(books: Database) -> None:
    tokyo = AT.astimezone(timezone(timedelta(hours=9)))
    with books.transaction() as session:
        entry = ledger.note(session, "consent.recorded", {"purpose": "広告", "a": [1, None]}, tokyo)
    with books.snapshot() as session:
        row = session.exec(select(LedgerEntry)).one()
    assert row.header == (
        '{"act":"consent.recorded","at":"2026-06-01T09:00:00.000000+00:00","entry":"'
        + entry
        + '","header":{"a":[1,null],"purpose":"\\u5e83\\u544a"}}'
    )
    assert row.leaf == tree.leaf_hash(row.header.encode())


@pytest.mark.parametrize("header", [{"x": float("nan")}, {"x": object()}, {"x": b"bytes"}])
def test_what_json_cannot_say_is_refused(books: Database, header: dict[str, Any]) -> None:
    with books.snapshot() as session, pytest.raises((ValueError, TypeError)):
        ledger.note(session, "staff.act", header, AT)


def test_an_entry_of_a_transaction_that_failed_was_never_noted(books: Database, signer: ledger.Signer) -> None:
    with pytest.raises(RuntimeError), books.transaction() as session:
        ledger.note(session, "staff.act", {}, AT)
        raise RuntimeError
    assert seal(books, signer) is None


def test_sealing_gives_places_without_a_gap_and_a_signed_head(books: Database, signer: ledger.Signer) -> None:
    for size in (1, 4, 9):
        note(books, size - _count(books))
        head = seal(books, signer)
        assert head is not None and head.size == size and head.signed_by(signer.public)
    assert seal(books, signer) is None
    with books.snapshot() as session:
        rows = session.exec(select(LedgerEntry).order_by(col(LedgerEntry.tree_index))).all()
    assert [row.tree_index for row in rows] == list(range(9))
    assert head.root == tree.root([row.leaf for row in rows])


def test_a_large_backlog_is_sealed_in_batches(books: Database, signer: ledger.Signer) -> None:
    note(books, 25)
    heads = [seal(books, signer, most=10) for _ in range(4)]
    assert [head and head.size for head in heads] == [10, 20, 25, None]


def test_every_head_is_appended_outside_the_database_after_the_commit(books: Database, signer: ledger.Signer) -> None:
    note(books)
    with books.transaction() as session:
        head = ledger.seal(session, signer, AT)
        assert signer.published() == []
    assert signer.published() == [head]
    with pytest.raises(RuntimeError), books.transaction() as session:
        ledger.note(session, "staff.act", {}, AT)
        session.flush()
        ledger.seal(session, signer, AT)
        raise RuntimeError
    assert signer.published() == [head]


def test_a_head_that_was_rolled_back_is_never_published(books: Database, signer: ledger.Signer) -> None:
    note(books)
    with books.transaction() as session:
        assert ledger.seal(session, signer, AT)
        session.rollback()
        ledger.note(session, "staff.act", {}, AT)
    assert signer.published() == []


def test_a_head_outside_is_a_signed_note_of_three_lines_and_a_time(books: Database, signer: ledger.Signer) -> None:
    note(books, 2)
    seal(books, signer)
    origin, size, root, at, blank, signature, *_ = signer.path.read_text().split("\n")
    assert (size, at, blank) == ("2", "2026-06-01T09:00:00.000000+00:00", "")
    assert origin.startswith("sekisho-") and origin.endswith("/1") and len(root) == 44
    assert signature.startswith(f"— {origin.removesuffix('/1')} ")


@pytest.mark.parametrize("fresh", [False, True])
def test_a_head_that_a_crash_kept_from_the_file_is_appended_later(
    books: Database, signer: ledger.Signer, fresh: bool
) -> None:
    note(books)
    first = seal(books, signer)
    kept = signer.path.read_bytes()
    note(books)
    second = seal(books, signer)
    signer.path.write_bytes(kept + signer.path.read_bytes()[len(kept) :][:70])
    again = ledger.Signer.load(signer.path.parent)
    assert again.published() == [first]
    if fresh:
        note(books)
    third = seal(books, again)
    assert again.published() == [one for one in (first, second, third) if one]


def test_a_process_that_did_not_seal_the_last_head_goes_on_from_it(books: Database, signer: ledger.Signer) -> None:
    other = ledger.Signer.load(signer.path.parent)
    for who in (signer, other, signer, signer, other):
        note(books, 3)
        assert seal(books, who)
    assert _problems(books, signer) == []


def test_two_sealers_and_many_writers_at_once_leave_no_gap(books: Database, signer: ledger.Signer) -> None:
    failures: list[BaseException] = []

    def run(act: Any) -> None:
        try:
            for _ in range(8):
                act()
        except BaseException as error:
            failures.append(error)

    signers = [signer, ledger.Signer.load(signer.path.parent)]
    acts: list[Any] = [lambda: note(books, 3)] * 3 + [lambda who=who: seal(books, who, most=5) for who in signers]
    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while seal(books, signer):
        pass
    assert not failures
    assert signer.published()[-1].size == _count(books) == 72
    assert _problems(books, signer) == []


def test_the_signer_never_shrinks_the_ledger_nor_says_two_things_of_one_size(signer: ledger.Signer) -> None:
    head = signer.sign(signer.origin, 5, bytes(32), AT)
    signer.publish([head])
    for size, root in ((4, bytes(32)), (5, b"x" * 32)):
        with pytest.raises(ledger.SealRefused):
            signer.sign(signer.origin, size, root, AT)
    assert signer.sign(signer.origin, 5, bytes(32), AT) == head


def test_a_checkpoint_that_the_key_never_signed_is_not_published(books: Database, signer: ledger.Signer) -> None:
    note(books, 3)
    seal(books, signer)
    with books.transaction() as session:
        session.add(LedgerCheckpoint(origin=signer.origin, size=4, root=bytes(32), signature=bytes(64), at=AT))
    note(books)
    with pytest.raises(ledger.SealRefused, match="never signed"):
        seal(books, signer)
    assert [one.size for one in signer.published()] == [3]


def test_a_process_that_finds_other_entries_than_were_sealed_seals_nothing(
    books: Database, signer: ledger.Signer
) -> None:
    note(books, 3)
    seal(books, signer)
    with books.transaction() as session:
        session.execute(delete(LedgerEntry).where(col(LedgerEntry.tree_index) == 1))
    note(books)
    with pytest.raises(ledger.SealRefused, match="do not give"):
        seal(books, ledger.Signer.load(signer.path.parent))


# --- a restored backup


def _lose(database: Database, size: int) -> None:
    """Take the database back to when it had this many sealed entries."""
    with database.transaction() as session:
        session.execute(delete(LedgerEntry).where(func.coalesce(LedgerEntry.tree_index, size) >= size))
        session.execute(delete(LedgerCheckpoint).where(col(LedgerCheckpoint.size) > size))


def test_a_restored_database_is_reopened_under_an_origin_that_owns_up_to_the_loss(
    books: Database, signer: ledger.Signer, tmp_path: Path
) -> None:
    for _ in range(3):
        note(books, 5)
        lost = seal(books, signer)
    assert lost is not None and _problems(books, signer, tmp_path) == []
    _lose(books, 5)
    note(books, 2)
    with pytest.raises(ledger.SealRefused, match="behind"):
        seal(books, signer)
    again = ledger.Signer.load(signer.path.parent)
    with books.transaction() as session:
        reopened = ledger.reopen(session, again, AT)
    assert reopened is not None and (reopened.size, reopened.origin) == (8, lost.origin[:-1] + "2")
    with books.snapshot() as session:
        named = session.exec(select(LedgerEntry.header).where(LedgerEntry.act == "ledger.reopened")).one()
    assert json.loads(named)["header"]["lost"] == {"origin": lost.origin, "size": 15, "root": lost.root.hex()}
    with books.transaction() as session:
        assert ledger.reopen(session, again, AT) is None
    note(books, 20)
    seal(books, again)
    assert [p for p in _problems(books, signer, tmp_path) if "restarted at size 5" in p and "losing 10" in p]
    assert _problems(books, signer, tmp_path, accept_restarts=True) == []
    assert _problems(books, signer, tmp_path) == []


def test_a_database_emptied_altogether_is_reopened_too(books: Database, signer: ledger.Signer) -> None:
    note(books, 5)
    seal(books, signer)
    _lose(books, 0)
    with books.transaction() as session:
        reopened = ledger.reopen(session, signer, AT)
    assert reopened is not None and reopened.size == 1
    assert _problems(books, signer, accept_restarts=True) == []


def test_a_sound_ledger_is_not_reopened(books: Database, signer: ledger.Signer) -> None:
    for act in (lambda: None, lambda: note(books, 2), lambda: seal(books, signer)):
        act()
        with books.transaction() as session:
            assert ledger.reopen(session, signer, AT) is None


def test_a_rewritten_database_is_not_reopened(books: Database, signer: ledger.Signer) -> None:
    for _ in range(2):
        note(books, 3)
        seal(books, signer)
    _lose(books, 3)
    with books.transaction() as session:
        head = session.exec(select(LedgerCheckpoint)).one()
        head.root = bytes(32)
        session.add(head)
    with books.snapshot() as session, pytest.raises(ledger.SealRefused, match="contradicts"):
        ledger.reopen(session, signer, AT)


# --- receipts


def test_an_entry_is_proven_by_the_public_key_alone(books: Database, signer: ledger.Signer) -> None:
    entries = note(books, 7)
    with books.snapshot() as session:
        assert ledger.prove(session, entries[0]) is None
    seal(books, signer)
    entries += note(books, 4)
    seal(books, signer)
    with books.snapshot() as session:
        proofs = [ledger.prove(session, entry) for entry in entries]
        assert ledger.prove(session, "f" * 32) is None
    for proof, entry in zip(proofs, entries, strict=True):
        assert proof is not None and proof.entry == entry and proof.holds(signer.public)
        assert not replace(proof, text=proof.text.replace("staff", "stuff")).holds(signer.public)
        assert not replace(proof, index=proof.index + 1).holds(signer.public)
        assert not replace(proof, checkpoint=replace(proof.checkpoint, size=12)).holds(signer.public)
        assert not proof.holds(bytes(32))
        document = proof.document(signer.public)
        json.dumps(document)
        assert read_notes(document["checkpoint"].encode() + b"\n")[0] == [proof.checkpoint]


# --- the signing key


def test_a_signing_key_comes_back_and_is_its_owners_alone(signer: ledger.Signer) -> None:
    folder = signer.path.parent
    assert ledger.Signer.load(folder).public == signer.public
    assert {path.stat().st_mode & 0o077 for path in folder.iterdir()} == {0}
    assert (folder / "ledger.pub").read_text().strip() == signer.public.hex()
    with pytest.raises(StartRefused, match="already"):
        ledger.Signer.create(folder)


@pytest.mark.parametrize("name", ["ledger.key", "checkpoints.txt"])
def test_a_missing_signing_file_refuses_the_start(signer: ledger.Signer, name: str) -> None:
    (signer.path.parent / name).unlink()
    with pytest.raises(StartRefused, match="missing"):
        ledger.Signer.load(signer.path.parent)


@pytest.mark.parametrize("name", ["ledger.key", "checkpoints.txt"])
def test_a_damaged_signing_file_refuses_the_start(signer: ledger.Signer, name: str) -> None:
    (signer.path.parent / name).write_text("nonsense\n\nof two parts\n\n")
    with pytest.raises(StartRefused, match="damaged"):
        ledger.Signer.load(signer.path.parent)


def test_a_signing_key_that_others_may_read_refuses_the_start(signer: ledger.Signer) -> None:
    (signer.path.parent / "ledger.key").chmod(0o644)
    with pytest.raises(StartRefused, match="chmod 600"):
        ledger.Signer.load(signer.path.parent)


def _count(database: Database) -> int:
    with database.snapshot() as session:
        return session.exec(select(func.count()).select_from(LedgerEntry)).one()


def _problems(database: Database, signer: ledger.Signer, state: Path | None = None, **how: Any) -> list[str]:
    path = (state or signer.path.parent) / "seen.json"
    with database.snapshot() as session:
        return ledger.verify(session, signer.public, path, signer.path, **how)
