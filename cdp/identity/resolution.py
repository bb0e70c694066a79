"""Keeps `subject.person` equal to the rules' partition.

The partition never depends on the order of arrival; numbers do, so who keeps our numbers follows the aliases.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Table, bindparam, select, update
from sqlmodel import Session

from cdp import ledger, statements, vault
from cdp.db import chunked, unsettle
from cdp.identity import aliases, cases, config, graph, moves, rules
from cdp.identity.model import Aside, Identifier, Token
from cdp.identity.rules import TokenKey
from cdp.policy.terms import DERIVED, Namespace
from cdp.profile.model import Subject
from cdp.statements import one_of, pair_of

_SUBJECTS: Table = Subject.__table__  # type: ignore[attr-defined]
_IDENTIFIERS: Table = Identifier.__table__  # type: ignore[attr-defined]
_TOKENS: Table = Token.__table__  # type: ignore[attr-defined]


class Resolved(NamedTuple):
    """What became of the components of some subjects."""

    people: dict[int, int]
    """Subject → person, of everybody in them."""
    joins: int
    """How many people whom something beside a device named are no more, because they are another such person now."""


def resolve(
    session: Session,
    subjects: Iterable[int],
    at: datetime,
    cause: str,
    held: Iterable[int] = (),
    vouched: Set[tuple[int, str, bytes]] = frozenset(),
) -> Resolved:
    """Recompute the people of the components of these subjects.

    Writes the differences, aliases for those who keep our numbers, and the ledger; unsettles everyone touched.
    `held` are subjects that this transaction made, or has locked; `vouched` evidence (subject, namespace, token) that
    it proved: nobody was named by that before.
    """
    wanted = set(subjects)
    if not wanted:
        return Resolved({}, 0)
    region = graph.load_locked(session, wanted, held)
    partition = rules.resolve(region.known, config.namespaces(session))
    people = {number: partition.people.get(number, number) for number in region.subjects}
    before = graph.lock_subjects(session, region.subjects)
    _move(session, before, people)
    turn(session, _turns(region, partition, config.namespaces(session)), at)
    _remember(session, before, people, at, cause)
    unsettle(session, {*people.values(), *before.values()} - {0})
    return Resolved(people, _joins(session, region, before, people, vouched))


def _joins(
    session: Session,
    region: graph.Region,
    before: Mapping[int, int],
    people: Mapping[int, int],
    vouched: Set[tuple[int, str, bytes]],
) -> int:
    """Count people who are another now; a visitor of whom nothing but the device was known is nobody who was joined."""
    if all(people[number] == person for number, person in before.items() if person):
        return 0
    terms, unwalked = config.namespaces(session), region.unwalked
    named: dict[int, set[int]] = defaultdict(set)
    for row in region.evidence:
        person, term, key = before.get(row.subject), terms.get(row.namespace), (row.namespace, row.token)
        is_name = term is not None and term.verified_only and rules.links(term, row) and key not in unwalked
        if person and is_name and (row.subject, *key) not in vouched:
            named[people[row.subject]].add(person)
    return sum(len(several) - 1 for several in named.values())


def company(session: Session, subjects: Iterable[int]) -> set[int]:
    """Return these subjects with everybody who is one person with them."""
    people = set(people_of(session, subjects).values())
    found = set(subjects)
    for some in chunked(sorted(people), graph.MANY):
        found.update(statements.column(session, _TOGETHER, some=some))
    return found


def _move(session: Session, before: Mapping[int, int], people: Mapping[int, int]) -> None:
    """Write the new person of every subject whose person changed."""
    moved = {number: person for number, person in people.items() if before.get(number) != person}
    alone = sorted(number for number, person in moved.items() if number == person)
    for some in chunked(alone, graph.MANY):
        statements.change(session, _ALONE, some=some)
    rows = [{"moved": number, "to": person} for number, person in sorted(moved.items()) if number != person]
    statements.write(session, _MOVED, rows)


def reconsider(session: Session, keys: Iterable[TokenKey], at: datetime) -> set[TokenKey]:
    """Bring up to date whether these locked values are generic, where evidence or a bound changed.

    Returns those that may link again: resolve their holders.
    """
    back, turns = set[TokenKey](), []
    states = graph.states(session, keys)
    for key, (state, _) in sorted(states.items()):
        is_generic = graph.is_generic(session, key)
        if state != "blocked" and is_generic != (state == "generic"):
            turns.append(cases.Turn(key, "generic" if is_generic else "active", ""))
        elif state in ("conflict", "shared") and not (_may_join(session, key) and graph.degree(session, key)):
            turns.append(cases.Turn(key, "active", ""))
        if state == "generic" and not is_generic:
            back.add(key)
    turn(session, turns, at)
    _unsettle_apart(session, [key for key, (state, _) in states.items() if state in graph.UNWALKED])
    return back


def _may_join(session: Session, key: TokenKey) -> bool:
    term = config.namespaces(session).get(key[0])
    return term is not None and term.role == "link"


def _unsettle_apart(session: Session, keys: Iterable[TokenKey]) -> None:
    """Decide anew of whom somebody said that they have not one of these values: no component leads to them by it."""
    for some in chunked(sorted(keys), graph.MANY):
        for whose in statements.rows(session, _SAID_NOT, pairs=some):
            unsettle(session, whose, first="gate")


def turn(session: Session, turns: Sequence[cases.Turn], at: datetime) -> None:
    """Write the states of tokens, and open and close cases with them."""
    new = [one for one in turns if one.is_new]
    rows = [{"within": one.key[0], "named": one.key[1], "now": one.state, "why": one.conflict} for one in new]
    statements.write(session, _TURNED, rows)
    cases.follow(session, turns, at)


def _turns(region: graph.Region, partition: rules.Partition, terms: Mapping[str, Namespace]) -> list[cases.Turn]:
    """Return what became of the tokens of a component, as far as it holds everybody who has them.

    What was derived and stands in the way is told again where it is as it was: whether it is kin may have changed.
    """
    held = {key for key in region.walked if key[0] in DERIVED and partition.states.get(key) in ("conflict", "shared")}
    kin, turns = _kin(held, region, partition, terms), []
    for key in sorted(region.walked):
        state = partition.states.get(key, "active")
        conflict = partition.conflicts[key].rule if key in partition.conflicts else ""
        is_new = (state, conflict) != region.states[key]
        if is_new or key in held:
            turns.append(cases.Turn(key, state, conflict, key in kin, is_new))
    return turns


def _kin(
    keys: Set[TokenKey], region: graph.Region, partition: rules.Partition, terms: Mapping[str, Namespace]
) -> set[TokenKey]:
    """Return those derived values that all who may be joined by them have from one that is not believed either."""
    if not keys:
        return set()
    families = {name for key in keys for name in (key[0], DERIVED[key[0]])}
    holders, having = defaultdict[TokenKey, set[int]](set), defaultdict[int, set[TokenKey]](set)
    for row in region.evidence:
        if row.namespace in families and rules.links(terms.get(row.namespace), row):
            holders[row.namespace, row.token].add(row.subject)
            having[row.subject].add((row.namespace, row.token))
    unbelieved = partition.states.keys() | region.unwalked
    return {
        key
        for key in keys
        for source in having[min(holders[key])] & unbelieved
        if source[0] == DERIVED[key[0]] and holders[source] >= holders[key]
    }


def _remember(session: Session, before: Mapping[int, int], people: Mapping[int, int], at: datetime, cause: str) -> None:
    """Keep aliases for old numbers, and note what was merged and split, by keyed digests."""
    old = {number: person for number, person in before.items() if person}
    if all(people[number] == person for number, person in old.items()):
        return
    aliases.follow(session, old, people, at)
    moves.write(session, old, people, at, cause)
    into, out = defaultdict(set), defaultdict(set)
    for number, person in old.items():
        into[people[number]].add(person)
        out[person].add(people[number])
    members = Counter(people[number] for number in old)
    acts = [("identity.merged", one, many) for one, many in sorted(into.items()) if len(many) > 1]
    acts += [("identity.split", one, many) for one, many in sorted(out.items()) if len(many) > 1]
    told = [(act, _header(session, cause, one, many, members[one])) for act, one, many in acts]
    ledger.note_all(session, told, at)


def _header(session: Session, cause: str, one: int, many: Iterable[int], members: int) -> dict[str, Any]:
    header = {"cause": cause, "person": name_of(session, one), "subjects": members}
    return header | {"people": [name_of(session, other) for other in sorted(many)]}


def name_of(session: Session, person: int) -> str:
    """Return how the ledger names a person's number."""
    return vault.namer(session).digest("ledger.person", str(person).encode()).hex()


