"""A page of the web beside a running daemon: its server, what it tries, and what it must not learn or change."""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import apsw
import httpx

from api.running import Running

ATTACKS = Path(__file__).with_name("foreign_page.js").read_text("utf-8")
SECRET = "Marzipanwald"
ATTEMPTS = 250
"""At least so many things are tried."""

PAGE = b"<!doctype html><title>A page of the web</title><body>"
WORKER = b"""self.onactivate = () => clients.claim();
self.onmessage = async ({ data: { daemon, body }, ports: [port] }) => {
  const told = [];
  for (const options of [{}, { mode: "no-cors" }, { method: "POST", mode: "no-cors", body }])
    try {
      const answer = await fetch(daemon + "/v1/messages", options);
      told.push({ type: answer.type, status: answer.status, text: await answer.text() });
    } catch { told.push("refused"); }
  const readable = told.find((answer) => answer !== "refused" && answer.type !== "opaque");
  port.postMessage(readable || "refused");
};"""


@contextmanager
def page_server() -> Iterator[int]:
    """Serves one empty page and a service worker; its port."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_worker = self.path == "/worker.js"
            self.send_response(200)
            self.send_header("Content-Type", "text/javascript" if is_worker else "text/html")
            self.end_headers()
            self.wfile.write(WORKER if is_worker else PAGE)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def dump(daemon: Running) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    db = apsw.Connection(str(daemon.data / "satchel.sqlite"), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        tables = [
            name
            for name, sql in db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
            if sql and not sql.startswith("CREATE VIRTUAL")
        ]
        rows = {table: list(db.execute(f'SELECT * FROM "{table}"')) for table in tables}
        # When a client last asked is the test's own doing.
        columns = [row[1] for row in db.execute("PRAGMA table_info(client)") if not row[1].startswith("last")]
        return rows | {"client": list(db.execute(f"SELECT {', '.join(columns)} FROM client"))}
    finally:
        db.close()


class Waiting:
    """A pairing under way, asked for by a program."""

    def __init__(self, daemon: Running) -> None:
        self.verifier = secrets.token_urlsafe(32)
        answer = ask(daemon, hashlib.sha256(self.verifier.encode()).hexdigest())
        assert answer.is_success, answer.text
        self.id, self.code = answer.json()["pairing_id"], answer.json()["code"]

    def collect(self, daemon: Running) -> int:
        body = {"verifier": self.verifier}
        return httpx.post(f"{daemon.url}/v1/pair/{self.id}", json=body, trust_env=False).status_code


def ask(daemon: Running, challenge: str = "0" * 64, *, origin: str | None = None) -> httpx.Response:
    body = {"client": "A program", "challenge": challenge}
    headers = {} if origin is None else {"Origin": origin}
    return httpx.post(f"{daemon.url}/v1/pair", json=body, headers=headers, trust_env=False)


def arguments(daemon: Running, address: str, waiting: Waiting | None, *, key: str = "k" * 43) -> dict[str, str]:
    """What the page is given: far more than any page has, a valid token and the pairing's own secrets among it, a link
    that opens the dashboard, and the `key` of the browser's own session there."""
    return {
        "link": daemon.ok("POST", "/v1/dashboard/links")["code"],
        "key": key,
        "daemon": address,
        "token": daemon.token,
        "pairing": waiting.id if waiting else "019b0000-0000-7000-8000-000000000000",
        "verifier": waiting.verifier if waiting else "v" * 43,
        "code": waiting.code if waiting else "BCDF-GHJK",
    }


def assert_nothing_read(told: dict[str, Any], *, own_origin: bool = False) -> None:
    """`own_origin`: the page's address is the daemon's under another name, so that it reads the refusal itself."""
    assert len(told) >= ATTEMPTS, len(told)
    assert SECRET not in json.dumps(told)
    for name, answer in told.items():
        if name.startswith("preload ") and answer == "loaded":
            continue  # something answered, whatever it said
        if isinstance(answer, str):
            assert answer in ("refused", "sent", "unreadable") or (own_origin and answer == "measured"), (name, answer)
        elif own_origin:
            assert answer["status"] in (0, 421), (name, answer)
            assert answer["text"] == "" or "Misdirected" in answer["text"], (name, answer)
        else:  # an opaque answer: sent, refused by us, unreadable for the page
            assert (answer["type"], answer["status"], answer["text"]) == ("opaque", 0, ""), (name, answer)


def outcomes(told: dict[str, Any], tried_with: dict[str, str]) -> dict[str, Any]:
    """What was learned, with no pairing's own id in the names."""
    return {name.replace(tried_with["pairing"], "ID"): answer for name, answer in told.items()}


def assert_only_this_waits(daemon: Running, waiting: Waiting) -> None:
    """The pairing was neither taken, confirmed nor ended, and no other was added: just so many more find room beside it
    until it, the oldest of the programs', has to make some."""
    extension = f"chrome-extension://{'a' * 32}"
    for origin in (None, None, extension, extension):
        assert waiting.collect(daemon) == 202
        assert ask(daemon, origin=origin).status_code == 201
    assert waiting.collect(daemon) == 202
    assert ask(daemon).status_code == 201
    assert waiting.collect(daemon) == 410
