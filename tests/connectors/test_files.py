"""Importing files: twice, interrupted, in the encodings of shops, and with rows to mend."""

import csv
import stat
from pathlib import Path

import pytest
from sqlalchemy import func
from sqlmodel import select

from cdp.consent.model import ConsentRecord
from cdp.errors import Problem
from cdp.ingest import files
from cdp.profile.model import Subject
from tests.connectors.conftest import Shop

HEADER = ["会員番号", "氏名", "メールアドレス", "電話番号", "生年月日", "メルマガ許諾", "靴のサイズ"]
GOOD = [[f"M{n:03}", "山田 花子", f"m{n}@example.com", f"9012340{n:03}", "S60.1.3", "1", "24"] for n in range(1, 8)]
BAD_DATE = ["M900", "鈴木 一郎", "ichiro@example.com", "", "昭和99年1月1日", "0", ""]
NOBODY = ["", "佐藤", "", "", "", "", ""]
SHORT = ["M901", "高橋"]


@pytest.fixture
def members(shop: Shop) -> Shop:
    shop.add("members", "csv", residence_default="JP")
    return shop


def write(path: Path, rows: list[list[str]], encoding: str = "cp932") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows([HEADER, *rows])
    return path


def take(shop: Shop, path: Path, **how: bool) -> files.FileReport:
    return files.import_file(shop.database, "members", path, shop.clock.now(), **how)


def subjects(shop: Shop) -> int:
    with shop.database.snapshot() as session:
        return session.exec(select(func.count()).select_from(Subject)).one()


def test_a_file_is_taken_in_and_the_same_file_again_changes_nothing(members: Shop, tmp_path: Path) -> None:
    path = write(tmp_path / "kaiin.csv", GOOD)
    seen: list[tuple[int, int]] = []
    report = files.import_file(
        members.database, "members", path, members.clock.now(), progress=lambda *how: seen.append(how)
    )
    assert (report.rows, report.accepted, report.duplicates, report.encoding) == (7, 7, 0, "cp932")
    assert report.dropped["field:靴のサイズ", "undeclared_field"] == 7
    assert seen == [(7, 8)] and report.entries and report.rejects is None
    again = take(members, path)
    assert (again.accepted, again.duplicates) == (0, 7)
    assert subjects(members) == 7


def test_no_flag_in_a_file_is_ever_a_yes(members: Shop, tmp_path: Path) -> None:
    take(members, write(tmp_path / "kaiin.csv", [*GOOD, ["M9", "", "no@example.com", "", "", "0", ""]]))
    with members.database.snapshot() as session:
        records = session.exec(select(ConsentRecord)).all()
    assert {(one.status, one.evidence) for one in records} == {("unknown", "none"), ("refused", "none")}


def test_refused_rows_stand_in_a_file_to_mend_for_its_owner_only(members: Shop, tmp_path: Path) -> None:
    path = write(tmp_path / "kaiin.csv", [GOOD[0], BAD_DATE, NOBODY, SHORT, GOOD[1]])
    report = take(members, path)
    assert (report.accepted, dict(report.refused)) == (2, {"date_malformed": 1, "no_identifier": 1, "row_malformed": 1})
    assert report.rejects == tmp_path / "kaiin.csv.rejects.csv"
    assert stat.S_IMODE(report.rejects.stat().st_mode) == 0o600
    with report.rejects.open(encoding="cp932", newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["reason", *HEADER],
        ["date_malformed (生年月日)", *BAD_DATE],
        ["no_identifier", *NOBODY],
        ["row_malformed", *SHORT],
    ]


def test_a_mended_reject_file_runs_again(members: Shop, tmp_path: Path) -> None:
    rejects = take(members, write(tmp_path / "kaiin.csv", [GOOD[0], BAD_DATE])).rejects
    assert rejects is not None
    rejects.write_text(rejects.read_text("cp932").replace("昭和99年", "昭和60年"), "cp932")
    report = take(members, rejects)
    assert (report.accepted, report.refused.total()) == (1, 0)
    assert "field:reason" not in {what for what, _ in report.dropped}


def test_an_older_reject_file_is_not_overwritten(members: Shop, tmp_path: Path) -> None:
    path = write(tmp_path / "kaiin.csv", [BAD_DATE])
    assert take(members, path).rejects == tmp_path / "kaiin.csv.rejects.csv"
    assert take(members, path).rejects == tmp_path / "kaiin.csv.rejects.2.csv"


def test_a_dry_run_tells_the_same_and_changes_nothing(members: Shop, tmp_path: Path) -> None:
    path = write(tmp_path / "kaiin.csv", [*GOOD, BAD_DATE])
    told = take(members, path, dry_run=True)
    assert subjects(members) == 0 and not members.drops() and list(tmp_path.glob("*.rejects*")) == []
    done = take(members, path)
    assert (told.accepted, told.refused, told.dropped) == (done.accepted, done.refused, done.dropped)
    assert subjects(members) == 7


class Interrupted(Exception):
    pass


def test_an_interrupted_import_takes_up_where_it_stopped(members: Shop, tmp_path: Path) -> None:
    path = write(tmp_path / "kaiin.csv", GOOD)

    def stop(done: int, lines: int) -> None:
        if done >= 4:
            raise Interrupted

    with pytest.raises(Interrupted):
        files.import_file(members.database, "members", path, members.clock.now(), progress=stop, group=2)
    assert subjects(members) == 4
    report = take(members, path)
    assert (report.duplicates, report.accepted) == (4, 3)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_other_encodings_are_found_by_themselves(members: Shop, tmp_path: Path, encoding: str) -> None:
    report = take(members, write(tmp_path / "kaiin.csv", [*GOOD, BAD_DATE], encoding))
    assert (report.accepted, report.encoding) == (7, encoding)
    assert report.rejects is not None and report.rejects.read_text(encoding).startswith("reason,会員番号")


def test_json_lines_are_taken_in_and_their_rejects_are_json_lines(members: Shop, tmp_path: Path) -> None:
    path = tmp_path / "people.jsonl"
    path.write_text('{"email": "a@example.com"}\n{"email": "nobody"}\n{"tier"\n', encoding="utf-8")
    report = take(members, path)
    assert (report.accepted, dict(report.refused)) == (1, {"email_malformed": 1, "row_malformed": 1})
    assert report.rejects is not None
    assert report.rejects.read_text("utf-8").splitlines() == [
        '{"reason": "email_malformed (email)", "email": "nobody"}',
        '{"reason": "row_malformed", "line": "{\\"tier\\""}',
    ]


def test_a_file_that_cannot_be_taken_at_all_says_why(members: Shop, tmp_path: Path) -> None:
    members.add("site", "segment")
    cases = {
        "no_such_file": ("members", tmp_path / "none.csv"),
        "unknown_source": ("nobody", write(tmp_path / "a.csv", GOOD)),
        "no_file_source": ("site", tmp_path / "a.csv"),
        "layout_unknown": ("members", _raw(tmp_path / "b.csv", b"colour\nred\n")),
        "encoding_unknown": ("members", _raw(tmp_path / "c.csv", b"email\n\x81\x00\xff\n")),
    }
    for type, (source, path) in cases.items():
        with pytest.raises(Problem) as raised:
            files.import_file(members.database, source, path, members.clock.now())
        assert raised.value.type == type


def test_an_empty_file_brings_nothing(members: Shop, tmp_path: Path) -> None:
    assert take(members, _raw(tmp_path / "empty.csv", b"")).rows == 0
    assert take(members, write(tmp_path / "header.csv", [])).rows == 0


def _raw(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
