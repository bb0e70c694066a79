"""Whatever is done to the ledger's rows or files, the next verification says so."""

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, delete, func, select, update
from sqlmodel import Session

from cdp import ledger, vault
from cdp.db import Database
from cdp.ledger.model import LedgerCheckpoint, LedgerEntry
from cdp.ledger.tree import Range, leaf_hash

AT = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
ENTRY: Table = LedgerEntry.__table__  # type: ignore[attr-defined]
HEAD: Table = LedgerCheckpoint.__table__  # type: ignore[attr-defined]

EDITS: dict[str, Callable[[Any], Any]] = {
    "entry": lambda old: "e" * 32,
    "at": lambda old: old + timedelta(microseconds=1),
    "act": lambda old: old + "s",
    "header": lambda old: old.replace('"n":', '"m":'),
    "leaf": lambda old: bytes([old[0] ^ 1]) + old[1:],
    "mac": lambda old: bytes([old[0] ^ 1]) + old[1:],
    "tree_index": lambda old: 1000,
}
HEAD_EDITS: list[tuple[str, Callable[[Any], Any]]] = [
    ("origin", lambda old: "x/1"),
    ("origin", lambda old: old[:-1] + "2"),
    ("size", lambda old: 5),
    ("size", lambda old: 5000),
    ("root", lambda old: bytes(32)),
    ("signature", lambda old: bytes([old[0] ^ 1]) + old[1:]),
    ("at", lambda old: old + timedelta(seconds=1)),
]


@pytest.fixture
def written(books: Database, signer: ledger.Signer) -> Database:
    """Nine entries under three heads, verified once, and two that wait for sealing."""
    for _ in range(3):
        note(books, 3)
        seal(books, signer)
    assert problems(books, signer) == []
    note(books, 2)
    return books


def note(database: Database, count: int) -> None:
    """Note things that differ in every column."""
    with database.transaction() as session:
        first = session.scalars(select(func.count()).select_from(ENTRY)).one()
        for n in range(first, first + count):
            ledger.note(session, f"staff.act{n}", {"n": n}, AT + timedelta(seconds=n))


def seal(database: Database, signer: ledger.Signer) -> None:
    with database.transaction() as session:
        ledger.seal(session, signer, AT)


def problems(database: Database, signer: ledger.Signer, **how: Any) -> list[str]:
    outside = how.pop("outside", signer.path)
    with database.snapshot() as session:
        state = signer.path.parent / how.pop("state", "seen.json")
        return ledger.verify(session, signer.public, state, outside, **how)


def tamper(database: Database, *statements: Any) -> None:
    with database.transaction() as session:
        for statement in statements:
            session.execute(statement)


def numbers(session: Session) -> list[int]:
    return list(session.scalars(select(ENTRY.c.id).order_by(ENTRY.c.id)))


def value(database: Database, table: Table, column: str, where: Any) -> Any:
    with database.snapshot() as session:
        return session.scalars(select(table.c[column]).where(where)).one()


def unnoticed(database: Database, signer: ledger.Signer, cases: dict[str, list[Any]]) -> list[str]:
    """Try each tampering, verify, and take it back; returns those that verification let pass."""
    passed = []
    for name, statements in cases.items():
        with database.snapshot() as session:
            for statement in statements:
                session.execute(statement)
            if not ledger.verify(session, signer.public, signer.path.parent / "seen.json", signer.path):
                passed.append(name)
    return passed


def swap(database: Database, table: Table, column: str, keys: tuple[Any, Any], key: str, parked: Any) -> list[Any]:
    """Let two rows exchange a column, through a value that no row has."""
    one, two = (table.c[key] == name for name in keys)
    first, second = (value(database, table, column, where) for where in (one, two))
    assert first != second
    return [
        update(table).where(one).values({column: parked}),
        update(table).where(two).values({column: first}),
        update(table).where(table.c[column] == parked).values({column: second}),
    ]


def test_a_sound_ledger_has_no_problems_however_often_it_is_asked(written: Database, signer: ledger.Signer) -> None:
    assert problems(written, signer) == problems(written, signer) == []
    seal(written, signer)
    assert problems(written, signer) == []
    assert json.loads((signer.path.parent / "seen.json").read_text())["size"] == 11


def test_an_empty_ledger_is_sound(books: Database, signer: ledger.Signer) -> None:
    assert problems(books, signer) == []


def test_an_auditor_needs_neither_vault_nor_file(written: Database, signer: ledger.Signer) -> None:
    auditor = Database(written.url)
    assert problems(auditor, signer, state="mine.json", outside=None) == []
    auditor.dispose()


