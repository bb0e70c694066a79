"""A write under an `Idempotency-Key` happens once: the answer is stored in its own transaction.

The same key with another request is 422. An answer holds ids and links, never a person's value,
and is sealed all the same.
"""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import Response, jsonify, request
from sqlalchemy import delete, update
from sqlmodel import Session, col

from cdp import vault
from cdp.db import insert_ignoring
from cdp.errors import Problem
from cdp.web import current
from cdp.web.api.model import Idempotency

KEPT = timedelta(days=1)

LONGEST_KEY = 255

Act = Callable[[Session], dict[str, Any]]


def once(act: Act, status: int, finish: Callable[[dict[str, Any]], dict[str, Any]] | None = None) -> Response:
    """Run the write in one transaction and answer its body with the status, or answer as the first time.

    `finish` completes the answer after the commit, for what must wait for it. It runs again if the
    process died before its end, so that it must be harmless to repeat.
    """
    key = request.headers.get("Idempotency-Key", "")

    def work(session: Session) -> tuple[bool, int, dict[str, Any]]:
        slot = _Slot(session, key) if key else None
        earlier = slot.claim() if slot else None
        if earlier is not None:
            return earlier[0] > 0, *earlier
        body = act(session)
        if slot:
            slot.keep(status if finish is None else -status, body)
        return False, status, body

    finished, said, body = current.database().attempt(work)
    if finished:
        return _answer(said, body)
    if finish is not None:
        body = finish(body)
        _keep_later(key, status, body)
    return _answer(status, body)


class _Slot:
    """The row of one key of one client."""

    def __init__(self, session: Session, key: str) -> None:
        if len(key) > LONGEST_KEY:
            raise Problem(400, "invalid_idempotency_key", "An Idempotency-Key has at most 255 characters.")
        self.session = session
        self.client = current.caller().client_id
        self.keys = vault.of(session)
        self.key = self.keys.digest("idempotency", key.encode())
        line = f"{request.method} {request.path}\n".encode()
        self.fingerprint = self.keys.digest("idempotency_request", line + request.get_data())

    def claim(self) -> tuple[int, dict[str, Any]] | None:
        """Take the key; returns the earlier answer if there is one.

        On PostgreSQL a second request waits here for the first one's commit; on SQLite at BEGIN.
        """
        now = current.now()
        self.session.execute(delete(Idempotency).where(col(Idempotency.until) < now))
        mine = {
            "client": self.client,
            "key": self.key,
            "fingerprint": self.fingerprint,
            "status": 0,
            "sealed_answer": b"",
            "until": now + KEPT,
        }
        insert_ignoring(self.session, Idempotency, [mine])
        row = self.session.get_one(Idempotency, (self.client, self.key))
        if row.fingerprint != self.fingerprint:
            raise Problem(422, "idempotency_key_reused", "This Idempotency-Key was used for another request.")
        if not row.status:
            return None
        return row.status, json.loads(self.keys.open_credentials(self._name(), row.sealed_answer))

    def keep(self, status: int, body: dict[str, Any]) -> None:
        sealed = self.keys.seal_credentials(self._name(), json.dumps(body).encode())
        self.session.execute(
            update(Idempotency)
            .where(col(Idempotency.client) == self.client, col(Idempotency.key) == self.key)
            .values(status=status, sealed_answer=sealed)
        )

    def _name(self) -> str:
        return f"idempotency:{self.client}:{self.key.hex()}"


def _keep_later(key: str, status: int, body: dict[str, Any]) -> None:
    if not key:
        return
    current.database().attempt(lambda session: _Slot(session, key).keep(status, body))


def _answer(status: int, body: dict[str, Any]) -> Response:
    response = jsonify(body)
    response.status_code = status
    return response
