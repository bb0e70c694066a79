"""One client assertion, sent fifty times at once over real sockets: one token, whoever wins."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
import requests
from joserfc.jwk import ECKey

from tests.conftest import DEEP
from tests.figures import Figures
from tests.stories.processes import Running
from tests.web.forging import ASSERTION_TYPE, by_key, jws

COPIES = 50
ROUNDS = 20 if DEEP else 1


@pytest.fixture
def running(tmp_path: Path, database_url: str) -> Iterator[Running]:
    """The real server: two web processes on PostgreSQL, one on SQLite, which supports no more."""
    live = Running(tmp_path / "home", database_url)
    live.cdp("init")
    live.serve(workers=1 if database_url.startswith("sqlite") else 2)
    yield live
    live.stop()


def test_of_fifty_copies_of_one_assertion_at_once_one_gives_a_token(
    running: Running, tmp_path: Path, figures: Figures
) -> None:
    key = ECKey.generate_key("P-256")
    path = tmp_path / "public.pem"
    path.write_bytes(key.as_pem(private=False))
    made = running.printed("client", "create", "signer", "--recipient", "ma_tool", "--public-key", str(path))
    workers, total = 1 if "sqlite" in running.env["CDP_DATABASE_URL"] else 2, Counter[int]()
    for number in range(ROUNDS):
        answers = send_at_once(running.url, assertion(running.url, made["client_id"], key, number))
        total.update(answer.status_code for answer in answers)
        assert [answer.status_code for answer in answers].count(200) == 1
        assert {answer.status_code for answer in answers} == {200, 401}
        assert {answer.json()["error"] for answer in answers if answer.status_code == 401} == {"invalid_client"}
        [token] = [answer.json()["access_token"] for answer in answers if answer.status_code == 200]
        shown = {"Authorization": f"Bearer {token}"}
        assert requests.get(f"{running.url}/api/audiences", headers=shown, timeout=30).status_code == 200
    name = "SQLite, 1 web process" if workers == 1 else "PostgreSQL, 2 web processes"
    figures(f"replays of one assertion, {name}", rounds=ROUNDS, copies=COPIES, tokens=total[200], refused=total[401])


def assertion(url: str, client_id: str, key: ECKey, number: int) -> str:
    now = int(time.time())
    claims = {"iss": client_id, "sub": client_id, "aud": f"{url}/oauth/token", "jti": f"round-{number}"}
    return jws({"alg": "ES256"}, {**claims, "iat": now, "exp": now + 120}, by_key(key))


def send_at_once(url: str, text: str) -> list[requests.Response]:
    """Open every connection first, then let all go together."""
    together = Barrier(COPIES)
    form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": text}

    def send(_: int) -> requests.Response:
        with requests.Session() as session:
            session.get(f"{url}/healthz", timeout=60)
            together.wait(60)
            return session.post(f"{url}/oauth/token", data=form, timeout=60)

    with ThreadPoolExecutor(COPIES) as pool:
        return list(pool.map(send, range(COPIES)))
