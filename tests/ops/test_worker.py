import threading
import time
from datetime import timedelta

from sqlalchemy import func, select
from sqlmodel import col

from cdp import rights
from cdp.deployment import Deployment
from cdp.errors import Unavailable
from cdp.gate.model import Permission
from cdp.ingest.model import Received
from cdp.ledger.model import LedgerEntry
from cdp.ops import worker
from cdp.ops.pace import LONGEST, Pace
from cdp.ops.worker import Job
from cdp.rights.model import SubjectRequest
from cdp.web.api.model import Idempotency
from cdp.web.auth.model import RevokedToken, UsedAssertion
from tests.ops.conftest import Home


def unsealed(deployment: Deployment) -> int:
    with deployment.database.snapshot() as session:
        query = select(func.count()).select_from(LedgerEntry).where(col(LedgerEntry.tree_index).is_(None))
        return session.scalar(query)


def test_one_round_seals_settles_and_carries_requests_on(home: Home) -> None:
    home.bring("eve@example.com", "ada@example.com")
    with home.opened() as deployment:
        with deployment.database.transaction() as session:
            named, at = ("email", "", "eve@example.com"), deployment.clock.now()
            request = rights.receive(session, "erasure", named, "subject", "", "", at, verified=True).id
            for row in session.scalars(select(Permission)):
                row.next_change_at = at - timedelta(days=1)
        did = worker.run_once(deployment)
        assert did["requests"] == 1
        assert did["permissions"] >= 1
        worker.run_once(deployment)
        assert unsealed(deployment) == 0
        with deployment.database.snapshot() as session:
            assert session.get(SubjectRequest, request).state == "completed"


def test_what_is_remembered_for_a_time_only_goes(home: Home) -> None:
    home.bring("ada@example.com")
    with home.opened() as deployment:
        now = deployment.clock.now()
        with deployment.database.transaction() as session:
            for row in session.scalars(select(Received)):
                row.at = now - timedelta(days=31)
            session.add(Received(source="shop", digest=b"new", at=now))
            session.add(RevokedToken(jti="old", until=now - timedelta(days=2)))
            session.add(RevokedToken(jti="new", until=now - timedelta(hours=1)))
            session.add(UsedAssertion(client="c", jti="old", until=now - timedelta(days=2)))
            for key, hours in ((b"old", -1), (b"new", 1)):
                answer = {
                    "fingerprint": b"",
                    "status": 202,
                    "sealed_answer": b"",
                    "until": now + timedelta(hours=hours),
                }
                session.add(Idempotency(client="c", key=key, **answer))
        worker.run_once(deployment)
        with deployment.database.snapshot() as session:
            assert [bytes(row.digest) for row in session.scalars(select(Received))] == [b"new"]
            assert [row.jti for row in session.scalars(select(RevokedToken))] == ["new"]
            assert session.scalars(select(UsedAssertion)).all() == []
            assert [bytes(row.key) for row in session.scalars(select(Idempotency))] == [b"new"]


def test_a_slow_bite_is_halved_and_a_quick_one_grows() -> None:
    pace = Pace(40)
    pace.took(LONGEST * 2)
    assert pace.size == 20
    pace.took(LONGEST / 10)
    assert pace.size == 25
    for _ in range(99):
        pace.took(LONGEST * 2)
    assert pace.size == 1


def test_a_job_that_fails_is_tried_again_later_and_later(home: Home) -> None:
    def fail(deployment: Deployment, limit: int) -> int:
        raise Unavailable("database")

    job = Job("failing", fail, every=1.0)
    with home.opened() as deployment:
        for _ in range(3):
            job.attempt(deployment, threading.Event())
    assert job.failures == 3
    assert 7 < job.next_at - time.monotonic() <= 8


def test_it_stops_between_two_transactions_when_asked(home: Home) -> None:
    stop = threading.Event()
    with home.opened() as deployment:
        thread = threading.Thread(target=worker.run, args=(deployment, stop))
        thread.start()
        time.sleep(0.3)
        stop.set()
        thread.join(10)
        assert not thread.is_alive()
