"""Nothing acknowledged is lost and nothing counts twice, however often the process or its database is killed.

A retrying client sends single orders and batches; a supervisor kills at random moments. At the end
every order that was ever made is stored exactly once, and what is derived is what a replay derives.
"""

import random
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import DEEP
from tests.figures import Figures
from tests.stories.faults import verdict
from tests.stories.faults.mortal import Mortal, Shop
from tests.stories.faults.servers import Server, postgresql

KILLS = {"sqlite": 200, "postgresql": 100} if DEEP else {"sqlite": 3, "postgresql": 3}
CRASHES = 50 if DEEP else 2


def test_no_order_is_lost_or_doubled_when_the_web_process_is_killed(mortal: Mortal, figures: Figures) -> None:
    kind = mortal.kind
    shop, took, chance = opened(mortal), [], random.Random(1)
    for _ in range(KILLS[kind]):
        time.sleep(chance.uniform(0, 1.5))
        mortal.kill()
        took.append(mortal.open(workers=1 if kind == "sqlite" else 2))
    shop.close()
    mortal.kill()
    tell(figures, f"kill -9 during ingest, {kind}", judged(mortal, shop), took, kills=len(took))


def test_no_order_is_lost_or_doubled_when_the_database_is_killed(crashing: tuple[Mortal, Server], figures) -> None:
    mortal, server = crashing
    shop, took, chance = opened(mortal), [], random.Random(2)
    for number in range(CRASHES):
        time.sleep(chance.uniform(0, 1.5))
        server.kill() if number % 5 == 4 else server.crash()
        time.sleep(chance.uniform(0, 0.5))
        server.start()
        took.append(mortal.until_ready())
    shop.close()
    mortal.kill()
    tell(figures, "immediate stop of PostgreSQL during ingest", judged(mortal, shop), took, crashes=len(took))
    assert shop.refused, "the client met no 503: the test struck nothing"


@pytest.fixture
def crashing(tmp_path: Path) -> Iterator[tuple[Mortal, Server]]:
    """A deployment on a database server of its own."""
    with postgresql() as server:
        deployment = Mortal(tmp_path / "home", server.url)
        deployment.cdp("init")
        yield deployment, server
        deployment.stop()


def opened(mortal: Mortal) -> Shop:
    """Open the deployment, and let the clients in."""
    told = mortal.printed(
        "connector", "add", "shop", "--type", "segment", "--set", "key=server", "--set", "residence_default=JP"
    )
    mortal.open()
    shop = Shop(mortal.url, told["write_key"])
    shop.start()
    return shop


def judged(mortal: Mortal, shop: Shop) -> dict[str, int]:
    """Compare what was acknowledged with what is stored, and what is derived with its replay."""
    assert shop.wrong == []
    deployment = verdict.opened(mortal)
    stored, wanted = verdict.orders(deployment.database), {one for one in shop.acknowledged if one % 10 != 9}
    assert verdict.consents(deployment.database) == len(shop.acknowledged) - len(wanted)
    before = verdict.derived(deployment.database)
    verdict.replay(deployment.database)
    assert verdict.derived(deployment.database) == before
    deployment.close()
    found = {
        "acknowledged": len(shop.acknowledged),
        "lost": len(wanted - set(stored)),
        "doubled": sum(count > 1 for count in stored.values()),
        "never_sent": len(set(stored) - wanted),
    }
    assert (found["lost"], found["doubled"], found["never_sent"]) == (0, 0, 0), found
    assert found["acknowledged"] > 0
    return found | {"calls_cut": shop.cut, "calls_answered_503": shop.refused}


def tell(figures: Figures, title: str, found: dict[str, int], took: list[float], **struck: int) -> None:
    took = sorted(took)
    ready = {"ready_median_s": statistics.median(took), "ready_p99_s": took[int(len(took) * 0.99)]}
    figures(title, **struck, **found, **ready)
