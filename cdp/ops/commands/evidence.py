"""What proves the consents of imported lists, read back when somebody asks for the proof."""

import json
from pathlib import Path

import click

from cdp.consent import proofs
from cdp.consent.bundles import TYPES
from cdp.ops import console


@click.group()
def evidence() -> None:
    """Evidence for imported consents: what was shown to whom, how, where, when, and who answers for it.

    \b
    Example:
      cdp evidence list
      cdp evidence show 0f3a… --document form.png
    """


@evidence.command("list")
def show_all() -> None:
    """List what was handed in, newest first, with the number of records that rest on it."""
    with console.opened() as deployment, deployment.database.snapshot() as session:
        kept = proofs.list_all(session)
        for row, records in kept:
            click.echo(
                f"{row.id}\t{row.cohort}\t{row.purpose}\t{row.channel}\t{row.evidence}\trecords={records}"
                f"\t{row.signed_by or '-'}\t{row.signed_on or '-'}\t{row.at:%Y-%m-%d}"
            )
    if not kept:
        console.tell_none("`cdp import FILE --source … --consent-evidence BUNDLE` keeps some")


@evidence.command()
@click.argument("name", metavar="EVIDENCE")
@click.option("--document", type=click.Path(dir_okay=False, path_type=Path), help="Write the form to this new file.")
def show(name: str, document: Path | None) -> None:
    """Show one cohort's evidence as JSON: its declaration word for word, its class, and the ledger's entry."""
    with console.opened() as deployment, deployment.database.snapshot() as session:
        row, form = proofs.get(session, name)
        told = {
            "evidence": row.id,
            "bundle": row.bundle,
            "class": row.evidence,
            "missing": json.loads(row.missing),
            "declared": json.loads(row.declared),
            "signed_by": row.signed_by,
            "signed_on": str(row.signed_on or ""),
            "kept_at": row.at.isoformat(),
            "ledger_entry": row.entry,
            "document": {"sha256": form.sha256, "media_type": form.media_type} if form else None,
        }
    if document is not None:
        if form is None:
            console.stop("No form was handed in with this cohort.")
        else:
            _write(document, form.content, form.media_type)
    click.echo(json.dumps(told, ensure_ascii=False, indent=2))


def _write(path: Path, content: bytes, media_type: str) -> None:
    fitting = [ending for ending, (kind, _) in TYPES.items() if kind == media_type]
    if path.suffix.lower() not in fitting:
        console.stop(f"The form is a {media_type}: name the file *{fitting[0]}.")
    try:
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError:
        console.stop("There is such a file already: choose another name.")
