"""What the rows say after a storm: every acknowledged order once, and what is derived as a replay derives it."""

from collections import Counter
from typing import Any

from sqlalchemy import Table, select, text
from sqlmodel import SQLModel

from cdp import deployment as deploying
from cdp.db import Database, unsettle
from cdp.settings import Settings
from tests.stories.processes import Running

DERIVED = ("person", "permission", "stage")
WRITTEN_ANEW = {"settled_at"}


def opened(running: Running) -> deploying.Deployment:
    """Assemble the deployment in this process; its own processes should be gone."""
    names = {name.removeprefix("CDP_").lower(): value for name, value in running.env.items() if name[:4] == "CDP_"}
    return deploying.assemble(Settings(**names))  # type: ignore[arg-type]


def orders(database: Database) -> Counter[int]:
    """Return how often each order is stored, by its number."""
    with database.snapshot() as session:
        found = session.execute(text("SELECT amount - 1 FROM fact WHERE kind = 'Order Completed'"))
        return Counter(int(number) for (number,) in found)


def consents(database: Database) -> int:
    """Return how many statements are stored."""
    with database.snapshot() as session:
        return int(session.execute(text("SELECT count(*) FROM consent_record")).scalar_one())


def derived(database: Database) -> dict[str, list[dict[str, Any]]]:
    """Return every derived row of everybody."""
    found = {}
    with database.snapshot() as session:
        for name in DERIVED:
            table: Table = SQLModel.metadata.tables[name]
            kept = [column for column in table.columns if column.name not in WRITTEN_ANEW]
            rows = session.execute(select(*kept).order_by(*table.primary_key.columns)).mappings()
            found[name] = [dict(row) for row in rows]
    return found


def replay(database: Database) -> None:
    """Derive everything of everybody again from what was said and done."""
    with database.transaction() as session:
        for table in DERIVED:
            session.execute(text(f"DELETE FROM {table}"))
        unsettle(session, session.execute(text("SELECT DISTINCT person FROM subject")).scalars())
