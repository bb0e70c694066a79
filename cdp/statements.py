"""Statements that are built and compiled once, for work on many rows: building one anew takes longer than answering it.

A statement is a constant of its module and of the tables, not of the classes; what changes from call to call is a
parameter (`bindparam`), and `one_of` stands for a list of any length. Everything goes through SQLAlchemy's
connection: in this session's transaction, after what the session still holds back, and with its errors.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple, cast

from sqlalchemy import ColumnElement, Connection, Dialect, Float, Insert, LargeBinary, Update, bindparam, tuple_
from sqlalchemy.dialects.postgresql.dml import OnConflictDoUpdate
from sqlalchemy.sql.elements import ClauseElement
from sqlalchemy.sql.sqltypes import TupleType
from sqlmodel import Session

Process = Callable[[Any], Any]

_DOUBLE = 701
"""PostgreSQL's number of the type that all floats are of here."""

_LIST = re.compile(r"IN \(__\[POSTCOMPILE_(\w+?)\]\)")
_PAIR = re.compile(r"\(([\w.]+), ([\w.]+)\) IN \(__\[POSTCOMPILE_(\w+?)\]\)")
_VALUES = re.compile(r"VALUES (\((?:[^()]|%\(\w+\)s)*\))")
_NAMED = re.compile(r"%\((\w+)\)s(?:::(?:TIMESTAMP WITH TIME ZONE|DOUBLE PRECISION|[A-Z]+))?")
_WHERE = " WHERE "

_BOUND = re.compile(r"\(\d+\)")
"""Of a type's length: a cast to it would cut a value short that the column refuses."""

_MOST_MARKS = 32_000
"""Question marks that SQLite takes in one statement."""


def one_of(column: Any, name: str = "some") -> ColumnElement[bool]:
    """Return the condition that the column holds one of the values that will be given under this name."""
    return cast(ColumnElement[bool], column.in_(bindparam(name, expanding=True, type_=column.type)))


def pair_of(first: Any, second: Any, name: str = "pairs") -> ColumnElement[bool]:
    """Return the condition that two columns together hold one of the pairs that will be given under this name."""
    return cast(ColumnElement[bool], tuple_(first, second).in_(bindparam(name, expanding=True)))


def rows(session: Session, statement: ClauseElement, **values: Any) -> list[Any]:
    """Return the rows of a statement as tuples; lists are given whole, however long."""
    session.flush()
    connection = session.connection()
    known = _compiled(connection, statement, ())
    found = connection.exec_driver_sql(known.text(values), known.given(values))
    return known.read(list(found.cursor.fetchall())) if found.cursor is not None else []


def column(session: Session, statement: ClauseElement, **values: Any) -> list[Any]:
    """Return what stands in the first column of the rows."""
    return [row[0] for row in rows(session, statement, **values)]


def change(session: Session, statement: ClauseElement, **values: Any) -> int:
    """Run an update or a deletion; returns how many rows it met."""
    session.flush()
    connection = session.connection()
    known = _compiled(connection, statement, ())
    return connection.exec_driver_sql(known.text(values), known.given(values)).rowcount


def write(session: Session, statement: ClauseElement, given: Sequence[Mapping[str, Any]]) -> None:
    """Run an insert, an update or a deletion for each of these rows, which have the same names.

    PostgreSQL gets all rows in one statement, an array to a column; inserted in their order, but updated in none: lock
    what is updated before. No two rows of an update may mean the same.
    """
    if not given:
        return
    session.flush()
    connection = session.connection()
    known = _compiled(connection, statement, tuple(given[0]))
    if known.at_once and known.are_distinct(given):
        connection.exec_driver_sql(known.at_once, known.columns(given))
    else:
        connection.exec_driver_sql(known.text({}), known.many(given))


