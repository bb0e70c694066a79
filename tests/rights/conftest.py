"""A small deployment below the web, and people who came through ingest."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from cdp import identity, ingest, rights
from cdp.connector.kit import Claim, EventTerm, Item, SourceConfig
from cdp.db import Database
from cdp.ledger import Signer
from cdp.policy.terms import Policy
from cdp.profile.model import Subject
from cdp.rights.model import SubjectRequest
from cdp.rights.tombstones import FILE
from cdp.vault import Vault
from tests.conftest import StandingClock

SHOP = SourceConfig(
    name="shop",
    events={"Order Completed": EventTerm(("order_id", "total", "currency"), ("service_delivery",))},
    traits=("full_name", "country", "prefecture", "acquisition_channel"),
    purposes=("service_delivery",),
    residence_default="JP",
)


@dataclass
class Grounds:
    """What requests are carried out on, and words for what tests do to it."""

    database: Database
    vault: Vault
    policy: Policy
    signer: Signer
    clock: StandingClock
    erasures: tuple[Path, ...]
    brought: int = field(default=0)

    def bring(self, *mails: str, user: str = "", source: SourceConfig = SHOP) -> ingest.Report:
        """Let each address order something through the shop."""
        return ingest.take(self.database, source, [self._item(mail, user) for mail in mails], self.clock.now())

    def _item(self, mail: str, user: str) -> Item:
        self.brought += 1
        claims = (Claim("email", mail, verified=True), *([Claim("user_id", user, verified=True)] if user else []))
        return Item(
            at=self.clock.now() - timedelta(minutes=1),
            claims=claims,
            message_id=f"m{self.brought}",
            event="Order Completed",
            properties={"order_id": f"o{self.brought}", "total": 1200, "currency": "JPY"},
            traits={"full_name": "Name of the address"},
        )

    def browse(self, device: str, *mails: str, user: str = "", verified: bool = False, **traits: str) -> ingest.Report:
        """Let a device order something, with addresses that were typed in it."""
        self.brought += 1
        claims = [Claim("anonymous_id", device), *(Claim("email", mail, verified=verified) for mail in mails)]
        claims += [Claim("user_id", user, verified=True)] if user else []
        item = Item(
            at=self.clock.now() - timedelta(minutes=1),
            claims=tuple(claims),
            message_id=f"m{self.brought}",
            event="Order Completed",
            properties={"order_id": f"o{self.brought}", "total": 900, "currency": "JPY"},
            traits=traits,
        )
        report = ingest.take(self.database, SHOP, [item], self.clock.now())
        assert report.accepted == 1, report.refused
        return report

    def holders(self, mail: str) -> list[int]:
        """Everyone with this address, proved or not."""
        with self.database.snapshot() as session:
            return identity.find_all(session, "email", "", mail)

    def device(self, name: str) -> int | None:
        with self.database.snapshot() as session:
            return identity.find(session, "anonymous_id", "", name)

    def person(self, mail: str) -> int | None:
        with self.database.snapshot() as session:
            return identity.find(session, "email", "", mail)

    def subjects(self) -> list[int]:
        with self.database.snapshot() as session:
            return sorted(session.exec(select(Subject.number)).all())

    def ask(self, right: str, mail: str, **more: object) -> str:
        """Bring a verified request and return its id."""
        with self.database.transaction() as session:
            how = {"verified": True} | more
            named = ("email", "", mail)
            return rights.receive(session, right, named, "subject", "desk", "asked", self.clock.now(), **how).id

    def erase(self, mail: str, stop_after: str = "") -> SubjectRequest:
        return rights.advance(self, self.ask("erasure", mail), stop_after)


@pytest.fixture
def grounds(house: Database, clock: StandingClock, tmp_path: Path) -> Grounds:
    context = house.context
    signer = Signer.create(tmp_path / "ledger")
    return Grounds(house, context["vault"], context["policy"], signer, clock, (tmp_path / "keyring" / FILE,))
