"""The shop's own web site: the pages of these tests and the SDKs as npm brought them, on an origin of their own."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.browser.packages import FOLDER, HERE


class Site:
    """Serves `pages/` and, under `/npm/`, what is installed; `localhost` is another site than 127.0.0.1."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Page, directory=str(HERE / "pages")))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://localhost:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)


class _Page(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        """Lead from a module's bare name to its file, as bundlers find it: what it imports stands beside the file."""
        bare = self.path.partition("?")[0]
        ending = _ending(Path(self.translate_path(bare))) if bare.startswith("/npm/") else ""
        if not ending:
            super().do_GET()
            return
        self.send_response(302)
        self.send_header("Location", bare + ending)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def translate_path(self, path: str) -> str:
        bare = path.partition("?")[0]
        return str(FOLDER / bare.removeprefix("/npm/")) if bare.startswith("/npm/") else super().translate_path(path)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: a path may hold a key."""


def _ending(wanted: Path) -> str:
    if wanted.is_dir():
        return "/index.js"
    return "" if wanted.is_file() else ".js"
