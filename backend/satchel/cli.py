"""The command `satchel`. It talks HTTP to the daemon, except for what opens the data folder itself."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from satchel import __version__, client_commands, config, uninstall_command
from satchel.service import commands as service_commands
from satchel.types import KINDS, SCOPES, STATUSES, SatchelError, Scope

if TYPE_CHECKING:
    from satchel.client import Client

JSON_OPTION = click.option("--json", "as_json", is_flag=True, help="Print JSON for a program to read.")
PROFILE_OPTION = click.option("--profile", default="me", show_default=True, help="Whose memory: one name, one world.")


def read_query(_: click.Context, __: click.Parameter, value: str) -> str:
    return sys.stdin.read().strip() if value == "-" else value


QUERY = click.argument("query", callback=read_query)


class LazyGroup(click.Group):
    """A group that imports `models` only when it is asked for: that room pulls in what others do not need."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), "models"])

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name == "models":
            from satchel.models.commands import models

            return models
        return super().get_command(ctx, name)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="Where everything lies. Default: SATCHEL_DATA, or your user's data folder.",
)
@click.version_option(__version__, prog_name="satchel")
@click.pass_context
def cli(ctx: click.Context, data: Path | None) -> None:
    """Satchel carries what your AIs know about you from chat to chat, and lives on your machine."""
    ctx.obj = data or config.default_data()


def data_option(command: Any) -> Any:
    """`--data` may stand behind the command as well."""

    def take(ctx: click.Context, _: click.Parameter, value: Path | None) -> None:
        if value is not None:
            ctx.obj = value

    return click.option(
        "--data",
        type=click.Path(path_type=Path, file_okay=False),
        callback=take,
        expose_value=False,
        help="Where everything lies.",
    )(command)


def connect(data: Path) -> Client:
    from satchel.client import Client

    return Client(data)


def print_json(value: Any) -> None:
    """Characters that a terminal would obey, or not show, are escaped as JSON has it: the value stays the same."""
    import msgspec

    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    click.echo(text if text.isprintable() else "".join(map(_escaped, text)))


def _escaped(c: str) -> str:
    if c == "\n" or c.isprintable():
        return c
    units = c.encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


@cli.command()
@data_option
@click.option(
    "--port", type=click.IntRange(1, 65535), default=None, help="Default: 8765, or server.port in config.toml."
)
@click.option(
    "--models",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the models lie. Default: SATCHEL_MODELS, or the folder that `satchel models list` names.",
)
@click.option("--service", is_flag=True, help="Nobody watches: what hinders the start goes into the log.")
@click.pass_obj
def serve(data: Path, port: int | None, models: Path | None, service: bool) -> None:
    """Start the daemon and keep it running until Ctrl-C.

    Ends with status 75 where one runs on the folder already, and 78 where config.toml cannot be read.
    """
    from satchel import server

    if models is not None:
        os.environ["SATCHEL_MODELS"] = str(models)

    def start() -> None:
        settings = config.load(data)
        server.serve(data, port or settings.server.port, settings, announce=not service)

    if service:
        from satchel.service import unattended

        unattended.run(data, start)
    else:
        start()


@cli.command()
@data_option
@click.option("--name", required=True, help="What the token is for; it is shown when you list clients.")
@click.option("--profile", "profiles", multiple=True, help="Only this profile (may be repeated). Default: all.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(SCOPES),
    help="Only this scope (may be repeated). Default: all.",
)
@click.option(
    "--origin", default=None, help="For the browser extension with this origin, chrome-extension://ID, and none else."
)
@click.pass_obj
def token(data: Path, name: str, profiles: tuple[str, ...], scopes: tuple[Scope, ...], origin: str | None) -> None:
    """Make a token with which a program may ask. It stands on the last line and is shown only once."""
    from satchel.api.guard.origin import EXTENSIONS, is_extension
    from satchel.capture.normalise import check_name
    from satchel.store import Store, clients

    check_name("--name", name)
    if origin is not None and not is_extension(check_name("--origin", origin, clients.MAX_ORIGIN)):
        raise click.UsageError(f"--origin begins with one of {', '.join(EXTENSIONS)}")
    store = Store(data)
    try:
        made = store.write_now(
            lambda tx: clients.issue(tx, name=name, scopes=scopes or SCOPES, profiles=profiles or None, origin=origin)
        )
    finally:
        store.close()
    click.echo(f"A token for {name!r}. Keep it like a password: send it as `Authorization: Bearer TOKEN`.", err=True)
    click.echo(made)


