"""Copies PostgreSQL's tables at one instant while others write to them, and loads them again.

`COPY` in the text form: a table a file, columns in its first line, no tool of PostgreSQL's needed.
"""

import json
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from cdp import migrations
from cdp.db import Database
from cdp.ops.backup.manifest import BLOCK, facts_of, new_file
from cdp.settings import Settings


def copy_out(settings: Settings, target: Path) -> dict[str, Any]:
    with psycopg.connect(_dsn(settings)) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        for table in _tables(connection):
            columns = _columns(connection, table)
            names = sql.SQL(", ").join(map(sql.Identifier, columns))
            query = sql.SQL("COPY {} ({}) TO STDOUT").format(sql.Identifier(table), names)
            with new_file(target / f"{table}.copy") as file, connection.cursor().copy(query) as rows:
                file.write((json.dumps(columns) + "\n").encode())
                for block in rows:
                    file.write(block)
        return facts_of(lambda query: connection.execute(query.encode()).fetchone())


def put_back(settings: Settings, source: Path, manifest: dict[str, Any]) -> None:
    with psycopg.connect(_dsn(settings)) as connection:
        for table in _tables(connection):
            connection.execute(sql.SQL("DROP TABLE {} CASCADE").format(sql.Identifier(table)))
    database = Database(settings.url)
    try:
        migrations.upgrade(database.writer, manifest["revision"])
    finally:
        database.dispose()
    with psycopg.connect(_dsn(settings)) as connection:
        for name in manifest["files"]:
            _load_table(connection, source / name)


def _load_table(connection: psycopg.Connection[Any], path: Path) -> None:
    table = path.name.removesuffix(".copy")
    with path.open("rb") as file:
        columns = json.loads(file.readline())
        connection.execute(sql.SQL("TRUNCATE {}").format(sql.Identifier(table)))
        names = sql.SQL(", ").join(map(sql.Identifier, columns))
        query = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
        with connection.cursor().copy(query) as rows:
            while block := file.read(BLOCK):
                rows.write(block)
    for column in columns:
        _advance_sequence(connection, table, column)


def _advance_sequence(connection: psycopg.Connection[Any], table: str, column: str) -> None:
    found = connection.execute("SELECT pg_get_serial_sequence(%s, %s)", [table, column]).fetchone()
    if found and found[0]:
        highest = sql.SQL("SELECT setval(%s, greatest((SELECT max({}) FROM {}), 1))")
        connection.execute(highest.format(sql.Identifier(column), sql.Identifier(table)), [found[0]])


def _tables(connection: psycopg.Connection[Any]) -> list[str]:
    query = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename"
    return [row[0] for row in connection.execute(query)]


def _columns(connection: psycopg.Connection[Any], table: str) -> list[str]:
    query = (
        "SELECT column_name FROM information_schema.columns "
        "WHERE table_schema = current_schema() AND table_name = %s ORDER BY ordinal_position"
    )
    return [row[0] for row in connection.execute(query, [table])]


def _dsn(settings: Settings) -> str:
    return make_url(settings.url).set(drivername="postgresql").render_as_string(hide_password=False)