def insert(session: Session, statement: ClauseElement, given: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Insert these rows, which have the same names, and return what the statement returns, in no order."""
    found: list[Any] = []
    if not given:
        return found
    session.flush()
    connection = session.connection()
    known = _compiled(connection, statement, tuple(given[0]))
    if known.order is None:
        if not known.at_once:
            raise TypeError("this insert has no form for many rows at once")
        found = list(connection.exec_driver_sql(known.at_once, known.columns(given)).cursor.fetchall())
    else:
        size = _MOST_MARKS // len(known.order)
        for first in range(0, len(given), size):
            some = known.many(given[first : first + size])
            values = tuple(value for row in some for value in row)
            found += connection.exec_driver_sql(known.rows_of(len(some)), values).cursor.fetchall()
    return known.read(found)


class _Compiled(NamedTuple):
    """A statement as one database's driver takes it."""

    sql: str
    order: tuple[str, ...] | None
    """Names in the order of the driver's question marks; None where the driver takes names."""
    lists: frozenset[str]
    pairs: frozenset[str]
    """Those of the lists that are of pairs."""
    processes: Mapping[str, Process]
    """What makes a value fit for the driver, of parameters that need it."""
    fixed: Mapping[str, Any]
    """Values that the statement or the table's defaults bring."""
    readers: tuple[tuple[int, Process], ...]
    """What makes a column's value of the driver's."""
    at_once: str = ""
    """The same for many rows, an array to a parameter; empty where there is no such form."""
    unique: tuple[str, ...] = ()
    """What makes a row the same as another, where a row may be changed that is there."""

    def text(self, values: Mapping[str, Any]) -> str:
        """Return the SQL, with question marks for as many values as there are."""
        if self.order is None or not self.lists:
            return self.sql
        if not self.pairs:
            return _marked(self.sql, tuple([(name, _room(len(values[name]))) for name in self.lists]))
        sql = _PAIR.sub(lambda found: _either(found[1], found[2], values[found[3]]), self.sql)
        return _LIST.sub(lambda found: f"IN ({_marks(values[found[1]])})", sql)

    def given(self, values: Mapping[str, Any]) -> Any:
        whole = {**self.fixed, **values}
        for name, process in self.processes.items():
            value = whole[name]
            whole[name] = [process(one) for one in value] if name in self.lists else process(value)
        return self._named(whole) if self.order is None else tuple(self._placed(self.order, whole))

    def _named(self, whole: dict[str, Any]) -> dict[str, Any]:
        for name in self.lists:
            if name in self.pairs:
                value = list(whole.pop(name))
                whole |= {f"{name}_0": [one for one, _ in value], f"{name}_1": [other for _, other in value]}
            else:
                whole[name] = list(whole[name])
        return whole

    def _placed(self, order: Iterable[str], whole: Mapping[str, Any]) -> Iterable[Any]:
        for name in order:
            if name in self.pairs:
                _, groups = _grouped(whole[name])
                if len(groups) > _MOST_GROUPS:
                    yield from (part for pair in whole[name] for part in pair)
                else:
                    yield from (part for one, others in groups.items() for part in (one, *_filled(others)))
            elif name in self.lists:
                yield from _filled(whole[name])
            else:
                yield whole[name]

    def rows_of(self, count: int) -> str:
        """Return the SQL of an insert of so many rows."""
        return _VALUES.sub(lambda found: "VALUES " + ", ".join([found[1]] * count), self.sql, count=1)

    def are_distinct(self, given: Sequence[Mapping[str, Any]]) -> bool:
        """Whether no two rows mean the same: one statement may change a row once."""
        if not self.unique:
            return True
        return len({tuple([row[name] for name in self.unique]) for row in given}) == len(given)

    def columns(self, given: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
        """Return an array for each parameter."""
        names = (*given[0], *(name for name in self.fixed if name not in given[0]))
        return {name: list(self._column(name, given)) for name in names}

    def many(self, given: Sequence[Mapping[str, Any]]) -> list[Any]:
        if self.order is None:
            return [{**self.fixed, **row} for row in given] if self.fixed else list(given)
        columns = [self._column(name, given) for name in self.order]
        return list(zip(*columns, strict=True))

    def _column(self, name: str, given: Sequence[Mapping[str, Any]]) -> Iterable[Any]:
        if name not in given[0]:
            return [self.processes[name](self.fixed[name]) if name in self.processes else self.fixed[name]] * len(given)
        values = [row[name] for row in given]
        process = self.processes.get(name)
        return _each(process, values) if process else values

    def read(self, found: list[Any]) -> list[Any]:
        if not self.readers or not found:
            return found
        columns: list[Sequence[Any]] = list(zip(*found, strict=True))
        for place, process in self.readers:
            columns[place] = _each(process, columns[place])
        return list(zip(*columns, strict=True))


def _either(first: str, second: str, pairs: Sequence[tuple[Any, Any]]) -> str:
    """Return the condition on pairs that SQLite answers by an index: it would walk the table for a list of pairs."""
    is_turned, groups = _grouped(pairs)
    if len(groups) > _MOST_GROUPS:
        return f"({first}, {second}) IN (VALUES {','.join(['(?,?)'] * len(pairs))})"
    one, other = (second, first) if is_turned else (first, second)
    return f"({' OR '.join(f'({one} = ? AND {other} IN ({_marks(others)}))' for others in groups.values()) or '0'})"


_MOST_GROUPS = 500
"""Conditions that SQLite takes in one: it counts how deep they stand in each other."""


def _grouped(pairs: Sequence[tuple[Any, Any]]) -> tuple[bool, dict[Any, list[Any]]]:
    """Return pairs by the side that has fewer values, and whether that is the second."""
    is_turned = len({one for one, _ in pairs}) > len({other for _, other in pairs})
    groups: dict[Any, list[Any]] = {}
    for pair in pairs:
        one, other = reversed(pair) if is_turned else pair
        groups.setdefault(one, []).append(other)
    return is_turned, groups


def _marks(values: Sequence[Any]) -> str:
    return ",".join("?" * _room(len(values)))


@lru_cache(maxsize=1 << 11)
def _marked(sql: str, rooms: tuple[tuple[str, int], ...]) -> str:
    counts = dict(rooms)
    return _LIST.sub(lambda found: f"IN ({','.join('?' * counts[found[1]])})", sql)


def _filled(values: Iterable[Any]) -> list[Any]:
    """Return the values with the last one repeated, for as many question marks as `_room` gives them."""
    found = list(values)
    return found + found[-1:] * (_room(len(found)) - len(found))


def _room(count: int) -> int:
    """Return the next power of two: a statement of few lengths is prepared once for each, and found again."""
    return 1 << (count - 1).bit_length() if 0 < count <= _MOST_MARKS // 2 else count


def _each(process: Process, values: Sequence[Any]) -> list[Any]:
    """Process every value, equal ones once: most rows of a batch bear the same instants.

    Where equal values may differ (1 and True; half past two, twice in the night that summer time ends), each alone.
    """
    kinds = set(map(type, values)) - {type(None)}
    if len(kinds) != 1 or not kinds <= _TELLING or any(getattr(value, "fold", 0) for value in values):
        return [process(value) for value in values]
    made = {value: process(value) for value in set(values)}
    return [made[value] for value in values]


_TELLING = {str, datetime, date}
"""Types whose equal values are the same."""


_known: dict[tuple[int, str, tuple[str, ...]], tuple[ClauseElement, _Compiled]] = {}
"""By identity of the statement, which is kept beside, so that its identity is nobody else's."""


def _compiled(connection: Connection, statement: ClauseElement, names: tuple[str, ...]) -> _Compiled:
    key = (id(statement), connection.dialect.name, names)
    found = _known.get(key)
    if found is None:
        found = _known[key] = (statement, _compile(connection.dialect, statement, names))
    return found[1]


def _compile(dialect: Dialect, statement: ClauseElement, names: tuple[str, ...]) -> _Compiled:
    made: Any = statement.compile(dialect=dialect, column_keys=list(names) or None)
    lists = frozenset(_LIST.findall(made.string))
    order = tuple(made.positiontup) if made.positional else None
    binds: dict[str, Any] = {made.bind_names[bind]: bind for bind in made.bind_names}
    fixed = {name: bind.value for name, bind in binds.items() if bind.value is not None and not bind.required}
    fixed |= {column.key: _default(column) for column in getattr(made, "insert_prefetch", ())}
    processes = {
        name: process
        for name, bind in binds.items()
        if not isinstance(bind.type, LargeBinary | TupleType)
        and (process := bind.type._cached_bind_processor(dialect)) is not None
    }
    pairs = {name: _casts(dialect, binds[name].type) for name in lists if isinstance(binds[name].type, TupleType)}
    sql = made.string if order is not None else _LIST.sub(lambda found: _array(found[1], pairs), made.string)
    known = _Compiled(sql, order, lists, frozenset(pairs), processes, fixed, tuple(_readers(dialect, made)))
    if order is not None or lists or not isinstance(statement, Insert | Update):
        return known
    # An array is of one type: PostgreSQL's driver takes no whole numbers among others.
    processes |= {name: _float for name, bind in binds.items() if isinstance(bind.type, Float)}
    types = {name: f"{_BOUND.sub('', bind.type.compile(dialect))}[]" for name, bind in binds.items()}
    return known._replace(at_once=_at_once(sql, types), unique=_replaced(statement))


def _float(value: Any) -> float | None:
    return None if value is None else float(value)


def _at_once(sql: str, types: Mapping[str, str]) -> str:
    """Return an insert or an update as PostgreSQL takes it for many rows; in an update each parameter stands once."""
    if found := _VALUES.search(sql):
        if _NAMED.search(sql, found.end()):  # a value for all rows at once would need another name
            return ""
        names = _NAMED.findall(found[1])
        arrays = ", ".join(f"%({name})b::{types[name]}" for name in names)
        return f"{sql[: found.start()]}SELECT * FROM unnest({arrays}){sql[found.end() :]}"  # noqa: S608 - parameters
    head, where, tail = sql.partition(_WHERE)
    parameters = dict.fromkeys(_NAMED.findall(sql))
    arrays = ", ".join(f"%({name})b::{types[name]}" for name in parameters)
    columns = ", ".join(f'"{name}"' for name in parameters)
    changed = (_NAMED.sub(lambda found: f'given."{found[1]}"', part) for part in (head, tail))
    return f"{next(changed)} FROM unnest({arrays}) AS given({columns}){where}{next(changed)}"


def _replaced(statement: Insert | Update) -> tuple[str, ...]:
    """Return the columns by which an insert finds the row that it replaces."""
    conflict = getattr(statement, "_post_values_clause", None)
    if not isinstance(conflict, OnConflictDoUpdate):
        return ()
    if not conflict.inferred_target_elements:
        raise TypeError("an upsert names the columns by which it finds the row")
    return tuple(str(getattr(one, "name", one)) for one in conflict.inferred_target_elements)


def _casts(dialect: Dialect, kind: TupleType) -> list[str]:
    return [f"{one.compile(dialect)}[]" for one in kind.types]


def _array(name: str, pairs: Mapping[str, list[str]]) -> str:
    """Return the condition on an array, which is one parameter however long it is.

    It goes in binary (`b`): as text, each of its values would be searched for what has to be quoted.
    """
    if name not in pairs:
        return f"= ANY(%({name})b)"
    arrays = ", ".join(f"%({name}_{place})b::{kind}" for place, kind in enumerate(pairs[name]))
    return f"IN (SELECT * FROM unnest({arrays}))"  # noqa: S608 - names of parameters and types


def _default(column: Any) -> Any:
    if column.default is None or not column.default.is_scalar:
        raise TypeError(f"{column}: only a fixed default can be written by a statement that is compiled once")
    return column.default.arg


def _readers(dialect: Dialect, made: Any) -> Iterable[tuple[int, Process]]:
    for place, column in enumerate(getattr(made, "_result_columns", ())):
        kind = column.type
        process = None if isinstance(kind, LargeBinary) else kind._cached_result_processor(dialect, _DOUBLE)
        if process is not None:
            yield place, process
