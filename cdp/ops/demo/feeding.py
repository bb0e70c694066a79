"""Brings every trace through the door that its system would use: files, batches, signed webhooks, the API."""

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cdp.ops.demo.records import Traces
from cdp.ops.demo.taken import Taken
from cdp.ops.demo.vendors import Line, SendGrid
from cdp.ops.demo.wire import Answer, ApiClient, Wire, basic

T = TypeVar("T")
AT_ONCE = 4
REPORTED = {"Prefer": "return=representation"}
"""Asks a door to say what became of each record."""


class Feed:
    """The doors of one running deployment, and what each of them answered."""

    def __init__(self, console: Console, wire: Wire) -> None:
        self.console, self.wire = console, wire
        self.statuses: dict[str, Counter[int]] = {}

    def site(self, calls: list[dict[str, Any]], write_key: str) -> Taken:
        """Send Segment batches of four hundred calls, and count what the reports say of each."""
        headers = {"Authorization": basic(write_key, ""), **REPORTED}

        def send(batch: list[dict[str, Any]]) -> Answer:
            return self.wire.call("POST", "/v1/batch", {"batch": batch}, headers)

        return self._reported("site: Segment batches", list(_slices(calls, 400)), send)

    def line(self, events: list[dict[str, Any]], path: str, line: Line) -> Taken:
        """Deliver LINE webhooks, signed with the channel's secret."""

        def send(events: list[dict[str, Any]]) -> Answer:
            body = json.dumps({"destination": "U" + "0" * 32, "events": events}, ensure_ascii=False).encode()
            return self.wire.call("POST", path, body, {**line.headers(body), **REPORTED})

        return self._reported("SNS: LINE webhooks", list(_slices(events, 100)), send)

    def mail(self, events: list[dict[str, Any]], path: str, sendgrid: SendGrid) -> Taken:
        """Deliver SendGrid event webhooks, signed with the vendor's key."""

        def send(events: list[dict[str, Any]]) -> Answer:
            body = json.dumps(events).encode()
            return self.wire.call("POST", path, body, {**sendgrid.headers(body), **REPORTED})

        return self._reported("e-mail: SendGrid webhooks", list(_slices(events, 400)), send)

    def consents(self, said: list[dict[str, Any]], client: ApiClient) -> Taken:
        """Post what people said in forms, one by one, as a preference form does."""
        return self._stated("consents by the API", said, "/api/consents", client)

    def withdrawals(self, said: list[dict[str, Any]], client: ApiClient) -> Taken:
        """Post withdrawals; each holds when it is answered."""
        return self._stated("withdrawals", said, "/api/consents/withdraw", client)

    def all_answered(self, *statuses: int) -> bool:
        """Whether no door ever answered anything but these."""
        return not {status for counts in self.statuses.values() for status in counts} - set(statuses)

    def _reported(self, title: str, pieces: list[list[T]], send: Callable[[list[T]], Answer]) -> Taken:
        taken = Taken(sent=sum(map(len, pieces)))
        for answer in self._through(title, pieces, send, len):
            if answer.status == 200:
                taken.add_report(answer.json)
        return taken

    def _stated(self, title: str, said: list[dict[str, Any]], path: str, client: ApiClient) -> Taken:
        taken = Taken(sent=len(said))
        for answer in self._through(title, said, lambda body: client.post(path, body), lambda _: 1):
            taken.add_answer(answer.status, answer.json)
        return taken

    def _through(
        self, title: str, pieces: list[T], send: Callable[[T], Answer], size: Callable[[T], int]
    ) -> Iterator[Answer]:
        counts = self.statuses.setdefault(title, Counter())
        with _progress(self.console) as progress, ThreadPoolExecutor(AT_ONCE) as threads:
            task = progress.add_task(title, total=sum(map(size, pieces)))
            for piece, answer in zip(pieces, threads.map(send, pieces), strict=True):
                counts[answer.status] += 1
                progress.advance(task, size(piece))
                yield answer


def write_files(traces: Traces, folder: Path) -> tuple[Path, Path]:
    """Write the CRM's export (UTF-8 with BOM) and the shop's (CP932, Japanese headers, CRLF)."""
    crm, shop = folder / "hubspot-contacts.csv", folder / "kaiin.csv"
    _write(crm, traces.crm, "utf-8-sig")
    _write(shop, traces.shop, "cp932")
    return crm, shop


def _write(path: Path, rows: list[dict[str, str]], encoding: str) -> None:
    with path.open("w", encoding=encoding, newline="", errors="strict") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _progress(console: Console) -> Progress:
    columns = TextColumn("  {task.description:<28}"), BarColumn(30), MofNCompleteColumn(), TimeElapsedColumn()
    return Progress(*columns, console=console)


def _slices(values: list[T], size: int) -> Iterator[list[T]]:
    return (values[start : start + size] for start in range(0, len(values), size))
