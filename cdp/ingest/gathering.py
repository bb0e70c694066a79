"""Group commit: small requests that come at once share one transaction, and each waits until it is durable.

Whoever finds nobody at work leads: it commits everything that waits, its own request among it, and hands on
to the first of those who came meanwhile. Nobody waits for company; under load there is some. What spoils the
common transaction is kept from the others: then each request is stored on its own and fails on its own,
until something is out of reach; that is so for the rest too, and nobody waits for it once for each.
Refuses to let more wait than a transaction can soon take (`Unavailable`, which the web answers with 503).
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from cdp.errors import Unavailable

Request = TypeVar("Request")
Answer = TypeVar("Answer")

MOST_WAITING = 256
"""Requests; beyond that a client does better to come again."""

MOST_TOGETHER = 100
"""Requests in one transaction: it must stay short, since others wait for its locks."""


class _Waiting(Generic[Request, Answer]):
    """One request, and what its thread wakes up to: an answer, an error, or the turn to lead."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.turn = threading.Event()
        self.answer: Answer | None = None
        self.error: Exception | None = None

    @property
    def over(self) -> bool:
        return self.answer is not None or self.error is not None


class Gathering(Generic[Request, Answer]):
    """Stores requests of many threads together; `store` writes some in one transaction and answers in order."""

    def __init__(self, store: Callable[[Sequence[Request]], Sequence[Answer]], most: int = MOST_WAITING) -> None:
        self._store = store
        self._most = most
        self._lock = threading.Lock()
        self._queue: deque[_Waiting[Request, Answer]] = deque()
        self._led = False

    @property
    def waiting(self) -> int:
        """How many requests wait for a transaction to come."""
        return len(self._queue)

    def take(self, request: Request) -> Answer:
        """Return the answer to the request once it is durable; raises what storing it raised."""
        mine = _Waiting[Request, Answer](request)
        with self._lock:
            if len(self._queue) >= self._most:
                raise Unavailable("ingest")
            self._queue.append(mine)
            if not self._led:
                self._led = True
                mine.turn.set()
        mine.turn.wait()
        if not mine.over:
            self._lead()
        if mine.error is not None:
            raise mine.error
        assert mine.answer is not None
        return mine.answer

    def _lead(self) -> None:
        with self._lock:
            group = [self._queue.popleft() for _ in range(min(len(self._queue), MOST_TOGETHER))]
        try:
            self._answer(group)
        finally:
            with self._lock:
                following = self._queue[0] if self._queue else None
                self._led = following is not None
            for one in group:
                if not one.over:  # whoever led was stopped from outside
                    one.error = Unavailable("ingest")
                one.turn.set()
            if following is not None:
                following.turn.set()

    def _answer(self, group: Sequence[_Waiting[Request, Answer]]) -> None:
        try:
            self._keep(group)
        except Unavailable as error:
            _give_up(group, error)
        except Exception as error:
            if len(group) == 1:
                group[0].error = error
            else:
                self._answer_each(group)

    def _answer_each(self, group: Sequence[_Waiting[Request, Answer]]) -> None:
        for number, one in enumerate(group):
            try:
                self._keep([one])
            except Unavailable as error:
                _give_up(group[number:], error)
                return
            except Exception as error:
                one.error = error

    def _keep(self, group: Sequence[_Waiting[Request, Answer]]) -> None:
        answers = self._store([one.request for one in group])
        for one, answer in zip(group, answers, strict=True):
            one.answer = answer


def _give_up(group: Sequence[_Waiting[Any, Any]], error: Unavailable) -> None:
    """Tell all of these what is out of reach: it is so for everybody."""
    for one in group:
        one.error = _again(error)


def _again(error: Unavailable) -> Unavailable:
    """Return the same error for another thread, with the same cause."""
    same = type(error)(error.what)
    same.__cause__ = error.__cause__
    return same
