"""What is known of a breach: counts and kinds, and texts that name nobody.

A register must not become the next thing to leak: people are counted, never listed, and a text that looks like it holds
an address or a telephone number is refused. Who was hit stands in the files of the investigation.
"""

from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

ROLES = ("controller", "processor")
"""As whom we held the data; a processor under the GDPR is 委託先 (entrustee) under the APPI."""
TYPES = ("confidentiality", "integrity", "availability")
RISKS = ("none", "risk", "high")
PROTECTIONS = ("none", "encrypted", "pseudonymised")
"""Of what was lost: advanced encryption whose key is safe; 仮名加工情報 without what would undo it."""
TEXTS = ("aware_by", "happened", "effects", "measures")


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known now; what is not known yet counts as the worst."""

    aware_at: datetime
    """When somebody of ours was reasonably certain; every clock runs from here."""
    aware_by: str
    """A team or role, nobody's name."""
    role: str = "controller"
    types: tuple[str, ...] = ("confidentiality",)
    laws: tuple[str, ...] = ("gdpr", "appi")
    categories: tuple[str, ...] = ()
    """Names of `policies/categories.yaml`."""
    people: int | None = None
    """How many at most; None = not known yet."""
    special_care: int = 0
    """Of them with special-care data (要配慮個人情報); none only where the categories hold none."""
    property_damage: int | None = None
    """Of them whom it may cost money; None = not known yet."""
    malicious: bool | None = None
    """Done, or perhaps done, for a wrongful purpose: intrusion, theft, ransom; None = not known yet."""
    protection: str = "none"
    risk: str = "high"
    """To people's rights and freedoms, as it was assessed; until then high."""
    happened: str = ""
    effects: str = ""
    measures: str = ""


NAMES = tuple(one.name for one in fields(Facts))


def written(facts: Facts) -> dict[str, Any]:
    """Return the facts as JSON can say them."""
    said = asdict(facts)
    return said | {"aware_at": facts.aware_at.isoformat()}


def read(said: dict[str, Any]) -> Facts:
    """Return the facts from what `written` gave."""
    lists = {name: tuple(said[name]) for name in ("types", "laws", "categories")}
    return Facts(**said | lists | {"aware_at": datetime.fromisoformat(said["aware_at"])})
