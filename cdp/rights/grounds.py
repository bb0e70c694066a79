"""What carrying out a request needs of the deployment; `cdp.deployment.Deployment` is one."""

from pathlib import Path
from typing import Protocol

from cdp.clock import Clock
from cdp.db import Database
from cdp.ledger.checkpoints import Signer
from cdp.policy.terms import Policy
from cdp.vault import Vault


class Grounds(Protocol):
    """A request takes more than one transaction, and an erasure reaches outside the database."""

    @property
    def database(self) -> Database: ...
    @property
    def vault(self) -> Vault: ...
    @property
    def policy(self) -> Policy: ...
    @property
    def signer(self) -> Signer: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def erasures(self) -> tuple[Path, ...]:
        """The copies of `erasures.log`, one beside each copy of the keyring."""
        ...
