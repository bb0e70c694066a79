"""The one place where tokens are compared: an in-memory DuckDB that can reach neither a disk nor the network.

What does not fit its memory is refused, never spilled. Extensions are neither fetched nor loaded; the settings
are locked before the first token comes in. Splink is an extra: without it nothing here works, and it says so.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cdp.errors import Problem
from cdp.identity.proposals.refusals import problem
from cdp.identity.proposals.veil import Row

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from splink import Linker

LIMIT = "4GB"
"""Of memory for one run; the whole process compared 100,000 people in less than 1.2 GB."""

_CONFIG = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "preserve_insertion_order": "true",
}
_LOCKS = ("SET temp_directory = ''", "SET enable_external_access = false", "SET lock_configuration = true")
_MACRO = "CREATE MACRO arrays_overlap(a, b) AS list_has_any(a, b)"


class Chamber:
    """People as tokens, and Splink over them, until it is closed."""

    def __init__(self, connection: "DuckDBPyConnection", rows: list[Row]) -> None:
        from splink import DuckDBAPI

        self.connection = connection
        self.people = len(rows)
        self.filled = {column: _filled(rows, column) for column in rows[0]} if rows else {}
        _load(connection, rows)
        self._api = DuckDBAPI(connection)
        self._table = self._api.register("people")

    def linker(self, settings: Mapping[str, Any]) -> "Linker":
        """Return Splink with these settings over the people."""
        from splink import Linker

        return Linker(self._table, dict(settings), log_level=None, validate_settings=False)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return all rows of a query; an unfinished one would hold the connection."""
        return self.connection.execute(query).fetchall()


@contextmanager
def holding(rows: list[Row], limit: str = LIMIT) -> Iterator[Chamber]:
    """Hold the rows in memory for as long as the block runs.

    Raises `proposals_not_installed`, and `proposals_too_large` where the memory does not suffice.
    """
    duckdb = _installed()
    connection = duckdb.connect(":memory:", config={**_CONFIG, "memory_limit": limit})
    try:
        for statement in (_MACRO, *_LOCKS):
            connection.execute(statement)
        yield Chamber(connection, rows)
    except Problem:
        raise
    except Exception as fault:
        if _out_of_memory(fault, duckdb):
            raise problem("proposals_too_large") from None
        raise
    finally:
        connection.close()


def _installed() -> Any:
    """Return DuckDB; both engines are the extra's."""
    try:
        import duckdb
        import splink  # noqa: F401
    except ImportError:
        raise problem("proposals_not_installed") from None
    logging.getLogger("splink").setLevel(logging.ERROR)  # what it warns of, training leaves out or `checks` refuses
    return duckdb


def _load(connection: "DuckDBPyConnection", rows: list[Row]) -> None:
    import pyarrow

    given = pyarrow.Table.from_pylist(rows, schema=_schema())
    connection.register("given", given)
    connection.execute("CREATE TABLE people AS SELECT * FROM given")
    connection.unregister("given")


def _schema() -> Any:
    import pyarrow

    one, many, words = pyarrow.int64(), pyarrow.list_(pyarrow.int64()), pyarrow.list_(pyarrow.string())
    names = {
        f"{name}{part}": kind
        for name in ("given", "family")
        for part, kind in (("", one), ("_writings", words), ("_same", many), ("_near", many), ("_alike", many))
    }
    keys = dict.fromkeys(("given_keys", "family_keys", "birth_parts", "place_keys"), many)
    places = dict.fromkeys(("cluster", "birth", "postal", "block", "postal_area"), one)
    return pyarrow.schema(list({**names, **keys, **places}.items()))


def _filled(rows: list[Row], column: str) -> float:
    return sum(row[column] is not None for row in rows) / len(rows)


def _out_of_memory(fault: BaseException | None, duckdb: Any) -> bool:
    """Whether the engine, or Splink on its behalf, ran out of what it may use."""
    while fault is not None:
        if isinstance(fault, duckdb.OutOfMemoryException):
            return True
        fault = fault.__cause__
    return False
