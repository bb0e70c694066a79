"""Which grounds there are: the lawful bases of each law, and the mechanisms for data that go abroad.

One list for the loader, which refuses any other, and for the rules, which take any other for none.
"""

from collections.abc import Mapping

NECESSARY = frozenset({"contract", "legal_obligation", "vital_interests", "public_task"})
"""Bases that hold for what is necessary for something (GDPR 6(1)(b)-(e)), which is then named."""

EXCEPTIONS = frozenset({"legal_obligation", "vital_interests", "public_health", "public_task", "academic"})
"""Lift the need for consent in APPI 18(3), 20(2) and 27(1) alike: laws, life, public health, the state, research."""

BASES: Mapping[str, frozenset[str]] = {
    "GDPR": NECESSARY | {"consent", "soft_opt_in", "legitimate_interests"},
    "APPI": EXCEPTIONS | {"consent", "contract", "notified_purpose", "opt_out"},
}

TRANSFERS: Mapping[str, frozenset[str]] = {
    "GDPR": frozenset({"scc", "bcr", "dpf", "art49"}),
    "APPI": frozenset({"jp_equivalent", "jp_certified", "jp_consent"}),
}

EQUIVALENT = frozenset({"jp_equivalent", "jp_certified"})
"""基準適合体制 (APPI 28(1), rule 16): by contract, or by a certificate (APEC CBPR); looked at every year either way."""
