"""Who of an old list can be reached, before and after: figures by law, channel, purpose and cohort; never a value.

Rows are counted, each at its own contact point. The same questions are asked of the database before anything
happened, within the rehearsal, and of what was written; so the figures of both tables mean the same.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sqlmodel import Session

from cdp import consent, gate, identity, policy, vault
from cdp.connector.kit import Claim, Item, SourceConfig
from cdp.connector.tables import Row
from cdp.consent.bundles import Bundle
from cdp.consent.rules import NO
from cdp.identity import Canonical
from cdp.identity.normalise import with_derived
from cdp.identity.rules import TokenKey
from cdp.ingest.evidenced import Found, Matching, Proven
from cdp.ingest.rows import Read
from cdp.policy.terms import Law

NOT_A_YES = NO | {"invalidated"}


class Place(NamedTuple):
    """Where figures belong."""

    law: str
    """GDPR, APPI, GDPR+APPI; empty where nobody is known."""
    channel: str
    purpose: str
    cohort: str


@dataclass(slots=True)
class Figures:
    """Rows of one place: all of them = already + become + what stays unreachable."""

    rows: int = 0
    already: int = 0
    become: int = 0
    lost: int = 0
    """Of those that stay unreachable: who could be reached before."""
    stay: Counter[str] = field(default_factory=Counter)
    """First reason → rows."""


@dataclass(slots=True)
class Reach:
    """The report about a list with its evidence."""

    places: dict[Place, Figures] = field(default_factory=dict)
    unproven: int = 0
    """The alert `stale_or_unproven_grant`: claims of a yes without full proof, or against a no that stands."""
    uncovered: int = 0
    """Rows that no cohort covers."""
    outside_period: int = 0
    says_no: int = 0
    apart: int = 0
    """Rows that belong to others in the file and were looked at without them: figures may differ by so many."""

    @property
    def unreachable(self) -> int:
        return sum(one.stay.total() for one in self.places.values())


class Question(NamedTuple):
    """One consent of one row, with every blind index that tells whose it is."""

    row: int
    proven: Proven
    contact: frozenset[TokenKey]
    """The contact point, in every epoch; empty where the channel has none, or the row."""
    anyone: frozenset[TokenKey]
    """Every identifier of the row, and what those are evidence of."""
    silenced: frozenset[bytes]
    """Suppression tokens of all these."""


class Indexes(NamedTuple):
    """The blind indexes of one claim."""

    own: frozenset[TokenKey] = frozenset()
    evidence: frozenset[TokenKey] = frozenset()
    """With those of what it is evidence of."""
    silenced: frozenset[bytes] = frozenset()


@dataclass(slots=True)
class Tally:
    """Counts rows into a report; remembers one byte for each consent of the time before."""

    bundle: Bundle
    reach: Reach = field(default_factory=Reach)
    _before: bytearray = field(default_factory=bytearray)

    def remember(self, questions: Sequence[Question], answers: Sequence[gate.Reached]) -> None:
        """Note who can be reached before anything happened."""
        for question, answer in zip(questions, answers, strict=True):
            bit = self._bit(question)
            if bit >= len(self._before):
                self._before.extend(bytes(max(bit + 1, 2 * len(self._before)) - len(self._before)))
            self._before[bit] = not answer.refusal

    def count(self, questions: Sequence[Question], answers: Sequence[gate.Reached]) -> None:
        """Count who can be reached afterwards."""
        for question, answer in zip(questions, answers, strict=True):
            cohort, bit = self.bundle.cohorts[question.proven.place].cohort, self._bit(question)
            place = Place(_named(answer.laws), cohort.channel, cohort.purpose, cohort.name)
            before = self._before[bit : bit + 1] == b"\1"
            _add(self.reach.places.setdefault(place, Figures()), answer.refusal, before)
            self.reach.unproven += question.proven.evidence != "full" or answer.consent in NOT_A_YES

    def count_rows(self, found: Iterable[Found]) -> None:
        """Count what the bundle says of rows, whoever can be reached."""
        for one in found:
            self.reach.uncovered += not (one.proven or one.says_no or one.outside_period)
            self.reach.outside_period += one.outside_period
            self.reach.says_no += one.says_no
            self.reach.unproven += one.unproven_claims

    def again(self) -> "Tally":
        """Return a tally with the same time before, to count anew."""
        return Tally(self.bundle, _before=self._before)

    def _bit(self, question: Question) -> int:
        return question.row * len(self.bundle.cohorts) + question.proven.place

    def ask(self, session: Session, questions: Sequence[Question], at: datetime) -> list[gate.Reached]:
        """Return who can be reached now, in this transaction."""
        people = identity.having(session, (key for one in questions for key in one.anyone))
        asked = [self._asked(one, people) for one in questions]
        answers = gate.reached(session, asked, at)
        strangers = {
            token for one, who in zip(questions, asked, strict=True) if not who.people for token in one.silenced
        }
        erased = consent.suppressed_tokens(session, strangers, "erasure")
        return [
            answer._replace(refusal="erased") if not who.people and one.silenced & erased else answer
            for one, who, answer in zip(questions, asked, answers, strict=True)
        ]

    def _asked(self, question: Question, people: Mapping[TokenKey, set[int]]) -> gate.Asked:
        cohort = self.bundle.cohorts[question.proven.place].cohort
        whose = question.contact or question.anyone
        holders = {person for key in whose for person in people.get(key, ())}
        having = Counter(person for key in question.anyone for person in people.get(key, ()) if person in holders)
        return gate.Asked(having, cohort.purpose, cohort.channel, frozenset(token for _, token in question.contact))


@dataclass(slots=True)
class Spelling:
    """Names the identifiers of rows by their blind indexes."""

    session: Session
    config: SourceConfig
    _known: dict[Claim, Indexes] = field(default_factory=dict)

    def questions(self, row: Row, found: Found) -> list[Question]:
        """Return what to ask of a row's consents."""
        names = [self._indexes(claim) for claim in found.item.claims] if found.proven else []
        anyone = frozenset(key for one in names for key in one.evidence)
        silenced = frozenset(token for one in names for token in one.silenced)
        return [
            Question(row.number, one, self._indexes(one.contact).own if one.contact else frozenset(), anyone, silenced)
            for one in found.proven
        ]

    def keys(self, item: Item) -> frozenset[TokenKey]:
        """Return every blind index that may join an item to others."""
        return frozenset(key for claim in item.claims for key in self._indexes(claim).evidence)

    def _indexes(self, claim: Claim) -> Indexes:
        if claim not in self._known:
            self._known[claim] = self._make(claim)
        return self._known[claim]

    def _make(self, claim: Claim) -> Indexes:
        name = identity.claimed(
            policy.of(self.session), claim.type, claim.value, claim.scope, self.config.region, claim.verified
        )
        if name is None:
            return Indexes()
        own, *also = (self._index(one) for one in with_derived(policy.of(self.session), [name]))
        return Indexes(own, own.union(*also), frozenset(identity.silence_tokens(self.session, name)))

    def _index(self, name: Canonical) -> frozenset[TokenKey]:
        tokens = vault.of(self.session).tokens(name.namespace, name.scope, name.value)
        return frozenset((name.namespace, token) for token in tokens.values())


def look(session: Session, matching: Matching, rows: Sequence[Read]) -> tuple[list[Found], list[Question]]:
    """Return what the bundle says of these rows, and what is to be asked of them."""
    spelling, found, questions = Spelling(session, matching.config), [], []
    for row, item in rows:
        if isinstance(item, Item):
            one = matching.find(row, item)
            found.append(one)
            questions += spelling.questions(row, one)
    return found, questions


def _add(figures: Figures, refusal: str, before: bool) -> None:
    figures.rows += 1
    if refusal:
        figures.stay[refusal] += 1
        figures.lost += before
    elif before:
        figures.already += 1
    else:
        figures.become += 1


def _named(laws: Law) -> str:
    return "+".join(law.name or "" for law in Law if law in laws)
