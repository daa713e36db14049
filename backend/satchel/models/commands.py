"""`satchel models`: which models there are, fetching them, choosing one, adding one's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from satchel.models import registry
from satchel.models.registry import ModelEntry
from satchel.types import ModelError

if TYPE_CHECKING:
    from satchel.models.download import Progress


@click.group()
def models() -> None:
    """The local models: list, fetch, choose, add."""


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for a program to read.")
@click.pass_context
def list_models(ctx: click.Context, as_json: bool) -> None:
    """Show every known model, which are here, in use, and fits this machine."""
    rows = _rows(ctx.obj)
    if as_json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(rows), indent=2))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from satchel.terminal import flat

    table = Table("model", "for", "size", "memory", "licence", "state", box=None, pad_edge=False)
    table.columns[0].no_wrap = True
    table.columns[2].justify = "right"
    for row in rows:
        state = "in use" if row["in_use"] else "here" if row["installed"] else ""
        if row["in_use"] and not row["installed"]:
            state = "[red]in use, but not here[/]"
        if row["recommended"]:
            state = f"{state}{', ' if state else ''}[green]fits this machine[/]"
        size = f"{row['size'] / 1e9:.2f} GB"
        table.add_row(
            Text(flat(row["name"])), row["role"], size, f"{row['ram_gb']} GB", Text(flat(row["licence"])), state
        )
    Console(highlight=False).print(table)
    click.echo(f"\nThey lie in {registry.models_folder()}")


@models.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print progress as JSON for a program to read, a step a line.")
@click.option("--tied", is_flag=True, help="End when standard input does: whoever started this is gone.")
@click.pass_context
def pull(ctx: click.Context, names: tuple[str, ...], as_json: bool, tied: bool) -> None:
    """Fetch and verify models: those named, or else the defaults and those in use.

    This is what connects to the network, and it says where to. Interrupted, it can be run again, and goes on where it
    stopped if the source can.
    """
    from satchel.models import download, tied_process

    if tied:
        tied_process.end_with_input()
    folder = registry.models_folder()
    wanted = names or tuple(
        dict.fromkeys([entry.name for entry in registry.manifest() if entry.default] + _chosen(ctx.obj))
    )
    found = [registry.find(name, folder) for name in wanted]
    for entry in found:
        if as_json:
            _pull_telling(entry, folder)
            continue
        with _Bar(entry) as bar:
            path = download.pull(entry, folder, bar.show)
        click.echo(f"{entry.name}: {path}")


@models.command()
@click.argument("name")
@click.pass_context
def use(ctx: click.Context, name: str) -> None:
    """Choose the model that generates (or embeds: its role decides which)."""
    from satchel import config

    entry = registry.find(name)
    config.set_value(ctx.obj, f"models.{entry.role}", entry.name)
    click.echo(f"{entry.name} will {entry.role}, from the next start of the daemon.")
    if entry.role == "embed":
        click.echo("What is stored is embedded anew then; until that is done the former model answers, so keep it.")
    if not registry.path_of(entry).is_file():
        click.echo(f"It is not here yet; run: satchel models pull {entry.name}")


@models.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--name", default=None, help="What to call it. Default: the file's name.")
def add(file: Path, name: str | None) -> None:
    """Make a GGUF FILE of yours known, where it lies. It is not copied."""
    entry = registry.add_local(file, name)
    click.echo(f"{entry.name} ({entry.role}, {entry.prompt_format} prompts, {entry.context} tokens of context)")
    click.echo(f"To use it, run: satchel models use {entry.name!r}")


def _pull_telling(entry: ModelEntry, folder: Path) -> None:
    """Each step as a line of JSON; the last one says "done", or "failed" and why."""
    import msgspec

    from satchel.models import download

    def tell(progress: Progress) -> None:
        click.echo(msgspec.json.encode(progress))

    try:
        download.pull(entry, folder, tell)
    except ModelError as error:
        tell(download.Progress(model=entry.name, stage="failed", message=str(error)))
        raise


def _rows(data: Path) -> list[dict[str, Any]]:
    chosen = set(_chosen(data))
    memory = registry.memory_bytes()
    best = registry.recommend(memory).name if memory else None
    return [
        {
            "name": entry.name,
            "role": entry.role,
            "size": entry.size,
            "context": entry.context,
            "ram_gb": entry.ram_gb,
            "licence": entry.licence,
            "sha256": None if entry.sha256 == registry.PIN else entry.sha256,
            "prompt_format": entry.prompt_format,
            "path": str(registry.path_of(entry)),
            "installed": registry.path_of(entry).is_file(),
            "in_use": entry.name in chosen,
            "recommended": entry.name == best,
        }
        for entry in registry.entries()
    ]


def _chosen(data: Path) -> list[str]:
    """The names in use: generator, embedder."""
    from satchel import config

    settings = config.load(data).models
    return [settings.generate, settings.embed]


class _Bar:
    """A progress bar on the error stream, where it does not mix with what a program reads; plain lines when that
    is no terminal."""

    def __init__(self, entry: ModelEntry) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )
        from rich.progress import Progress as RichProgress

        self._console = Console(stderr=True, highlight=False)
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
        self._bar = RichProgress(
            *columns, TransferSpeedColumn(), TimeRemainingColumn(), console=self._console, transient=True
        )
        self._task = self._bar.add_task(entry.name, total=None, start=False)

    def __enter__(self) -> _Bar:
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._bar.stop()

    def show(self, progress: Progress) -> None:
        if progress.stage == "downloading":
            self._bar.start_task(self._task)
            self._bar.update(self._task, completed=progress.done, total=progress.total)
        elif progress.stage != "done":
            self._console.print(progress.message, markup=False)
