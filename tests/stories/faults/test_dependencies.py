"""Whatever the deployment depends on may be away: then no route gives anybody out, and says so.

While it is away `/healthz` lives, `/readyz` names it, and what cannot be answered is 503 with
Retry-After. When it is back everything answers as before, without a restart.
"""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from sqlalchemy.engine import make_url

from cdp.ops import worker
from tests.conftest import postgres_database
from tests.people import cast
from tests.stories.faults import strikes
from tests.stories.faults.answers import GIVING, TELLING, Ask
from tests.stories.faults.servers import Wire
from tests.stories.faults.strikes import Strike, Struck
from tests.stories.world import World

CAST = cast(7)

CLOSING: dict[Strike, str] = {
    strikes.database_gone: "database",
    strikes.database_silent: "database",
    strikes.disk_full: "database",
    strikes.keyring_missing: "keyring",
    strikes.keyring_unreadable: "keyring",
    strikes.keyring_damaged: "keyring",
    strikes.keyring_old: "keyring",
}
"""Strikes under which nobody may be given out → what `/readyz` calls them."""

HARMLESS = (strikes.keyring_locked, strikes.mirror_missing, strikes.ledger_folder_missing)
"""Strikes that hold changes up, and no answer."""

RECOVERY = 30.0
"""How many seconds after a strike everything must answer again, without a restart."""

QUIET = {
    "audiences.list_all",
    "audiences.show",
    "journeys.list_all",
    "identity.decide_case",
    "identity.decide_pair",
    "identity.explain",
    "identity.list_cases",
    "identity.list_decisions",
    "identity.retract",
    "identity.revoke_decision",
    "identity.show_case",
    "identity.undo_case",
    "proposals.decide_proposal",
    "proposals.list_proposals",
    "proposals.show_proposal",
    "proposals.undo_proposal",
    "ledger.checkpoint",
    "ledger.proof",
    "connectors.list_types",
    "connectors.list_sources",
    "connectors.drops",
    "consents.withdraw",
    "processing.records_of_processing",
    "receipts.receipt",
    "subject-requests.accept",
    "subject-requests.close",
    "subject-requests.extend",
    "subject-requests.tell",
    "subject-requests.verify",
}
"""Endpoints that answer about policies, proofs and sources, or carry out a word that was said, and tell of nobody."""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def struck(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Struck]:
    """A deployment with five people in it, with a wire to its database where it has one."""
    home = tmp_path_factory.mktemp(request.param) / "home"
    if request.param == "sqlite":
        yield from lived_in(home, None, "")
        return
    for url in postgres_database(request.getfixturevalue("postgres")):
        socket = Path(make_url(url).query["host"]) / ".s.PGSQL.5432"
        wire = Wire(str(socket))
        yield from lived_in(home, wire, url)
        wire.close()


def lived_in(home: Path, wire: Wire | None, url: str) -> Iterator[Struck]:
    through = f"postgresql+psycopg://postgres@127.0.0.1:{wire.port}/{make_url(url).database}" if wire else ""
    keys = {name: f"file:{home.parent / name / 'keyring.json'}" for name in ("keys", "mirror")}
    world = World(
        home, through, CDP_KEYRING=keys["keys"], CDP_KEYRING_MIRROR=keys["mirror"], CDP_DATABASE_PATIENCE_SECONDS="3"
    )
    world.arrive(CAST)
    world.choose(CAST)
    found = world.lookup(CAST.ada)
    assert found.status_code == 200, found.text
    world.stage = f"standard/stages/{found.json()['stage']}"
    asked = {"right": "access", "identifier": {"type": "email", "value": CAST.ada.email}, "requester": "subject"}
    world.request = world.call("officer", "POST", "/api/subject-requests", asked).json()["id"]
    answers_as_ever(world)
    yield Struck(world, wire, url.replace("+psycopg", ""))
    world.close()


