"""What somebody said about consent, as a signed proof; checking one needs nothing but the public key."""

import getpass
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from rich.cells import cell_len

from cdp import ledger
from cdp.clock import SystemClock, parse_instant
from cdp.consent import receipts
from cdp.consent.receipts.checking import FLAWS
from cdp.deployment import ledger_folder
from cdp.errors import Problem
from cdp.ledger.checkpoints import PUBLIC_FILE
from cdp.ledger.keys import key_id, read_keys
from cdp.ops import console

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def consent() -> None:
    """Proofs of consent: issue one, or check one offline.

    \b
    Example:
      cdp consent receipt 3f0c… --out receipt.json && cdp consent verify receipt.json
    """


@consent.command()
@click.argument("record_id")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="A new file; default: standard output.")
@click.option(
    "--format",
    "kind",
    type=click.Choice(receipts.FORMATS),
    default="receipt",
    show_default=True,
    help="A record also tells what was said later, as of now.",
)
def receipt(record_id: str, out: Path | None, kind: str) -> None:
    """Issue the signed receipt of the consent record RECORD_ID (ISO/IEC TS 27560).

    It holds no identifier. Keep its bytes as they are: formatted anew, it is not what was signed.
    """
    with console.opened() as deployment:
        at, base_url = deployment.clock.now(), deployment.settings.base_url
        with deployment.database.transaction() as session:
            issued = receipts.issue(session, record_id, deployment.signer, base_url, at, kind=kind)
            if issued is None:
                raise Problem(404, "not_found", "There is no such consent record.")
            header = {"operator": getpass.getuser(), "record": record_id, "format": kind}
            ledger.note(session, "consent.receipt", header, at)
    if out is None:
        click.echo(issued.content, nl=False)
        return
    console.write_private(out, issued.content)
    click.echo(f"file={out}\nkey={key_id(deployment.signer.public)}")


@consent.command()
@click.argument("file", type=_FILE)
@click.option("--key", type=_FILE, help="JWKS (/api/ledger/jwks.json), PEM or ledger.pub; default: this home's.")
@click.option("--notice", type=_FILE, help="Also check that this is the text that was shown.")
def verify(file: Path, key: Path | None, notice: Path | None) -> None:
    """Check a receipt or record, and print who said what and when; exit 1 when it is not valid.

    With --key it needs no home, no database and no network. A receipt proves what was said at its time, not
    that it still holds.
    """
    verdict = receipts.check(file.read_bytes(), _keys(key))
    if verdict.document is None:
        _refuse(*FLAWS[verdict.flaw])
        return
    try:
        rows = [(label, str(value)) for label, value in _rows(verdict.document)]
        is_shown = notice is None or _is_shown(verdict.document, notice)
    except (KeyError, IndexError, TypeError, AttributeError, ValueError):  # whoever holds a key can sign anything
        _refuse(*FLAWS["no_receipt"])
        return
    if not is_shown:
        _refuse("示された通知文ではありません", "this is not the text of the notice that was shown")
        return
    _tell(rows)
    click.echo(_both("有効：発行時のまま、鍵", "valid: as it was signed, key") + f" {key_id(verdict.key)}")


def _keys(path: Path | None) -> list[bytes]:
    """Read the keys to check with; raises Problem for a file that holds none."""
    place = path or ledger_folder(console.settings()) / PUBLIC_FILE
    try:
        return read_keys(place.read_bytes())
    except OSError:
        raise Problem(404, "key_missing", f"There is no public key at {place}: name one with --key.") from None
    except (ValueError, RecursionError):
        raise Problem(400, "no_key", f"{place} holds no Ed25519 key as JWKS, PEM or hexadecimal digits.") from None


def _tell(rows: list[tuple[str, str]]) -> None:
    width = max(cell_len(label) for label, _ in rows)
    for label, value in rows:
        plain = "".join(sign if sign.isprintable() else "?" for sign in value)
        click.echo(f"{label}{' ' * (width - cell_len(label))}  {plain}")


def _refuse(ja: str, en: str) -> None:
    click.echo(f"{_both('無効', 'not valid')}: {_both(ja, en)}")
    click.get_current_context().exit(console.WRONG)


def _is_shown(document: dict[str, Any], notice: Path) -> bool:
    shown = document["processing"]["privacy_notice"]["sha256"]
    return shown is not None and hashlib.sha256(notice.read_bytes()).hexdigest() == str(shown)


def _rows(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what a person wants to know: who, what, when, how, by which notice, and whether its time has run out."""
    header, processing, events = document["header"], document["processing"], document["events"]
    purpose, notice = processing["purposes"][0], processing["privacy_notice"]
    controller = document["parties"][0]
    yield _both("誰が", "who"), header["pii_principal_id"]
    yield _both("誰に", "to whom"), f"{_named(controller['party_name'])}, {controller['party_contact']}"
    yield _both("目的", "purpose"), f"{_named(purpose['title'])} ({purpose['purpose_id']}, {purpose['channel']})"
    for event in events:
        state = event["event_state"].rpartition("#")[2]
        yield _both("何を・いつ", "what, when"), f"{state}  {event['event_time'] or '?'}  {event['collection_method']}"
    until = events[-1]["valid_until"]
    if until is not None and parse_instant(until) <= SystemClock().now():
        yield _both("期限切れ", "expired"), until
    yield _both("通知文", "notice"), f"{notice['name'] or '-'} {notice['version'] or '-'} {processing['language']}"
    yield "SHA-256", notice["sha256"] or _both("記録なし", "not recorded")
    yield _both("提供先", "recipients"), ", ".join(purpose["recipient_third_parties"] or ()) or "-"
    yield _both("撤回", "to withdraw"), purpose["withdrawal_method"]["url"]
    yield _both("記録", "record"), header["record_id"]
    if "as_of" in header:
        yield _both("時点", "as of"), header["as_of"]


def _both(ja: str, en: str) -> str:
    """Return the text in the reader's language, or in both."""
    texts = {"ja": ja, "en": en}
    return " / ".join(texts[one] for one in console.languages())


def _named(title: dict[str, str] | None) -> str:
    return _both(title["ja"], title["en"]) if title else "-"
