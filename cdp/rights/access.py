"""Access (GDPR 15, APPI 33): everything held, complete by construction, and all that must be told beside it.

It names recipients, not only categories of them (C-154/21), says how stages come about, and never
holds another person.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlmodel import Session

from cdp import policy
from cdp.holders import Held
from cdp.policy.terms import Policy
from cdp.rights.disclosures import received, told

FORM = "sekisho.access/1"


def collect(session: Session, subjects: Sequence[int], opened: Sequence[tuple[Held, Any]]) -> dict[str, Any]:
    """Return the whole picture as a JSON-able value: data, purposes, recipients, sources, retention, logic."""
    terms, held = policy.of(session), [one for one, _ in opened]
    return {
        "held": [_shown(one, value, terms) for one, value in opened],
        "categories": {name: dict(said) for name, said in terms.categories.items()},
        "purposes": _purposes(terms),
        "recipients": _recipients(held, terms),
        "disclosures": told(session, subjects),
        "received": received(session, subjects),
        "sources": sorted({str(one.plain["source"]) for one in held if one.plain.get("source")}),
        "retention": _retention(terms),
        "automated_decisions": AUTOMATED,
        "rights": RIGHTS,
    }


def _shown(one: Held, value: Any, terms: Policy) -> dict[str, Any]:
    shown: dict[str, Any] = {"held_as": one.kind, "subject": one.subject, **one.plain}
    trait = terms.traits.get(str(one.plain.get("name", "")))
    if trait is not None:
        shown["category"] = trait.category
    if one.sealed is not None:
        shown["content"] = value
    return shown


def _purposes(terms: Policy) -> list[dict[str, Any]]:
    return [
        {
            "purpose": purpose.name,
            "ja": purpose.text_ja,
            "en": purpose.text_en,
            "bases": {str(law.name).lower(): basis.kind for law, basis in purpose.bases},
            "fields": list(purpose.fields),
        }
        for purpose in terms.purposes.values()
    ]


def _recipients(held: Iterable[Held], terms: Policy) -> list[dict[str, Any]]:
    """Everyone who was given data, by name, with what for and how often."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for one in held:
        if one.kind != "disclosure":
            continue
        name, purpose, when = one.plain["recipient"], one.plain["purpose"], one.plain["at"]
        said = found.setdefault((name, purpose), _recipient(terms, name, purpose) | {"first_at": when, "times": 0})
        said["times"] += 1
        said["first_at"], said["last_at"] = min(when, said["first_at"]), max(when, said.get("last_at", when))
        said["fields"] = sorted({*said["fields"], *one.plain["fields"]})
    return [found[key] for key in sorted(found)]


def _recipient(terms: Policy, name: str, purpose: str) -> dict[str, Any]:
    said: dict[str, Any] = {"recipient": name, "purpose": purpose, "fields": []}
    declared = terms.recipients.get(name)
    if declared is not None:
        said |= {"role": declared.role, "country": declared.country}
        said["safeguards"] = [transfer.kind for _, transfer in declared.transfers]
    return said


def _retention(terms: Policy) -> list[dict[str, Any]]:
    names = ("category", "purpose", "trigger", "months", "action", "law", "why")
    return [{name: rule[name] for name in names if rule.get(name)} for rule in terms.retention]


AUTOMATED = (
    "Stages and personas are worked out from the facts listed here by fixed rules: each move names the fact that "
    "caused it. They choose what is shown or sent; no decision with legal or similar effect is taken by them alone."
)

RIGHTS = [
    {"right": "rectification", "articles": ["GDPR 16", "APPI 34"]},
    {"right": "erasure", "articles": ["GDPR 17", "APPI 35"]},
    {"right": "restriction", "articles": ["GDPR 18", "APPI 35"]},
    {"right": "portability", "articles": ["GDPR 20"]},
    {"right": "objection", "articles": ["GDPR 21"]},
    {"right": "withdrawal of consent", "articles": ["GDPR 7(3)"]},
    {"right": "complaint to a supervisory authority", "articles": ["GDPR 77", "APPI 148"]},
    {"right": "records of what was given to third parties", "articles": ["APPI 33(5)"]},
]
