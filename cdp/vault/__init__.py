"""The vault keeps personal data unreadable; opening it is the gate's alone (`vault.opening`)."""

from cdp.vault import indexing, marks, rotation, shredding
from cdp.vault.holder import holder
from cdp.vault.keyring import Keyring
from cdp.vault.keys import Namer, Vault, deks, namer, of
from cdp.vault.marks import check_mark, confirm_mark, record_version
from cdp.vault.sealing import Cell, Dek, matches, seal
from cdp.vault.shredding import puncture
from cdp.vault.tokens import family

__all__ = [
    "Cell",
    "Dek",
    "Keyring",
    "Namer",
    "Vault",
    "check_mark",
    "confirm_mark",
    "deks",
    "family",
    "holder",
    "indexing",
    "marks",
    "matches",
    "namer",
    "of",
    "puncture",
    "record_version",
    "rotation",
    "seal",
    "shredding",
]
