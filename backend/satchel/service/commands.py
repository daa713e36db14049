"""`satchel service`: have Satchel start with the computer, and see whether it does."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from satchel.service.manager import Manager, Step

DATA = click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Where everything lies.")


@click.group()
def service() -> None:
    """Start Satchel with the computer: install, look, uninstall."""


@service.command()
@DATA
@click.option(
    "--port", type=click.IntRange(1, 65535), default=None, help="Default: 8765, or server.port in config.toml."
)
@click.option("--print", "only_print", is_flag=True, help="Show what would be written and run, and do nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def install(ctx: click.Context, data: Path | None, port: int | None, only_print: bool, yes: bool) -> None:
    """Have Satchel started when you log in, and again when it fails; shows what is written, and asks.

    The folder, the port and the models' folder that hold now are written into it. Installing again brings an older one
    up to date.
    """
    from satchel import config
    from satchel.service import installed, manager, plan

    here = manager.here()
    wanted = plan.make(data or ctx.obj, port)
    folder = Path(wanted.data)
    config.load(folder)  # settings that cannot be read are told now, not in a log at the next start
    content = here.write(wanted)
    installed.read(here)
    if only_print or not yes:
        click.echo(f"{here.file}:\n", err=True)
        click.echo(content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"))
        click.echo("Then:", err=True)
        for step in (*here.enable(), *here.start()):
            click.echo(f"  {step}", err=True)
    if only_print:
        return
    if not yes:
        click.confirm("\nWrite this file and run these commands?", abort=True, err=True)
    other = installed.by_hand(here, folder)
    installed.write(here, content)
    click.echo(f"Written: {here.file}")
    _do((*here.enable(), *(() if other else here.start())), here.name)
    if other:
        click.echo(
            f"A Satchel that was started otherwise runs on {folder} (process {other.pid}). From the next login on it "
            "starts by itself; to change over now, stop that one and run: satchel service start"
        )
    else:
        _tell_start(folder)
    click.echo(here.hint)


@service.command()
@DATA
@click.option("--json", "as_json", is_flag=True, help="Print JSON for a program to read.")
@click.pass_context
def status(ctx: click.Context, data: Path | None, as_json: bool) -> None:
    """Show whether it is installed and runs, since when, where, and where its log lies."""
    from satchel.service import installed, manager

    now = installed.status(manager.here(), data or ctx.obj)
    if as_json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(now), indent=2).decode())
        return
    if not now.installed:
        click.echo("Not installed: Satchel starts only when you start it. To change that: satchel service install")
    else:
        starts = {True: "starts with the computer", False: "does not start with the computer", None: "cannot be asked"}
        click.echo(f"Installed: {now.file}")
        click.echo(f"In {now.manager}: it {starts[now.enabled]}{f'; {now.said}' if now.said else ''}")
        if not now.current:
            click.echo("It is not what this version would write; run: satchel service install")
    if now.running:
        otherwise = ", started otherwise" if now.by_service is False else ""
        click.echo(f"Running on port {now.port} since {now.since} (process {now.pid}{otherwise})")
    else:
        click.echo("Not running.")
    click.echo(f"Data: {now.data}\nLog: {now.log}")


@service.command()
def start() -> None:
    """Start the installed service, anew where it runs."""
    from satchel.service import installed, manager

    here = manager.here()
    plan = _installed()
    if other := installed.by_hand(here, Path(plan)):
        raise click.ClickException(f"Satchel runs on {plan} already (process {other.pid}); stop it first.")
    _do(here.start(), here.name)
    _tell_start(Path(plan))


@service.command()
def stop() -> None:
    """Stop the service until the next login, or until `satchel service start`."""
    from satchel.service import manager

    here = manager.here()
    _installed()
    _do(here.stop(), here.name)
    click.echo("Stopped.")


@service.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
def uninstall(yes: bool) -> None:
    """Stop the service and remove what `install` wrote. What is remembered stays."""
    from satchel.service import installed, manager

    here = manager.here()
    if installed.read(here) is None:
        click.echo(f"Not installed: there is no {here.file}")
        return
    if not yes:
        click.confirm(f"Stop Satchel and remove {here.file}?", abort=True, err=True)
    tell_removal(here)


def tell_removal(manager: Manager) -> None:
    """Removes the installed service and says what became of it."""
    from satchel.service import installed

    failure = installed.remove(manager)
    click.echo(f"Removed: {manager.file}")
    if failure:
        click.echo(f"{manager.name} could not be told ({failure.said}): if Satchel still runs, stop it where it runs.")


def _installed() -> str:
    """The data folder of the installed service. Raises ServiceError where there is none."""
    from satchel.service import installed, manager
    from satchel.service.plan import ServiceError

    found = installed.read(manager.here())
    if found is None:
        raise ServiceError("The service is not installed; run: satchel service install")
    return found.data


def _do(steps: tuple[Step, ...], name: str) -> None:
    """Runs them; where one fails, says which are still to be done, and ends with status 1."""
    from satchel.service.manager import do

    failure = do(steps)
    if failure is None:
        return
    click.echo(f"Not done, because {name} could not be asked or refused: {failure.said}", err=True)
    click.echo("Run this where it can be, in a session that you logged in to:", err=True)
    for step in failure.left:
        click.echo(f"  {step}", err=True)
    sys.exit(1)


def _tell_start(data: Path) -> None:
    from satchel import logs
    from satchel.service import installed

    found = installed.wait(data)
    if found is None:
        log = data / logs.FOLDER / logs.FILE_NAME
        click.echo(f"It was started but does not answer; {log} may say why, or: satchel service status", err=True)
        sys.exit(1)
    click.echo(f"Satchel answers on port {found.port} (process {found.pid}).")
