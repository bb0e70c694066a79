"""By which door of Articles 27 and 28 of the APPI data go to a recipient, and what that door asks for."""

from collections.abc import Iterator, Mapping

from cdp.gate.laws.rule import Declared
from cdp.gate.question import Standing
from cdp.policy.grounds import EXCEPTIONS
from cdp.policy.terms import Law

APPI = Law.APPI
FOREIGN_ITEMS = frozenset({"foreign_country", "foreign_system", "foreign_measures"})
"""What the person must have been told before consenting to provision abroad (28(2), rule 17)."""
RECEIVERS = frozenset({"processor", "third_party", "joint_user", "successor"})
"""Roles that receive data in the law's eyes: a host that does not handle them is none (Q&A 7-53, ruling R6)."""

_DOORS_ABROAD: Mapping[str, str] = {"jp_equivalent": "equivalent_system", "jp_consent": "foreign_consent"}


def is_joint_use(declared: Declared) -> bool:
    """Whether purpose and every item lie within the joint use that was notified before (27(5)(iii))."""
    joint = declared.recipient.joint_use
    if declared.recipient.role != "joint_user" or joint is None or declared.purpose.name not in joint.purposes:
        return False
    return _given(declared) <= set(joint.items)


def is_third_party(declared: Declared) -> bool:
    """Whether it is provision to a third party: nobody's entrustee, successor (27(5)(i)-(ii)) or joint user."""
    return declared.role in ("third_party", "joint_user") and not is_joint_use(declared)


def may_go_by_opt_out(declared: Declared, standing: Standing) -> bool:
    """Whether a filed scheme carries it (27(2)): its items, never special care, nor what came by an opt-out itself."""
    return not standing.from_opt_out and is_within_scheme(declared)


def is_within_scheme(declared: Declared) -> bool:
    """Whether all that is given, inferred or asked for lies within the filed opt-out, and none is special care."""
    scheme = declared.recipient.opt_out
    if scheme is None or "special_care" in declared.classes("appi_class", declared.categories | _given(declared)):
        return False
    return _given(declared) <= set(scheme.items)


def _given(declared: Declared) -> frozenset[str]:
    """Return the categories that go: of the fields, of what is asked for, and of what the list lets one infer."""
    fields = frozenset(declared.policy.category_of(name) for name in declared.fields)
    return fields | declared.beyond.infers | declared.beyond.categories


def is_abroad(declared: Declared) -> bool:
    """Whether whoever receives the data is in a foreign country (28)."""
    home = declared.pack(APPI).values.get("home", "JP")
    return declared.role in RECEIVERS and declared.recipient.country != home


def rests_on_foreign_consent(declared: Declared) -> bool:
    """Whether provision abroad rests on the person's consent to it; Article 27 is then answered too."""
    ground = declared.recipient.transfer(APPI)
    return is_abroad(declared) and ground is not None and ground.kind == "jp_consent"


def abroad_by(declared: Declared) -> Iterator[str]:
    """Yield the ground of Article 28 on which the data go abroad, where they may and need one."""
    if not is_abroad(declared) or declared.kind(APPI) in EXCEPTIONS:
        return
    ground = declared.recipient.transfer(APPI)
    if declared.recipient.country in declared.pack(APPI).adequate:
        yield "designated_country"
    elif ground is not None and ground.kind in _DOORS_ABROAD:
        yield _DOORS_ABROAD[ground.kind]


def is_recorded(declared: Declared) -> bool:
    """Whether the provision is recorded (29): to a third party; abroad on consent always, entrustment too."""
    excepted = declared.kind(APPI) in EXCEPTIONS
    return (is_third_party(declared) or rests_on_foreign_consent(declared)) and not excepted


def route(declared: Declared) -> str:
    """Return by which door the data go, where it is another than consent; empty where it is consent or none."""
    if is_joint_use(declared):
        return "joint_use"
    if declared.kind(APPI) == "opt_out" and is_third_party(declared):
        return "opt_out"
    doors = {"processor": "entrustment", "successor": "succession", "non_handling_host": "not_handled"}
    return doors.get(declared.role, "")
