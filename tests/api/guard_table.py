"""Every way in, tried in every wrong way: what the guard's test and its campaign go through.

A target is a request that would succeed with the right token: every call of the OpenAPI document with a valid body,
whatever else the application serves, and paths that do not exist. An attack is a way of asking that must get nothing.
"""

from __future__ import annotations

import hashlib
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast

import apsw
import httpx
from litestar import Litestar
from litestar.routes import HTTPRoute

from api.running import Running
from satchel.api.app import create_app
from satchel.api.daemon import Daemon
from satchel.api.guard import page, tokenless
from satchel.types import SCOPES, Scope

SECRET = "Marzipanwald"
VERIFIER = "v" * 43
EXTENSION = "chrome-extension://" + "a" * 32
WAITING_EXTENSION = "chrome-extension://" + "c" * 32
"""That asks to be paired. Nobody else's asking takes its place, so that it must still wait in the end."""
OTHER_EXTENSION = "chrome-extension://" + "b" * 32
ORIGINS = ("https://chatgpt.com", "http://127.0.0.1:1", "https://127.0.0.1:{port}", "http://localhost")
HOSTS = ("evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.evil.example:{port}", "[::1]")
BODIED = ("POST", "PUT", "PATCH", "DELETE")

Kind = Literal["route", "mounted", "nowhere"]
Verdict = Literal["refused", "open to all", "only its own", "let in"]


