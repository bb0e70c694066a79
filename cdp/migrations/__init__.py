"""The database's shape, one revision after another; run by the program, never by hand.

A database is `empty`, `older`, `current`, or `unknown` (made by a newer Sekisho, or by something
else); nothing but `upgrade` ever works on one that is not current.
"""

from functools import cache
from pathlib import Path
from typing import Literal

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, MetaData, inspect

from cdp.engine import available
from cdp.errors import StartRefused

Shape = Literal["empty", "older", "current", "unknown"]

NEWER = "This database was made by a newer Sekisho: install that version, or restore a backup made by this one."


@cache
def newest() -> str:
    """Return the newest revision that this program knows."""
    head = _scripts().get_current_head()
    assert head is not None
    return head


def revision(engine: Engine) -> str:
    """Return the database's revision; empty where there is none."""
    with available(), engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() or ""


def shape(engine: Engine) -> Shape:
    """Say what the database is to this program."""
    found = revision(engine)
    if found == newest():
        return "current"
    if found:
        return "older" if found in known() else "unknown"
    return "unknown" if "subject" in inspect(engine).get_table_names() else "empty"


def known() -> set[str]:
    """Return every revision that this program knows."""
    return {script.revision for script in _scripts().walk_revisions()}


def upgrade(engine: Engine, to: str = "head") -> str:
    """Bring the database to a revision (the newest) and return it; refuses an unknown one (StartRefused)."""
    if shape(engine) == "unknown":
        raise StartRefused(NEWER)
    with available(), engine.begin() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, to)
    return revision(engine)


def downgrade(engine: Engine, to: str) -> str:
    """Take the database back to an older revision and return it: what only the newer one can hold is lost.

    Refuses a revision that does not lie behind the database's (StartRefused).
    """
    if shape(engine) == "unknown":
        raise StartRefused(NEWER)
    behind = [script.revision for script in _scripts().iterate_revisions(revision(engine) or "base", "base")][1:]
    if to not in behind:
        raise StartRefused(f"There is no revision {to} to go back to; these there are: {', '.join(behind) or 'none'}.")
    with available(), engine.begin() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.downgrade(config, to)
    return revision(engine)


def differences(engine: Engine, metadata: MetaData) -> list[object]:
    """Compare the database with the models: empty when the revisions say the same as the code."""
    from alembic.autogenerate import compare_metadata

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": False})
        return list(compare_metadata(context, metadata))


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())
