"""Decisions and reasons as tables in the terminal, in the language of whoever looks."""

import locale
import os
from collections.abc import Iterable

import click
from rich.table import Table

from cdp.gate.explanation import Explanation
from cdp.gate.reasons import LAWS, OBLIGATIONS
from cdp.gate.register import REGISTER
from cdp.ops import console

_WORDS = {
    "ja": {
        "allow": "許可",
        "deny": "不許可",
        "reason": "理由",
        "article": "条文",
        "text": "説明",
        "remedy": "対応",
        "basis": "根拠",
        "obligations": "義務",
        "fields": "渡せる項目",
        "recipient": "提供先そのもの",
    },
    "en": {
        "allow": "allow",
        "deny": "deny",
        "reason": "reason",
        "article": "article",
        "text": "because",
        "remedy": "what would change it",
        "basis": "basis",
        "obligations": "obligations",
        "fields": "fields at most",
        "recipient": "the recipient itself",
    },
}


def language_of(chosen: str | None) -> str:
    """Return the language that was chosen, else the terminal's: Japanese where it says so, else English."""
    if chosen:
        return chosen
    said = os.environ.get("LC_ALL") or os.environ.get("LANG") or (locale.getlocale()[0] or "")
    return "ja" if said.lower().startswith("ja") else "en"


def print_decision(explained: Explanation, recipient_refused: str, language: str) -> None:
    """Print the answer, a table of its reasons, and what comes with it."""
    words, decision = _WORDS[language], explained.decision
    click.echo(words["allow"] if decision.allow and not recipient_refused else words["deny"])
    table = _table(words)
    for one in decision.reasons:
        told = (one.ja, one.remedy_ja) if language == "ja" else (one.en, one.remedy_en)
        table.add_row(one.code, f"{one.law} {one.article}", *told)
    if recipient_refused:
        table.add_row(recipient_refused, "", words["recipient"], "")
    console.print_table(table)
    for name, said in (
        ("basis", decision.bases),
        ("obligations", tuple(_obligation(one, language) for one in decision.obligations)),
        ("fields", explained.fields),
    ):
        if said:
            click.echo(f"{words[name]}: {', '.join(said)}")
    _print_end(explained)


def print_plain(explained: Explanation, recipient_refused: str) -> None:
    """Print the same as lines that other programs read."""
    click.echo("allow" if explained.decision.allow and not recipient_refused else "deny")
    if recipient_refused:
        click.echo(f"  {recipient_refused}\tthe recipient itself")
    for reason in explained.decision.reasons:
        click.echo(f"  {reason.code}\t{reason.law} {reason.article}\t{reason.en}\t{reason.ja}")
        if reason.remedy_en:
            click.echo(f"    remedy\t{reason.remedy_en}\t{reason.remedy_ja}")
    _print_end(explained)


def print_plain_reasons(codes: Iterable[str], language: str | None) -> None:
    """Print reasons as lines: code, articles, words and remedy, in one language or both."""
    for code in codes:
        entry = REGISTER[code]
        articles = "; ".join(f"{law} {said}" for law, said in entry.articles.items())
        ja, en = (entry.ja, entry.remedy_ja), (entry.en, entry.remedy_en)
        told = {"ja": ja, "en": en}.get(language or "", (*en, *ja))
        click.echo("\t".join((code, articles, *told)))


def print_reasons(codes: Iterable[str], language: str) -> None:
    """Print reasons as a table, and what their laws are called."""
    words = _WORDS[language]
    table = _table(words)
    for code in codes:
        entry = REGISTER[code]
        articles = "; ".join(f"{law} {said}" for law, said in entry.articles.items())
        told = (entry.ja, entry.remedy_ja) if language == "ja" else (entry.en, entry.remedy_en)
        table.add_row(code, articles, *told)
    console.print_table(table)
    for law, (ja, en) in LAWS.items():
        click.echo(f"{law}: {ja if language == 'ja' else en}")


def _table(words: dict[str, str]) -> Table:
    table = Table(show_lines=True)
    for name in ("reason", "article", "text", "remedy"):
        table.add_column(words[name], no_wrap=name == "reason", overflow="fold")
    return table


def _obligation(name: str, language: str) -> str:
    law, article, ja, en = OBLIGATIONS[name]
    return f"{ja if language == 'ja' else en} ({law} {article})"


def _print_end(explained: Explanation) -> None:
    click.echo(f"expires_at={explained.expires_at.isoformat()}\npolicy_version={explained.policy}")
