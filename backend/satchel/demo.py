"""`satchel demo`: the whole way of a message, on a temporary store, through the real HTTP API with the real models."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import msgspec
from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from satchel import server, terminal
from satchel.client import Client, ClientError, path

START_SECONDS = 30.0
WIDTH = 100


class Turn(msgspec.Struct, frozen=True):
    role: str
    content: str


class Chat(msgspec.Struct, frozen=True):
    site: str
    title: str
    day: str
    turns: tuple[Turn, ...]


def _chat(site: str, title: str, day: str, *turns: str) -> Chat:
    """Turns alternate, the user first."""
    roles = ("user", "assistant")
    return Chat(site, title, day, tuple(Turn(roles[i % 2], text) for i, text in enumerate(turns)))


CHATS = (
    _chat(
        "chatgpt.com",
        "Hotels in Guangzhou",
        "2025-06-10",
        "I've decided to go to Guangzhou for the summer vacation. Which chain hotels could I stay at?",
        "You could consider 7 Days Inn, All Seasons, or Hilton.",
        "I'll go with 7 Days Inn.",
        "Good choice. Ask me if anything else comes up.",
    ),
    _chat(
        "claude.ai",
        "Out-of-office note",
        "2025-06-18",
        "I'm Nadia, a vet. I live in Turin, and I can't stand phone calls. How do I word an out-of-office note?",
        "Here is a short note that sends people to your e-mail instead of your phone.",
        "Lovely. My daughter Mia is allergic to peanuts, can I still bring satay to the office party?",
        "Only if Mia stays at home that day, or with a sauce made of sunflower seeds.",
    ),
    _chat(
        "gemini.google.com",
        "Regex for dates",
        "2025-07-02",
        "I need a regex that matches ISO dates. I get a timeout when I run mine on a big file.",
        r"Anchor it and avoid nested repeats: ^\d{4}-\d{2}-\d{2}$",
        "Thanks, that works!",
    ),
    _chat(
        "chat.deepseek.com",
        "A new town",
        "2025-08-21",
        "I live in Porto now. Noise makes me lose the thread. Where could I work quietly?",
        "The municipal library in the Jardim de São Lázaro has a quiet reading room.",
    ),
)

QUESTIONS = (
    (
        "chat.deepseek.com",
        "I want to go out during the National Day holiday. Recommend a city I haven't been to and a hotel brand I "
        "haven't stayed at.",
    ),
    ("claude.ai", "What should I cook for my daughter's birthday party?"),
    ("chatgpt.com", "What is the boiling point of water?"),
)


def run(*, keep: Path | None, as_json: bool) -> None:
    """Shows the demo. Raises ClientError when the daemon does not come up."""
    out = Console(highlight=False, width=min(WIDTH, Console().width), quiet=as_json)
    started = time.monotonic()
    with _folder(keep) as data, _daemon(data) as client:
        out.print()
        out.print(Text("Satchel carries what your AIs know about you from chat to chat.", style="bold"))
        out.print(
            "Four chats on four sites, of a person who does not exist, go through the real daemon on a temporary "
            "store. The models run here; nothing leaves this machine.\n"
        )
        shown = [_remember(out, client, chat) for chat in CHATS]
        asked = [_ask(out, client, site, question) for site, question in QUESTIONS]
        if as_json:
            sys.stdout.write(msgspec.json.format(msgspec.json.encode({"chats": shown, "questions": asked})).decode())
            sys.stdout.write("\n")
        kept = f"Its store is in {data}." if keep else "Its store is gone again."
        out.print(Rule(style="dim"))
        out.print(
            f"That took {time.monotonic() - started:.0f} s. {kept} Start your own with [bold]./scripts/run[/bold]."
        )


def _remember(out: Console, client: Client, chat: Chat) -> dict[str, Any]:
    out.print(Rule(Text(f"{chat.site}  ·  {chat.title}  ·  {chat.day}", style="bold"), align="left"))
    body = {
        "site": chat.site,
        "external_id": chat.title.lower().replace(" ", "-"),
        "title": chat.title,
        "messages": [
            {"id": str(i), "role": t.role, "content": t.content, "sent_at": f"{chat.day}T09:{i:02}:00Z"}
            for i, t in enumerate(chat.turns)
        ],
    }
    out.print(_said(chat.turns))
    out.print()
    stored = client.call("POST", "/v1/messages", body=body)
    with out.status("stored; reading it for memories ..."):
        states = list(client.wait_for(stored["job_id"]))
    if states[-1]["status"] == "failed":
        raise ClientError(f"Reading it failed: {states[-1]['error']}")
    if states[-1]["status"] != "completed":
        raise ClientError(str(states[-1]["error"]))
    found = [client.call("GET", path("/v1/memories", i)) for i in states[-1]["memory_ids"]]
    found = [memory for memory in found if memory["status"] != "superseded"]
    conversation = client.call("GET", path("/v1/conversations", stored["conversation_id"]))
    turns = {m["id"]: m for m in conversation["messages"]}
    if not found:
        out.print(Text("  Nothing here is worth remembering, and nothing is remembered.\n", style="dim italic"))
    for memory in found:
        out.print(Padding(terminal.memory_view(memory, turns), (0, 0, 1, 2)))
    for old in client.call("GET", "/v1/memories", status="superseded")["items"]:
        if old["id"] not in states[-1]["memory_ids"] and old["valid_to"][:10] == chat.day:
            out.print(Text(f"  ○ no longer, but kept: {old['text']}\n", style="dim strike"))
    return {"conversation_id": stored["conversation_id"], "title": chat.title, "memories": found}


def _said(turns: Sequence[Turn]) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(justify="right", style="dim", width=9)
    grid.add_column()
    for turn in turns:
        grid.add_row(turn.role, turn.content)
    return grid


def _ask(out: Console, client: Client, site: str, question: str) -> dict[str, Any]:
    out.print(Rule(Text(f"later, on {site}", style="bold"), align="left"))
    answer: dict[str, Any] = client.call(
        "POST", "/v1/context", body={"query": question, "site": site, "external_id": "a new chat"}
    )
    out.print(_said([Turn("user", question)]))
    out.print()
    out.print(terminal.context_view(answer, title="what the chat is given"))
    out.print()
    return {"site": site, "question": question, **answer}


@contextlib.contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="satchel-demo-") as folder:
        yield Path(folder)


@contextlib.contextmanager
def _daemon(data: Path) -> Iterator[Client]:
    """A daemon of its own on a free port, ended afterwards."""
    with socket.socket() as probe:
        probe.bind((server.ADDRESS, 0))
        port = probe.getsockname()[1]
    environment = {k: v for k, v in os.environ.items() if k not in ("SATCHEL_URL", "SATCHEL_TOKEN", "SATCHEL_DATA")}
    process = subprocess.Popen(  # noqa: S603 - our own interpreter
        # -P: a file in the current folder must not pass for a module of ours.
        [sys.executable, "-P", "-m", "satchel", "serve", "--data", str(data), "--port", str(port)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment,
    )
    try:
        _wait_until_up(process, port)
        client = Client(
            data, url=f"http://{server.ADDRESS}:{port}", token=(data / server.TOKEN_FILE).read_text().strip()
        )
        yield client
        client.close()
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.communicate()


def _wait_until_up(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            said = process.stderr.read().decode(errors="replace").strip() if process.stderr else ""
            raise ClientError(
                said.removeprefix("satchel: ") or "The daemon ended at once; `satchel doctor` may say why."
            )
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"http://{server.ADDRESS}:{port}/health", trust_env=False).is_success:
                return
        time.sleep(0.05)
    raise ClientError(f"The daemon did not answer within {START_SECONDS:.0f} s; `satchel doctor` may say why.")
