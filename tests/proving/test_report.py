"""The report before an import says what will be: no estimate, and nothing is changed by it."""

import random
import time

import pytest

from cdp.ingest.files import FileReport
from cdp.ingest.reach import Figures, Reach
from tests.conftest import DEEP
from tests.figures import figures
from tests.proving.conftest import WEB, Lists
from tests.proving.town import COHORTS, people

__all__ = ["figures"]


def outcome(report: FileReport) -> tuple[object, ...]:
    return (report.rows, report.accepted, report.duplicates, report.refused, report.dropped)


def differences(told: Reach, written: Reach) -> list[str]:
    return [
        f"{place}: {told.places.get(place)} told, {written.places.get(place)} written"
        for place in sorted({*told.places, *written.places})
        if told.places.get(place) != written.places.get(place)
    ]


def history(lists: Lists, rows: list[dict[str, str]], seed: int) -> None:
    """Let some of the people be known already, and have consented, said no or been erased."""
    dice = random.Random(seed)
    known = dice.sample([row for row in rows if row["メールアドレス"]], len(rows) // 5)
    lists.bring_plainly(*({**row, "会員番号": f"X{n}"} for n, row in enumerate(known)))
    lists.bring(*known[30:80], cohorts=COHORTS)
    for row in known[:20]:
        lists.withdraw(row["メールアドレス"])
    for row in known[20:30]:
        lists.erase(row["メールアドレス"])
    lists.shop.clock.pass_(days=1)


def test_the_figures_told_before_are_the_figures_as_written(lists: Lists, figures) -> None:
    """A list of some thousand rows in CP932, on both databases."""
    count = 20_000 if DEEP else 2_000
    rows = people(lists, count, seed=7)
    history(lists, rows, seed=8)
    proving = lists.prove(lists.write(*rows), *COHORTS, group=300)
    began = time.perf_counter()
    report, told = proving.rehearse(lists.shop.clock.now())
    rehearsed = time.perf_counter()
    done, written = proving.write(lists.shop.clock.now())
    ended = time.perf_counter()
    figures(
        f"old list with its evidence, {'SQLite' if lists.database.is_sqlite else 'PostgreSQL'}",
        rows=count,
        rehearsed_rows_a_second=count / (rehearsed - began),
        written_rows_a_second=count / (ended - rehearsed),
    )
    assert not differences(told, written), "\n".join(differences(told, written))
    assert told == written and told.apart == 0
    assert outcome(report) == outcome(done)
    assert done.rejects is not None and report.rejects is None
    reasons = {reason for one in told.places.values() for reason in one.stay}
    assert {
        "no_contact_point",
        "unsubscribed",
        "no_optin_record",
        "child",
        "invalidated",
        "erased",
    } <= reasons
    assert min(sum(getattr(one, name) for one in told.places.values()) for name in ("already", "become")) > 0
    assert min(told.uncovered, told.outside_period, told.says_no, told.unproven) > 0
    assert {place.law for place in told.places} >= {"APPI", "GDPR"}
    for one in told.places.values():
        assert one.rows == one.already + one.become + one.stay.total()


@pytest.mark.parametrize("seed", range(12 if DEEP else 2))
@pytest.mark.parametrize("lists_hang_together", [0.3, 0.9])
def test_the_figures_agree_also_where_most_rows_hang_together(
    lists: Lists, seed: int, lists_hang_together: float
) -> None:
    dice = random.Random(seed)
    rows = people(lists, 90, seed)
    for row in rows:
        for column in ("メールアドレス", "電話番号"):
            if dice.random() < lists_hang_together / 2:
                row[column] = dice.choice(rows)[column]
    history(lists, rows, seed + 100)
    proving = lists.prove(lists.write(*rows), *COHORTS, group=7)
    report, told = proving.rehearse(lists.shop.clock.now())
    done, written = proving.write(lists.shop.clock.now())
    assert not differences(told, written), "\n".join(differences(told, written))
    assert told == written and outcome(report) == outcome(done)


def test_a_rehearsal_leaves_every_row_of_every_table_as_it_was(lists: Lists) -> None:
    lists.bring(*(lists.row(number) for number in range(1, 30)))
    before = lists.everything()
    files = sorted(lists.folder.iterdir())
    proving = lists.prove(lists.write(*people(lists, 200, seed=3), name="old.csv"), *COHORTS)
    report, told = proving.rehearse(lists.shop.clock.now())
    assert report.accepted > 100 and told.places
    assert lists.everything() == before
    assert sorted(lists.folder.iterdir()) == files, "no file of rejects either"


def test_who_was_reachable_already_becomes_and_stays_are_told_apart(lists: Lists) -> None:
    lists.bring(lists.row(1))
    lists.bring_plainly(lists.row(2), lists.row(4))
    lists.withdraw("m4@example.com")
    rows = (lists.row(1), lists.row(2), lists.row(3, メールアドレス=""), lists.row(4), lists.row(5, 国="DE"))
    proving = lists.prove(lists.write(*rows))
    _, told = proving.rehearse(lists.shop.clock.now())
    by_law = {place.law: figures for place, figures in told.places.items()}
    assert by_law["GDPR"] == Figures(rows=1, become=1)
    assert (by_law["APPI"].already, by_law["APPI"].become, by_law["APPI"].lost) == (1, 1, 0)
    assert by_law["APPI"].stay == {"no_contact_point": 1, "unsubscribed": 1}


def test_an_opt_out_further_down_the_file_is_told_before(lists: Lists) -> None:
    """The row with the consent comes hundreds of rows before the one that takes it back."""
    lists.bring(lists.row(1))
    stop = lists.row(900, メールアドレス="m1@example.com", 会員番号="M1", 電話番号="", 配信停止="1", 様式="")
    rows = [lists.row(1), *(lists.row(number) for number in range(2, 60)), stop]
    proving = lists.prove(lists.write(*rows), group=10)
    _, told = proving.rehearse(lists.shop.clock.now())
    _, written = proving.write(lists.shop.clock.now())
    (figures,) = told.places.values()
    assert (figures.lost, figures.stay, figures.become) == (1, {"unsubscribed": 1}, 58)
    assert told == written


def test_rows_too_many_to_hold_are_looked_at_apart_and_counted(lists: Lists) -> None:
    household = [lists.row(number, 電話番号="09012345678", 会員番号="") for number in range(1, 16)]
    proving = lists.prove(lists.write(*household), group=2)
    proving.most_held = 5
    _, told = proving.rehearse(lists.shop.clock.now())
    assert told.apart > 0 and sum(one.rows for one in told.places.values()) == 15


def test_an_interrupted_import_is_run_again_and_ends_as_told(lists: Lists) -> None:
    rows = [lists.row(number) for number in range(1, 12)]
    proving = lists.prove(lists.write(*rows), group=4)
    _, told = proving.rehearse(lists.shop.clock.now())

    def stop(what: str, done: int, lines: int) -> None:
        if what == "writing" and done >= 8:
            raise InterruptedError

    proving.progress = stop
    with pytest.raises(InterruptedError):
        proving.write(lists.shop.clock.now())
    assert len(lists.records()) == 8
    again = lists.prove(lists.write(*rows), group=4)
    _, rest = again.rehearse(lists.shop.clock.now())
    assert [(one.already, one.become) for one in rest.places.values()] == [(8, 3)]
    report, written = again.write(lists.shop.clock.now())
    assert (report.duplicates, report.accepted, len(lists.records())) == (8, 3, 11)
    assert written == rest and [one.become for one in told.places.values()] == [11]


def test_progress_tells_of_every_part(lists: Lists) -> None:
    seen: list[str] = []
    proving = lists.prove(lists.write(*(lists.row(number) for number in range(1, 6))), WEB)
    proving.progress = lambda what, done, lines: seen.append(f"{what} {done}/{lines}")
    proving.rehearse(lists.shop.clock.now())
    proving.write(lists.shop.clock.now())
    assert seen == [f"{what} 5/6" for what in ("reading", "rehearsing", "writing", "checking")]
