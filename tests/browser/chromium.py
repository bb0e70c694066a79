"""The system's Chromium without a screen; it finds no host but this machine."""

import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode, urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, Request, sync_playwright

PROGRAMS = "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]
HERE = frozenset({"127.0.0.1", "localhost"})


def missing() -> str:
    """Return why there is no browser, or an empty text."""
    return "" if _program() else "no Chromium is installed"


@contextmanager
def running() -> Iterator[Browser]:
    """Start the browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_program(), args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


class Visitor:
    """One person's browser profile: cookies and storage of its own, and a note of what went wrong or astray."""

    def __init__(self, browser: Browser, site: str, headers: Mapping[str, str] | None = None) -> None:
        self.context: BrowserContext = browser.new_context(extra_http_headers=dict(headers or {}))
        self._site = site
        self.strayed: list[str] = []
        self.wrong: list[str] = []
        self.context.on("request", self._note)

    def open(self, page: str, url: str, key: str, options: Mapping[str, Any] | None = None) -> Page:
        """Open a page of the shop, told where to send and what to give the SDK as options, and wait until it runs."""
        opened = self.context.new_page()
        opened.on("pageerror", lambda error: self.wrong.append(str(error)))
        told = {"url": url, "key": key, "options": json.dumps(options or {})}
        opened.goto(f"{self._site}/{page}.html?{urlencode(told)}")
        opened.wait_for_function("window.ready")
        return opened

    def close(self) -> None:
        self.context.close()

    def _note(self, request: Request) -> None:
        host = urlsplit(request.url).hostname or ""
        if urlsplit(request.url).scheme.startswith("http") and host not in HERE:
            self.strayed.append(f"{request.method} {host}")


def arrives(page: Page, found: Callable[[], Any], wanted: Any) -> None:
    """Let the page work until what is found is what is wanted, a minute at most; then it must be."""
    deadline = time.monotonic() + 60
    while found() != wanted and time.monotonic() < deadline:
        page.wait_for_timeout(50)
    assert found() == wanted


def _program() -> str | None:
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)
