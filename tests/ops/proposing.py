"""A made town on a real home: six hundred customers, some of whom came twice under another address."""

import json
import random
import shutil
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cdp import ingest
from cdp.connector.kit import Claim, EventTerm, Item, SourceConfig
from cdp.identity.proposals import Described, Model
from cdp.identity.proposals.folding import fold_name, fold_place
from cdp.ops import proposing
from cdp.ops.proposing import Outcome
from cdp.settings import Settings
from tests.identity.proposals.crowd import Crowd, japan
from tests.ops.conftest import Home

COUNTER = SourceConfig(
    name="counter",
    events={"Order Completed": EventTerm(("order_id",), ("service_delivery",))},
    traits=("full_name", "family_name", "given_name", "family_name_kana", "given_name_kana", "birthday", "address"),
    purposes=("service_delivery",),
    residence_default="JP",
)
PAGE = replace(COUNTER, name="page", public=True)
SIZE = 600


@dataclass
class Town:
    """A home with people in it, and which subject each of them got."""

    home: Home
    crowd: Crowd
    subjects: dict[int, int] = field(default_factory=dict)
    """Number in the crowd → subject."""

    @property
    def folder(self) -> Path:
        return self.home.settings.home

    def names(self) -> set[str]:
        """Names and blocks, as they came and as they are compared, that stand nowhere by chance."""
        said = {
            value
            for one in self.crowd.people
            for value in (one.kana_family, one.kana_given, one.block)
            if len(value) > 2
        }
        return said | {spelled for value in said for spelled in (*fold_name(value), fold_place("", value)[1])}

    def say(self, **changed: object) -> None:
        """Write what the policy says of proposals."""
        file = Path(self.home.env["CDP_POLICIES"]) / "identifiers.yaml"
        lines = file.read_text(encoding="utf-8").splitlines()
        said = {"enabled": True, "accept": False, "model": "", "touched": 0.5, "largest": 10, **changed}
        words = ", ".join(f"{name}: {json.dumps(value)}" for name, value in said.items())
        lines = [f"proposals: {{{words}}}" if line.startswith("proposals:") else line for line in lines]
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def use(self, model: Model, **more: object) -> None:
        """Turn proposals on with a model that was trained before."""
        (self.folder / proposing.FOLDER).mkdir(exist_ok=True)
        proposing.file_of(self.folder, model.version).write_text(model.to_json(), encoding="utf-8")
        self.say(model=model.version, **more)

    def learn(self, **more: object) -> str:
        """Turn proposals on, train, and name the model in the policy."""
        self.say()
        version = dict(
            line.split("=", 1) for line in self.home.cdp("identity", "train").output.splitlines() if "=" in line
        )
        self.say(model=version["version"], **more)
        return version["version"]

    def run(self, **how: object) -> Outcome:
        with self.home.opened() as deployment:
            return proposing.run(deployment.database, self.folder, **how)  # type: ignore[arg-type]

    def bring(self, people: list[Described], source: SourceConfig = COUNTER) -> None:
        """Let each of these people order something."""
        with self.home.opened() as deployment:
            report = ingest.take(
                deployment.database, source, [_item(one, source) for one in people], deployment.clock.now()
            )
        assert report.accepted == len(people), report.refused


def open_policies(home: Home, folder: Path) -> Home:
    """Return the home with policies of its own, which may be changed."""
    own = shutil.copytree(home.settings.policies or "", folder / "policies")
    settings = Settings(**{**home.settings.model_dump(), "policies": own}, _env_file=None)
    return Home(settings, {**home.env, "CDP_POLICIES": str(own)})


def people(size: int = SIZE) -> Crowd:
    """Return the crowd in an order of its own, so that duplicates do not come last."""
    crowd = japan(size)
    random.Random(3).shuffle(crowd.people)
    return crowd


def mail_of(one: Described) -> str:
    return f"c{one.cluster}@mail.example.test"


def _item(one: Described, source: SourceConfig) -> Item:
    traits = {
        "family_name": one.family,
        "given_name": one.given,
        "family_name_kana": one.kana_family,
        "given_name_kana": one.kana_given,
        "birthday": one.birth_date,
        "address": {"postal_code": one.postal, "state": "東京都", "street": one.block} if one.block else "",
    }
    return Item(
        datetime(2026, 6, 1, tzinfo=UTC) + timedelta(seconds=one.cluster),
        (Claim("email", mail_of(one), verified=not source.public),),
        message_id=f"{source.name}-{one.cluster}",
        event="Order Completed",
        properties={"order_id": "o"},
        traits={name: value for name, value in traits.items() if value},
    )
