"""Keys that sign access tokens: a file in the home, apart from the keyring, readable by its owner only.

Two keys are published: the first signs, the second still verifies what it signed before a rotation.
Losing this file costs clients one new token; it opens no personal data.
"""

import json
import os
import secrets
from pathlib import Path
from typing import Any

from joserfc.jwk import ECKey

from cdp.errors import StartRefused

ALGORITHM = "ES256"

KEPT = 2


class SigningKeys:
    """The published keys, newest first."""

    def __init__(self, keys: list[ECKey]) -> None:
        self._keys = {key.kid: key for key in keys if key.kid}
        self.current = keys[0]

    def __repr__(self) -> str:
        return f"SigningKeys({list(self._keys)})"

    def find(self, kid: object) -> ECKey | None:
        """Return the key of that id, or None."""
        return self._keys.get(kid) if isinstance(kid, str) else None

    def published(self) -> dict[str, Any]:
        """Return the JWKS: public parts only."""
        return {
            "keys": [
                {**key.as_dict(private=False), "use": "sig", "alg": ALGORITHM, "kid": kid}
                for kid, key in self._keys.items()
            ]
        }


def load(home: Path) -> SigningKeys:
    """Return the keys of this home, made on first use; raises StartRefused for a file that cannot be read."""
    path = home / "oauth" / "keys.json"
    if not path.exists():
        _create(path, [_fresh(), _fresh()])
    try:
        entries = json.loads(path.read_text())["keys"]
        return SigningKeys([ECKey.import_key(entry) for entry in entries])
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        raise StartRefused(f"The signing keys in {path} cannot be read: mend or remove the file.") from None


def rotate(home: Path) -> SigningKeys:
    """Sign with a fresh key from the next start on; the one that signed so far keeps verifying."""
    path = home / "oauth" / "keys.json"
    load(home)
    entries = [ECKey.import_key(entry) for entry in json.loads(path.read_text())["keys"]]
    _write(path, [_fresh(), *entries][:KEPT])
    return load(home)


def _fresh() -> ECKey:
    return ECKey.generate_key("P-256", {"kid": secrets.token_hex(8)}, private=True)


def _create(path: Path, keys: list[ECKey]) -> None:
    """Two processes may start at once: the file that is linked first stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = _draft(path, keys)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _write(path: Path, keys: list[ECKey]) -> None:
    _draft(path, keys).replace(path)


def _draft(path: Path, keys: list[ECKey]) -> Path:
    draft = path.with_name(f"keys.{secrets.token_hex(4)}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump({"keys": [key.as_dict(private=True) for key in keys]}, file)
        file.flush()
        os.fsync(file.fileno())
    return draft
