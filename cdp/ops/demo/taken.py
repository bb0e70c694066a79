"""What a door said about what was brought: how much it took, and what it refused or left out, by reason."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Taken:
    """One door's own account of everything that came through it."""

    sent: int = 0
    """What the generator brought; everything else is what the door answered."""
    accepted: int = 0
    duplicates: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """Reason → records that were not taken at all."""
    dropped: dict[str, Counter[str]] = field(default_factory=dict)
    """Reason → field of accepted records that was left out → how often."""

    @property
    def adds_up(self) -> bool:
        """Whether each record that was sent is spoken of exactly once."""
        return self.sent == self.accepted + self.duplicates + sum(self.refused.values())

    def add_report(self, report: Mapping[str, Any]) -> None:
        """Add what a door answered to `Prefer: return=representation`."""
        for item in report["items"]:
            self._add(str(item["status"]), str(item.get("reason", "")))

    def add_answer(self, status: int, problem: Mapping[str, Any]) -> None:
        """Add the answer to a single statement; a problem's type is the reason."""
        taken = status in (200, 201)
        self._add("accepted" if taken else "refused", str(problem.get("type", status)).rpartition(":")[2])

    def add_drops(self, drops: Iterable[Mapping[str, Any]]) -> None:
        """Add what `/api/connectors/{name}/drops` counts of parts; refused records stand in the reports."""
        for drop in drops:
            if drop["what"] != "item":
                self._leave_out(str(drop["what"]), str(drop["reason"]), int(drop["count"]))

    def add_import(self, printed: str) -> None:
        """Add what `cdp import` printed."""
        for line in printed.splitlines():
            match line.split("\t"):
                case ["refused", count, reason]:
                    self.refused[reason] += int(count)
                case ["dropped", count, what, reason] if what != "item":
                    self._leave_out(what, reason, int(count))
                case [setting]:
                    name, _, value = setting.partition("=")
                    self.accepted += int(value) if name == "accepted" else 0
                    self.duplicates += int(value) if name == "duplicates" else 0

    def _add(self, status: str, reason: str) -> None:
        if status == "accepted":
            self.accepted += 1
        elif status == "duplicate":
            self.duplicates += 1
        else:
            self.refused[reason] += 1

    def _leave_out(self, what: str, reason: str, count: int) -> None:
        self.dropped.setdefault(reason, Counter())[what.partition(":")[2] or what] += count


def told_refused(taken: Taken) -> str:
    """Write what was refused as `reason count`, most frequent first."""
    doubles = {"duplicate": taken.duplicates} if taken.duplicates else {}
    counts = [*taken.refused.most_common(), *doubles.items()]
    return "\n".join(f"{reason} {count:,}" for reason, count in counts) or "none"


def told_dropped(taken: Taken) -> str:
    """Write what was left out of accepted records as `reason count (fields)`."""
    lines = (
        f"{reason} {sum(fields.values()):,} ({', '.join(name for name, _ in fields.most_common())})"
        for reason, fields in taken.dropped.items()
    )
    return "\n".join(lines) or "nothing"
