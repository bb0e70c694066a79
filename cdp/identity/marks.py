"""What a subject's birth date and name come to under a key: they join nobody, and stand against joining.

A date becomes a number that only the key can lead back to. A name becomes one byte, which tells two people in a
household apart but for one time in 256, and is shared by so many that a stolen column names nobody. No name
or date is opened to be compared. Readings are never guessed: kana is compared with kana only.
"""

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Table, delete, select
from sqlmodel import Session, col

from cdp import policy, statements, vault
from cdp.db import among, chunked, upsert
from cdp.identity.model import IdentityMark
from cdp.identity.normalise import name_keys
from cdp.identity.rules import BIRTH_DATE, DENIED
from cdp.policy.terms import Namespace
from cdp.statements import one_of

_TABLE: Table = IdentityMark.__table__  # type: ignore[attr-defined]

NAME_BYTES, DATE_BYTES = 1, 4

KEPT = "~"
"""Before the namespace of a mark that a correction replaced, kept until that is taken back; nothing compares it."""

NAMES = ["kana_name", "kanji_name", "latin_name"]

_WRITTEN_OUT = re.compile("aa|ae|oe|ue")

TRAITS = frozenset({"birthday", "full_name", "family_name", "given_name", "family_name_kana", "given_name_kana"})
"""What marks are made of."""

_ORDER = sorted(TRAITS)
_READ = "identity_marks_read"


@dataclass(frozen=True, slots=True)
class Stated:
    """A mark as a source stated it."""

    subject: int
    namespace: str
    value: int
    at: datetime
    ref: bytes = b""

    @property
    def order(self) -> tuple[datetime, bytes]:
        return self.at, self.ref


def read(session: Session, traits: Mapping[str, Any], at: datetime, ref: bytes, subject: int = 0) -> list[Stated]:
    """Return the marks of what a message says of one subject; nothing that the policy declares no constraint for."""
    if TRAITS.isdisjoint(traits):
        return []
    # A message is asked twice: before it is known whose it is, and once it is known what of it may be kept.
    known: dict[tuple[str, ...], list[tuple[str, int]]] = session.info.setdefault(_READ, {})
    said = tuple([str(traits.get(name) or "") for name in _ORDER])
    found = known.get(said)
    if found is None:
        found = known[said] = list(_values(session, traits))
    return [Stated(subject, namespace, value, at, ref) for namespace, value in found]


def _values(session: Session, traits: Mapping[str, Any]) -> Iterable[tuple[str, int]]:
    terms, namer = policy.of(session).namespaces, vault.namer(session)
    for namespace, text, size in texts(traits):
        if text and is_constraint(terms.get(namespace)):
            yield namespace, int.from_bytes(namer.digest(f"mark.{namespace}", text.encode())[:size])


def is_constraint(term: Namespace | None) -> bool:
    return term is not None and term.role == "constrain"


def begin(session: Session, stated: Iterable[Stated]) -> None:
    """Write the marks of subjects that this transaction made, who have none yet."""
    _write(session, stated, {})


def write(session: Session, stated: Sequence[Stated]) -> set[int]:
    """Keep the newest statement of each kind; returns the subjects of whom another value holds now."""
    return _write(session, stated, _held(session, {one.subject for one in stated}))


def keep(session: Session, stated: Sequence[Stated], fresh: Set[int]) -> set[int]:
    """Write these, and delete what else there is of subjects made just now; returns of whom another value holds now.

    No law allowed to keep what is deleted.
    """
    held = _held(session, fresh | {one.subject for one in stated})
    kept = {(one.subject, one.namespace) for one in stated}
    gone = [one for key, one in held.items() if key[0] in fresh and key not in kept]
    _delete(session, gone)
    return {one.subject for one in gone} | _write(session, stated, held)


def _write(session: Session, stated: Iterable[Stated], held: Mapping[tuple[int, str], Stated]) -> set[int]:
    newest: dict[tuple[int, str], Stated] = {}
    for one in sorted(stated, key=lambda one: one.order):
        newest[one.subject, one.namespace] = one
    fresh = {key: one for key, one in newest.items() if key not in held or held[key].order < one.order}
    upsert(session, IdentityMark, [_row(one) for _, one in sorted(fresh.items())])
    return {one.subject for key, one in fresh.items() if key not in held or held[key].value != one.value}