def test_an_edit_of_any_column_of_any_entry_is_found(written: Database, signer: ledger.Signer) -> None:
    with written.snapshot() as session:
        serials = numbers(session)
    cases = {}
    for column, edit in EDITS.items():
        for place, serial in enumerate(serials):
            here = ENTRY.c.id == serial
            changed = edit(value(written, ENTRY, column, here))
            cases[f"{column} at {place}"] = [update(ENTRY).where(here).values({column: changed})]
    cases |= {f"no place at {n}": [update(ENTRY).where(ENTRY.c.id == n).values(tree_index=None)] for n in serials[:9]}
    assert unnoticed(written, signer, cases) == []


def test_any_two_entries_that_swapped_a_column_are_found(written: Database, signer: ledger.Signer) -> None:
    parked = {
        "id": 9999, "tree_index": 9999, "entry": "p", "act": "p", "header": "p",
        "leaf": b"p", "mac": b"p", "at": AT - timedelta(days=1),
    }  # fmt: skip
    with written.snapshot() as session:
        places = session.execute(select(ENTRY.c.id, ENTRY.c.entry).order_by(ENTRY.c.id)).all()
    cases = {}
    for column, nowhere in parked.items():
        key = "entry" if column == "id" else "id"
        for one, two in ((0, 1), (1, 7), (7, 8), *(() if column == "id" else ((8, 9),))):
            keys = getattr(places[one], key), getattr(places[two], key)
            cases[f"{column} of {one} and {two}"] = swap(written, ENTRY, column, keys, key, nowhere)
    assert unnoticed(written, signer, cases) == []


def test_any_deleted_entry_is_found(written: Database, signer: ledger.Signer) -> None:
    cases = {f"entry {n}": [delete(ENTRY).where(ENTRY.c.tree_index == n)] for n in range(9)}
    cases |= {f"from {n} on": [delete(ENTRY).where(ENTRY.c.tree_index >= n)] for n in range(9)}
    assert unnoticed(written, signer, cases) == []


def test_a_deleted_entry_is_found_although_the_rest_closed_ranks(written: Database, signer: ledger.Signer) -> None:
    shifts = [update(ENTRY).where(ENTRY.c.tree_index == n).values(tree_index=n - 1) for n in range(5, 9)]
    tamper(written, delete(ENTRY).where(ENTRY.c.tree_index == 4), *shifts)
    assert problems(written, signer)


def test_an_entry_slipped_in_is_found(written: Database, signer: ledger.Signer) -> None:
    """Even with a right MAC: whoever can note can not place."""
    tamper(written, update(ENTRY).where(ENTRY.c.tree_index.is_(None)).values(tree_index=ENTRY.c.id + 9000))
    assert problems(written, signer)


def test_an_entry_rewritten_with_all_keys_of_the_database_side_is_found(
    written: Database, signer: ledger.Signer
) -> None:
    here = ENTRY.c.tree_index == 4
    text = value(written, ENTRY, "header", here).replace('"n":4', '"n":7')
    mac = written.context["vault"].ledger_mac(text.encode())
    tamper(written, update(ENTRY).where(here).values(header=text, leaf=leaf_hash(text.encode()), mac=mac))
    assert problems(written, signer) == [
        "The entries do not give the checkpoint of size 6.",
        "The entries do not give the checkpoint of size 9.",
        "The ledger no longer holds what it held at size 9: it was rolled back or rewritten.",
    ]


def test_an_edit_of_any_column_of_any_checkpoint_is_found(written: Database, signer: ledger.Signer) -> None:
    cases = {}
    for number, (column, edit) in enumerate(HEAD_EDITS):
        for size in (3, 6, 9):
            here = HEAD.c.size == size
            changed = edit(value(written, HEAD, column, here))
            cases[f"{column} of {size}, {number}"] = [update(HEAD).where(here).values({column: changed})]
    cases |= {f"no checkpoint {size}": [delete(HEAD).where(HEAD.c.size == size)] for size in (3, 6, 9)}
    assert unnoticed(written, signer, cases) == []


def test_any_two_checkpoints_that_swapped_a_column_are_found(written: Database, signer: ledger.Signer) -> None:
    parked = {"size": 777, "root": b"p", "signature": b"p"}
    with written.snapshot() as session:
        roots = list(session.scalars(select(HEAD.c.root).order_by(HEAD.c.size)))
    cases = {}
    for column, nowhere in parked.items():
        key, names = ("root", roots) if column == "size" else ("size", [3, 6, 9])
        for one, two in ((0, 1), (1, 2), (0, 2)):
            cases[f"{column} of {one} and {two}"] = swap(written, HEAD, column, (names[one], names[two]), key, nowhere)
    assert unnoticed(written, signer, cases) == []


@pytest.mark.parametrize("witness", ["file", "memory"])
@pytest.mark.parametrize("kept", [0, 3, 6])
def test_a_rolled_back_database_is_found_by_either_witness(
    written: Database, signer: ledger.Signer, kept: int, witness: str
) -> None:
    newer = func.coalesce(ENTRY.c.tree_index, 99) >= kept
    tamper(written, delete(ENTRY).where(newer), delete(HEAD).where(HEAD.c.size > kept))
    how: dict[str, Any] = {"outside": None} if witness == "memory" else {"state": "none.json"}
    assert problems(written, signer, **how)