class Target(NamedTuple):
    method: str
    path: str
    body: Any = None
    scope: Scope | None = None
    kind: Kind = "route"

    @property
    def label(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def reads(self) -> bool:
        """Whether it changes nothing, so that a client of another profile may ask and is told of its own."""
        return self.method == "GET" or self.path == "/v1/forgotten/among"

    @property
    def open_to_all(self) -> bool:
        return tokenless.needs_none(self.method, self.path.partition("?")[0])


class Prepared:
    """A daemon with something to steal in the profile `me`, tokens of every kind, and a pairing that waits."""

    def __init__(self, daemon: Running) -> None:
        self.daemon = daemon
        daemon.ok("POST", "/v1/extraction", {"paused": True})  # nothing may change by itself
        done = daemon.capture(f"The secret is {SECRET}.", title=SECRET)
        memory = daemon.ok("POST", "/v1/memories", {"text": f"The secret is {SECRET}."})
        offered = daemon.ok("POST", "/v1/context", {"query": f"What is the secret {SECRET}?"})
        challenge = hashlib.sha256(VERIFIER.encode()).hexdigest()
        asks = {"client": "waiting", "challenge": challenge}
        waiting = daemon.ok("POST", "/v1/pair", asks, headers={"Authorization": "", "Origin": WAITING_EXTENSION})
        self.pairing_id: str = waiting["pairing_id"]
        self.code: str = waiting["code"]
        self.revoked = daemon.new_token()
        self.clients = [c["id"] for c in daemon.ok("GET", "/v1/clients")["items"] if c["name"] != "command line"]
        daemon.ok("DELETE", f"/v1/clients/{self.clients[0]}")
        self.extension = daemon.new_token("--origin", EXTENSION)
        self.other_profile = daemon.new_token("--profile", "work")
        self.lacking: dict[Scope, str] = {
            scope: daemon.new_token(*(part for other in SCOPES if other != scope for part in ("--scope", other)))
            for scope in SCOPES
        }
        daemon.new_token()
        self.client_id: str = daemon.ok("GET", "/v1/clients")["items"][-1]["id"]
        self.ids = {
            "job_id": done["job_id"],
            "conversation_id": done["conversation_id"],
            "memory_id": memory["id"],
            "injection_id": offered["injection_id"],
            "pairing_id": self.pairing_id,
            "client_id": self.client_id,
        }
        self.browser = self._open_dashboard()
        self.offered = [hit["id"] for hit in offered["hits"]]
        self.private = (SECRET, done["conversation_id"], memory["id"], *done["message_ids"], self.client_id)

    def _open_dashboard(self) -> dict[str, str]:
        """The headers of a request that the dashboard sends from a browser that was let in."""
        code = self.daemon.ok("POST", "/v1/dashboard/links")["code"]
        asks = {"Authorization": "", "Origin": self.daemon.url}
        given = self.daemon.call("POST", page.SESSIONS, {"code": code}, headers=asks)
        name = page.cookie_name(self.daemon.port)
        own = {"Origin": self.daemon.url, "Sec-Fetch-Site": "same-origin"}
        return own | {"Cookie": f"{name}={given.cookies[name]}", page.KEY: given.json()["key"]}

    def right(self, target: Target) -> dict[str, str]:
        """The headers with which the call succeeds."""
        if target.path == page.SESSIONS:
            return self.browser
        collects = target.path == f"/v1/pair/{self.pairing_id}"
        return {"Authorization": f"Bearer {self.daemon.token}"} | ({"Origin": WAITING_EXTENSION} if collects else {})

    def collect(self) -> httpx.Response:
        """The pairing's own client asks whether it is confirmed."""
        headers = {"Authorization": "", "Origin": WAITING_EXTENSION}
        return self.daemon.call("POST", f"/v1/pair/{self.pairing_id}", {"verifier": VERIFIER}, headers=headers)

    def bodies(self) -> dict[tuple[str, str], Any]:
        """A valid body for each call that takes one, by method and path of the document."""
        turn = {"role": "user", "content": "Planted."}
        return {
            ("post", "/v1/messages"): {"site": "s", "external_id": "planted", "messages": [turn]},
            ("post", "/v1/context"): {"query": "the secret"},
            ("post", "/v1/recall"): {"query": "the secret"},
            ("post", "/v1/injections/{injection_id}"): {"inserted": self.offered},
            ("post", "/v1/memories"): {"text": "Planted."},
            ("patch", "/v1/memories/{memory_id}"): {"text": "Planted.", "pinned": True},
            ("post", "/v1/decisions/{memory_id}"): {"decision": "keep"},
            ("post", "/v1/rederive"): {"profile": "me"},
            ("post", "/v1/rederive/apply"): {"profile": "me", "preview": "x"},
            ("post", "/v1/extraction"): {"paused": False},
            ("post", "/v1/forget"): {"profile": "me", "name": "Planted", "preview": False},
            ("post", "/v1/forgotten/among"): {"conversations": [{"site": "test", "external_id": "c"}]},
            ("post", "/v1/forgotten/allow"): {"profile": "me", "all": True},
            ("post", "/v1/pair"): {"client": "planted", "challenge": "0" * 64},
            ("post", "/v1/pair/{pairing_id}"): {"verifier": VERIFIER},
            ("post", "/v1/pairings"): {"code": self.code},
            ("post", "/v1/pairings/{pairing_id}"): {"code": self.code, "decision": "confirm"},
            ("patch", "/v1/clients/{client_id}"): {"name": "Planted"},
            ("post", "/v1/dashboard/sessions"): {"code": "w" * 43},
            ("post", "/api/openmem/v1/add/message"): {"user_id": "me", "conversation_id": "p", "messages": [turn]},
            ("post", "/api/openmem/v1/get/status"): {"task_id": self.ids["job_id"]},
            ("post", "/api/openmem/v1/search/memory"): {"user_id": "me", "query": "the secret"},
        }

    def targets(self, seed: int = 0) -> list[Target]:
        app = create_app(cast(Daemon, None))
        return [*self._calls(app), *_mounted(app), *nowhere(random.Random(seed))]

    def _calls(self, app: Litestar) -> Iterator[Target]:
        scopes = {
            (method.lower(), route.path_format): handler.opt.get("scope")
            for route in app.routes
            if isinstance(route, HTTPRoute)
            for handler in route.route_handlers
            for method in handler.http_methods
        }
        bodies = self.bodies()
        for path, item in app.openapi_schema.to_schema()["paths"].items():
            for method, call in item.items():
                body = bodies.get((method, path))
                assert ("requestBody" in call) == (body is not None), f"{method} {path}: say what a valid body is"
                named = path.format(**self.ids)
                if (method, path) in (("get", "/v1/export"), ("get", "/v1/rederive"), ("delete", "/v1/rederive")):
                    named += "?profile=me"
                yield Target(method.upper(), named, body, scopes[method, path])


def _mounted(app: Litestar) -> Iterator[Target]:
    """Whatever is served and not in the document."""
    known = set(app.openapi_schema.to_schema()["paths"])
    for route in app.routes:
        path = str(route.path_format)
        if path not in known:
            for there in dict.fromkeys((path.replace("{path}", "x"), path.partition("{")[0] + "x/y.js")):
                for method in ("GET", "POST"):
                    yield Target(method, there, {} if method == "POST" else None, kind="mounted")


NOWHERE = (  # noqa: SIM905 - a list of these is a page long
    "/ /index.html /favicon.ico /robots.txt /admin /login /static/app.js /assets/../v1/memories /.env /.git/config /v1"
    " /v1/ /v2/memories /v1/nothing /v1/memories/x/y /v1/memory /v1/tokens /v1/token /v1/clients/x/y /v1/messages/x"
    " /V1/memories /v1//nothing //v1/nothing /v1/../v1/nothing /v1/%6demories/x/y /v1/pairing /v1/pair/x/y"
    " /v1/events/x /v1/status.json /health/x /healthz /metrics /debug /docs /openapi.json /schema.json"
    " /api /api/openmem /api/openmem/v1 /api/openmem/v2/add/message /api/openmem/v1/nothing /dashboard /ui /mcp /sse"
    " /ws /socket.io/ /graphql /rpc /satchel.sqlite /command-line.token /%00 /%2e%2e/%2e%2e/etc/passwd"
).split()


def nowhere(chance: random.Random) -> Iterator[Target]:
    """Paths that do not exist: those that people and scanners try, and as many of chance."""
    letters = "abcdefghijklmnopqrstuvwxyz0123456789-_."
    made = ["/v1/" + "".join(chance.choices(letters, k=chance.randint(9, 30))) for _ in range(5)]
    for path in (*NOWHERE, *made):
        yield Target("GET", path, kind="nowhere")
        yield Target(chance.choice(BODIED), path, {"profile": "me"}, kind="nowhere")


class Attack(NamedTuple):
    """`headers` gives what is sent to a target, None where this is no attack on it; `refusals` what must come back."""

    name: str
    headers: Callable[[Target], Mapping[str, str] | None]
    refusals: frozenset[int]
    open_to_all: bool = False
    """Whether calls that need no token are meant to answer it."""


def attacks(prepared: Prepared, chance: random.Random) -> list[Attack]:
    port, full = prepared.daemon.port, {"Authorization": f"Bearer {prepared.daemon.token}"}

    def bearer(token: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {token}"}

    def lacking(target: Target) -> Mapping[str, str] | None:
        return bearer(prepared.lacking[target.scope]) if target.scope else None

    def in_other_profile(target: Target) -> Mapping[str, str] | None:
        """Giving back its own token, and finding a pairing, touches no profile."""
        its_own = target.path in ("/v1/pair", "/v1/pairings") or target.open_to_all
        return None if its_own or target.kind != "route" else bearer(prepared.other_profile)

    def of_kind(kind: str) -> Callable[[Target], Mapping[str, str] | None]:
        return lambda target: full | {"Content-Type": kind} if target.method in BODIED else None

    def of_browser(
        change: Mapping[str, str], *, without: str = "", files: bool = True
    ) -> Callable[[Target], Mapping[str, str] | None]:
        """What is not quite the dashboard's own request. The cookie alone opens its `files`, and is meant to."""
        headers = {name: value for name, value in prepared.browser.items() if name != without} | change

        def of(target: Target) -> Mapping[str, str] | None:
            is_file = page.is_file(target.method, target.path)
            return None if is_file and not files else headers

        return of

    def embedded(target: Target) -> Mapping[str, str] | None:
        how = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
        return full | how if target.method == "GET" else None

    return [
        Attack("no token", lambda _: {}, frozenset({401}), open_to_all=True),
        Attack("wrong token", lambda _: bearer("w" * 43), frozenset({401}), open_to_all=True),
        Attack("revoked token", lambda _: bearer(prepared.revoked), frozenset({401}), open_to_all=True),
        Attack("out of scope", lacking, frozenset({403})),
        Attack("other profile", in_other_profile, frozenset({403, 404})),
        Attack("foreign Host", lambda _: full | {"Host": chance.choice(HOSTS).format(port=port)}, frozenset({421})),
        Attack("web Origin", lambda _: full | {"Origin": chance.choice(ORIGINS).format(port=port)}, frozenset({403})),
        Attack("null Origin", lambda _: full | {"Origin": "null"}, frozenset({403})),
        Attack("embedded by a page", embedded, frozenset({403})),
        Attack(
            "another extension's Origin",
            lambda _: bearer(prepared.extension) | {"Origin": OTHER_EXTENSION},
            frozenset({403}),
            open_to_all=True,
        ),
        Attack(
            "an extension with a program's token",
            lambda _: full | {"Origin": EXTENSION},
            frozenset({403}),
            open_to_all=True,
        ),
        Attack(
            "the dashboard's cookie without its key",
            of_browser({}, without=page.KEY, files=False),
            frozenset({401}),
            open_to_all=True,
        ),
        Attack(
            "the dashboard's cookie with a wrong key",
            of_browser({page.KEY: "w" * 43}, files=False),
            frozenset({401}),
            open_to_all=True,
        ),
        Attack(
            "the dashboard's cookie and key from another port",
            of_browser({"Origin": "http://127.0.0.1:1", "Sec-Fetch-Site": "same-site"}),
            frozenset({403}),
        ),
        Attack("form content type", of_kind("application/x-www-form-urlencoded"), frozenset({415})),
        Attack("text/plain", of_kind("text/plain"), frozenset({415})),
    ]


class Tried(NamedTuple):
    verdict: Verdict
    status: int


def ask(http: httpx.Client, target: Target, headers: Mapping[str, str]) -> tuple[int, str, httpx.Headers]:
    """Status, text and headers of an answer; of an event stream the beginning."""
    json = {"json": target.body if target.body is not None else {}} if target.method in BODIED else {}
    raw = http.build_request(target.method, target.path, headers=headers, **cast(Any, json))
    answer = http.send(raw, stream=True)
    try:
        stream = answer.headers.get("content-type", "").startswith("text/event-stream")
        text = "" if stream else answer.read().decode(errors="replace")
    finally:
        answer.close()
    return answer.status_code, text, answer.headers


def attempt(http: httpx.Client, prepared: Prepared, attack: Attack, target: Target) -> Tried | None:
    """What became of it, None where there is nothing to attack."""
    headers = attack.headers(target)
    if headers is None:
        return None
    status, text, said = ask(http, target, headers)
    while status == 429:  # the limit for whoever has no token: asked again when it says
        time.sleep(int(said["retry-after"]))
        status, text, said = ask(http, target, headers)
    told = any(private in text for private in prepared.private if private not in target.path)
    readable = "origin" in {name.lower() for name in headers} and "access-control-allow-origin" in said
    readable = readable and headers["Origin"] != EXTENSION  # which is paired, and may read that it was refused
    if not told and not readable:
        if status in attack.refusals:
            return Tried("refused", status)
        if attack.open_to_all and target.open_to_all:
            return Tried("open to all", status)
        if attack.name == "other profile" and status == 200 and target.reads:
            return Tried("only its own", status)
    return Tried("let in", status)


def dump(data: Path) -> dict[str, list[Any]]:
    """All rows of all tables, but for when a client last asked: that is noted of whoever has a token."""
    db = apsw.Connection(str(data / "satchel.sqlite"), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        tables = db.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name"
        ).fetchall()
        rows: dict[str, list[Any]] = {}
        for (table,) in tables:
            columns = [str(c[1]) for c in db.execute(f'PRAGMA table_info("{table}")') if c[1] != "last_used_at"]
            names = ", ".join(f'"{column}"' for column in columns)
            rows[str(table)] = sorted(map(repr, db.execute(f'SELECT {names} FROM "{table}"')))
        return rows
    finally:
        db.close()


def changed(before: Mapping[str, list[Any]], after: Mapping[str, list[Any]]) -> list[str]:
    """The tables that differ."""
    return [table for table in {**before, **after} if before.get(table) != after.get(table)]


def counted(tried: Mapping[tuple[str, str], Tried]) -> dict[str, Counter[str]]:
    """How often each verdict, by attack."""
    table: dict[str, Counter[str]] = {}
    for (attack, _), result in tried.items():
        table.setdefault(attack, Counter())[result.verdict] += 1
    return table