def correct(session: Session, subjects: Iterable[int], traits: Mapping[str, Any], request: str, at: datetime) -> None:
    """Put right what a person had corrected, and let the wrong value stand against nobody; resolve them after it."""
    if TRAITS.isdisjoint(traits):
        return
    some, ref = list(subjects), _ref(request)
    kinds = [BIRTH_DATE] if "birthday" in traits else []
    kinds += NAMES if TRAITS.difference({"birthday"}) & set(traits) else []
    wrong = [one for key, one in _held(session, some).items() if key[1] in kinds]
    where = (among(session, col(IdentityMark.subject), some), col(IdentityMark.namespace).in_(kinds))
    session.execute(delete(IdentityMark).where(*where))
    right = [one for subject in some for one in read(session, traits, at, ref, subject)]
    values = {(one.namespace, one.value) for one in right}
    denied = [
        replace(one, namespace=f"{DENIED}{one.namespace}.{one.value:x}", at=at, ref=ref)
        for one in wrong
        if (one.namespace, one.value) not in values
    ]
    kept = [replace(one, namespace=f"{KEPT}{one.namespace}.{request[:8]}") for one in wrong]
    write(session, [*right, *denied, *kept])


def uncorrect(session: Session, subjects: Iterable[int], request: str) -> None:
    """Take back what a correction put right of these subjects: what it had replaced is compared again.

    A later correction that replaced its value gives back, from now on, what this one had replaced.
    """
    held, ref = _held(session, set(subjects)), _ref(request)
    kept = [one for one in held.values() if one.namespace.startswith(KEPT)]
    ours = [one for one in kept if one.namespace.endswith(f".{request[:8]}")]
    _delete(session, {*ours, *(one for one in held.values() if one.ref == ref)})
    was = {(one.subject, _of_kept(one)): one for one in ours}
    later = [one for one in kept if one.ref == ref and one not in ours and (one.subject, _of_kept(one)) in was]
    back = [replace(was.pop((one.subject, _of_kept(one))), namespace=one.namespace) for one in later]
    write(session, [*back, *(replace(one, namespace=name) for (_, name), one in was.items())])


def _of_kept(one: Stated) -> str:
    """Return what a mark is of that a correction replaced."""
    return one.namespace.removeprefix(KEPT).rpartition(".")[0]


def _delete(session: Session, marks: Iterable[Stated]) -> None:
    for one in marks:
        this = (col(IdentityMark.subject) == one.subject, col(IdentityMark.namespace) == one.namespace)
        session.execute(delete(IdentityMark).where(*this))


def _ref(request: str) -> bytes:
    return f"rectification:{request}".encode()


def texts(traits: Mapping[str, Any]) -> Iterable[tuple[str, str, int]]:
    """Yield each constraint, what it compares, and how many bytes of its digest are kept."""
    birthday = traits.get("birthday")
    yield BIRTH_DATE, birthday.isoformat() if isinstance(birthday, date) else birthday or "", DATE_BYTES
    family, given = _both(traits, "family_name", "given_name")
    kana = dict(zip(("family_kana", "given_kana"), _both(traits, "family_name_kana", "given_name_kana"), strict=True))
    keys = name_keys(full=traits.get("full_name") or "", family=family, given=given, **kana)
    yield "kana_name", keys.kana, NAME_BYTES
    yield "kanji_name", keys.kanji, NAME_BYTES
    yield "latin_name", " ".join(sorted(_loose(word) for word in keys.bag)), NAME_BYTES


def _both(traits: Mapping[str, Any], one: str, other: str) -> tuple[str, str]:
    """Return both parts of a name, or neither: half a name is not another name."""
    parts = str(traits.get(one) or ""), str(traits.get(other) or "")
    return parts if all(parts) else ("", "")


def _loose(word: str) -> str:
    """Spell ä, ö, ü, ø, å alike, whether they were folded (u) or written out (ue)."""
    return _WRITTEN_OUT.sub(lambda found: found[0][0], word)


def _held(session: Session, subjects: Iterable[int]) -> dict[tuple[int, str], Stated]:
    found: dict[tuple[int, str], Stated] = {}
    for some in chunked(sorted(set(subjects))):
        for row in statements.rows(session, _HELD, some=some):
            found[row[:2]] = Stated(*row)
    return found


_HELD = select(*(_TABLE.c[name] for name in ("subject", "namespace", "value", "at", "ref"))).where(
    one_of(_TABLE.c.subject)
)


def _row(one: Stated) -> dict[str, Any]:
    return {"subject": one.subject, "namespace": one.namespace, "value": one.value, "at": one.at, "ref": one.ref}
