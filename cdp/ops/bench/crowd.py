"""A crowd as a shop knows it, drawn from a seed and written to the real tables in sets.

What the gate reads is there as ingest would have left it; sealed columns hold bytes of the usual length, in
which nothing is sealed: no measurement opens them.
"""

import hashlib
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table, insert, text
from sqlalchemy.sql.schema import ScalarElementColumnDefault
from sqlmodel import Session, SQLModel

from cdp.consent.model import ConsentRecord, Objection, Suppression
from cdp.db import Database, is_sqlite
from cdp.identity.model import Identifier
from cdp.policy.terms import CONTACT_CHANNELS, Policy, Purpose
from cdp.profile.model import Fact, SourceTerms, Subject, Trait

Rows = dict[type[SQLModel], list[dict[str, Any]]]
Told = Callable[[int, int], None]

SOURCES = ("crm", "shop", "site")
_COUNTRIES = {"JP": 62, "DE": 16, "FR": 8, "": 6, "US": 5, "BR": 3}
_STATUSES = {"given": 60, "withdrawn": 18, "refused": 12, "requested": 5, "unknown": 5}
_SAYS = 0.45
"""How likely somebody ever said anything of a purpose."""
_BLANK = bytes(90)


def fill(database: Database, terms: Policy, people: int, seed: int = 1, told: Told = lambda done, total: None) -> None:
    """Write so many people, one or two subjects each, a few thousand to a transaction; nobody is decided."""
    at = database.clock.now()
    chance = random.Random(seed)  # noqa: S311 - draws a crowd, guards nothing
    with database.transaction() as session:
        _insert(session, {SourceTerms: [SourceTerms(source=name).model_dump() for name in SOURCES]})
    number = done = 0
    while done < people:
        size = min(2000, people - done)
        rows: Rows = defaultdict(list)
        for _ in range(size):
            number = _Somebody(rows, terms, chance, number + 1, at).draw()
        with database.transaction() as session:
            _insert(session, rows)
        done += size
        told(done, people)
    if not database.is_sqlite:
        with database.transaction() as session:
            session.execute(text("SELECT setval('subject_number_seq', :last)"), {"last": number})
            for table in (Subject, Trait, Identifier, ConsentRecord, Suppression, Objection, Fact):
                session.execute(text(f"ANALYZE {table.__tablename__}"))


