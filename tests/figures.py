"""What the long runs measured, in one table at the end of pytest."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

KEY = "figures"

Figures = Callable[..., None]


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Figures:
    """Keep what a test measured: `figures("kill -9 during ingest, SQLite", kills=200, lost=0)`."""

    def keep(title: str, **measured: Any) -> None:
        said = ", ".join(f"{name.replace('_', ' ')} {_told(value)}" for name, value in measured.items())
        request.node.user_properties.append((KEY, [title, said]))
        print(f"{title}: {said}")

    return keep


def table(reports: Iterable[pytest.TestReport]) -> list[str]:
    """Return the lines of the table: what was run, how it ended, how long it took, what it measured."""
    rows = [
        (title, report.outcome, f"{report.duration:.0f} s", said)
        for report in reports
        if report.when == "call"
        for key, (title, said) in ((key, value) for key, value in report.user_properties if key == KEY)
    ]
    widths = [max((len(row[n]) for row in rows), default=0) for n in range(3)]
    return ["  ".join([*(row[n].ljust(widths[n]) for n in range(3)), row[3]]) for row in sorted(rows)]


def _told(value: Any) -> str:
    return f"{value:,.3g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
