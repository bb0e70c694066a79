"""The one database: engines, transactions, and the rule that nothing unsettled commits.

SQLite runs WAL with `synchronous=FULL` and `secure_delete`; its writers say BEGIN IMMEDIATE,
since a deferred transaction that upgrades loses updates or fails. PostgreSQL runs READ COMMITTED.

A transaction that changes what a permission or a stage rests on names the people in its
*unsettled* set. The settlers run before the commit; a transaction with anyone left is refused.
"""

import random
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar, cast

from sqlalchemy import ARRAY, ColumnElement, Engine, Table, any_, bindparam, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlmodel import Session, SQLModel

from cdp import statements
from cdp.clock import Clock, SystemClock
from cdp.engine import available, open_postgresql, open_sqlite, was_broken_off
from cdp.errors import Unavailable
from cdp.turns import Turns

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

T = TypeVar("T")

_TURN_SECONDS = 30

_ATTEMPTS = 8

Settler = Callable[[Session, set[int], datetime], None]
"""Brings one derived thing of these people up to date, in the transaction that changed them."""


class Unsettled(RuntimeError):
    """A transaction wanted to commit with people whose permissions nobody brought up to date."""


class Database:
    """Engines for one deployment, and what every session of it can reach.

    `context` is what operations need beside the session (vault, policy …), by name;
    each package reads its own entry with a typed function, for example `vault.of(session)`.
    `patience` is how many seconds a statement, a lock or a turn may take; 0 waits for as long as it takes.
    """

    def __init__(
        self,
        url: str,
        *,
        clock: Clock | None = None,
        context: dict[str, Any] | None = None,
        settlers: Iterable[tuple[str, Settler]] = (),
        pool_size: int = 16,
        patience: float = 0,
    ) -> None:
        self.url = url
        self.clock = clock or SystemClock()
        self.context = context if context is not None else {}
        self.settlers = list(settlers)
        self.renewals: list[Callable[[Database], None]] = []
        """Bring the context up to the day, before each session."""
        self.is_sqlite = url.startswith("sqlite")
        self._turns = Turns(_file_of(url), patience or _TURN_SECONDS) if self.is_sqlite else None
        if self.is_sqlite:
            self.writer = open_sqlite(url, "BEGIN IMMEDIATE", patience)
            self.reader = open_sqlite(url, "BEGIN", patience)
        else:
            self.writer = self.reader = open_postgresql(url, pool_size, patience)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Open a writing transaction; settle, then commit, or roll everything back.

        Raises Unavailable when the database is out of reach.
        """
        with available(), self._turn(), self._session(self.writer) as session:
            yield session
            self.settle(session)
            session.commit()

    def attempt(self, work: Callable[[Session], T]) -> T:
        """Do the work in a writing transaction, and anew from its start where the database broke it off.

        For work that leaves no trace outside the database. Raises Unavailable when it cannot be done.
        """

        def once() -> T:
            with self.transaction() as session:
                return work(session)

        return insist(once)

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """Open a reading transaction; what it changed is rolled back, what it loaded stays readable after it."""
        with available(), self._session(self.reader) as session:
            session.info["snapshot"] = True
            yield session
            session.expunge_all()
            session.rollback()

    def settle(self, session: Session) -> None:
        """Let every settler bring the unsettled people up to date, in order."""
        unsettled: dict[int, int] = session.info["unsettled"]
        while unsettled:
            batch = dict(unsettled)
            self._run_settlers(session, batch, len(self.settlers))
            for person in batch:
                del unsettled[person]

    def settle_early(self, session: Session, people: Iterable[int], through: str) -> None:
        """Bring those of these people who are unsettled up to date as far as this settler; the rest follows."""
        unsettled: dict[int, int] = session.info["unsettled"]
        place = self.place(through) + 1
        batch = {person: unsettled[person] for person in people if unsettled.get(person, place) < place}
        self._run_settlers(session, batch, place)
        unsettled.update(dict.fromkeys(batch, place))

    def place(self, settler: str) -> int:
        """Return the place of a settler in the order; the first where there is none of this name."""
        return next((n for n, (name, _) in enumerate(self.settlers) if name == settler), 0)

    def _run_settlers(self, session: Session, batch: dict[int, int], end: int) -> None:
        for place, (_, settler) in enumerate(self.settlers[:end]):
            people = {person for person, first in batch.items() if first <= place}
            if people:
                settler(session, people, self.clock.now())

    def dispose(self) -> None:
        self.writer.dispose()
        self.reader.dispose()
        if self._turns is not None:
            self._turns.close()

    def _turn(self) -> AbstractContextManager[None]:
        return nullcontext() if self._turns is None else self._turns.take()

    @contextmanager
    def _session(self, engine: Engine) -> Iterator[Session]:
        for renew in self.renewals:
            renew(self)
        with Session(engine, expire_on_commit=False, autoflush=True) as session:
            session.info.update(self.context, unsettled={}, clock=self.clock, database=self)
            yield session


def insist(work: Callable[[], T]) -> T:
    """Do again what may be done twice, where the database broke it off; raises Unavailable at the end of patience."""
    for number in range(1, _ATTEMPTS):
        try:
            return work()
        except Unavailable as error:
            if not was_broken_off(error):
                raise
        time.sleep(random.uniform(0.005, 0.05) * number)  # noqa: S311 - spreads retries, guards nothing
    return work()


def _file_of(url: str) -> Path | None:
    path = make_url(url).database
    return Path(path) if path and path != ":memory:" else None


def unsettle(session: Session, people: Iterable[int], first: str = "") -> None:
    """Say that these people's profile, permissions and stages must be brought up to date before commit.

    Name the subjects beside their people where others may join or part them meanwhile: permissions are decided
    for whoever a number belongs to once nobody else can. `first` names the first settler whose work rests on
    what changed; without it, all do.
    """
    unsettled: dict[int, int] = session.info["unsettled"]
    place = session.info["database"].place(first) if first else 0
    for person in people:
        unsettled[int(person)] = min(place, unsettled.get(int(person), place))


def settle_early(session: Session, people: Iterable[int], through: str) -> None:
    """Bring those of these people who are unsettled up to date as far as this settler, before the commit does."""
    session.info["database"].settle_early(session, people, through)


def is_unsettled(session: Session, person: int, settler: str) -> bool:
    """Whether this settler's work on the person is out of date in this transaction."""
    place: int = session.info["database"].place(settler)
    return bool(session.info["unsettled"].get(person, place + 1) <= place)


