"""What repeats itself is recorded once: SDKs stamp the banner's state on every event, and GPC comes with every request.

A state is no new word each time it is reported (ruling R3). It repeats where the same subject said the very same
before, and nothing that the person said of that purpose since then differs. Acts are always recorded, but GPC's.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from cdp import consent
from cdp.clock import EARLIEST
from cdp.consent.rules import Said
from cdp.profile.model import Subject

ALWAYS_SENT = "gpc"
"""The method of an act that the browser repeats by itself."""


@dataclass(frozen=True, slots=True)
class Word:
    """A statement, recorded or coming, as far as it matters whether it was said before."""

    subject: int
    purpose: str
    channel: str
    status: str
    at: datetime
    terms: tuple[object, ...]
    """Contact point, act, vouching, method, evidence and notice."""

    def says_again(self, other: "Word") -> bool:
        return self.says_like(other) and (self.subject, self.terms) == (other.subject, other.terms)

    def says_like(self, other: "Word") -> bool:
        return (self.purpose, self.channel, self.status) == (other.purpose, other.channel, other.status)

    def concerns(self, other: "Word") -> bool:
        """Whether both are about one use, where `*` is every one."""
        return "*" in (self.purpose, other.purpose) or self.purpose == other.purpose


def only_new(
    session: Session, said: Collection[tuple[int, consent.Statement]], person_of: Mapping[int, int]
) -> list[tuple[int, consent.Statement]]:
    """Return the statements that say something new; `person_of` holds each subject's person."""
    heard = _heard(session, {person_of[subject] for subject, one in said if _may_repeat(one)})
    new = []
    for subject, statement in said:
        word, before = _coming(subject, statement), heard[person_of[subject]]
        if not _may_repeat(statement) or not _is_repeat(word, before):
            new.append((subject, statement))
            before.append(word)
    return new


def _may_repeat(statement: consent.Statement) -> bool:
    return not statement.act or statement.method == ALWAYS_SENT


def _is_repeat(word: Word, heard: Iterable[Word]) -> bool:
    heard = list(heard)
    first = max((one.at for one in heard if word.says_again(one)), default=None)
    return first is not None and not any(
        one.at >= first and one.concerns(word) and not one.says_like(word) for one in heard
    )


def _heard(session: Session, people: Collection[int]) -> defaultdict[int, list[Word]]:
    """Return what each of these people said until now."""
    heard: defaultdict[int, list[Word]] = defaultdict(list)
    if not people:
        return heard
    rows = session.execute(select(col(Subject.number), col(Subject.person)).where(col(Subject.person).in_(people)))
    person_of = {int(row.number): int(row.person) for row in rows}
    for subject, records in consent.said_by(session, person_of).items():
        heard[person_of[subject]] += [_recorded(one) for one in records]
    return heard


def _recorded(one: Said) -> Word:
    terms = (one.token, one.act, one.verified, one.public, one.method, one.evidence, one.notice, one.notice_version)
    return Word(one.subject, one.purpose, one.channel, one.status, one.at, terms)


def _coming(subject: int, one: consent.Statement) -> Word:
    terms = (one.token, one.act, one.verified, one.public, one.method, one.evidence, one.notice, one.notice_version)
    return Word(subject, one.purpose, one.channel, one.status, one.event_time or EARLIEST, terms)
