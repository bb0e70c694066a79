"""Statements that are compiled once say what SQLAlchemy says, on either database, whatever the length of a list."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import bindparam, event, insert, select, update
from sqlalchemy.exc import DataError

from cdp import statements
from cdp.db import Database, upsert
from cdp.identity.model import Alias, Token
from cdp.profile.model import Subject
from cdp.statements import one_of, pair_of

TOKENS, ALIASES, SUBJECTS = Token.__table__, Alias.__table__, Subject.__table__
AT = datetime(2026, 6, 1, 9, 0, 0, 5, UTC)
KEYS = [("email", b"\0a"), ("email", b"b"), ("phone", b"\0a")]

NEW_TOKENS, NEW_ALIASES = insert(TOKENS), insert(ALIASES)
AMONG = select(TOKENS.c.namespace, TOKENS.c.token, TOKENS.c.rule).where(pair_of(TOKENS.c.namespace, TOKENS.c.token))
OF = select(ALIASES.c.old_person, ALIASES.c.from_at, ALIASES.c.to_at).where(one_of(ALIASES.c.old_person))
TURNED = (
    update(TOKENS)
    .where(TOKENS.c.namespace == bindparam("within"), TOKENS.c.token == bindparam("named"))
    .values(state=bindparam("now"))
)
NEW_SUBJECTS = insert(SUBJECTS).returning(SUBJECTS.c.fingerprint, SUBJECTS.c.number)
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


def test_pairs_are_looked_up_and_never_searched_for(empty_database: Database) -> None:
    if not empty_database.is_sqlite:
        pytest.skip("SQLite's plan does not hang on how much there is; PostgreSQL's does")
    plans: list[str] = []

    @event.listens_for(empty_database.writer, "before_cursor_execute")
    def explained(connection, cursor, statement, parameters, context, many) -> None:
        if statement.startswith("SELECT"):
            asked = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.extend(row[-1] for row in asked.fetchall())

    with empty_database.transaction() as session:
        statements.rows(session, AMONG, pairs=[(kind, bytes([n])) for kind in ("email", "phone") for n in range(100)])
    assert [plan for plan in plans if "token" in plan]
    assert not [plan for plan in plans if plan.startswith("SCAN")]


def test_many_rows_at_once_are_each_changed_as_alone(empty_database: Database) -> None:
    """PostgreSQL takes them in one statement: in their order, two of one row one after the other."""
    states = [{"within": kind, "named": token, "now": f"{n}"} for n, (kind, token) in enumerate(KEYS)]
    with empty_database.transaction() as session:
        statements.write(session, NEW_TOKENS, [{"namespace": name, "token": token} for name, token in KEYS])
        statements.write(session, TURNED, states)
        found = session.execute(select(TOKENS.c.namespace, TOKENS.c.token, TOKENS.c.state)).all()
        assert sorted(found) == [(*key, f"{n}") for n, key in enumerate(KEYS)]
        name, token = KEYS[0]
        upsert(session, Token, [{"namespace": name, "token": token, "state": one, "rule": ""} for one in "xy"])
        query = select(TOKENS.c.state).where(TOKENS.c.namespace == name, TOKENS.c.token == token)
        assert session.scalar(query) == "y"


def test_a_value_that_is_too_long_is_refused_and_not_cut(empty_database: Database) -> None:
    if empty_database.is_sqlite:
        pytest.skip("SQLite knows no longest value")
    rows = [{"namespace": "n" * length, "token": b"t"} for length in (3, 300)]
    with pytest.raises(DataError), empty_database.transaction() as session:
        statements.write(session, NEW_TOKENS, rows)


def test_what_an_insert_gave_its_rows_comes_back_for_every_one(empty_database: Database) -> None:
    rows = [{"person": 0, "source": "shop", "fingerprint": b"%d" % n, "first_at": AT} for n in range(7000)]
    with empty_database.transaction() as session:
        found = statements.insert(session, NEW_SUBJECTS, rows)
    assert sorted(found) == sorted((row["fingerprint"], n) for n, row in enumerate(rows, 1))


def test_what_the_session_holds_back_is_written_first(empty_database: Database) -> None:
    with empty_database.transaction() as session:
        session.add(Alias(old_person=1, person=2, from_at=AT))
        assert statements.column(session, OF, some=[1]) == [1]


def test_nothing_to_write_is_no_statement(empty_database: Database) -> None:
    with empty_database.transaction() as session:
        statements.write(session, NEW_TOKENS, [])
        assert statements.rows(session, AMONG, pairs=KEYS) == []


def test_an_hour_that_comes_twice_is_told_apart() -> None:
    """Two instants of the night that summer time ends are equal to Python, and hash alike."""
    berlin = ZoneInfo("Europe/Berlin")
    twice = [datetime(2026, 10, 25, 2, 30, tzinfo=berlin, fold=fold) for fold in (0, 1)]
    assert len(set(twice)) == 1
    assert statements._each(lambda value: value.astimezone(UTC).hour, twice) == [0, 1]
    assert statements._each(repr, [1, True, 1.0, None]) == ["1", "True", "1.0", "None"]


def test_pairs_may_differ_on_both_sides_however_many_they_are(empty_database: Database) -> None:
    keys = [(f"n{n}", b"%d" % n) for n in range(1500)]
    with empty_database.transaction() as session:
        statements.write(session, NEW_TOKENS, [{"namespace": name, "token": token} for name, token in keys])
        found = statements.rows(session, AMONG, pairs=keys[1:])
    assert len(found) == len(keys) - 1
