"""What a deployment is told from outside: environment variables `CDP_*` and a `.env` file.

Every setting has a default that works for a trial on one machine; `cdp doctor` says which
of them a production deployment should change.
"""

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from cdp.errors import StartRefused

CHECKOUT = Path(__file__).resolve().parent.parent


_MEANT = {"CDP_BASE_URL": "it must be like https://cdp.example.com"}
"""What a setting should look like, where the rule that it breaks says nothing to people."""


class Settings(BaseSettings):
    """The settings of one deployment; read once, then passed around."""

    model_config = SettingsConfigDict(env_prefix="CDP_", env_file=".env", extra="ignore", frozen=True)

    home: Path = Field(Path(".cdp"), description="Folder for the embedded database, logs of the ledger and defaults")
    database_url: str = Field("", description="SQLAlchemy URL; default: SQLite in the home")
    database_patience_seconds: float = Field(
        10.0, ge=1, le=600, description="How long a statement, a lock or a silent database is waited for"
    )
    keyring: str = Field("", description="URI of the keyring; default `file:` in the home")
    keyring_mirror: str = Field("", description="URI of a second, synchronous copy on another disk")
    policies: Path | None = Field(None, description="Folder of policies; default: the checkout's, else the home's")
    connectors: Path | None = Field(None, description="Folder of connectors; default: the checkout's")
    base_url: str = Field(
        "http://127.0.0.1:8000", pattern=r"^https?://[^/]+", description="Where others reach this deployment"
    )
    lease_seconds: float = Field(
        2.0, gt=0, le=10, description="How long a page may take from its record to its hand-over"
    )
    max_batch_bytes: int = Field(500_000, gt=0, description="Largest unpacked ingest body")
    max_event_bytes: int = Field(32_000, gt=0, description="Largest single event")
    public_address_rate: int = Field(
        6_000, ge=0, description="Events a minute that one address may send through one public key; 0 = any number"
    )
    public_key_rate: int = Field(
        120_000, ge=0, description="Events a minute that all addresses may send through one public key; 0 = any number"
    )
    trusted_proxies: int = Field(
        0, ge=0, le=10, description="Reverse proxies before us whose X-Forwarded-For is believed; 0 = none"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least severe log line written")

    @property
    def url(self) -> str:
        return self.database_url or f"sqlite:///{self.home.resolve() / 'cdp.db'}"

    @property
    def keyring_uri(self) -> str:
        return self.keyring or f"file:{self.home.resolve() / 'keyring' / 'keyring.json'}"

    @property
    def policies_path(self) -> Path:
        return _first_folder(self.policies, CHECKOUT / "policies", self.home / "policies", what="policies")

    @property
    def connectors_path(self) -> Path:
        return _first_folder(self.connectors, CHECKOUT / "connectors", self.home / "connectors", what="connectors")


def read_settings() -> Settings:
    """Read the environment; raises StartRefused with one sentence for a wrong value."""
    try:
        return Settings()  # type: ignore[call-arg]
    except ValidationError as error:
        first = error.errors()[0]
        name = "CDP_" + "_".join(str(part) for part in first["loc"]).upper()
        raise StartRefused(f"The setting {name} is wrong: {_MEANT.get(name, first['msg'].lower())}.") from None


def _first_folder(declared: Path | None, *defaults: Path, what: str) -> Path:
    if declared is not None:
        if not declared.is_dir():
            raise StartRefused(f"CDP_{what.upper()} names {declared}, and there is no such folder.")
        return declared
    for folder in defaults:
        if folder.is_dir():
            return folder
    raise StartRefused(f"There is no folder of {what}: run `cdp init`, or set CDP_{what.upper()}.")
