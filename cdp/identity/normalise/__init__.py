"""One spelling of what people write: identifiers that are hashed, names and addresses that are only compared."""

from cdp.identity.normalise.addresses import AddressKey, address_key
from cdp.identity.normalise.identifiers import (
    NORMALISERS,
    VERSION,
    Canonical,
    canonical,
    claimed,
    derived,
    is_blocked,
    is_role_mailbox,
    normalise,
    with_derived,
)
from cdp.identity.normalise.names import NameKeys, name_keys
from cdp.identity.normalise.phones import phone_country

__all__ = [
    "NORMALISERS",
    "VERSION",
    "AddressKey",
    "Canonical",
    "NameKeys",
    "address_key",
    "canonical",
    "claimed",
    "derived",
    "is_blocked",
    "is_role_mailbox",
    "name_keys",
    "normalise",
    "phone_country",
    "with_derived",
]
