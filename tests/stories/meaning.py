"""What a database means, written so that two that mean the same are the same bytes.

Numbers follow the order of arrival and instants of receipt the clock, so neither is written: a subject stands
as its fingerprint (the keyed digest of its source and identifiers), a person as the digest of its subjects'
fingerprints. Sealed values are opened. Not written, since they are the history of the arrival and not its
outcome: the ledger, aliases of earlier person numbers, counts of what was dropped, ids of records and moves,
and which of several equally good records an answer rests on. Comparing two databases needs one keyring.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, SQLModel

from cdp import audience, policy, vault
from cdp.consent.model import ConsentRecord, Suppression
from cdp.db import Database, chunked
from cdp.gate import standing
from cdp.gate.model import Permission
from cdp.identity import sealed
from cdp.identity.model import Identifier, Token
from cdp.ingest.model import Received
from cdp.journey.model import Stage, Transition
from cdp.profile import facts, traits
from cdp.profile.model import Fact, Person, Subject, Trait
from cdp.vault.opening import open_sealed

ARRIVAL = frozenset(
    {"id", "record", "first_at", "received_at", "received_time", "settled_at", "number", "confirm_digest"}
)
"""Columns that tell when and in which order something came."""


def lines(database: Database) -> list[str]:
    """Return everything that the database means, one JSON line each, sorted."""
    with database.snapshot() as session:
        return sorted(json.dumps(one, sort_keys=True, default=_plain) for one in _Meaning(session).told())


def digest(told: Iterable[str]) -> str:
    """Return one digest of these lines."""
    whole = hashlib.sha256()
    for line in told:
        whole.update(line.encode() + b"\n")
    return whole.hexdigest()


class _Meaning:
    def __init__(self, session: Session) -> None:
        self.session = session
        self.subjects = {row.number: row for row in self._rows(Subject)}
        members: dict[int, list[str]] = defaultdict(list)
        for row in self.subjects.values():
            members[row.person].append(row.fingerprint.hex())
        self.people = {
            person: hashlib.sha256("".join(sorted(names)).encode()).hexdigest()[:32]
            for person, names in members.items()
        }
        self.deks: dict[int, vault.Dek] = {}
        for some in chunked(sorted(self.subjects)):
            self.deks |= vault.deks(session, some)

    def told(self) -> Iterator[Mapping[str, Any]]:
        """Yield everything that is known, by kind."""
        for subject in self.subjects.values():
            yield self._row("subject", subject)
        for table in (Token, Person, Permission, Stage, Transition, ConsentRecord, Received):
            for row in self._rows(table):
                yield self._row(table.__name__, row)
        for held in self._rows(Suppression):
            yield self._row("suppression", held, at=None, lifted_at=held.lifted_at is not None, lifted_by=None)
        for name in self._rows(Identifier):
            cell = sealed.cell(name.subject, name.namespace, name.token)
            yield self._row("identifier", name, sealed=self._opened(name.subject, name.sealed, cell))
        for fact in self._rows(Fact):
            yield self._row(
                "fact", fact, sealed=self._opened(fact.subject, fact.sealed, facts.cell(fact.subject, fact.ref))
            )
        for trait in self._rows(Trait):
            cell = traits.cell(trait.subject, trait.name, trait.at)
            yield self._row("trait", trait, sealed=self._opened(trait.subject, trait.sealed, cell))
        yield from self._standings()
        yield from self._memberships()

    def _standings(self) -> Iterator[Mapping[str, Any]]:
        """Yield each person's situation before the law: consents by channel and contact point, objections, age."""
        for person, situation in standing.load(self.session, sorted(self.people), self._now()).items():
            whole = asdict(situation.standing)
            reaches = zip(situation.standing.reaches, situation.points, strict=True)
            whole["reaches"] = sorted(
                json.dumps([asdict(reach), point and point.token.hex()], sort_keys=True) for reach, point in reaches
            )
            yield {"kind": "standing", "person": self.people[person], **whole, "until": situation.changes_at}

    def _memberships(self) -> Iterator[Mapping[str, Any]]:
        """Yield the permitted members of every shipped audience, for every use of the policy."""
        terms = policy.of(self.session)
        for name in sorted(terms.audiences):
            for use in terms.uses:
                numbers = audience.page(self.session, name, use, self._now(), limit=10**7)
                members = sorted(self.people[number] for number in numbers)
                yield {
                    "kind": "members",
                    "audience": name,
                    "use": use.index,
                    "members": digest(members),
                    "n": len(members),
                }

    def _row(self, kind: str, row: SQLModel, **instead: Any) -> dict[str, Any]:
        told = {name: value for name, value in row.model_dump().items() if name not in ARRIVAL} | instead
        if "subject" in told:
            told["subject"] = self.subjects[told["subject"]].fingerprint
        if "person" in told:
            told["person"] = self.people[told["person"]]
        return {"kind": kind, **told}

    def _opened(self, subject: int, sealed: bytes | None, cell: vault.Cell) -> str | None:
        return None if sealed is None else open_sealed(self.deks[subject], sealed, cell).decode()

    def _rows(self, table: Any) -> list[Any]:
        return list(self.session.scalars(select(table)))

    def _now(self) -> datetime:
        instant: datetime = self.session.info["clock"].now()
        return instant


def _plain(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


__all__ = ["digest", "lines"]
