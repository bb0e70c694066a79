from datetime import UTC, datetime
from pathlib import Path

import pytest

from cdp.errors import StartRefused
from cdp.rights import tombstones
from cdp.rights.tombstones import Tombstone

AT = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
ONE = Tombstone("one", AT, (1, 4), (("email", b"\x01" * 16),))
TWO = Tombstone("two", AT.replace(hour=10), (2,), ())


def test_what_is_appended_is_read_from_any_copy(tmp_path: Path) -> None:
    here, mirror = tmp_path / "a.log", tmp_path / "b.log"
    tombstones.append([here, mirror], ONE)
    tombstones.append([mirror], TWO)
    assert tombstones.read([here, mirror]) == [ONE, TWO]
    assert tombstones.read([here]) == [ONE]
    assert tombstones.read([tmp_path / "none.log"]) == []


@pytest.mark.parametrize("kept", range(len(TWO.line())))
def test_a_line_torn_anywhere_is_dropped_and_the_next_is_whole(tmp_path: Path, kept: int) -> None:
    log = tmp_path / "erasures.log"
    tombstones.append([log], ONE)
    with log.open("a") as file:
        file.write(TWO.line()[:kept])
    assert tombstones.read([log]) == [ONE]
    tombstones.append([log], TWO)
    assert tombstones.read([log]) == [ONE, TWO]


def test_a_damaged_line_in_the_middle_stops_the_start(tmp_path: Path) -> None:
    log = tmp_path / "erasures.log"
    log.write_text('{"request":\n' + ONE.line() + "\n")
    with pytest.raises(StartRefused, match=r"Line 1 .* is damaged"):
        tombstones.read([log])


def test_the_log_is_for_its_owner_only(tmp_path: Path) -> None:
    log = tmp_path / "erasures.log"
    tombstones.append([log], ONE)
    assert log.stat().st_mode & 0o077 == 0
