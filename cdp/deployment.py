"""One deployment put together: settings, keys, policy, database, and who settles what.

Nothing opens a door before `assemble` has returned, and it returns only when the keyring is this
database's newest, the tables are of this program's revision, and everyone who was ever erased is
erased in this very database.
"""

import shutil
import sysconfig
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import cast

from cdp import audience, connector, consent, gate, journey, ledger, migrations, policy, profile, rights, vault
from cdp.clock import Clock, ForwardClock, SystemClock
from cdp.consent import journal
from cdp.db import Database
from cdp.errors import StartRefused
from cdp.holders import Holder
from cdp.identity import config as identity_config
from cdp.ingest.sources import tell_all_terms
from cdp.ledger import Signer
from cdp.policy.terms import Policy
from cdp.rights import periods
from cdp.rights.replay import Progress
from cdp.rights.tombstones import FILE
from cdp.settings import Settings, read_settings
from cdp.vault import Keyring, Vault
from cdp.vault.copies import open_copy

SHIPPED = Path(sysconfig.get_path("data")) / "share" / "sekisho" / "policies"
"""Where an installation without a checkout keeps the policies that ship."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """Everything that doors and jobs reach."""

    settings: Settings
    database: Database
    vault: Vault
    signer: Signer
    clock: Clock
    holders: tuple[Holder, ...]

    @property
    def policy(self) -> Policy:
        """The policy as the day has it."""
        return cast(Policy, self.database.context["policy"])

    @property
    def erasures(self) -> tuple[Path, ...]:
        """The copies of `erasures.log`, one beside each copy of the keyring."""
        return erasure_logs(self.settings)

    def close(self) -> None:
        """Let go of the database."""
        self.database.dispose()


def assemble(
    settings: Settings | None = None, clock: Clock | None = None, progress: Progress = lambda done, total: None
) -> Deployment:
    """Put the deployment together, or raise StartRefused with one sentence that says what to do."""
    settings = settings or read_settings()
    clock = clock or ForwardClock(SystemClock())
    keys = Vault(load_keyring(settings))
    terms = load_policy(settings, clock.now().date())
    signer = Signer.load(ledger_folder(settings))
    types = connector.load(settings.connectors_path)
    context = {"vault": keys, "policy": terms, "signer": signer, "connectors": types}
    context[journal.CONTEXT] = silence_logs(settings)
    settlers = [("profile", profile.settle), ("gate", gate.settle), ("journey", journey.settle)]
    patience = settings.database_patience_seconds
    database = Database(settings.url, clock=clock, context=context, settlers=settlers, patience=patience)
    database.renewals.append(policy.follow_the_day)
    deployment = Deployment(settings, database, keys, signer, clock, rights.HOLDERS)
    try:
        _check(deployment, progress)
    except BaseException:
        deployment.close()
        raise
    return deployment


def initialise(settings: Settings) -> list[str]:
    """Make what a home needs and is missing; returns a line for each thing made, none the second time."""
    made = []
    if not settings.home.is_dir():
        settings.home.mkdir(mode=0o700, parents=True)
        made.append(f"home {settings.home}")
    made += _make_policies(settings)
    made += _make_keys(settings)
    made += _make_database(settings)
    return made


def load_policy(settings: Settings, on: date | None = None) -> Policy:
    """Load the policies as a day has them, with every rule that they declare; raises PolicyError."""
    terms = policy.load(settings.policies_path, on)
    failures = [*journey.check(terms), *audience.check(terms), *periods.check(terms)]
    if failures:
        raise policy.PolicyError(failures)
    return terms


def load_keyring(settings: Settings) -> Keyring:
    """Open the keyring; where there was never one, the sentence names `cdp init`."""
    paths = keyring_paths(settings)
    if not any(path.exists() for path in paths):
        raise StartRefused(f"There is no keyring at {paths[0]}: run `cdp init` for a new home, or bring it back.")
    return Keyring.load(settings.keyring_uri, settings.keyring_mirror)


def keyring_paths(settings: Settings) -> list[Path]:
    """Return where the copies of the keyring are."""
    uris = [settings.keyring_uri, *([settings.keyring_mirror] if settings.keyring_mirror else [])]
    return [open_copy(uri, "keyring").path for uri in uris]


def erasure_logs(settings: Settings) -> tuple[Path, ...]:
    """Return the copies of `erasures.log`, one in each folder that holds a copy of the keyring."""
    return tuple(dict.fromkeys(path.parent / FILE for path in keyring_paths(settings)))


def silence_logs(settings: Settings) -> tuple[Path, ...]:
    """Return the copies of `silences.log`, one in each folder that holds a copy of the keyring."""
    return tuple(dict.fromkeys(path.parent / journal.FILE for path in keyring_paths(settings)))


def ledger_folder(settings: Settings) -> Path:
    """Return where the ledger's key and its checkpoints outside the database are."""
    return settings.home / "ledger"


