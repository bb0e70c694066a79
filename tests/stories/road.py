"""A rough road between an SDK and the server: it loses what is sent, and swallows answers after the server has stored.

It stands where a TLS proxy stands, so its address is the deployment's own. What passed is kept,
and can be sent once more byte by byte.
"""

import http.client
import socket
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LOST = "lost"
"""503 before the server has heard of it."""
UNAVAILABLE = "unavailable"
"""503 after the server has stored it."""
CUT = "cut"
"""The connection ends after the server has stored it, without an answer."""

HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "host", "content-length", "date", "server"})


@dataclass
class Passed:
    """One request as it came, and how it fared."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    fault: str = ""
    status: int = 0


@dataclass
class Road:
    """Forwards to `port`; the faults that are due are spent on the next posts, in order."""

    port: int = 0
    passed: list[Passed] = field(default_factory=list)
    due: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._server = _Lanes(("127.0.0.1", 0), type("_Bound", (_Carrier,), {"road": self}))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def roughen(self, faults: Iterable[str]) -> None:
        """Begin a story: forget what passed and spend these faults on the next posts."""
        with self._lock:
            self.passed, self.due = [], list(faults)

    @property
    def posts(self) -> list[Passed]:
        return [one for one in self.passed if one.method == "POST"]

    @property
    def unanswered(self) -> int:
        """Posts that are with the server still."""
        return sum(one.status == 0 and one.fault != LOST for one in self.posts)

    @property
    def swallowed(self) -> int:
        """Answers that the server gave and the SDK never got."""
        return sum(one.fault in (UNAVAILABLE, CUT) for one in self.posts)

    def repeat(self) -> int:
        """Send every post that the server took once more, as it was; returns how many."""
        taken = [one for one in self.posts if one.fault != LOST]
        for one in taken:
            status, _, _ = self.carry(one)
            assert status == one.status, f"{one.path}: {status}, and {one.status} before"
        return len(taken)

    def carry(self, one: Passed) -> tuple[int, list[tuple[str, str]], bytes]:
        """Forward a request and return the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(one.method, one.path, one.body, one.headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def enter(self, one: Passed) -> str:
        """Note a request and return the fault that it meets."""
        with self._lock:
            self.passed.append(one)
            one.fault = self.due.pop(0) if self.due and one.method == "POST" else ""
        return one.fault


class _Lanes(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Let a traveller who hangs up go in silence."""


class _Carrier(BaseHTTPRequestHandler):
    road: Road
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        one = Passed(self.command, self.path, headers, body)
        fault = self.road.enter(one)
        if fault == LOST:
            self._answer(503, [], b"")
            return
        one.status, told, answer = self.road.carry(one)
        if fault == CUT:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        else:
            self._answer(503 if fault == UNAVAILABLE else one.status, told, answer)

    do_GET = do_POST = do_OPTIONS = _pass

    def _answer(self, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: a path may hold a key."""
