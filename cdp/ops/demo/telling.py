"""What the terminal shows: chapters, sentences, bars; and promises, each checked before it is printed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table


@dataclass(slots=True)
class Telling:
    """Prints the story and remembers which promises did not hold."""

    console: Console = field(default_factory=lambda: Console(highlight=False, width=112, soft_wrap=False))
    promised: int = 0
    broken: list[str] = field(default_factory=list)
    chapters: int = 0

    def chapter(self, title: str, for_whom: str = "") -> None:
        self.chapters += 1
        self.console.print()
        self.console.rule(
            f"[bold]{self.chapters} · {title}[/bold]" + (f"  [dim]{for_whom}[/dim]" if for_whom else ""), align="left"
        )

    def say(self, text: str) -> None:
        self.console.print(text)

    def promise(self, text: str, ok: bool) -> None:
        """Print a promise that was just checked, and whether it held."""
        self.promised += 1
        if not ok:
            self.broken.append(text)
        self.console.print(f"  [green]✔[/green] {text}" if ok else f"  [bold red]✘ {text}[/bold red]")

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        shown = Table(
            title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0)
        )
        for number, column in enumerate(columns):
            shown.add_column(
                column, justify="left" if number == 0 or not _numeric(rows, number) else "right", overflow="fold"
            )
        for row in rows:
            shown.add_row(*row)
        self.console.print(shown)

    def panel(self, title: str, text: str) -> None:
        self.console.print(Panel(text, title=title, title_align="left", border_style="dim", expand=False))

    def bars(self, counts: Mapping[str, int], notes: Mapping[str, tuple[str, str]], yes: str) -> None:
        """Draw one bar a line, green for `yes`; of a note the first part ends the line, the second has its own."""
        most = max([*counts.values(), 1])
        wide = max(map(len, counts), default=0)
        for name, count in counts.items():
            bar = "█" * max(1 if count else 0, round(22 * count / most))
            colour = "green" if name == yes else "yellow"
            beside, below = notes.get(name, ("", ""))
            self.say(f"  {name:<{wide}} [{colour}]{bar:<22}[/{colour}] {count:>6,}  [dim]{beside}[/dim]")
            if below:
                self.console.print(Padding(f"[dim]→ {below}[/dim]", (0, 0, 0, wide + 3)))

    def summary(self, seconds: float) -> None:
        self.console.print()
        if self.broken:
            self.say(f"[bold red]{len(self.broken)} of {self.promised} promises did not hold:[/bold red]")
            for text in self.broken:
                self.say(f"  [red]✘[/red] {text}")
            return
        self.say(f"[bold green]All {self.promised} promises were checked and held[/bold green], in {seconds:.0f} s.")


def _numeric(rows: Sequence[Sequence[str]], column: int) -> bool:
    return bool(rows) and all(row[column].replace(",", "").replace("%", "").replace(".", "").isdigit() for row in rows)


def masked(value: str) -> str:
    """Show only the first sign of a value and of its domain: the screen is no recipient."""
    local, at, domain = value.strip().partition("@")
    shown = local[:1] + "•" * max(len(local) - 1, 3)
    return f"{shown}@{domain[:1]}••••" if at else shown
