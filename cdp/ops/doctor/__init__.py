"""Looks for what would hurt, before it does; every finding says why, and what to do about it.

Works on a deployment that does not start: each look is on its own, and one that cannot look says so.
It changes nothing.
"""

from cdp.clock import Clock, SystemClock
from cdp.db import Database
from cdp.errors import StartRefused, Unavailable
from cdp.ops.doctor import breaches, engines, homes, keys, people, records, rules, times, work
from cdp.ops.doctor.findings import Finding, Look, Patient, hurts, sound
from cdp.policy import PolicyError
from cdp.settings import Settings

__all__ = ["Finding", "examine"]

LOOKS: tuple[tuple[str, Look], ...] = (
    ("keyring", keys.copies_of_keyring),
    ("old copies of the keyring", keys.stale_copies),
    ("logs beside the keyring", keys.logs),
    ("keyring and database belong together", keys.mark),
    ("keys that are retired", keys.retired),
    ("keys of the blind index", keys.index),
    ("files", homes.permissions),
    ("disks", homes.disks),
    ("address", homes.address),
    ("backups", homes.backups),
    ("restored backups", homes.restored),
    ("tables", engines.schema),
    ("database", engines.engine),
    ("clock", times.clock),
    ("policies", rules.policies),
    ("contracts and checks", rules.ends),
    ("record of processing", records.processing_record),
    ("origins of data", records.origins_of_data),
    ("who is who", people.identity),
    ("worker", work.worker),
    ("work that waits", work.waiting),
    ("breaches", breaches.owed),
    ("ledger", work.ledger_tail),
)


def examine(settings: Settings, clock: Clock | None = None) -> list[Finding]:
    """Look at everything and return every finding."""
    clock = clock or SystemClock()
    database = Database(settings.url, clock=clock, patience=settings.database_patience_seconds)
    patient = Patient(settings, clock, database)
    try:
        return [finding for name, look in LOOKS for finding in _looked(name, look, patient)]
    finally:
        database.dispose()


def _looked(name: str, look: Look, patient: Patient) -> list[Finding]:
    try:
        return list(look(patient)) or [sound(name)]
    except PolicyError as error:
        return [hurts("refused", look=name, sentence="; ".join(error.failures))]
    except StartRefused as error:
        return [hurts("refused", look=name, sentence=str(error))]
    except Unavailable as error:
        return [hurts("out_of_reach", look=name, thing=error.what)]
    except OSError as error:
        return [hurts("unreadable", look=name, kind=type(error).__name__)]