def test_a_ledger_forged_with_the_signing_key_is_found_by_the_auditors_memory(
    written: Database, signer: ledger.Signer
) -> None:
    """Who holds database, keyring, signing key and outside file can say anything, except what was seen before."""
    with written.transaction() as session:
        keys, tree = vault.of(session), Range()
        session.execute(delete(HEAD))
        for row in session.execute(select(ENTRY.c.id, ENTRY.c.header).order_by(ENTRY.c.id)).all():
            text = row.header.replace('"n":1', '"n":7').encode()
            change = {"header": text.decode(), "leaf": leaf_hash(text), "mac": keys.ledger_mac(text)}
            session.execute(update(ENTRY).where(ENTRY.c.id == row.id).values(tree_index=tree.size, **change))
            tree.append(leaf_hash(text))
    signer.path.write_bytes(b"")
    forger = ledger.Signer.load(signer.path.parent)
    head = forger.sign(forger.origin, tree.size, tree.root(), AT)
    forger.publish([head])
    with written.transaction() as session:
        session.add(
            LedgerCheckpoint(**{name: getattr(head, name) for name in ("origin", "size", "root", "signature", "at")})
        )
    assert problems(written, signer, state="none.json") == []
    assert any("rolled back or rewritten" in problem for problem in problems(written, signer))


def test_a_ledger_signed_by_another_key_is_found(written: Database, signer: ledger.Signer, tmp_path: Path) -> None:
    other = ledger.Signer.create(tmp_path / "other")
    with written.snapshot() as session:
        found = ledger.verify(session, other.public, tmp_path / "mine.json", signer.path)
    assert sum("no valid signature" in problem for problem in found) == 6


def test_a_restart_that_no_entry_explains_is_found(written: Database, signer: ledger.Signer) -> None:
    with written.transaction() as session:
        session.execute(update(ENTRY).where(ENTRY.c.tree_index.is_(None)).values(tree_index=ENTRY.c.id - 1))
        rows = session.execute(select(ENTRY.c.leaf).order_by(ENTRY.c.id)).all()
        session.execute(update(ENTRY).values(tree_index=None))
        for place, number in enumerate(numbers(session)):
            session.execute(update(ENTRY).where(ENTRY.c.id == number).values(tree_index=place))
        root = Range(row.leaf for row in rows).root()
        head = signer.sign(signer.origin[:-1] + "2", len(rows), root, AT)
        session.add(
            LedgerCheckpoint(**{name: getattr(head, name) for name in ("origin", "size", "root", "signature", "at")})
        )
    assert problems(written, signer) == ["The checkpoint of size 11 belongs to an origin that no entry explains."]


# --- the outside file and the auditor's memory


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (lambda text: text.replace("\n6\n", "\n7\n"), "no valid signature"),
        (lambda text: text[: len(text) // 3 + 1] + text[len(text) // 3 * 2 + 1 :], ""),
        (lambda text: text + text[: len(text) // 3], "out of order"),
        (lambda text: "rubbish\n\nrubbish\n\n" + text, "damaged"),
        (lambda text: text.replace("2026", "2025"), "no valid signature"),
    ],
    ids=["size", "middle gone", "repeated", "rubbish", "time"],
)
def test_an_outside_file_that_was_changed_is_found(
    written: Database, signer: ledger.Signer, change: Callable[[str], str], finding: str
) -> None:
    signer.path.write_text(change(signer.path.read_text()))
    assert any(finding in problem for problem in problems(written, signer))


def test_an_outside_file_that_is_gone_is_found(written: Database, signer: ledger.Signer) -> None:
    signer.path.unlink()
    assert problems(written, signer) == ["The outside checkpoints cannot be read."]


def test_a_damaged_memory_is_found_and_never_replaced(written: Database, signer: ledger.Signer) -> None:
    memory = signer.path.parent / "seen.json"
    memory.write_text("{}")
    assert problems(written, signer) == ["The state file of the last verification is damaged."]
    assert memory.read_text() == "{}"


def test_a_ledger_with_problems_is_not_remembered(written: Database, signer: ledger.Signer, tmp_path: Path) -> None:
    memory = signer.path.parent / "seen.json"
    shutil.copy(memory, tmp_path / "before")
    seal(written, signer)
    tamper(written, update(ENTRY).where(ENTRY.c.tree_index == 1).values(act="x"))
    assert problems(written, signer)
    assert memory.read_bytes() == (tmp_path / "before").read_bytes()


def test_no_problem_repeats_what_an_entry_says(written: Database, signer: ledger.Signer) -> None:
    tamper(written, update(ENTRY).where(ENTRY.c.tree_index == 2).values(act="x", leaf=bytes(32), mac=bytes(32)))
    found = problems(written, signer)
    assert found and not any('"n"' in problem or "staff" in problem for problem in found)