@event.listens_for(Session, "before_commit")
def _refuse_unsettled(session: Session) -> None:
    if session.info.get("unsettled"):
        raise Unsettled("people were changed and not settled; open the transaction with Database.transaction()")


def is_snapshot(session: Session) -> bool:
    """Whether this session only reads what others have committed."""
    return bool(session.info.get("snapshot"))


def is_sqlite(session: Session) -> bool:
    """Whether this session speaks to SQLite, where one writer makes row locks needless."""
    return session.get_bind().dialect.name == "sqlite"


def insert_ignoring(session: Session, table: Any, rows: list[dict[str, Any]]) -> None:
    """Insert rows, leaving those out that a unique key already has; both databases alike."""
    if rows:
        statements.write(session, ignoring(session, table), rows)


def ignoring(session: Session, table: Any) -> Any:
    """Return the statement that inserts rows but those that a unique key already has."""
    return _ignoring(is_sqlite(session), _table(table))


def upsert(session: Session, table: Any, rows: list[dict[str, Any]]) -> None:
    """Insert rows, replacing every other column of those whose primary key exists.

    Give the rows in key order: two transactions that upsert the same rows then never deadlock.
    """
    if rows:
        statements.write(session, _replacing(is_sqlite(session), _table(table), tuple(rows[0])), rows)


@cache
def _ignoring(sqlite_: bool, table: Table) -> Any:
    return _insert(sqlite_, table).on_conflict_do_nothing()


@cache
def _replacing(sqlite_: bool, table: Table, names: tuple[str, ...]) -> Any:
    statement = _insert(sqlite_, table)
    keys = [column.name for column in table.primary_key]
    changed = {name: statement.excluded[name] for name in names if name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=changed)


def _insert(sqlite_: bool, table: Table) -> Any:
    return sqlite.insert(table) if sqlite_ else postgresql.insert(table)


def _table(table: Any) -> Table:
    # The table, not the class: the ORM writes rows in groups, a statement for each set of columns that are not NULL.
    return table if isinstance(table, Table) else cast(Table, table.__table__)


def among(session: Session, column: Any, values: Iterable[Any]) -> ColumnElement[bool]:
    """Return the condition that the column holds one of these values: the quick form of each database.

    PostgreSQL gets one array: a thousand parameters take longer to write down than to answer.
    """
    if is_sqlite(session):
        return cast(ColumnElement[bool], column.in_(list(values)))
    return cast(ColumnElement[bool], column == any_(bindparam(None, list(values), type_=ARRAY(column.type))))


def chunked(values: Iterable[T], size: int = 5000) -> Iterator[list[T]]:
    """Yield lists of at most `size`: databases limit how many values one statement may name."""
    rest = iter(values)
    while batch := list(islice(rest, size)):
        yield batch
