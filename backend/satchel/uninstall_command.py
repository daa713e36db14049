"""`satchel uninstall`: says what there is of Satchel, and removes it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from satchel import removal

CONFIRMATION = "forget everything"


@click.command()
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Where everything lies.")
@click.option("--memories", is_flag=True, help="Also what is remembered, with settings and backups in the data folder.")
@click.option("--backup", "copy", type=click.Path(path_type=Path), help="Copy what is remembered to this file first.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def uninstall(ctx: click.Context, data: Path | None, memories: bool, copy: Path | None, yes: bool) -> None:
    """Remove the service, the fetched models, caches and logs; what is remembered only with --memories.

    Shows what goes and what stays, and asks. Satchel must not run, unless it is the service that runs it.
    """
    from satchel import removal, server
    from satchel.models import registry
    from satchel.service import commands, installed, manager

    folder = Path(os.path.abspath(data or ctx.obj))
    here = manager.here()
    service = installed.read(here)
    served = service is not None and Path(service.data) == folder
    models_folder = registry.models_folder()
    models, others = removal.models(models_folder)
    leavings, remembered = removal.leavings(folder), removal.memories(folder)
    if other := installed.by_hand(here, folder):
        raise server.CannotServeError(
            f"Satchel is running on {folder} (process {other.pid}); stop it with Ctrl-C where it runs, then uninstall "
            "again."
        )

    known = removal.count_memories(folder)
    what = f"what is remembered in {folder}, {_counted(known)}, {_size(remembered)}"
    goes = [f"the service, {here.file}"] if served else []
    if models.files:
        goes.append(f"the models that Satchel fetched into {models_folder}, {_size(models)}")
    if leavings.files:
        goes.append(f"logs and caches in {folder}, {_size(leavings)}")
    if memories and remembered.files:
        goes.append(f"{what}, with settings and backups")
    stays = [] if memories or not remembered.files else [f"{what}: remove it too with --memories"]
    if service and not served:
        stays.append(f"the service, which serves {service.data}: name that folder with --data")
    stays += [f"{path}: Satchel did not fetch it, or it was changed since" for path in others]
    stays += [f"{path}: a backup you had written there" for path in removal.copies_elsewhere(folder)]
    stays += [f"{path}: the program, which cannot remove itself; delete this folder" for path in removal.program()]
    stays.append("the browser extension: remove it on the browser's page of extensions")
    for title, lines in (("Goes:", goes), ("Stays:", stays)):
        click.echo("\n  ".join([title, *(lines or ["nothing"])]))
    if not goes:
        return

    if not yes:
        click.confirm("\nRemove it?", abort=True)
    if memories and remembered.files:
        _last_chance(folder, copy, yes=yes)
    elif copy is not None:
        _copy(folder, copy)
    if served:
        commands.tell_removal(here)
    if leavings.files or remembered.files:
        with server.stopped(folder, "uninstall"):
            # Looked at again: the daemon may have written as it ended.
            removal.remove(removal.leavings(folder), private=True)
            if memories:
                removal.remove(removal.memories(folder), private=True)
    removal.remove(models)
    if memories or (leavings.files and not remembered.files):
        removal.remove_locks(folder)
    click.echo("Removed.")
    if folder.exists():
        click.echo(f"{folder} stays, with {'what is not of Satchel' if memories else 'what is remembered'}.")


def _last_chance(data: Path, copy: Path | None, *, yes: bool) -> None:
    """Offers a copy, and has what cannot be taken back confirmed in words. Raises click.Abort and StoreError."""
    if copy is None and not yes:
        copy_to = click.prompt(
            "What is remembered will be gone for good. A file to copy it to first (nothing: no copy)",
            default="",
            show_default=False,
        )
        copy = Path(copy_to).expanduser() if copy_to.strip() else None
    if copy is not None:
        _copy(data, copy)
    if not yes and click.prompt(f"Type `{CONFIRMATION}` to go on", default="", show_default=False) != CONFIRMATION:
        raise click.Abort


def _copy(data: Path, target: Path) -> None:
    from satchel.store import backup
    from satchel.types import StoreError

    target = target.absolute()
    if _lies_in(target, data):
        raise StoreError(f"{target} lies in {data}, which is cleared; name a file elsewhere with --backup.")
    made = backup.make(data, target)
    click.echo(f"Copied to {made}, restored and compared: whole. `satchel restore` brings it back.")


def _lies_in(path: Path, folder: Path) -> bool:
    """Whether a path, links followed, leads into a folder, however that is spelled."""
    resolved = path.resolve()
    return folder.exists() and any(one.exists() and one.samefile(folder) for one in (resolved, *resolved.parents))


def _counted(memories: int | None) -> str:
    return "memories that cannot be counted" if memories is None else f"{memories:,} memories"


def _size(found: removal.Found) -> str:
    return f"{found.size / 1e6:,.1f} MB"
