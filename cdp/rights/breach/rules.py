"""Whether a breach must be told, and to whom: GDPR 33 and 34, APPI 26 with rule 7."""

from cdp.rights.breach.facts import RISKS, Facts
from cdp.rights.periods import BreachTerms

CLASSES = {
    1: ("要配慮個人情報", "special-care data of anybody"),
    2: ("財産的被害のおそれ", "it may cost somebody money"),
    3: ("不正の目的", "a wrongful purpose"),
    4: ("本人の数", "many people"),
}
"""The four kinds of rule 7, in Japanese and English."""


def japanese_classes(facts: Facts, terms: BreachTerms) -> tuple[int, ...]:
    """Return which kinds of rule 7 it is, or may be; none = it stands in the register only.

    Data under advanced encryption with a safe key, and pseudonymised data (41(9)), are none of them.
    """
    if facts.protection != "none" or facts.people == 0:
        return ()
    held = {
        1: facts.special_care > 0,
        2: facts.property_damage is None or facts.property_damage > 0,
        3: facts.malicious is not False,
        4: facts.people is None or facts.people > terms.people,
    }
    return tuple(number for number, holds in held.items() if holds)


def authority_is_told(facts: Facts, terms: BreachTerms) -> bool:
    """Say whether the supervisory authority must be told (GDPR 33(1))."""
    return RISKS.index(facts.risk) >= RISKS.index(terms.authority_from)


def subjects_are_told(facts: Facts) -> bool:
    """Say whether the people must be told (GDPR 34(1)): not where what got out is unintelligible (34(3)(a))."""
    return facts.risk == "high" and not is_unintelligible(facts)


def is_unintelligible(facts: Facts) -> bool:
    """Encryption hides what got out; it brings nothing back that was lost or altered."""
    return facts.protection == "encrypted" and set(facts.types) == {"confidentiality"}
