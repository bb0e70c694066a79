"""A home as an operator makes it, and the command run inside this process."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cdp import deployment as deploying
from cdp import ingest
from cdp.connector.kit import Claim, EventTerm, Item, SourceConfig
from cdp.deployment import Deployment
from cdp.ops.cli import main
from cdp.settings import Settings
from tests.conftest import ROOT, initialise

SHOP = SourceConfig(
    name="shop",
    events={"Order Completed": EventTerm(("order_id",), ("service_delivery",))},
    traits=("full_name",),
    purposes=("service_delivery",),
    residence_default="JP",
)


@dataclasses.dataclass
class Home:
    """One deployment's settings, and words for what an operator does."""

    settings: Settings
    env: dict[str, str]
    brought: int = 0

    def cdp(self, *arguments: str, exit_code: int = 0, typed: str = "") -> Result:
        result = CliRunner().invoke(main, list(arguments), env=self.env, input=typed)
        assert result.exit_code == exit_code, (arguments, result.exit_code, result.output, result.exception)
        return result

    @contextmanager
    def opened(self) -> Iterator[Deployment]:
        deployment = deploying.assemble(self.settings)
        try:
            yield deployment
        finally:
            deployment.close()

    def bring(self, *mails: str) -> None:
        items = []
        for mail in mails:
            self.brought += 1
            claims = (Claim("email", mail, verified=True),)
            fact = {
                "event": "Order Completed",
                "properties": {"order_id": "o"},
                "traits": {"full_name": f"Name {mail}"},
            }
            items.append(Item(datetime(2026, 6, 1, tzinfo=UTC), claims, message_id=f"m{self.brought}", **fact))
        with self.opened() as deployment:
            report = ingest.take(deployment.database, SHOP, items, deployment.clock.now())
        assert report.accepted == len(mails), report.refused


@pytest.fixture
def uninitialised(database_url: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    places = {
        "home": str(tmp_path / "home"),
        "database_url": database_url,
        "keyring": f"file:{tmp_path_factory.mktemp('keys') / 'keyring.json'}",
        "keyring_mirror": f"file:{tmp_path_factory.mktemp('mirror') / 'keyring.json'}",
        "policies": str(ROOT / "policies"),
        "connectors": str(ROOT / "connectors"),
    }
    return Home(Settings(_env_file=None, **places), {f"CDP_{name.upper()}": value for name, value in places.items()})


@pytest.fixture
def home(uninitialised: Home, with_tables: None) -> Home:
    initialise(uninitialised.settings)
    return uninitialised
