"""Keys, ledger and backups: what an operator must not lose."""

from pathlib import Path

import click

from cdp import deployment as deploying
from cdp import ledger
from cdp.ledger.checkpoints import CHECKPOINTS_FILE
from cdp.ops import auditing, backup, console, escrow, reindexing, rotating
from cdp.rights import remains
from cdp.web.auth import keys as signing_keys


@click.group()
def keys() -> None:
    """The keyring, without which the database is noise."""


@keys.command()
def status() -> None:
    """Print which keys exist, in how many copies, and which older copies still lie beside them."""
    with console.opened() as deployment:
        remaining = remains.of(deployment)
        state = deployment.vault.keyring.state()
    click.echo(f"keyring={remaining['id']}\nversion={remaining['version']}\ncopies={remaining['copies']}")
    click.echo(f"trees={' '.join(map(str, sorted(state.trees)))}")
    click.echo(f"index_epochs={' '.join(map(str, remaining['index_epochs']))}")
    for one in remaining["older_copies"]:
        click.echo(f"older_copy=version {one['version']} written {one['written_at']}")


@keys.command()
@click.option("--oauth", is_flag=True, help="Rotate the keys that sign access tokens instead.")
@click.option(
    "--settle",
    default=60.0,
    show_default=True,
    type=click.FloatRange(0, 86_400),
    help="Seconds that readers get to finish before the old tree goes; two leases at the least.",
)
def rotate(oauth: bool, settle: float) -> None:
    """Move every data key under a new tree of the keyring, and destroy the old tree.

    Everything may go on running. Stopped or killed, run it again: it goes on where it stood. It ends
    what older backups of the database are good for: make a new one then. The key of the blind index
    is not rotated here: see `cdp keys reindex`. Exit 1 where the old tree had to stay, since a data
    key of it cannot be read.
    """
    with console.opened() as deployment:
        if oauth:
            signing_keys.rotate(deployment.settings.home)
            click.echo("tokens are signed with a new key from the next start")
            return
        run = _rotate_root(deployment, settle)
        tree = deployment.vault.keyring.state().generation
    click.echo(f"taken_up={'yes' if run.taken_up else 'no'}\nmoved={run.moved}\ntree={tree}")
    click.echo(f"destroyed={' '.join(map(str, run.destroyed))}")
    if run.unreadable or not run.destroyed:
        click.echo(f"{run.unreadable} data keys cannot be read, and the old tree stays: see `cdp doctor`", err=True)
        click.get_current_context().exit(console.WRONG)
    click.echo("Older backups of the database open nothing any more: make a new one now.", err=True)


@keys.command()
@click.option(
    "--leave-damaged", is_flag=True, help="Destroy the older key although damaged identifiers stand under it."
)
def reindex(leave_damaged: bool) -> None:
    """Bring every identifier under a new key of the blind index, and destroy the older key.

    Everything may go on running, and nobody is joined or parted by it: decisions, cases and consents
    go along. What is said of a value in the very instant in which it moves may have to be said again.
    Stopped or killed, run it again: it goes on where it stood. Run it after restoring a backup from
    before a rotation, too, before anything is taken in: who arrives meets nobody until then. Exit 1
    where an identifier, or the data key of its record, is damaged: then the older key stays, and no
    other rotation begins, until that is restored, erased, or left with --leave-damaged.
    """
    with console.opened() as deployment:
        with console.bar("identifiers") as progress:
            task = progress.add_task("identifiers", total=None)
            run = reindexing.reindex(
                deployment,
                lambda done, total: progress.update(task, completed=done, total=max(done, total)),
                leave_damaged=leave_damaged,
            )
        epoch = deployment.vault.epoch
    click.echo(f"taken_up={'yes' if run.taken_up else 'no'}\nmoved={run.moved}\nepoch={epoch}")
    click.echo(f"destroyed={' '.join(map(str, run.destroyed))}")
    if run.unreadable:
        click.echo(
            f"{run.unreadable} identifiers stay{'' if leave_damaged else ', and the older key with them'}: they, or "
            "the data keys of their records, are damaged wherever they stand",
            err=True,
        )
        click.get_current_context().exit(console.WRONG)


@keys.command("escrow")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@console.YES
def hand_over(file: Path, yes: bool) -> None:
    """Write a copy of the keyring into FILE, to be kept offline.

    Whoever holds it and the database can read everyone who is not yet erased in it. Renew it within
    seven days and destroy the old one: until then it is named in every erasure certificate.
    """
    if not yes:
        click.confirm("Is FILE on a medium that leaves this machine", abort=True, err=True)
    with console.opened() as deployment:
        version = escrow.write_copy(deployment, file)
    click.echo(f"file={file}\nversion={version}")


def _rotate_root(deployment: deploying.Deployment, settle: float) -> rotating.Rotated:
    with console.bar("keys") as progress:
        task = progress.add_task("keys", total=None)
        return rotating.rotate(
            deployment, settle, lambda done, total: progress.update(task, completed=done, total=max(done, total))
        )


@click.group("ledger")
def ledger_group() -> None:
    """The record of what was done."""


@ledger_group.command()
@click.option("--export", "target", type=click.Path(dir_okay=False, path_type=Path), help="Write all of it to a file.")
@click.option("--accept-restart", is_flag=True, help="A backup was restored, and that is known.")
def verify(target: Path | None, accept_restart: bool) -> None:
    """Recompute the whole ledger against its signed heads; exit 1 for anything that does not agree."""
    with console.opened() as deployment:
        folder = deploying.ledger_folder(deployment.settings)
        with deployment.database.transaction() as session:
            ledger.seal(session, deployment.signer, deployment.clock.now())
        with deployment.database.transaction() as session:
            problems = ledger.verify(
                session,
                deployment.signer.public,
                folder / "verified.json",
                folder / CHECKPOINTS_FILE,
                accept_restarts=accept_restart,
            )
            head = ledger.newest_checkpoint(session)
            if target:
                auditing.export(session, deployment.signer, target)
    for problem in problems:
        click.echo(problem)
    if problems:
        click.get_current_context().exit(console.WRONG)
    click.echo(f"sound: {head.size if head else 0} entries, key {deployment.signer.public.hex()}")


@click.command("backup")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def back_up(folder: Path) -> None:
    """Write a consistent copy of the database into a new FOLDER, while everything runs.

    It never holds the keyring nor any other key: keep those apart (`cdp keys escrow`).
    """
    made = backup.backup(console.settings(), folder)
    total = sum(said["bytes"] for said in made["files"].values())
    click.echo(f"folder={folder}\nrevision={made['revision']}\nbytes={total}")


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Put it in the place of a database that is there.")
def restore(folder: Path, yes: bool) -> None:
    """Put a backup back; everyone erased since it was made is erased again before this returns.

    Stop `cdp serve` and `cdp worker` first.

    Contact points that fell silent since stay silent: `silences.log` beside the keyring knows them.
    The rest of what people said after the backup was made is gone: withdrawals without a contact
    point, objections, restrictions, requests. Bring them back before you send (docs/restoring.md).
    """
    with console.replaying() as told:
        made = backup.restore(console.settings(), folder, replace=yes, progress=told)
    click.echo(f"restored the backup of {made['made_at']}\nrevision={made['revision']}")
    click.echo(backup.MISSING.format(since=made["made_at"]), err=True)