def _check(deployment: Deployment, progress: Progress) -> None:
    """Refuse a database that may not be opened, then bring it to where it must be before any door opens."""
    database = deployment.database
    found = migrations.shape(database.writer)
    if found != "current":
        raise StartRefused(_SHAPES[found])
    with database.snapshot() as session:
        newest = ledger.newest_instant(session)
    if newest is not None and isinstance(deployment.clock, ForwardClock):
        deployment.clock.go_on_from(newest)
    with database.transaction() as session:
        vault.check_mark(session, deployment.vault.keyring, deployment.clock.now())
        ledger.reopen(session, deployment.signer, deployment.clock.now())
    gate.register_policy(database)
    database.attempt(lambda session: identity_config.begin(session, deployment.clock.now()))
    database.attempt(tell_all_terms)
    rights.replay(deployment, progress)
    with database.snapshot() as session:
        lost = consent.lost_silences(session, silence_logs(deployment.settings))
    if lost:
        with database.transaction() as session:
            consent.silence_again(session, lost, deployment.clock.now())


_SHAPES = {
    "empty": "The database has no tables: run `cdp init`.",
    "older": "The database is of an older Sekisho: make a backup, then run `cdp migrate`.",
    "unknown": migrations.NEWER,
}


def _make_policies(settings: Settings) -> list[str]:
    """Copy the policies that ship where none are found; each file says in comments what it decides."""
    try:
        settings.policies_path  # noqa: B018 - raises where there is none
    except StartRefused:
        if settings.policies is not None:
            raise
        if not SHIPPED.is_dir():
            raise
        shutil.copytree(SHIPPED, settings.home / "policies")
        return [f"policies {settings.home / 'policies'}"]
    return []


def _make_keys(settings: Settings) -> list[str]:
    made = []
    if not any(path.exists() for path in keyring_paths(settings)):
        _refuse_orphan(settings)
        Keyring.create(settings.keyring_uri, settings.keyring_mirror)
        made.append(f"keyring {settings.keyring_uri}")
    if not (ledger_folder(settings) / "ledger.key").exists():
        Signer.create(ledger_folder(settings))
        made.append(f"ledger key {ledger_folder(settings)}")
    return made


def _refuse_orphan(settings: Settings) -> None:
    """A database without its keyring is not a new home: a fresh keyring would make it unreadable for good."""
    database = Database(settings.url)
    try:
        if not (database.is_sqlite and not _sqlite_file(settings).exists()) and migrations.revision(database.writer):
            raise StartRefused("There is a database and no keyring: bring the keyring back, a new one opens nothing.")
    finally:
        database.dispose()


def _make_database(settings: Settings) -> list[str]:
    if settings.url.startswith("sqlite"):
        _sqlite_file(settings).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sqlite_file(settings).touch(mode=0o600)
    database = Database(settings.url)
    try:
        if migrations.shape(database.writer) == "current":
            return []
        return [f"database at revision {migrations.upgrade(database.writer)}"]
    finally:
        database.dispose()


def _sqlite_file(settings: Settings) -> Path:
    return Path(settings.url.removeprefix("sqlite:///"))