@cli.command()
@data_option
@click.argument("code")
@click.option("--profile", "profiles", multiple=True, help="Only this profile (may be repeated). Default: all.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(SCOPES),
    help="Only this scope (may be repeated). Default: all.",
)
@click.option("--refuse", is_flag=True, help="Turn it away.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def pair(data: Path, code: str, profiles: tuple[str, ...], scopes: tuple[Scope, ...], refuse: bool, yes: bool) -> None:
    """Connect the browser extension, or the program, that shows CODE."""
    from satchel import terminal
    from satchel.client import path

    client = connect(data)
    asks = client.call("POST", "/v1/pairings", body={"code": code})
    if not refuse and not yes:
        click.echo(terminal.pairing_view(asks, scopes=scopes or asks["scopes"], profiles=profiles))
        refuse = not click.confirm("Connect it?")
    body: dict[str, Any] = {"code": code, "decision": "refuse"}
    if not refuse:
        body |= {"decision": "confirm", "scopes": scopes or None, "profiles": profiles or None}
    client.call("POST", path("/v1/pairings", asks["id"]), body=body)
    click.echo(f"{asks['client']!r} is {'refused' if refuse else 'let in; it connects by itself in a moment'}.")


@cli.command(name="open")
@data_option
@click.option("--url", is_flag=True, help="Only print the link, for a browser that cannot read files of yours.")
@click.pass_obj
def open_dashboard(data: Path, url: bool) -> None:
    """Open the dashboard in your browser, which is let in for 30 days."""
    from satchel.dashboard import opening

    client = connect(data)
    made = client.call("POST", "/v1/dashboard/links")
    link = f"{client.url}/open#{made['code']}"
    if url:
        click.echo(link)
    elif opening.start_browser(opening.write_way(data, link)):
        click.echo(f"Opening the dashboard; it stays at {client.url}")
    else:
        click.echo(f"No browser could be started. Go to this link within {made['expires_in']} seconds:\n{link}")


@cli.command()
@data_option
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True, dir_okay=False))
@click.option("--profile", default=None, help="Whose memory it goes into. Default: what the file says, or me.")
@click.option("--site", default=None, help="Where the conversation took place. Default: what the file says, or file.")
@click.option("--title", default=None, help="What to call it. Default: what the file says, or the file's name.")
@click.option("--no-wait", is_flag=True, help="Return when it is stored, before memories are drawn from it.")
@JSON_OPTION
@click.pass_obj
def add(
    data: Path,
    file: Path,
    profile: str | None,
    site: str | None,
    title: str | None,
    no_wait: bool,
    as_json: bool,
) -> None:
    """Remember the conversation in FILE.

    JSON (a list of {role, content}, or a /v1/messages body), or text whose lines begin with User: and Assistant:.
    """
    from satchel import conversation_file, terminal
    from satchel.client import path

    raw = sys.stdin.buffer.read() if str(file) == "-" else conversation_file.read(file)
    body = conversation_file.to_request(raw, name=str(file), profile=profile, site=site, title=title)
    client = connect(data)
    stored = client.call("POST", "/v1/messages", body=body)
    job: dict[str, Any] = {}
    screen = terminal.console(stderr=True)
    if not no_wait:
        with screen.status("stored; reading it for memories ..."):
            for job in client.wait_for(stored["job_id"]) if stored["job_id"] else ():  # noqa: B007 - the last state is what counts
                pass
    found = [client.call("GET", path("/v1/memories", i)) for i in job.get("memory_ids", [])]
    status, error = job.get("status", "queued"), job.get("error")
    if as_json:
        print_json({**stored, "status": status, "error": error, "memories": found})
        return
    out = terminal.console()
    if status == "queued" and error:
        click.echo(f"Stored. It will be read for memories when this is mended: {terminal.flat(error)}")
        return
    known = stored["duplicates"] - stored["forgotten"]
    out.print(f"{stored['accepted']} new messages, {known} known before.")
    if stored["forgotten"]:
        out.print(f"{stored['forgotten']} that you forgot were not stored; to let them in: satchel forgotten")
    if not stored["job_id"]:
        return
    if status == "failed":
        raise click.ClickException(f"They are stored, but reading them failed: {terminal.flat(str(error))}")
    conversation = client.call("GET", path("/v1/conversations", stored["conversation_id"]))
    turns = {m["id"]: m for m in conversation["messages"]}
    for memory in found:
        out.print()
        out.print(terminal.memory_view(memory, turns))
    if not found and not no_wait:
        out.print("Nothing in it was worth remembering.")


