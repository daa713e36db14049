"""`satchel clients`: who may ask, and taking it back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from satchel.types import SCOPES, Scope

if TYPE_CHECKING:
    from satchel.client import Client

CLIENT = click.argument("client", metavar="CLIENT")
DATA = click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Where everything lies.")


def connect(ctx: click.Context, data: Path | None) -> Client:
    from satchel.client import Client

    return Client(data or ctx.obj)


def find(daemon: Client, named: str) -> dict[str, Any]:
    """The client with this id, or the only one with this name that is not revoked. Raises ClientError."""
    from satchel.client import ClientError

    items = daemon.call("GET", "/v1/clients")["items"]
    found = [one for one in items if one["id"] == named]
    found = found or [one for one in items if one["name"] == named and not one["revoked_at"]]
    if not found:
        raise ClientError(f"No client is called {named!r}; `satchel clients` lists them.")
    if len(found) > 1:
        ids = " or ".join(one["id"] for one in found)
        raise ClientError(f"{len(found)} clients are called {named!r}; name one by its id: {ids}.")
    return dict(found[0])


@click.group(invoke_without_command=True)
@DATA
@click.option("--revoked", is_flag=True, help="Also those that are not let in any more.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for a program to read.")
@click.pass_context
def clients(ctx: click.Context, data: Path | None, revoked: bool, as_json: bool) -> None:
    """List who may ask, with what each may do and when it last did.

    CLIENT in the commands below is an id, or a name that only one client has.
    """
    ctx.obj = data or ctx.obj
    if ctx.invoked_subcommand is not None:
        return
    from satchel import terminal

    found = connect(ctx, None).call("GET", "/v1/clients")
    items = [one for one in found["items"] if revoked or not one["revoked_at"]]
    if as_json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode({"items": items}), indent=2))
        return
    terminal.console().print(terminal.clients_view(items))


@clients.command()
@DATA
@CLIENT
@click.argument("name")
@click.pass_context
def rename(ctx: click.Context, data: Path | None, client: str, name: str) -> None:
    """Call CLIENT by another NAME. Its token stays."""
    from satchel.client import path

    daemon = connect(ctx, data)
    one = find(daemon, client)
    daemon.call("PATCH", path("/v1/clients", one["id"]), body={"name": name})
    click.echo(f"{one['name']!r} is called {name!r} now.")


@clients.command()
@DATA
@CLIENT
@click.option(
    "--profile", "profiles", multiple=True, help="Leave it this profile (may be repeated). Default: as it is."
)
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(SCOPES),
    help="Leave it this scope (may be repeated). Default: as it is.",
)
@click.pass_context
def narrow(
    ctx: click.Context, data: Path | None, client: str, profiles: tuple[str, ...], scopes: tuple[Scope, ...]
) -> None:
    """Leave CLIENT less of what it may do. To give it more, pair it again."""
    from satchel.client import path

    if not profiles and not scopes:
        raise click.UsageError("name what it keeps, with --scope or --profile")
    daemon = connect(ctx, data)
    one = find(daemon, client)
    body = {"scopes": scopes or None, "profiles": profiles or None}
    left = daemon.call("PATCH", path("/v1/clients", one["id"]), body=body)
    where = "all profiles" if left["profiles"] is None else ", ".join(map(repr, left["profiles"]))
    click.echo(f"{one['name']!r} may {', '.join(left['scopes'])} in {where}.")


@clients.command()
@DATA
@CLIENT
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def revoke(ctx: click.Context, data: Path | None, client: str, yes: bool) -> None:
    """Let CLIENT in no more, from this moment."""
    from satchel.client import path

    daemon = connect(ctx, data)
    one = find(daemon, client)
    if not yes:
        click.confirm(f"Let {one['name']!r} in no more?", abort=True)
    daemon.call("DELETE", path("/v1/clients", one["id"]))
    click.echo(f"{one['name']!r} is not let in any more.")
