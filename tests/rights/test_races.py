"""An erasure against everything that could bring the person back while it runs."""

import threading
from collections.abc import Callable

import pytest

from cdp import identity, rights
from cdp.errors import Problem, Unavailable
from cdp.rights import tombstones
from tests.rights.conftest import Grounds

ROUNDS = 4


def together(*work: Callable[[], object]) -> list[BaseException]:
    """Run all at once; returns what they raised beside what races may end in."""
    gate, raised = threading.Barrier(len(work)), []

    def run(one: Callable[[], object]) -> None:
        gate.wait()
        try:
            one()
        except (Unavailable, Problem):
            pass  # broken off by the other, or too late: the caller would repeat it
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=run, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    return raised


def finish(grounds: Grounds) -> None:
    with grounds.database.snapshot() as session:
        waiting = rights.pending(session)
    for request in waiting:
        rights.advance(grounds, request)


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_an_import_that_meets_an_erasure_revives_nobody(grounds: Grounds, round_: int) -> None:
    mail = "eve@example.com"
    grounds.bring(mail, "ada@example.com")
    request = grounds.ask("erasure", mail)
    raised = together(
        lambda: rights.advance(grounds, request),
        lambda: grounds.bring(mail),
        lambda: grounds.bring(mail, user=f"u{round_}"),
        lambda: grounds.bring("ada@example.com"),
    )
    assert raised == []
    finish(grounds)
    assert grounds.person(mail) is None
    assert grounds.person("ada@example.com") is not None
    assert grounds.bring(mail).accepted == 0
    assert rights.replay(grounds) == 0


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_a_merge_that_meets_an_erasure_leaves_no_half_person(grounds: Grounds, round_: int) -> None:
    grounds.bring("eve@example.com", "late@example.com")
    eve, late = grounds.person("eve@example.com"), grounds.person("late@example.com")
    request = grounds.ask("erasure", "eve@example.com")

    def merge() -> None:
        with grounds.database.transaction() as session:
            identity.must(session, eve, late, "same", "staff", grounds.clock.now())

    assert together(lambda: rights.advance(grounds, request), merge) == []
    finish(grounds)
    logged = {subject for stone in tombstones.read(grounds.erasures) for subject in stone.subjects}
    assert eve in logged
    assert set(grounds.subjects()) == {eve, late} - logged, "whoever was logged is gone, whoever was not is whole"


def test_two_who_carry_one_request_on_end_with_one_certificate(grounds: Grounds) -> None:
    grounds.bring("eve@example.com")
    request = grounds.ask("erasure", "eve@example.com")
    raised = together(*[lambda: rights.advance(grounds, request)] * 3)
    assert raised == []
    finish(grounds)
    done = rights.advance(grounds, request)
    assert done.state == "completed"
    assert '"subject_key": 1' in done.certificate
    assert done.steps.count('"step"') == 6
