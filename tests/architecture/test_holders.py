"""Every table that holds people is named by a holder, so that erasure and export are complete by construction."""

import importlib
from collections import Counter

from sqlmodel import SQLModel

from cdp.rights.holders import HOLDERS
from tests.architecture.tree import ROOT

OF_PEOPLE = {"subject", "other_subject", "person", "old_person", "people", "token", "subject_one", "subject_other"}
"""A column of one of these names means that the table knows somebody."""


def tables_of_people() -> set[str]:
    for model in sorted((ROOT / "cdp").rglob("model.py")):
        importlib.import_module(".".join(model.relative_to(ROOT).with_suffix("").parts))
    return {name for name, table in SQLModel.metadata.tables.items() if OF_PEOPLE & set(table.columns.keys())}


def test_every_table_of_people_has_a_holder() -> None:
    held = {table for holder in HOLDERS for table in holder.tables}
    assert not tables_of_people() - held, "no holder can export and forget these tables"


def test_no_holder_answers_for_a_table_that_does_not_exist() -> None:
    tables_of_people()
    held = {table for holder in HOLDERS for table in holder.tables}
    assert not held - set(SQLModel.metadata.tables), "a holder names a table that is gone"


def test_no_table_has_two_holders() -> None:
    counts = Counter(table for holder in HOLDERS for table in holder.tables)
    assert not [table for table, count in counts.items() if count > 1]
