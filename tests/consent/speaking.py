"""People who say something about letters, straight into the records, and the receipts of it."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from cdp import consent, identity
from cdp.consent import receipts
from cdp.consent.records import Statement
from cdp.db import Database
from cdp.identity import Arrival, Canonical
from cdp.ledger import Signer

BASE = "https://people.example"
ADA = "ada@people.example"
SHOWN = {"notice": "newsletter", "notice_version": "2", "language": "ja"}


class Desk:
    """Records what is said, and issues receipts."""

    def __init__(self, house: Database, folder: Path) -> None:
        self.house, self.signer = house, Signer.create(folder / "ledger")

    def now(self) -> datetime:
        return self.house.clock.now()

    def subject(self, mail: str = ADA, source: str = "api") -> int:
        arrival = Arrival(source, (Canonical("email", "", mail, verified=True),))
        with self.house.transaction() as session:
            return identity.attach(session, [arrival], self.now()).subjects[0]

    def say(self, status: str, mail: str = ADA, source: str = "api", **more: Any) -> str:
        """Record a statement about letters by e-mail; returns the record's id."""
        subject = self.subject(mail, source)
        with self.house.transaction() as session:
            return consent.record(session, subject, self.statement(session, status, mail, **more), self.now())

    def ask(self, mail: str = ADA, **more: Any) -> tuple[str, str]:
        """Begin a double opt-in; returns the record's id and the link's token."""
        subject = self.subject(mail)
        with self.house.transaction() as session:
            return consent.request(session, subject, self.statement(session, "requested", mail, **more), self.now())

    def confirm(self, token: str) -> str:
        with self.house.transaction() as session:
            return consent.confirm(session, token, self.now())

    def statement(self, session: Any, status: str, mail: str, **more: Any) -> Statement:
        point = consent.point(session, "email", "", mail)
        said = {
            "purpose": "email_marketing",
            "channel": "email",
            "method": "checkbox",
            "event_time": self.now(),
            "source": "api",
            "namespace": "email",
            "token": point.token,
            "verified": True,
            **SHOWN,
            **more,
        }
        return Statement(status=status, **said)

    def bytes_of(self, record: str, kind: str = "receipt") -> bytes:
        """Return the signed document as it leaves."""
        with self.house.snapshot() as session:
            issued = receipts.issue(session, record, self.signer, BASE, self.now(), kind=kind)
        assert issued is not None
        return issued.content

    def read(self, record: str, kind: str = "receipt") -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.bytes_of(record, kind))
        return found

    def states(self, record: str, kind: str = "receipt") -> list[str]:
        return [event["event_state"].rpartition("#")[2] for event in self.read(record, kind)["events"]]
