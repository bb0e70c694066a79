"""Which configuration people are resolved under: the one taken up last, whatever the file says meanwhile.

A change of `policies/identifiers.yaml` joins and parts nobody by itself. It is taken up by a rebuild, which can
be tried first; from then on what arrives is resolved under it, and the rebuild brings everybody else along.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Table, func, select
from sqlmodel import Session, col

from cdp import policy, statements
from cdp.identity.model import IdentityConfig
from cdp.policy.terms import Namespace
from cdp.profile.model import Subject

_NAME = "identity_terms"
_TABLE: Table = IdentityConfig.__table__  # type: ignore[attr-defined]
_NEWEST = select(_TABLE.c.contents).where(_TABLE.c.id == select(func.max(_TABLE.c.id)).scalar_subquery())


def namespaces(session: Session) -> Mapping[str, Namespace]:
    """Return the namespaces in force; the policy's own while none was taken up."""
    found: Mapping[str, Namespace] | None = session.info.get(_NAME)
    if found is None:
        contents = statements.column(session, _NEWEST)
        found = _read(contents[0]) if contents else policy.of(session).namespaces
        session.info[_NAME] = found
    return found


def current(session: Session) -> IdentityConfig | None:
    """Return the configuration taken up last."""
    return session.scalars(select(IdentityConfig).order_by(col(IdentityConfig.id).desc()).limit(1)).first()


def is_current(session: Session) -> bool:
    """Whether what the policy declares is what people are resolved under."""
    row = current(session)
    return row is not None and row.digest == digest_of(policy.of(session).namespaces)


def take_up(session: Session, at: datetime) -> IdentityConfig:
    """Resolve under what the policy declares from now on; nothing where that is so already."""
    row, declared = current(session), policy.of(session).namespaces
    if row is None or row.digest != digest_of(declared):
        row = IdentityConfig(digest=digest_of(declared), contents=_written(declared), taken_up_at=at)
        session.add(row)
        session.flush()
    session.info[_NAME] = declared
    return row


def begin(session: Session, at: datetime) -> None:
    """Take up what the policy declares where nothing ever was; whoever is there already waits for a rebuild."""
    if current(session) is None:
        row = take_up(session, at)
        row.rebuilt_at = None if session.scalar(select(col(Subject.number)).limit(1)) else at


def digest_of(declared: Mapping[str, Namespace]) -> str:
    """Name the content of a configuration."""
    return hashlib.sha256(_written(declared).encode()).hexdigest()


def _written(declared: Mapping[str, Namespace]) -> str:
    return json.dumps({name: asdict(term) for name, term in sorted(declared.items())}, sort_keys=True)


@lru_cache(maxsize=4)
def _read(contents: str) -> Mapping[str, Namespace]:
    return {name: _term(given) for name, given in json.loads(contents).items()}


def _term(given: dict[str, Any]) -> Namespace:
    return Namespace(**given | {"role_mailboxes": tuple(given.get("role_mailboxes", ()))})
