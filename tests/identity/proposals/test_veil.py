"""Tokens: equal for equal parts, under a key that nobody has afterwards, and nowhere but in memory."""

import struct
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from cdp.errors import Problem
from cdp.identity.proposals import Described, Model, propose
from cdp.identity.proposals.folding import fold_name, fold_place
from cdp.identity.proposals.memory import holding
from cdp.identity.proposals.scoring import score
from cdp.identity.proposals.veil import tokens, veil, veiled
from tests.identity.proposals.conftest import OF_FEBRL
from tests.identity.proposals.crowd import Crowd

ADA = Described(
    1,
    family="高橋",
    given="愛",
    kana_family="タカハシ",
    kana_given="アイ",
    birth_date="1990-04-12",
    postal="100-0005",
    block="千代田区丸の内1-11-1",
)


def test_the_key_is_overwritten_afterwards_also_of_a_failure() -> None:
    with veil() as key:
        kept = key
        assert len(set(kept)) > 8
    assert kept == bytearray(32)
    with pytest.raises(ZeroDivisionError), veil() as key:
        kept = key
        raise ZeroDivisionError
    assert kept == bytearray(32)


def test_two_runs_have_no_token_in_common() -> None:
    (one,), (other,) = tokens([ADA]), tokens([ADA])
    assert one["cluster"] == other["cluster"]
    assert not numbers(one) & numbers(other)


def test_a_letter_off_a_prefix_and_parts_of_a_date_overlap() -> None:
    with veil() as key:
        ada, other = (
            veiled(one, key)
            for one in (
                ADA,
                replace(ADA, family="", kana_family="タカハマ", birth_date="1990-04-21", postal="100-0006"),
            )
        )
    assert set(ada["family_near"]) & set(other["family_near"])
    assert set(ada["family_alike"]) & set(other["family_alike"])
    assert len(set(ada["birth_parts"]) & set(other["birth_parts"])) == 1
    assert ada["postal"] != other["postal"]
    assert ada["postal_area"] == other["postal_area"]
    assert ada["family"] != other["family"]


@pytest.mark.parametrize(("one", "other"), [("健", "健一"), ("サトウ", "カトウ"), ("一郎", "二郎")])
def test_short_names_are_not_a_letter_off(one: str, other: str) -> None:
    with veil() as key:
        rows = [veiled(Described(1, given=name), key) for name in (one, other)]
    assert not set(rows[0]["given_near"] or ()) & set(rows[1]["given_near"] or ())
    assert not set(rows[0]["given_alike"] or ()) & set(rows[1]["given_alike"] or ())


def test_attributes_of_few_values_have_no_token() -> None:
    (row,) = tokens([ADA])
    assert not [column for column in row if "sex" in column or "year" in column or "initial" in column]
    (row,) = tokens([replace(ADA, birth_date="1900-01-01")])
    assert row["birth"] is row["birth_parts"] is None


def test_a_date_that_many_share_says_nothing() -> None:
    rows = tokens([replace(ADA, cluster=n) for n in range(21)] + [replace(ADA, cluster=99, birth_date="1990-04-13")])
    assert [row["birth"] is None for row in rows] == [True] * 21 + [False]


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("ﾀｶﾊｼ", "タカハシ"),
        ("たかはし", "タカハシ"),
        ("ショーヘイ", "シヨヘイ"),
        ("髙橋 様", "高橋"),
        ("O'Brien", "obrien"),
    ],
)
def test_a_name_has_one_spelling(written: str, folded: str) -> None:
    assert fold_name(written) == (folded,) == fold_name(folded)


def test_an_accent_may_be_left_out_or_written_out_and_signs_are_no_name() -> None:
    assert fold_name("Müller") == ("muller", "mueller")
    assert fold_name("Mueller") == ("mueller",)
    assert fold_name("！") == ()


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("東京都千代田区丸の内１−１１ 関所ビル5F", "千代田区丸の内1-11"),
        ("千代田区丸の内一丁目11番", "千代田区丸の内1-11"),
        ("丸の内 11-1", "丸の内11-1"),
        ("7 Wallaby Place", "7wallabyplace"),
        ("", ""),
    ],
)
def test_an_address_keeps_its_numbers_apart(written: str, folded: str) -> None:
    assert fold_place("", written)[1] == folded == fold_place("", folded)[1]


def test_a_run_leaves_no_file_anywhere(
    some: Crowd, model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("here", "temporary", "home"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    rows = tokens(some.people)
    before = open_files()
    with holding(rows) as chamber:
        assert score(chamber, model)
        assert files(tmp_path) == []
        assert open_files() <= before
        assert {row[1:] for row in chamber.rows("PRAGMA database_list")} == {("memory", None)}
        assert chamber.rows("SELECT count(*) FROM duckdb_temporary_files()") == [(0,)]
    assert propose(some.people, model, OF_FEBRL).published
    assert files(tmp_path) == []


def test_no_token_of_a_run_is_found_in_what_the_process_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    rows = tokens([replace(ADA, cluster=n, given=f"名{n}") for n in range(50)])
    wanted = {
        form for row in rows for number in numbers(row) for form in (struct.pack("<q", number), str(number).encode())
    }
    with holding(rows) as chamber:
        chamber.rows("CREATE TABLE sorted AS SELECT * FROM people ORDER BY given")
        left = [path.read_bytes() for path in files(tmp_path)]
    left += [path.read_bytes() for path in files(tmp_path)]
    assert not [1 for bytes_ in left for one in wanted if one in bytes_]


def test_what_does_not_fit_the_memory_is_refused_and_never_spilled(
    some: Crowd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Problem) as refused, holding(tokens(some.people[:500]), limit="20MB") as chamber:
        chamber.rows("CREATE TABLE large AS SELECT l.* FROM people l, people r, people o ORDER BY l.given, r.family")
    assert refused.value.type == "proposals_too_large"
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    "statement",
    [
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET temp_directory = '.'",
        "COPY people TO 'people.csv'",
        "ATTACH 'people.db'",
        "FROM read_csv('https://example.com/people.csv')",
    ],
)
def test_the_chamber_reaches_neither_disk_nor_network(
    statement: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import duckdb

    monkeypatch.chdir(tmp_path)
    with holding(tokens([ADA])) as chamber, pytest.raises(duckdb.Error):
        chamber.rows(statement)
    assert files(tmp_path) == []


def numbers(row: dict) -> set[int]:
    """Return every token of a row."""
    found = set()
    for column, value in row.items():
        if column != "cluster" and not column.endswith("_writings"):
            found |= set(value) if isinstance(value, list) else {value} - {None}
    return found


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def open_files() -> set[str]:
    """Return the regular files that the process holds open, also those without a name, where the system tells."""
    here = Path("/proc/self/fd")
    links = [str(one.readlink()) for one in here.iterdir() if one.is_symlink()] if here.exists() else []
    return {link for link in links if link.startswith("/") and not link.startswith(("/dev/", "/proc/"))}
