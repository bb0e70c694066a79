import pytest
from sqlalchemy import text
from sqlmodel import SQLModel

from cdp import migrations
from cdp.db import Database
from cdp.errors import StartRefused
from tests.conftest import import_tables


@pytest.fixture
def bare(database_url: str):
    database = Database(database_url)
    yield database
    database.dispose()


def test_the_revisions_make_exactly_the_tables_of_the_models(bare: Database) -> None:
    import_tables()
    assert migrations.shape(bare.writer) == "empty"
    assert migrations.upgrade(bare.writer) == migrations.newest()
    assert migrations.differences(bare.writer, SQLModel.metadata) == []
    assert migrations.shape(bare.writer) == "current"


def test_migrating_twice_changes_nothing(bare: Database) -> None:
    migrations.upgrade(bare.writer)
    migrations.upgrade(bare.writer)
    assert migrations.revision(bare.writer) == migrations.newest()


def test_a_database_of_a_newer_program_is_refused(bare: Database) -> None:
    migrations.upgrade(bare.writer)
    with bare.writer.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'ffff'"))
    assert migrations.shape(bare.writer) == "unknown"
    with pytest.raises(StartRefused, match="newer Sekisho"):
        migrations.upgrade(bare.writer)


def test_tables_without_a_revision_are_nobodys(bare: Database) -> None:
    import_tables()
    SQLModel.metadata.create_all(bare.writer)
    assert migrations.shape(bare.writer) == "unknown"