class _Somebody:
    """One person: the subjects, and what each source said of them."""

    def __init__(self, rows: Rows, terms: Policy, chance: random.Random, number: int, at: datetime) -> None:
        self.rows, self.terms, self.chance, self.number, self.at = rows, terms, chance, number, at
        self.subjects = [number] if chance.random() < 0.6 else [number, number + 1]
        self.points: dict[str, bytes] = {}

    def draw(self) -> int:
        """Write the person; returns the highest number used."""
        for place, subject in enumerate(self.subjects):
            self._subject(subject, SOURCES[(self.number + place) % len(SOURCES)])
        self._identifiers()
        self._traits()
        self._facts()
        for purpose in self.terms.purposes.values():
            if any(basis.kind in ("consent", "soft_opt_in") for _, basis in purpose.bases):
                self._consents(purpose)
        self._noes()
        return self.subjects[-1]

    def _subject(self, subject: int, source: str) -> None:
        self.rows[Subject].append(
            {
                "number": subject,
                "person": self.number,
                "source": source,
                "fingerprint": _token("subject", subject),
                "first_at": self._ago(900),
                "residence_default": "",
                "public": False,
                "erasing": False,
            }
        )

    def _identifiers(self) -> None:
        for namespace, share in (("email", 0.92), ("phone", 0.45), ("line_uid", 0.2), ("anonymous_id", 0.5)):
            if self.chance.random() > share:
                continue
            # Some households share an address; one telephone in fifty, too.
            shared = self.chance.random() < 0.02
            self.points[namespace] = _token(namespace, self.number - self.number % 7 if shared else self.number)
            for subject in self.subjects:
                self.rows[Identifier].append(self._identifier(subject, namespace, self.points[namespace]))

    def _identifier(self, subject: int, namespace: str, token: bytes) -> dict[str, Any]:
        return {
            "subject": subject,
            "namespace": namespace,
            "scope": "",
            "token": token,
            "epoch": 1,
            "suppression_token": _token("silence", token.hex()),
            "sealed": _BLANK,
            "verified": self.chance.random() < 0.85,
            "normaliser": 1,
            "first_at": self.at,
        }

    def _traits(self) -> None:
        said = {"country": self.chance.choices(list(_COUNTRIES), list(_COUNTRIES.values()))[0] or None}
        if self.chance.random() < 0.55:
            child = self.chance.random() < 0.06
            years = self.chance.randint(8, 17) if child else self.chance.randint(18, 85)
            said |= {"birth_year": str(self.at.year - years), "birth_day": f"{self.chance.randint(1, 12):02d}-15"}
        for name, clear in said.items():
            self.rows[Trait].append(
                {"subject": self.number, "name": name, "clear": clear, "sealed": None, "at": self._ago(700)}
                | {"source": SOURCES[self.number % len(SOURCES)], "ref": b""}
            )

    def _facts(self) -> None:
        kinds = ("Product Viewed", "Product Viewed", "Product Added", "Order Completed")
        for n in range(self.chance.choice((0, 1, 2, 3, 5, 8))):
            at = self._ago(800)
            self.rows[Fact].append(
                {
                    "ref": _token("fact", f"{self.number}/{n}"),
                    "subject": self.chance.choice(self.subjects),
                    "source": SOURCES[self.number % len(SOURCES)],
                    "kind": self.chance.choice(kinds),
                    "at": at,
                    "received_at": at,
                    "amount": None,
                    "currency": None,
                    "item": None,
                    "channel": "none",
                    "sealed": _BLANK,
                }
            )

    def _consents(self, purpose: Purpose) -> None:
        for channel in purpose.channels:
            for namespace in CONTACT_CHANNELS.get(channel, ("anonymous_id",)):
                if namespace in self.points and self.chance.random() < _SAYS:
                    for _ in range(self.chance.choice((1, 1, 2))):
                        self.rows[ConsentRecord].append(self._consent(purpose, channel, namespace))

    def _consent(self, purpose: Purpose, channel: str, namespace: str) -> dict[str, Any]:
        at = self._ago(600)
        shown = self.chance.choice(purpose.notices_current or (("", ""),))
        return {
            "record": f"{self.number:x}-{len(self.rows[ConsentRecord]):x}"[:32],
            "subject": self.chance.choice(self.subjects),
            "namespace": namespace,
            "token": self.points[namespace],
            "purpose": purpose.name,
            "channel": channel,
            "status": self.chance.choices(list(_STATUSES), list(_STATUSES.values()))[0],
            "act": self.chance.random() < 0.9,
            "verified": self.chance.random() < 0.9,
            "public": False,
            "notice": shown[0],
            "notice_version": shown[1],
            "language": "ja",
            "method": "checkbox",
            "evidence": "full",
            "sealed_evidence": None,
            "actor": "subject",
            "source": SOURCES[self.number % len(SOURCES)],
            "brand": "",
            "event_time": at,
            "received_time": at,
            "valid_until": None,
            "confirm_digest": None,
        }

    def _noes(self) -> None:
        for namespace, token in self.points.items():
            if self.chance.random() < 0.03:
                self.rows[Suppression].append(
                    {"namespace": namespace, "token": _token("silence", token.hex()), "channel": "*"}
                    | {"reason": "unsubscribe", "brand": "", "at": self._ago(300), "lifted_at": None, "lifted_by": ""}
                )
        for kind, share in (("direct_marketing", 0.02), ("restriction", 0.003), ("provision", 0.003)):
            if self.chance.random() < share:
                self.rows[Objection].append(
                    {"subject": self.number, "kind": kind, "purpose": "*", "cause": ""}
                    | {"at": self._ago(300), "lifted_at": None}
                )

    def _ago(self, days: int) -> datetime:
        return self.at - timedelta(days=self.chance.randrange(days), seconds=self.chance.randrange(86400))


def _token(kind: str, value: object) -> bytes:
    return hashlib.blake2b(f"{kind}:{value}".encode(), digest_size=16).digest()


def _insert(session: Session, rows: Rows) -> None:
    for table, some in rows.items():
        target: Table = table.__table__  # type: ignore[attr-defined]
        if is_sqlite(session):
            session.execute(insert(target), some)
        else:
            _copy(session, target, some)


def _copy(session: Session, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    unsaid = {one.name: one.default.arg for one in table.columns if isinstance(one.default, ScalarElementColumnDefault)}
    names = [*rows[0], *(unsaid.keys() - rows[0].keys())]
    with _cursor(session) as cursor, cursor.copy(f"COPY {table.name} ({', '.join(names)}) FROM STDIN") as copy:
        for row in rows:
            whole = unsaid | row
            copy.write_row([whole[name] for name in names])


def _cursor(session: Session) -> Any:
    return session.connection().connection.cursor()


def everybody(database: Database) -> list[int]:
    """Return the numbers of all people."""
    with database.snapshot() as session:
        return [row[0] for row in session.execute(text("SELECT DISTINCT person FROM subject ORDER BY person"))]
