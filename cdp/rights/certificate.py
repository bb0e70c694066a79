"""What an erasure certificate says, and how anyone checks it: signed with the ledger's key.

It names counts, key versions and what still remains of old keys; never the person.
"""

import base64
import json
from typing import Any

from cdp.ledger.attestation import attest, attested
from cdp.ledger.checkpoints import Signer

FORM = "sekisho.erasure/1"


def sign(signer: Signer, body: dict[str, Any]) -> str:
    """Return the certificate: the body, its signature, and the public key that checks it."""
    said = {"form": FORM, **body}
    signature = base64.b64encode(attest(signer, _canonical(said))).decode()
    return json.dumps({"body": said, "signature": signature, "key": base64.b64encode(signer.public).decode()})


def verify(certificate: str, public: bytes) -> bool:
    """Say whether this is a whole certificate signed by the holder of the public key."""
    try:
        found = json.loads(certificate)
        signature = base64.b64decode(found["signature"], validate=True)
        body = found["body"]
        return bool(body["form"] == FORM) and attested(public, _canonical(body), signature)
    except (ValueError, KeyError, TypeError):
        return False


def _canonical(body: dict[str, Any]) -> bytes:
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
