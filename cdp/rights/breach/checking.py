"""What cannot be so, said all at once: kinds that do not exist, counts that do not add up, texts that name somebody."""

import re
from collections.abc import Iterator
from datetime import datetime

from cdp.errors import FieldError, Problem
from cdp.policy.terms import Policy
from cdp.rights import reasons
from cdp.rights.breach import facts
from cdp.rights.breach.duties import TITLES
from cdp.rights.breach.facts import Facts

LONGEST_TEXT = 2000
_WANTED = {"aware_by": "Say which team or role noticed it.", "happened": "Say in a sentence what happened."}
_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ./_-]{0,63}")


def check(policy: Policy, known: Facts, at: datetime) -> None:
    """Raise Problem 422 with everything that is wrong."""
    wrong = [*_kinds(policy, known), *_counts(policy, known), *_texts(known)]
    if known.aware_at > at:
        wrong.append(FieldError("/aware_at", "Nobody becomes aware of it in the future."))
    if wrong:
        raise Problem(422, "breach_unusable", "This cannot be a breach as it stands; see errors.", wrong)


def check_report(known: Facts, duty: str, told_at: datetime, at: datetime, reference: str) -> None:
    """Raise Problem 422 with everything that is wrong about a report."""
    wrong = []
    if duty not in TITLES:
        wrong.append(FieldError("/duty", f"One of: {', '.join(TITLES)}."))
    if not known.aware_at <= told_at <= at:
        wrong.append(FieldError("/told_at", "From the instant of awareness on, and not to come."))
    if reference and not _REFERENCE.fullmatch(reference):
        wrong.append(
            FieldError("/reference", "The file number of whoever was told: letters, digits and ./_-, up to 64.")
        )
    if wrong:
        raise Problem(422, "report_unusable", "This cannot have been told so; see errors.", wrong)


def _kinds(policy: Policy, known: Facts) -> Iterator[FieldError]:
    configured = tuple(str(law.name).lower() for law in policy.packs)
    single = {"role": facts.ROLES, "protection": facts.PROTECTIONS, "risk": facts.RISKS}
    several = {"types": facts.TYPES, "laws": configured, "categories": tuple(policy.categories)}
    for name, possible in single.items():
        if getattr(known, name) not in possible:
            yield FieldError(f"/{name}", f"One of: {', '.join(possible)}.")
    for name, possible in several.items():
        if not set(getattr(known, name)) <= set(possible):
            yield FieldError(f"/{name}", f"Some of: {', '.join(possible)}.")
        if not getattr(known, name):
            yield FieldError(f"/{name}", "Name one at least.")


def _counts(policy: Policy, known: Facts) -> Iterator[FieldError]:
    for name in ("people", "special_care", "property_damage"):
        count = getattr(known, name)
        if count is not None and count < 0:
            yield FieldError(f"/{name}", "A count, from 0 on.")
        elif count and known.people is not None and count > known.people:
            yield FieldError(f"/{name}", "Not more than all the people.")
    special = [name for name in known.categories if policy.categories.get(name, {}).get("appi_class") == "special_care"]
    if special and known.special_care == 0 and known.people != 0:
        yield FieldError("/special_care", f"{', '.join(special)} is special-care data (要配慮): how many people's?")


def _texts(known: Facts) -> Iterator[FieldError]:
    for name in facts.TEXTS:
        text = getattr(known, name)
        if reasons.names_somebody(text):
            yield FieldError(f"/{name}", "Leave addresses and telephone numbers out: the register names nobody.")
        if len(text) > LONGEST_TEXT:
            yield FieldError(f"/{name}", f"At most {LONGEST_TEXT} characters.")
    for name, wanted in _WANTED.items():
        if not getattr(known, name).strip():
            yield FieldError(f"/{name}", wanted)
