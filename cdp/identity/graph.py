"""The evidence as stored: loading the raw components that a change touches, and locking them.

Two processes that bring one new identifier meet at its token row, two that touch one person at the
person's subjects; whoever comes second reads what the first wrote. What is generic or blocked joins
nothing and is not walked through.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, func, or_, select
from sqlmodel import Session, col

from cdp.db import chunked, insert_ignoring, is_sqlite
from cdp.identity import config
from cdp.identity.model import Identifier, IdentityCase, IdentityMark, Override, Token
from cdp.identity.rules import Evidence, Known, Link, Mark, TokenKey, cap, links
from cdp.policy.terms import Namespace
from cdp.profile.model import Subject

MANY = 4000
"""Values that one statement may name here; both databases allow more."""

_TOKENS: Table = Token.__table__  # type: ignore[attr-defined]

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
    frontier = set(subjects)
    while frontier:
        region.subjects |= frontier
        rows = _evidence(session, frontier, region)
        keys = {key for row in rows if (key := _walkable(row, region, namespaces))} - region.walked
        region.walked |= keys
        frontier = (_linking(session, keys, namespaces) | _linked(session, frontier, region)) - region.subjects
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
        query = select(col(Token.namespace), col(Token.token), col(Token.state), col(Token.rule))
        rows = session.execute(query.where(among(Token, some)))
        found.update({(row[0], bytes(row[1])): (row[2], row[3]) for row in rows})
    return found


def _locked(session: Session, ordered: list[TokenKey]) -> dict[TokenKey, str]:
    insert_ignoring(session, _TOKENS, [{"namespace": ns, "token": token, "state": "active"} for ns, token in ordered])
    states: dict[TokenKey, str] = {}
    for some in chunked(ordered, MANY):
        query = select(col(Token.namespace), col(Token.token), col(Token.state)).where(among(Token, some))
        ordered_query = query.order_by(col(Token.namespace), col(Token.token)).with_for_update()
        states.update({(row[0], bytes(row[1])): row[2] for row in session.execute(ordered_query)})
    return states


def lock_subjects(session: Session, subjects: Iterable[int]) -> dict[int, int]:
    """Lock subjects in order; returns subject → person of those that are there."""
    found: dict[int, int] = {}
    for some in chunked(sorted(set(subjects)), MANY):
        query = select(col(Subject.number), col(Subject.person)).where(col(Subject.number).in_(some))
        rows = session.execute(query.order_by(col(Subject.number)).with_for_update())
        found.update({row[0]: row[1] for row in rows})
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
        people = select(col(Subject.person)).where(col(Subject.number).in_(some))
        together: Any = session.scalars(select(col(Subject.number)).where(col(Subject.person).in_(people)))
        wanted.update(together)
    return set(lock_subjects(session, wanted))


def holders(session: Session, keys: Iterable[TokenKey]) -> set[int]:
    """Return the subjects seen with any of these identifiers."""
    found: set[int] = set()
    for some in chunked(sorted(keys), MANY):
        found.update(session.scalars(select(col(Identifier.subject)).where(among(Identifier, some))))
    return found


def keys_of(session: Session, subjects: Iterable[int]) -> set[TokenKey]:
    """Return every identifier that these subjects were seen with, also what does not count."""
    found: set[TokenKey] = set()
    for some in chunked(sorted(set(subjects))):
        query = select(col(Identifier.namespace), col(Identifier.token)).where(col(Identifier.subject).in_(some))
        found.update((row[0], bytes(row[1])) for row in session.execute(query))
    return found


def degree(session: Session, key: TokenKey) -> int:
    """Return on how many subjects a value stands proved, and counts."""
    count = select(func.count()).select_from(Identifier)
    counting = (col(Identifier.verified), col(Identifier.aside) == "")
    return session.scalar(count.where(among(Identifier, [key]), *counting)) or 0


def is_generic(session: Session, key: TokenKey) -> bool:
    """Whether a value is on more subjects than its namespace allows."""
    term = config.namespaces(session).get(key[0])
    return term is not None and degree(session, key) > cap(term)


def counting(session: Session, key: TokenKey, limit: int) -> set[int]:
    """Return subjects whose evidence of this value counts, at most so many."""
    query = select(col(Identifier.subject)).where(
        among(Identifier, [key]), col(Identifier.aside) == "", believed(config.namespaces(session))
    )
    return set(session.scalars(query.order_by(col(Identifier.subject)).limit(limit)))


def believed(namespaces: Mapping[str, Namespace]) -> ColumnElement[bool]:
    """Match evidence that somebody vouched for, and of devices all."""
    devices = [name for name, term in namespaces.items() if not term.verified_only]
    return or_(col(Identifier.verified), col(Identifier.namespace).in_(devices))


def _linking(session: Session, keys: Iterable[TokenKey], namespaces: Mapping[str, Namespace]) -> set[int]:
    """Return the subjects that these identifiers may link: who merely claims one is not walked to."""
    trusted = (believed(namespaces), col(Identifier.aside) == "")
    found: set[int] = set()
    for some in chunked(sorted(keys), MANY):
        query = select(col(Identifier.subject)).where(among(Identifier, some), *trusted)
        found.update(session.scalars(query))
    return found


def among(table: type[Identifier | Token | IdentityCase], keys: Iterable[TokenKey]) -> ColumnElement[bool]:
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
        query = select(col(Override.kind), col(Override.subject), col(Override.other_subject)).where(
            col(Override.revoked_at).is_(None),
            col(Override.kind).in_(("must", "cannot")),
            or_(col(Override.subject).in_(some), col(Override.other_subject).in_(some)),
        )
        found.update(Link(*row) for row in session.execute(query))
    return found


def _evidence(session: Session, subjects: set[int], region: Region) -> list[Evidence]:
    found: list[Evidence] = []
    for some in chunked(sorted(subjects), MANY):
        for row in session.execute(_EVIDENCE.where(col(Identifier.subject).in_(some))):
            if not row.aside:
                found.append(_read(row))
            region.states[row.namespace, bytes(row.token)] = row.state or "active", row.rule or ""
    region.evidence += found
    return found


def _read(row: Any) -> Evidence:
    return Evidence(row.subject, row.namespace, bytes(row.token), row.scope, row.verified, row.epoch, row.seen)


def _marks(session: Session, subjects: set[int]) -> list[Mark]:
    found: list[Mark] = []
    for some in chunked(sorted(subjects), MANY):
        query = select(col(IdentityMark.subject), col(IdentityMark.namespace), col(IdentityMark.value))
        found += [Mark(*row) for row in session.execute(query.where(col(IdentityMark.subject).in_(some)))]
    return found


def _walkable(row: Evidence, region: Region, namespaces: Any) -> TokenKey | None:
    key = (row.namespace, row.token)
    term: Namespace | None = namespaces.get(row.namespace)
    return key if links(term, row) and region.states[key][0] not in UNWALKED else None


def _linked(session: Session, subjects: set[int], region: Region) -> set[int]:
    found = overrides(session, subjects)
    region.links |= found
    return {end for link in found if link.kind == "must" for end in (link.subject, link.other)}


def _columns() -> Iterator[Any]:
    yield from (col(Identifier.subject), col(Identifier.namespace), col(Identifier.token))
    yield from (col(Identifier.scope), col(Identifier.verified), col(Identifier.epoch), col(Identifier.seen))
    yield from (col(Identifier.aside), col(Token.state), col(Token.rule))


_EVIDENCE = select(*_columns()).join(
    Token,
    and_(col(Token.namespace) == col(Identifier.namespace), col(Token.token) == col(Identifier.token)),
    isouter=True,
)
