"""Statements that are compiled once say what SQLAlchemy says, on either database, whatever the length of a list."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import bindparam, insert, select, update

from cdp import statements
from cdp.db import Database
from cdp.identity.model import Alias, Token
from cdp.statements import one_of, pair_of

TOKENS, ALIASES = Token.__table__, Alias.__table__
AT = datetime(2026, 6, 1, 9, 0, 0, 5, UTC)
KEYS = [("email", b"\0a"), ("email", b"b"), ("phone", b"\0a")]

NEW_TOKENS, NEW_ALIASES = insert(TOKENS), insert(ALIASES)
AMONG = select(TOKENS.c.namespace, TOKENS.c.token, TOKENS.c.rule).where(pair_of(TOKENS.c.namespace, TOKENS.c.token))
OF = select(ALIASES.c.old_person, ALIASES.c.from_at, ALIASES.c.to_at).where(one_of(ALIASES.c.old_person))
END = update(ALIASES).where(one_of(ALIASES.c.old_person)).values(to_at=bindparam("ended"))


@pytest.mark.parametrize("wanted", [[], KEYS[:1], [KEYS[0], KEYS[2], ("sns_id", b"b")], KEYS])
def test_pairs_are_found_as_pairs_and_defaults_of_the_table_are_written(
    empty_database: Database, wanted: list[tuple[str, bytes]]
) -> None:
    with empty_database.transaction() as session:
        statements.write(session, NEW_TOKENS, [{"namespace": name, "token": token} for name, token in KEYS])
        found = statements.rows(session, AMONG, pairs=wanted)
    assert sorted(found) == [(*key, "") for key in KEYS if key in wanted]


@pytest.mark.parametrize("wanted", [[], [1], [1, 3, 4], range(2000)])
def test_times_go_in_and_come_out_as_they_were(empty_database: Database, wanted: list[int]) -> None:
    rows = [{"old_person": n, "person": 9, "from_at": AT, "to_at": None} for n in range(1, 4)]
    here = [n for n in range(1, 4) if n in wanted]
    with empty_database.transaction() as session:
        statements.write(session, NEW_ALIASES, rows)
        assert sorted(statements.rows(session, OF, some=wanted)) == [(n, AT, None) for n in here]
        assert statements.change(session, END, some=wanted, ended=AT) == len(here)
        assert sorted(statements.rows(session, OF, some=wanted)) == [(n, AT, AT) for n in here]


def test_what_the_session_holds_back_is_written_first(empty_database: Database) -> None:
    with empty_database.transaction() as session:
        session.add(Alias(old_person=1, person=2, from_at=AT))
        assert statements.column(session, OF, some=[1]) == [1]


def test_nothing_to_write_is_no_statement(empty_database: Database) -> None:
    with empty_database.transaction() as session:
        statements.write(session, NEW_TOKENS, [])
        assert statements.rows(session, AMONG, pairs=KEYS) == []
