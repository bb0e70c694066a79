"""`silences.log` is read whole: hosts whose clocks differ write their lines into it in no order of time."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cdp import consent, ledger
from cdp.consent.journal import OVERLAP, Silence

NOW = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)


def silent(number: int, logged: datetime) -> Silence:
    return Silence(logged, logged, "email", bytes([number]) * 8, "email", "unsubscribe", "")


def test_a_line_of_a_host_whose_clock_is_behind_hides_none_before_it(house, tmp_path: Path) -> None:
    with house.transaction() as session:
        ledger.note(session, "ingest.batch", {}, NOW)
    mine, behind = silent(1, NOW), silent(2, NOW - OVERLAP - timedelta(minutes=1))
    log = tmp_path / "silences.log"
    log.write_text(f"{mine.line()}\n{behind.line()}\n")
    with house.snapshot() as session:
        assert consent.lost_silences(session, [log]) == [mine]