@cli.command()
@data_option
@QUERY
@PROFILE_OPTION
@click.option("--limit", type=click.IntRange(1, 100), default=10, show_default=True, help="How many hits at the most.")
@click.option("--explain", is_flag=True, help="Say why each hit is there.")
@JSON_OPTION
@click.pass_obj
def search(data: Path, query: str, profile: str, limit: int, explain: bool, as_json: bool) -> None:
    """Find memories and turns that answer QUERY, best first; - reads it from standard input.

    Others who use this computer can see a command's arguments while it runs, but not what it reads.
    """
    body = {"query": query, "profile": profile, "limit": limit, "explain": explain}
    answer = connect(data).call("POST", "/v1/recall", body=body)
    if as_json:
        print_json(answer)
        return
    from satchel import terminal

    out = terminal.console()
    out.print(terminal.hits_view(answer["hits"]) if answer["hits"] else "Nothing found.")


@cli.command()
@data_option
@QUERY
@PROFILE_OPTION
@click.option("--budget", type=click.IntRange(1, 32000), default=800, show_default=True, help="Tokens at the most.")
@click.option("--style", type=click.Choice(["full", "compact"]), default=None, help="Default: what fits the budget.")
@JSON_OPTION
@click.pass_obj
def context(data: Path, query: str, profile: str, budget: int, style: str | None, as_json: bool) -> None:
    """Show what a chat would be given for QUERY, and the prompt it would make; - reads it from standard input."""
    body = {"query": query, "profile": profile, "budget_tokens": budget}
    answer = connect(data).call("POST", "/v1/context", body=body | ({"style": style} if style else {}))
    if as_json:
        print_json(answer)
        return
    from satchel import terminal

    terminal.console().print(terminal.context_view(answer, title="the prompt"))