def people_of(session: Session, subjects: Iterable[int]) -> dict[int, int]:
    """Return subject → person of those that are there."""
    found: dict[int, int] = {}
    for some in chunked(sorted(set(subjects)), graph.MANY):
        found.update(statements.rows(session, _PEOPLE, some=some))
    return found


_TOGETHER = select(_SUBJECTS.c.number).where(one_of(_SUBJECTS.c.person))
_PEOPLE = select(_SUBJECTS.c.number, _SUBJECTS.c.person).where(one_of(_SUBJECTS.c.number))
_ALONE = update(_SUBJECTS).where(one_of(_SUBJECTS.c.number)).values(person=_SUBJECTS.c.number)
_MOVED = update(_SUBJECTS).where(_SUBJECTS.c.number == bindparam("moved")).values(person=bindparam("to"))
_SAID_NOT = (
    select(_SUBJECTS.c.number, _SUBJECTS.c.person)
    .join(_IDENTIFIERS, _IDENTIFIERS.c.subject == _SUBJECTS.c.number)
    .where(
        pair_of(_IDENTIFIERS.c.namespace, _IDENTIFIERS.c.token),
        _IDENTIFIERS.c.aside.op("&")(int(Aside.RETRACTED | Aside.LEFT)) > 0,
    )
)
_TURNED = (
    update(_TOKENS)
    .where(_TOKENS.c.namespace == bindparam("within"), _TOKENS.c.token == bindparam("named"))
    .values(state=bindparam("now"), rule=bindparam("why"))
)
