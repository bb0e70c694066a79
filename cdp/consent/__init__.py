"""Keeps what people said, and to which notice; only ever adds."""

from cdp.consent import bundles, proofs
from cdp.consent.holder import holder
from cdp.consent.journal import lost as lost_silences
from cdp.consent.links import confirm, read_unsubscribe_token, request, unsubscribe, unsubscribe_token
from cdp.consent.records import Statement, beside, noes_at, record, record_all, rename, said_by
from cdp.consent.suppression import in_force, lift, readmit, silence_again, suppress, suppress_all, suppressed_tokens
from cdp.consent.withdrawal import Point, hold, point, said_for, withdraw

__all__ = [
    "Point",
    "Statement",
    "beside",
    "bundles",
    "confirm",
    "hold",
    "holder",
    "in_force",
    "lift",
    "lost_silences",
    "noes_at",
    "point",
    "proofs",
    "read_unsubscribe_token",
    "readmit",
    "record",
    "record_all",
    "rename",
    "request",
    "said_by",
    "said_for",
    "silence_again",
    "suppress",
    "suppress_all",
    "suppressed_tokens",
    "unsubscribe",
    "unsubscribe_token",
    "withdraw",
]
