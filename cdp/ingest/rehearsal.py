"""A database whose transactions do everything and keep nothing: what would happen is seen by letting it happen."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TypeVar

from sqlmodel import Session

from cdp.db import Database, insist

T = TypeVar("T")


class Undone(Exception):
    """Ends a rehearsal's transaction."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Stands in for a database; `look` sees what each transaction did before it is rolled back."""

    database: Database
    look: Callable[[Session], None] = lambda session: None

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Open a transaction that is rolled back."""
        with suppress(Undone), self.database.transaction() as session:
            yield session
            raise Undone

    def attempt(self, work: Callable[[Session], T]) -> T:
        """Do the work in a transaction that is rolled back, and anew where the database broke it off."""
        return insist(lambda: self._once(work))

    def _once(self, work: Callable[[Session], T]) -> T:
        with self.transaction() as session:
            done = work(session)
            self.look(session)
            return done
