"""Checking a receipt with nothing but a public key: no home, no database, no network.

Only the very bytes that were signed pass: a copy that was changed, cut off or formatted anew is refused,
whatever it says. Nothing of what it says is believed, or shown, before that.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import rfc8785

from cdp.consent.receipts.document import FORMS
from cdp.ledger.jws import claimed_by, verifies

TYPE = "consent-receipt"
"""The `typ` of the signature's header."""

LONGEST = 1_000_000
"""Bytes of a document."""

FLAWS: dict[str, tuple[str, str]] = {
    "too_long": ("同意レシートにしては大きすぎます", "it is too long for a receipt"),
    "not_whole": ("途中で切れているか、JSONではありません", "it is cut off, or no JSON"),
    "said_twice": ("同じ項目が二度あります", "it names a member twice"),
    "not_as_signed": (
        "署名されたときの書き方ではありません。受け取ったままのファイルを検証してください",
        "it is not written as it was signed: check the file as it was received",
    ),
    "no_receipt": ("同意のレシートでも記録でもありません", "it is no receipt or record of a consent"),
    "other_key": ("与えられた鍵による署名ではありません", "it is not signed with a key that was given"),
    "altered": ("署名と内容が合いません。変更されています", "its signature does not fit: it was changed"),
}
"""Why a document is not valid, in ja and en."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Either a document that may be believed and the key that signed it, or what is wrong: a name of FLAWS."""

    flaw: str = ""
    document: dict[str, Any] | None = None
    key: bytes = b""


class _Twice(ValueError):
    """A member was named twice."""


def check(content: bytes, keys: Sequence[bytes]) -> Verdict:
    """Say whether these bytes are a document that the holder of one of these Ed25519 keys signed."""
    if len(content) > LONGEST:
        return Verdict("too_long")
    try:
        said = json.loads(content.decode("utf-8"), object_pairs_hook=_once)
        as_signed = rfc8785.dumps(said)
    except _Twice:
        return Verdict("said_twice")
    except (ValueError, RecursionError):
        return Verdict("not_whole")
    if not isinstance(said, dict) or not isinstance(said.get("signature"), str):
        return Verdict("no_receipt")
    return Verdict("not_as_signed") if as_signed != content else _signed(said, keys)


def _signed(said: dict[str, Any], keys: Sequence[bytes]) -> Verdict:
    signature = said.pop("signature")
    key = claimed_by(keys, TYPE, signature)
    if key is None:
        return Verdict("other_key")
    if not verifies(key, TYPE, rfc8785.dumps(said), signature):
        return Verdict("altered")
    header = said.get("header")
    if not isinstance(header, dict) or header.get("form") not in FORMS.values():
        return Verdict("no_receipt")
    return Verdict(document=said, key=key)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _Twice
    return members
