"""What a person asks beside the right itself: which use to stop or go on with, what to put right.

Refuses what the right does not know, a trait that is not declared, and a value that cannot be read: it is
said at once, since nobody could mend it later. Values are kept apart from the rest, and sealed.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from cdp import identity
from cdp.errors import FieldError, Problem
from cdp.identity import Canonical
from cdp.identity.correcting import Change
from cdp.policy.terms import Policy
from cdp.profile import values

ENDING = frozenset({"restriction", "objection", "appi_35"})
"""Rights that begin a state, and by which it can be ended."""
CORRECTING = frozenset({"rectification", "appi_34"})
KINDS = ("direct_marketing", "legitimate_interests")
PROVISION = "provision"
"""Of APPI 35: provision to third parties alone is to stop (35(3))."""
OWN_WORD = ("subject", "guardian")
"""Requesters who may take back what the person said."""

MOST = 50
"""Traits, and identifiers, that one request may put right."""


@dataclass(frozen=True, slots=True)
class Corrections:
    """What is to be put right; a trait without a value is to be deleted."""

    traits: Mapping[str, Any] = field(default_factory=dict, repr=False)
    identifiers: tuple[Change, ...] = ()

    @property
    def names(self) -> set[str]:
        """Names of the traits and types of the identifiers, without any value."""
        changed = {name.namespace for one in self.identifiers for name in one.names}
        return {*self.traits, *changed}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked beside the right; names only."""

    kind: str = ""
    """Objections: direct_marketing or legitimate_interests; empty = both."""
    purpose: str = "*"
    """Objections to legitimate interests: for this purpose only."""
    lift: bool = False
    """End the state that the right begins."""
    restrict_meanwhile: bool = False
    """Rectifications: accuracy is contested, so use nothing until somebody has decided (GDPR 18(1)(a))."""
    revokes: str = ""
    """Rectifications: take back the one of this request."""
    by_hand: bool = False
    """Rectifications that do not say what is to be put right: staff find out, do it, and accept or close."""

    def written(self) -> str:
        """Return what differs from the usual, as JSON."""
        usual = asdict(Asked())
        return json.dumps({name: value for name, value in asdict(self).items() if value != usual[name]})


def check(policy: Policy, right: str, requester: str, asked: Asked, corrections: Corrections | None) -> None:
    """Raise Problem 400 where this cannot be asked by this right, 403 where it needs the person's own word."""
    wrong = list(_misplaced(right, asked, corrections))
    if asked.purpose != "*" and (asked.kind != "legitimate_interests" or asked.purpose not in policy.purposes):
        wrong.append(FieldError("/purpose", "A declared purpose, and only with the kind legitimate_interests."))
    if corrections is not None and asked.revokes:
        wrong.append(FieldError("/corrections", "Say what is to be put right, or which request to revoke; not both."))
    if wrong:
        raise Problem(400, "invalid_input", "This cannot be asked by this right.", wrong)
    if asked.lift and right != "restriction" and requester not in OWN_WORD:
        raise Problem(403, "own_word_needed", "An objection is taken back by the person's own word only.")
    if asked.revokes and requester != "staff":
        raise Problem(403, "staff_only", "A rectification is revoked by staff; ask for another rectification.")


def read(policy: Policy, traits: Mapping[str, Any], identifiers: Sequence[Mapping[str, Any]]) -> Corrections:
    """Return corrections in their one spelling; raises Problem 400 for what cannot be read."""
    wrong: list[FieldError] = []
    read_traits = {name: _trait(policy, name, value, wrong) for name, value in traits.items()}
    changes = tuple(_change(policy, place, one, wrong) for place, one in enumerate(identifiers))
    if not traits and not identifiers:
        wrong.append(FieldError("/corrections", "Name a trait or an identifier."))
    if max(len(traits), len(identifiers)) > MOST:
        wrong.append(FieldError("/corrections", f"At most {MOST} at once."))
    if wrong:
        raise Problem(400, "invalid_input", "This cannot be put right; see errors.", wrong)
    return Corrections(read_traits, changes)


def encode(corrections: Corrections) -> bytes:
    """Write corrections as they are sealed."""
    changes = [{"remove": _spelled(one.remove), "add": _spelled(one.add)} for one in corrections.identifiers]
    return json.dumps({"traits": dict(corrections.traits), "identifiers": changes}, ensure_ascii=False).encode()


def decode(said: Mapping[str, Any]) -> Corrections:
    """Read corrections as they were sealed."""
    changes = [Change(_named(one["remove"]), _named(one["add"])) for one in said["identifiers"]]
    return Corrections(said["traits"], tuple(changes))


def _misplaced(right: str, asked: Asked, corrections: Corrections | None) -> list[FieldError]:
    known = {
        "lift": asked.lift and right not in ENDING,
        "kind": bool(asked.kind) and asked.kind not in {"objection": KINDS, "appi_35": (PROVISION,)}.get(right, ()),
        "restrict_meanwhile": asked.restrict_meanwhile and (right not in CORRECTING or bool(asked.revokes)),
        "revokes": bool(asked.revokes) and right not in CORRECTING,
        "corrections": corrections is not None and right not in CORRECTING,
    }
    return [FieldError(f"/{name}", "Not with this right.") for name, misplaced in known.items() if misplaced]


def _trait(policy: Policy, name: str, value: Any, wrong: list[FieldError]) -> Any:
    term = policy.traits.get(name)
    pointer = f"/corrections/traits/{name[:64]}"
    if term is None:
        wrong.append(FieldError(pointer, "No such trait is declared."))
        return None
    try:
        return None if value is None else values.read(term.type, value)
    except ValueError:
        wrong.append(FieldError(pointer, f"Cannot be read as {term.type}."))
        return None


def _change(policy: Policy, place: int, said: Mapping[str, Any], wrong: list[FieldError]) -> Change:
    """Read `{"remove": …}`, `{"add": …}` or `{"replace": …, "by": …}`."""
    pointer = f"/corrections/identifiers/{place}"
    if set(said) not in ({"remove"}, {"add"}, {"replace", "by"}):
        wrong.append(FieldError(pointer, "One of: remove; add; replace and by."))
        return Change()
    found = {what: _identifier(policy, pointer, what, one, wrong) for what, one in said.items()}
    return Change(found.get("remove") or found.get("replace"), found.get("add") or found.get("by"))


def _identifier(
    policy: Policy, pointer: str, what: str, said: Mapping[str, Any], wrong: list[FieldError]
) -> Canonical | None:
    spell = identity.claimed if what in ("add", "by") else identity.canonical
    named = spell(policy, said["type"], said["value"], said.get("scope", ""), verified=bool(said.get("verified")))
    if named is None:
        wrong.append(FieldError(f"{pointer}/{what}", "Cannot be an identifier of this type."))
    return named


def _spelled(name: Canonical | None) -> dict[str, Any] | None:
    return asdict(name) if name else None


def _named(said: Mapping[str, Any] | None) -> Canonical | None:
    return Canonical(**said) if said else None
