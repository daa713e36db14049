"""The guard around an application that does nothing, asked in this process: no daemon, no clock of the machine's."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from satchel.api.guard import Guard
from satchel.store.clients import Client
from satchel.types import SCOPES

PORT = 8765
TOKEN = "t" * 43
CLIENT = Client(id="c", name="test", scopes=SCOPES, profiles=None, created_at=0)
HEADERS = {"Host": f"127.0.0.1:{PORT}", "Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}


class Guarded:
    """`clients` by token. `now` is set by hand. `hold` keeps requests under way until it is set."""

    def __init__(self, clients: dict[str, Client] | None = None) -> None:
        self.clients = {TOKEN: CLIENT} if clients is None else clients
        self.pages: dict[tuple[str, str | None], Client] = {}
        self.now = 0.0
        self.reached = 0
        self.hold: asyncio.Event | None = None
        paired: Callable[[str], bool] = lambda origin: origin in {c.origin for c in self.clients.values()}  # noqa: E731

        async def pin(client: Client, origin: str | None) -> Client:
            return msgspec.structs.replace(client, origin=origin, pinned=True)

        self.guard = Guard(
            self._app,
            port=PORT,
            look_up=self.clients.get,
            look_up_page=lambda cookie, key: self.pages.get((cookie, key)),
            pin=pin,
            seen=lambda client: None,
            paired=paired,
            now=lambda: self.now,
        )

    async def _app(self, scope: Any, receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
        self.reached += 1
        if self.hold is not None:
            await self.hold.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def ask(self, method: str = "GET", path: str = "/v1/status", **headers: str) -> tuple[int, dict[str, str]]:
        """The status and the headers of the answer. `headers` replace the usual ones; "" leaves one out."""
        given = HEADERS | {name.replace("_", "-"): value for name, value in headers.items()}
        raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in given.items() if value]
        scope = {"type": "http", "method": method, "path": path, "headers": raw, "query_string": b""}
        said: list[Any] = []

        async def send(message: Any) -> None:
            said.append(message)

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        await self.guard(scope, receive, send)
        return said[0]["status"], {name.decode(): value.decode() for name, value in said[0]["headers"]}
