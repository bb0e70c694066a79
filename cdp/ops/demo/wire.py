"""HTTP from outside, as any client speaks it: standard library, one kept connection per thread."""

import base64
import http.client
import json
import threading
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode


class AnswerError(RuntimeError):
    """The server answered something that the story cannot go on with."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and how long it took."""

    status: int
    body: bytes
    milliseconds: float

    @property
    def json(self) -> Any:
        """The body, read; raises AnswerError for one that is no JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise AnswerError(f"no JSON came, but {self.status}") from None

    def expect(self, status: int) -> "Answer":
        """Return the answer itself; raises AnswerError, with the problem's type, for another status."""
        if self.status != status:
            problem = self.json.get("type", "") if self.body.startswith(b"{") else ""
            raise AnswerError(f"{self.status} {problem}, and not {status}")
        return self


class Wire:
    """Connections to the running server."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._local = threading.local()

    def call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
        """Send a request, once more if a kept connection was closed meanwhile, and return the answer."""
        raw, sent = _encoded(body), {"Accept": "application/json", **(headers or {})}
        if raw is not None:
            sent.setdefault("Content-Type", "application/json")
        for attempt in (1, 2):
            try:
                return self._once(method, path, raw, sent)
            except (http.client.HTTPException, ConnectionError):
                self._local.connection = None
                if attempt == 2:
                    raise
        raise AssertionError("unreachable")

    def is_ready(self) -> bool:
        try:
            return self.call("GET", "/readyz").status == 200
        except OSError:
            return False

    def _once(self, method: str, path: str, raw: bytes | None, headers: dict[str, str]) -> Answer:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        started = time.perf_counter()
        connection.request(method, path, raw, headers)
        response = connection.getresponse()
        content = response.read()
        return Answer(response.status, content, (time.perf_counter() - started) * 1000)


class ApiClient:
    """One registered client: fetches its token and calls the API with it."""

    def __init__(self, wire: Wire, client_id: str, client_secret: str) -> None:
        self.wire, self.client_id, self._secret = wire, client_id, client_secret
        self._token = ""

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        if not self._token:
            self._token = self._fetch()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self.wire.call(method, path, body, {"Authorization": f"Bearer {self._token}", **named})
        if answer.status == 401 and b"invalid_token" in answer.body:
            self._token = self._fetch()
            return self.wire.call(method, path, body, {"Authorization": f"Bearer {self._token}", **named})
        return answer

    def get(self, path: str, **query: str | int) -> Answer:
        return self.call("GET", f"{path}?{urlencode(query)}" if query else path)

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        return self.call("POST", path, body, **headers)

    def _fetch(self) -> str:
        answer = self.wire.call(
            "POST",
            "/oauth/token",
            urlencode({"grant_type": "client_credentials"}).encode(),
            {"Authorization": basic(self.client_id, self._secret), "Content-Type": "application/x-www-form-urlencoded"},
        )
        if answer.status != 200:
            raise AnswerError(f"no token for {self.client_id}: {answer.status}")
        return str(answer.json["access_token"])


def basic(user: str, password: str) -> str:
    """Write the Basic header."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _encoded(body: Any) -> bytes | None:
    if body is None or isinstance(body, bytes):
        return body
    return json.dumps(body, ensure_ascii=False).encode()