@pytest.mark.parametrize("strike", CLOSING, ids=lambda strike: strike.__name__)
def test_nobody_is_given_out_without(strike: Strike, struck: Struck) -> None:
    world = struck.world
    with strike(struck):
        for name, answer in answers(world, GIVING | TELLING):
            assert answer.status_code == 503 or (name in TELLING and answer.status_code < 300), (name, answer.text)
            says_nobody(answer)
            if answer.status_code == 503:
                assert answer.headers["Content-Type"] == "application/problem+json", name
                assert answer.headers["Retry-After"].isdigit(), name
        assert requests.get(f"{world.url}/healthz", timeout=60).status_code == 200
        ready = requests.get(f"{world.url}/readyz", timeout=60)
        assert (ready.status_code, ready.json()["checks"][CLOSING[strike]]) == (503, False)
        assert [name for name, passes in ready.json()["checks"].items() if not passes] == [CLOSING[strike]]
    answers_as_ever(world)


@pytest.mark.parametrize("strike", HARMLESS, ids=lambda strike: strike.__name__)
def test_answers_go_on_without(strike: Strike, struck: Struck) -> None:
    with strike(struck):
        answers_as_ever(struck.world)
    answers_as_ever(struck.world)


@pytest.mark.parametrize("strike", [strikes.keyring_locked, strikes.mirror_missing], ids=lambda strike: strike.__name__)
def test_an_erasure_waits_for_the_keyring_and_goes_on_without_hands(strike: Strike, struck: Struck) -> None:
    world, leaver = struck.world, {strikes.keyring_locked: CAST.eve, strikes.mirror_missing: CAST.dev}[strike]
    asked = {"right": "erasure", "identifier": {"type": "email", "value": leaver.email}, "requester": "subject"}
    with strike(struck):
        answer = world.call("officer", "POST", "/api/subject-requests", asked, **{"Idempotency-Key": leaver.key})
        assert (answer.status_code, answer.headers["Retry-After"].isdigit()) == (503, True)
        assert world.lookup(leaver).status_code == 404, "the gate is closed before any key goes"
    worker.run_once(world.deployment)
    again = world.call("officer", "POST", "/api/subject-requests", asked, **{"Idempotency-Key": leaver.key})
    assert again.status_code == 202
    followed = world.call("officer", "GET", f"/api/subject-requests/{again.json()['id']}").json()
    assert followed["state"] == "completed"


def test_every_route_about_people_stands_in_these_tables(struck: Struck) -> None:
    app = struck.world.server.app
    asked = {name for name, view in app.view_functions.items() if hasattr(view, "scope_needed")}
    assert asked - GIVING.keys() - TELLING.keys() - QUIET == set()


def answers(world: World, asks: dict[str, Ask]) -> Iterator[tuple[str, requests.Response]]:
    """Ask everything at once: what waits for the same thing waits together."""
    with ThreadPoolExecutor(len(asks)) as pool:
        asked = {name: pool.submit(ask, world, CAST.ada) for name, ask in asks.items()}
        yield from ((name, answer.result()) for name, answer in asked.items())


def answers_as_ever(world: World) -> None:
    for name, ask in TELLING.items():
        answer = heard(world, ask)
        assert answer.status_code < 300, (name, answer.status_code, answer.text)
    for name, ask in GIVING.items():
        answer = heard(world, ask)
        assert answer.status_code == 200, (name, answer.text)
        assert CAST.ada.email in answer.text, name


def heard(world: World, ask: Ask) -> requests.Response:
    """Ask again when told to, as a client would: a statement may take only seconds here, and machines are busy."""
    until = time.monotonic() + RECOVERY
    while (answer := ask(world, CAST.ada)).status_code == 503 and time.monotonic() < until:
        time.sleep(int(answer.headers["Retry-After"]))
    return answer


def says_nobody(answer: requests.Response) -> None:
    for person in CAST.everybody:
        for secret in person.secrets:
            assert secret not in answer.text
