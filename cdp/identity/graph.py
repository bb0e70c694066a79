"""The evidence as stored: loading the raw components that a change touches, and locking them.

Two processes that bring one new identifier meet at its token row, two that touch one person at the
person's subjects; whoever comes second reads what the first wrote. What is generic or blocked joins
nothing and is not walked through.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, func, or_, select
from sqlmodel import Session, col

from cdp import statements
from cdp.db import chunked, ignoring, is_sqlite
from cdp.identity import config
from cdp.identity.model import (
    CorrectedIdentifier,
    Identifier,
    IdentityCase,
    IdentityMark,
    Override,
    OverrideValue,
    Token,
)
from cdp.identity.rules import Evidence, Known, Link, Mark, TokenKey, cap, links
from cdp.policy.terms import Namespace
from cdp.profile.model import Subject
from cdp.statements import one_of, pair_of

MANY = 4000
"""Values that one statement may name here; both databases allow more."""

_TOKENS: Table = Token.__table__  # type: ignore[attr-defined]
_NAMES: Table = Identifier.__table__  # type: ignore[attr-defined]
_MARKS: Table = IdentityMark.__table__  # type: ignore[attr-defined]
_WORDS: Table = Override.__table__  # type: ignore[attr-defined]
_SUBJECTS: Table = Subject.__table__  # type: ignore[attr-defined]

UNWALKED = ("generic", "blocked")


@dataclass(slots=True)
class Region:
    """Whole raw components: every subject that a path of usable evidence leads to."""

    subjects: set[int] = field(default_factory=set)
    evidence: list[Evidence] = field(default_factory=list)
    """What counts; what is set aside is left out."""
    marks: list[Mark] = field(default_factory=list)
    links: set[Link] = field(default_factory=set)
    states: dict[TokenKey, tuple[str, str]] = field(default_factory=dict)
    """Token → its state and the rule that made it."""
    walked: set[TokenKey] = field(default_factory=set)
    """Tokens whose every believable holder is in here."""

    @property
    def unwalked(self) -> frozenset[TokenKey]:
        return frozenset(key for key, (state, _) in self.states.items() if state in UNWALKED)

    @property
    def known(self) -> Known:
        return Known(self.evidence, self.marks, self.links, self.unwalked, self.subjects)


def load(session: Session, subjects: Iterable[int]) -> Region:
    """Walk from these subjects, breadth first, over the evidence that may link and the must-links."""
    region, namespaces = Region(), config.namespaces(session)
    frontier, asked = set(subjects), set[int]()
    while frontier:
        region.subjects |= frontier
        rows = _evidence(session, frontier, region)
        keys = {key for row in rows if (key := _walkable(row, region, namespaces))} - region.walked
        region.walked |= keys
        frontier = _linking(session, keys, namespaces) - region.subjects
        if not frontier:  # words are few: they are asked for once the evidence leads no further
            frontier = _linked(session, region.subjects - asked, region) - region.subjects
            asked = set(region.subjects)
    if len(region.subjects) > 1 and any(term.role == "constrain" for term in namespaces.values()):
        region.marks = _marks(session, region.subjects)
    return region


def load_locked(session: Session, subjects: Iterable[int], held: Iterable[int] = ()) -> Region:
    """Load the components and lock their subjects in order; loads again until nothing joined meanwhile.

    `held` are subjects that this transaction made, which nobody else can see, or has locked already.
    """
    wanted, known = set(subjects), set(held)
    while True:
        region = load(session, wanted)
        others = region.subjects - known
        if not others or is_sqlite(session):
            return region
        lock_subjects(session, others)
        known |= others


def lock_tokens(session: Session, keys: Iterable[TokenKey]) -> dict[TokenKey, str]:
    """Make the token rows where needed and lock them in order; returns their states.

    A row that others let go of while we waited for it is made again.
    """
    missing, states = set(keys), dict[TokenKey, str]()
    while missing:
        states |= _locked(session, sorted(missing))
        missing -= states.keys()
    return states


def states(session: Session, keys: Iterable[TokenKey]) -> dict[TokenKey, tuple[str, str]]:
    """Return the state of tokens, and the rule that made it."""
    found: dict[TokenKey, tuple[str, str]] = {}
    for some in chunked(sorted(set(keys)), MANY):
        rows = statements.rows(session, _STATES, pairs=some)
        found.update({(row[0], row[1]): (row[2], row[3]) for row in rows})
    return found


def _locked(session: Session, ordered: list[TokenKey]) -> dict[TokenKey, str]:
    rows = [{"namespace": ns, "token": token, "state": "active"} for ns, token in ordered]
    statements.write(session, ignoring(session, _TOKENS), rows)
    states: dict[TokenKey, str] = {}
    for some in chunked(ordered, MANY):
        states.update({(row[0], row[1]): row[2] for row in statements.rows(session, _LOCK_TOKENS, pairs=some)})
    return states


def lock_subjects(session: Session, subjects: Iterable[int]) -> dict[int, int]:
    """Lock subjects in order; returns subject → person of those that are there."""
    found: dict[int, int] = {}
    for some in chunked(sorted(set(subjects)), MANY):
        found.update(statements.rows(session, _LOCK_SUBJECTS, some=some))
    return found


def hold(session: Session, subjects: Iterable[int], states: Mapping[TokenKey, str]) -> set[int]:
    """Lock these subjects with all of their people, and whoever new evidence with these tokens may join, in one order.

    Returns those that are there; of SQLite's, whose single writer needs no locks, the subjects alone. `states` are
    of locked tokens.
    """
    wanted = set(subjects)
    if is_sqlite(session):
        return wanted
    walkable = [key for key, state in states.items() if state not in UNWALKED]
    wanted |= load(session, _linking(session, walkable, config.namespaces(session))).subjects
    for some in chunked(sorted(wanted), MANY):
        wanted.update(statements.column(session, _TOGETHER, some=some))
    return set(lock_subjects(session, wanted))


def holders(session: Session, keys: Iterable[TokenKey]) -> set[int]:
    """Return the subjects seen with any of these identifiers."""
    found: set[int] = set()
    for some in chunked(sorted(keys), MANY):
        found.update(statements.column(session, _HOLDERS, pairs=some))
    return found


def keys_of(session: Session, subjects: Iterable[int]) -> set[TokenKey]:
    """Return every identifier that these subjects were seen with, also what does not count or was corrected away."""
    found: set[TokenKey] = set()
    for some in chunked(sorted(set(subjects))):
        for table in (Identifier, CorrectedIdentifier):
            query = select(col(table.namespace), col(table.token)).where(col(table.subject).in_(some))
            found.update((row[0], bytes(row[1])) for row in session.execute(query))
    return found


def degree(session: Session, key: TokenKey) -> int:
    """Return on how many subjects a value stands proved, and counts."""
    count = select(func.count()).select_from(Identifier)
    counting = (col(Identifier.verified), col(Identifier.aside) == 0)
    return session.scalar(count.where(among(Identifier, [key]), *counting)) or 0


def is_generic(session: Session, key: TokenKey) -> bool:
    """Whether a value is on more subjects than its namespace allows."""
    term = config.namespaces(session).get(key[0])
    return term is not None and degree(session, key) > cap(term)


def counting(session: Session, key: TokenKey, limit: int) -> set[int]:
    """Return subjects whose evidence of this value counts, at most so many."""
    query = select(col(Identifier.subject)).where(
        among(Identifier, [key]), col(Identifier.aside) == 0, believed(config.namespaces(session))
    )
    return set(session.scalars(query.order_by(col(Identifier.subject)).limit(limit)))


def believed(namespaces: Mapping[str, Namespace]) -> ColumnElement[bool]:
    """Match evidence that somebody vouched for, and of devices all."""
    devices = [name for name, term in namespaces.items() if not term.verified_only]
    return or_(col(Identifier.verified), col(Identifier.namespace).in_(devices))


def _linking(session: Session, keys: Iterable[TokenKey], namespaces: Mapping[str, Namespace]) -> set[int]:
    """Return the subjects that these identifiers may link: who merely claims one is not walked to."""
    devices = [name for name, term in namespaces.items() if not term.verified_only]
    found: set[int] = set()
    for some in chunked(sorted(keys), MANY):
        found.update(statements.column(session, _LINKING, pairs=some, devices=devices))
    return found


def among(
    table: type[Identifier | CorrectedIdentifier | Token | IdentityCase | Override | OverrideValue],
    keys: Iterable[TokenKey],
) -> ColumnElement[bool]:
    """Match rows with one of these (namespace, token), in a way that both databases answer by index."""
    tokens: dict[str, list[bytes]] = defaultdict(list)
    for namespace, token in keys:
        tokens[namespace].append(token)
    return or_(
        *(and_(col(table.namespace) == namespace, col(table.token).in_(some)) for namespace, some in tokens.items())
    )


def overrides(session: Session, subjects: Iterable[int]) -> set[Link]:
    """Return what people decided about these subjects and did not take back."""
    found: set[Link] = set()
    for some in chunked(subjects, MANY):
        found.update(Link(*row) for row in statements.rows(session, _STANDING, some=some, others=some))
    return found


def _evidence(session: Session, subjects: set[int], region: Region) -> list[Evidence]:
    found: list[Evidence] = []
    for some in chunked(sorted(subjects), MANY):
        for *row, aside, state, rule in statements.rows(session, _EVIDENCE, some=some):
            if not aside:
                found.append(Evidence(*row))
            region.states[row[1], row[2]] = state or "active", rule or ""
    region.evidence += found
    return found


def _marks(session: Session, subjects: set[int]) -> list[Mark]:
    found: list[Mark] = []
    for some in chunked(sorted(subjects), MANY):
        found += [Mark(*row) for row in statements.rows(session, _MARKED, some=some)]
    return found


def _walkable(row: Evidence, region: Region, namespaces: Any) -> TokenKey | None:
    key = (row.namespace, row.token)
    term: Namespace | None = namespaces.get(row.namespace)
    return key if links(term, row) and region.states[key][0] not in UNWALKED else None


def _linked(session: Session, subjects: set[int], region: Region) -> set[int]:
    found = overrides(session, subjects)
    region.links |= found
    return {end for link in found if link.kind == "must" for end in (link.subject, link.other)}


_LOCK_TOKENS = (
    select(_TOKENS.c.namespace, _TOKENS.c.token, _TOKENS.c.state)
    .where(pair_of(_TOKENS.c.namespace, _TOKENS.c.token))
    .order_by(_TOKENS.c.namespace, _TOKENS.c.token)
    .with_for_update()
)
_STATES = select(_TOKENS.c.namespace, _TOKENS.c.token, _TOKENS.c.state, _TOKENS.c.rule).where(
    pair_of(_TOKENS.c.namespace, _TOKENS.c.token)
)
_LOCK_SUBJECTS = (
    select(_SUBJECTS.c.number, _SUBJECTS.c.person)
    .where(one_of(_SUBJECTS.c.number))
    .order_by(_SUBJECTS.c.number)
    .with_for_update()
)
_TOGETHER = select(_SUBJECTS.c.number).where(
    _SUBJECTS.c.person.in_(select(_SUBJECTS.c.person).where(one_of(_SUBJECTS.c.number)))
)
_HOLDERS = select(_NAMES.c.subject).where(pair_of(_NAMES.c.namespace, _NAMES.c.token))
_LINKING = select(_NAMES.c.subject).where(
    pair_of(_NAMES.c.namespace, _NAMES.c.token),
    or_(_NAMES.c.verified, one_of(_NAMES.c.namespace, "devices")),
    _NAMES.c.aside == 0,
)
_STANDING = select(_WORDS.c.kind, _WORDS.c.subject, _WORDS.c.other_subject).where(
    _WORDS.c.revoked_at.is_(None),
    or_(_WORDS.c.kind == "must", _WORDS.c.kind == "cannot"),
    or_(one_of(_WORDS.c.subject), one_of(_WORDS.c.other_subject, "others")),
)
_MARKED = select(_MARKS.c.subject, _MARKS.c.namespace, _MARKS.c.value).where(one_of(_MARKS.c.subject))
_EVIDENCE = (
    select(
        *(_NAMES.c[name] for name in ("subject", "namespace", "token", "scope", "verified")),
        *(_NAMES.c[name] for name in ("suppression_token", "seen", "aside")),
        _TOKENS.c.state,
        _TOKENS.c.rule,
    )
    .join(_TOKENS, and_(_TOKENS.c.namespace == _NAMES.c.namespace, _TOKENS.c.token == _NAMES.c.token), isouter=True)
    .where(one_of(_NAMES.c.subject))
)
