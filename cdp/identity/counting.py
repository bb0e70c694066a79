"""How many people something is held of, by group: for the record of processing, which tells no more than that."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import case, func, select, union_all
from sqlalchemy.orm import Mapped
from sqlmodel import Session, col

from cdp.identity.model import Identifier
from cdp.profile.model import Fact, Subject, Trait


def people_with(
    session: Session, traits: Mapping[str, str], namespaces: Mapping[str, str], events: Mapping[str, str]
) -> dict[str, int]:
    """Count each person once per group that any of their traits, identifiers or facts belongs to.

    The arguments say to which group each name belongs; what has none is not counted. Reads each table whole.
    """
    parts = [
        _holders(col(Trait.subject), col(Trait.name), traits),
        _holders(col(Identifier.subject), col(Identifier.namespace), namespaces),
        _holders(col(Fact.subject), col(Fact.kind), events),
    ]
    held = union_all(*(part for part in parts if part is not None)).subquery()
    query = select(held.c.held, func.count(func.distinct(col(Subject.person)))).join(
        held, held.c.subject == col(Subject.number)
    )
    return {row[0]: row[1] for row in session.execute(query.group_by(held.c.held))}


def _holders(subject: Mapped[int], name: Mapped[str], groups: Mapping[str, str]) -> Any:
    """Return which subjects hold something of which group; None where nothing belongs to any."""
    if not groups:
        return None
    group = case(groups, value=name)
    return select(subject.label("subject"), group.label("held")).where(name.in_(groups)).distinct()
