"""What identifiers are evidence of, and their tokens: worked out once in a transaction, and forgotten with it.

Spelling a mailbox and hashing take as long as finding the subject, and one arrival asks for them several times.
While the index is being rotated a value has a token under each key, and stands under one of them (see `places`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlmodel import Session

from cdp import policy, vault
from cdp.identity import config
from cdp.identity.model import Aside
from cdp.identity.normalise import Canonical, derived, is_role_mailbox

_NAME = "identity_naming"


@dataclass(slots=True)
class _Known:
    also: dict[tuple[Canonical, bool], tuple[Canonical, ...]] = field(default_factory=dict)
    tokens: dict[Canonical, Mapping[int, bytes]] = field(default_factory=dict)
    silences: dict[Canonical, bytes] = field(default_factory=dict)


def evidence(session: Session, names: Iterable[Canonical]) -> list[Canonical]:
    """Return the identifiers with all that they are evidence of."""
    known, found = _known(session).also, list[Canonical]()
    for name in names:
        key = (name, name.verified)
        if key not in known:
            known[key] = (name, *derived(policy.of(session), name))
        found += known[key]
    return found


def tokens(session: Session, name: Canonical) -> Mapping[int, bytes]:
    """Return an identifier's token in every epoch that was live when this transaction first asked: lock them all."""
    known = _known(session)
    if name not in known.tokens:
        known.tokens[name] = vault.namer(session).tokens(name.namespace, name.scope, name.value)
    return known.tokens[name]


def forget_tokens(session: Session) -> None:
    """Let tokens be worked out anew, under the keys that are live by now."""
    vault.namer(session, anew=True)
    _known(session).tokens.clear()


def silence_token(session: Session, name: Canonical) -> bytes:
    """Return an identifier's suppression token."""
    known = _known(session).silences
    if name not in known:
        known[name] = vault.namer(session).suppression_token(name.namespace, name.scope, name.value)
    return known[name]


def aside(session: Session, name: Canonical) -> int:
    """Return why an identifier never counts, as bits of `Aside`: a role mailbox joins nobody. 0 = it counts."""
    return int(Aside.ROLE) if is_role_mailbox(config.namespaces(session), name) else 0


def _known(session: Session) -> _Known:
    found = session.info.get(_NAME)
    if not isinstance(found, _Known):
        found = session.info[_NAME] = _Known()
    return found