@cli.command()
@data_option
@click.option("--profile", default=None, help="Only this profile. Default: all.")
@click.option("--kind", type=click.Choice(KINDS), default=None, help="Only this kind.")
@click.option("--status", type=click.Choice(STATUSES), default=None, help="Default: what holds now.")
@click.option("-q", "words", default=None, help="Only those with one of these words.")
@click.option("--page", type=click.IntRange(1), default=1, show_default=True, help="Which page.")
@click.option("--size", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many a page.")
@JSON_OPTION
@click.pass_obj
def memories(
    data: Path,
    profile: str | None,
    kind: str | None,
    status: str | None,
    words: str | None,
    page: int,
    size: int,
    as_json: bool,
) -> None:
    """List what is remembered, each with the words it came from."""
    answer = connect(data).call(
        "GET", "/v1/memories", profile=profile, kind=kind, status=status, q=words, page=page, size=size
    )
    if as_json:
        print_json(answer)
        return
    from satchel import terminal

    out = terminal.console()
    for memory in answer["items"]:
        out.print(terminal.memory_view(memory))
        out.print(f"  [dim]id {memory['id']}[/dim]\n")
    shown = (page - 1) * size + len(answer["items"])
    out.print(f"{shown} of {answer['total']} memories." if answer["total"] else "Nothing is remembered yet.")


@cli.command()
@data_option
@click.argument("memory_id", required=False)
@click.option("--memory", default=None, metavar="ID", help="A memory; the same as MEMORY_ID.")
@click.option("--messages", is_flag=True, help="With a memory: also the turns it was drawn from.")
@click.option("--conversation", default=None, metavar="ID", help="A conversation with all that came from it.")
@click.option("--site", default=None, help="Everything from a site.")
@click.option(
    "--from", "since", default=None, metavar="TIME", help="What was said from then on (2026-03-01, or a time)."
)
@click.option(
    "--to", "until", default=None, metavar="TIME", help="What was said before then; a date: that day included."
)
@click.option("--name", default=None, help="Every turn and memory that names this person; - asks for the name.")
@click.option("--everything", is_flag=True, help="Everything: of --profile, or of all profiles.")
@click.option("--profile", default=None, help="Only in this profile. Default: all.")
@click.option("--preview", is_flag=True, help="Show what would go, and forget nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@JSON_OPTION
@click.pass_obj
def forget(data: Path, /, memory_id: str | None, preview: bool, yes: bool, as_json: bool, **what: Any) -> None:
    """Forget for good: the memory MEMORY_ID, or what the options name.

    Shows what would go and asks. When it answers, the bytes are gone from the disk, and the files were read for them.
    With --json nothing is asked, and without --yes nothing is forgotten.
    """
    from satchel import terminal

    what["memory"] = memory_id or what["memory"]
    if what["name"] == "-":  # what is typed as an argument stands in the shell's history
        what["name"] = click.prompt("Which name", hide_input=False, err=True)
    if what["until"] and len(what["until"]) == len("2026-03-01"):
        what["until"] = _day_after(what["until"])
    body = {name: value for name, value in what.items() if value not in (None, False)}
    client = connect(data)
    if preview or not yes:
        shown = client.call("POST", "/v1/forget", body=body | {"preview": True})
        if as_json:
            print_json(shown)
            return
        terminal.console().print(terminal.forget_view(shown))
        if preview:
            return
        if not any(shown["counts"].values()):
            return
        click.confirm("Forget this for good?", abort=True)
    with terminal.console(stderr=True).status(
        "Forgetting, then reading every file for what may be left of it: with years of chats this takes minutes. "
        "It goes on if you stop waiting."
    ):
        receipt = client.forget(body)
    if as_json:
        print_json(receipt)
        return
    click.echo(f"Gone: {terminal.forget_counts(receipt['counts'])}.")
    click.echo(terminal.receipt_line(receipt))


def _day_after(date: str) -> str:
    import datetime

    try:
        return (datetime.date.fromisoformat(date) + datetime.timedelta(days=1)).isoformat()
    except (ValueError, OverflowError):
        return date  # the daemon says what is wrong with it


@cli.command()
@data_option
@click.option(
    "--allow", default=None, metavar="ID", help="Let this conversation's turns in again when they are next sent."
)
@click.option("--allow-all", is_flag=True, help="Let all of them in again.")
@click.option("--receipts", is_flag=True, help="Show the receipts of what was forgotten instead.")
@click.option("--profile", default=None, help="Only this profile. Default: all.")
@click.option("--page", type=click.IntRange(1), default=1, show_default=True, help="Which page.")
@JSON_OPTION
@click.pass_obj
def forgotten(
    data: Path, allow: str | None, allow_all: bool, receipts: bool, profile: str | None, page: int, as_json: bool
) -> None:
    """Show what you forgot and is kept out since, without content: a page that is loaded again sends it anew."""
    from satchel import terminal

    client = connect(data)
    if allow is not None or allow_all:
        body: dict[str, Any] = {"all": True} if allow is None else {"ids": [allow]}
        answer = client.call("POST", "/v1/forgotten/allow", body=body | ({"profile": profile} if profile else {}))
        done = f"{answer['allowed']} turns may come in again, when they are next sent."
        print_json(answer) if as_json else click.echo(done)
        return
    if receipts:
        answer = client.call("GET", "/v1/forget/receipts", page=page)
    else:
        answer = client.call("GET", "/v1/forgotten", profile=profile, page=page)
    if as_json:
        print_json(answer)
        return
    for item in answer["items"]:
        click.echo(terminal.receipt_line(item) if receipts else terminal.kept_out_line(item))
    if not answer["items"]:
        click.echo("Nothing was forgotten." if receipts else "Nothing is kept out.")


@cli.command()
@data_option
@click.option("--retry", default=None, metavar="JOB_ID", help="Give this job a fresh start.")
@click.option(
    "--status",
    type=click.Choice(["queued", "running", "completed", "failed"]),
    default="failed",
    show_default=True,
    help="Which jobs.",
)
@JSON_OPTION
@click.pass_obj
def jobs(data: Path, retry: str | None, status: str, as_json: bool) -> None:
    """Show what waits to be read for memories, or could not be; --retry one of them."""
    from satchel.client import path

    place = None if retry is None else path("/v1/jobs", retry)
    client = connect(data)
    if place is not None:
        job = client.call("POST", f"{place}/retry")
        print_json(job) if as_json else click.echo(f"{job['id']} is {job['status']}.")
        return
    answer = {"status": client.call("GET", "/v1/status"), **client.call("GET", "/v1/jobs", status=status)}
    if as_json:
        print_json(answer)
        return
    from satchel import terminal

    now = answer["status"]
    click.echo(f"{now['queued']} queued, {now['running']} running, {now['failed']} failed, {now['indexing']} to index.")
    if now["paused"]:
        click.echo("Extraction is paused; run: satchel resume")
    elif now["seconds_left"]:
        click.echo(f"{now['rate']:.0f} turns a minute, {terminal.time_left(now['seconds_left'])}.")
    if now["reembedding"]:
        click.echo(terminal.reembedding_line(now["reembedding"]))
    for job in answer["items"]:
        click.echo(f"{job['id']}  {job['status']}  {job['attempts']} attempts  {terminal.flat(job['error'] or '')}")


@cli.command()
@data_option
@click.pass_obj
def pause(data: Path) -> None:
    """Stop making memories until `satchel resume`, also across restarts.

    What is captured is kept meanwhile, and questions are answered.
    """
    connect(data).call("POST", "/v1/extraction", body={"paused": True})
    click.echo("Paused. What comes in is kept and read for memories after: satchel resume")


@cli.command()
@data_option
@click.pass_obj
def resume(data: Path) -> None:
    """Go on making memories after `satchel pause`."""
    client = connect(data)
    client.call("POST", "/v1/extraction", body={"paused": False})
    now = client.call("GET", "/v1/status")
    click.echo(f"Extraction goes on: {now['queued'] + now['running']} jobs wait.")


@cli.command()
@data_option
@PROFILE_OPTION
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--drop", is_flag=True, help="Drop what was read again, and change nothing.")
@JSON_OPTION
@click.pass_obj
def rederive(data: Path, profile: str, yes: bool, drop: bool, as_json: bool) -> None:
    """Derive memories again from what you said, after a better model.

    Shows what would change and asks before it changes. What you wrote, edited, pinned, put away or forgot stays so. It
    may be stopped at any time; run again, it goes on where it was. With --json nothing is asked, and without --yes
    nothing is changed.
    """
    from satchel import terminal

    client = connect(data)
    if drop:
        client.call("DELETE", "/v1/rederive", profile=profile)
        click.echo("Dropped. No memory was changed by this.")
        return
    screen = terminal.console(stderr=True)

    def follow() -> dict[str, Any]:
        now: dict[str, Any] = {}
        with screen.status("reading what you said again ...") as line:
            for now in client.rederiving(profile):
                line.update(terminal.progress_line(now))
        return now

    client.call("POST", "/v1/rederive", body={"profile": profile})
    now = follow()
    changes = list(client.rederive_changes(profile))
    out = terminal.console()
    if not as_json:
        if changes:
            out.print(terminal.changes_view(changes))
        if now["unreadable"]:
            out.print(f"\n{now['unreadable']} turns could not be read; what rests on them stays as it is.")
        if not changes:
            out.print(f"{now['read']} turns were read again: nothing would change.")
    if now["state"] == "ready" and changes:
        if not yes and not as_json and not click.confirm(f"\nMake these {now['total']} changes?"):
            click.echo("Nothing was changed. Run it again to see this again, or with --drop to forget about it.")
            return
        if yes or not as_json:
            client.call("POST", "/v1/rederive/apply", body={"profile": profile, "preview": now["preview"]})
            now, changes = follow(), list(client.rederive_changes(profile))
    if as_json:
        print_json({**now, "page": 1, "size": len(changes), "items": changes})
    elif now["state"] == "applied":
        skipped = [change for change in changes if change["outcome"] == "skipped"]
        if skipped:
            out.print(terminal.changes_view(skipped))
        out.print(f"\n{now['applied']} changes made, {now['skipped']} skipped. Each memory's history says how it was.")


@cli.command()
@data_option
@click.argument("file", type=click.Path(path_type=Path), required=False)
@JSON_OPTION
@click.pass_obj
def backup(data: Path, file: Path | None, as_json: bool) -> None:
    """Copy the store into FILE, while Satchel runs or not, and check the copy by restoring it.

    Without FILE it goes into the data folder, where the newest five are kept and what you forget is taken out of them.
    What you forget stays in a FILE of your own.
    """
    from satchel import terminal
    from satchel.store import backup as copies

    with terminal.console(stderr=True).status("copying ...") as line:
        made = copies.make(data, file, progress=lambda done, of: line.update(f"copying: {100 * done // of} %"))
    if as_json:
        print_json({"file": str(made), "bytes": made.stat().st_size})
    else:
        click.echo(f"{made}, {made.stat().st_size / 1e6:.1f} MB, restored and compared: whole.")


@cli.command()
@data_option
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--yes", is_flag=True, help="Do not ask.")
@JSON_OPTION
@click.pass_obj
def restore(data: Path, file: Path, yes: bool, as_json: bool) -> None:
    """Put the backup FILE in the place of the present store, which is kept aside. Satchel must not run.

    What you forgot since does not come back, and who may ask stays as it is now.
    """
    from satchel import server
    from satchel.store.restore import restore as put_back

    with server.stopped(data, "restore"):
        if not yes and not as_json:
            click.confirm(f"Replace what is in {data} by what was in {file}?", abort=True)
        done = put_back(data, file)
    if as_json:
        print_json(done.as_json())
        return
    click.echo(f"Restored: {done.turns:,} turns, {done.memories:,} memories.")
    if done.migrated:
        click.echo(f"It was of schema {done.schema}, and was brought up to date.")
    if done.forgotten is None:
        click.echo(
            "The store before was too damaged to tell what you had forgotten since, and which clients you let in."
        )
    elif done.forgotten:
        click.echo(f"{done.forgotten:,} items that you had forgotten since were forgotten again.")
    if done.aside is not None:
        click.echo(f"The store before lies in {done.aside}")


@cli.command()
@data_option
@JSON_OPTION
@click.pass_obj
def recover(data: Path, as_json: bool) -> None:
    """Save what can be read of a damaged store into a new one, and name what is lost. Satchel must not run.

    The damaged file is kept aside. A backup, where there is one, may hold more: see `satchel doctor`.
    """
    from satchel import server
    from satchel.store.recover import recover as salvage

    with server.stopped(data, "recover"):
        done = salvage(data)
    if as_json:
        print_json({"damaged": False} if done is None else {"damaged": True, **done.as_json()})
        return
    if done is None:
        click.echo("The store is whole; nothing was changed.")
        return
    click.echo(
        f"Saved: {done.turns:,} turns, {done.memories:,} memories. Their index of meaning is built when Satchel runs."
    )
    for name, count in sorted(done.lost.items()):
        click.echo(f"Lost: {count:,} rows of {name}.")
    if done.unread:
        click.echo(f"Pages could not be read of: {', '.join(done.unread)}.")
    if done.unfounded:
        click.echo(f"{done.unfounded:,} memories were dropped, because the words they came from are lost.")
    if done.homeless:
        click.echo(
            f"{done.homeless:,} conversations lost their name and address; their turns are under the site `recovered`."
        )
    click.echo(f"The damaged file lies in {done.aside}")


@cli.command()
@data_option
@JSON_OPTION
@click.pass_obj
def doctor(data: Path, as_json: bool) -> None:
    """Check everything that could be wrong, and say how to mend it."""
    from satchel import doctor as checks

    sys.exit(checks.run(data, as_json=as_json))


@cli.command()
@click.option("--keep", type=click.Path(path_type=Path, file_okay=False), help="Keep the demo's store in this folder.")
@JSON_OPTION
def demo(keep: Path | None, as_json: bool) -> None:
    """See it work: invented conversations go in, memories come out, a later question brings them back."""
    from satchel import demo as show

    show.run(keep=keep, as_json=as_json)


cli.add_command(client_commands.clients)
cli.add_command(service_commands.service)
cli.add_command(uninstall_command.uninstall)


def main() -> None:
    """The entry point: every SatchelError is one sentence on standard error and its exit status, mostly 1."""
    try:
        cli(prog_name="satchel", standalone_mode=False)
    except click.exceptions.Exit as leaving:
        sys.exit(leaving.exit_code)
    except click.Abort:
        click.echo("Stopped.", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except SatchelError as error:
        from satchel.terminal import flat  # late: seldom needed, and slow to import

        click.echo(f"satchel: {flat(str(error))}", err=True)  # it may name what a client or a page chose
        sys.exit(error.exit_status)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)
