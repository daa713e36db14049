"""The guard: Host, then Origin, then token, then kind of body; what fails never reaches the app."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from satchel import __version__
from satchel.api import problem
from satchel.api.guard import content, host, origin, token, tokenless
from satchel.store.clients import Client
from satchel.types import StoreError

if TYPE_CHECKING:
    from litestar.types import ASGIApp, Message, Receive, Send

MEMOS_PREFIX = "/api/openmem/"


class Guard:
    """Wraps the app. `look_up` finds the client of a token, `seen` is told who asked; `port` is the daemon's own.

    The client is handed on as `scope["satchel_client"]`.
    """

    def __init__(
        self, app: ASGIApp, *, port: int, look_up: Callable[[str], Client | None], seen: Callable[[Client], None]
    ) -> None:
        self.app = app
        self.port = port
        self.look_up = look_up
        self.seen = seen

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008, "reason": "no web sockets here"})
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        asked_by = headers.get("origin")

        async def send_stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                stamped = [*message.get("headers", []), (b"x-satchel-version", __version__.encode())]
                if asked_by is not None and origin.is_extension(asked_by):
                    stamped += [(b"access-control-allow-origin", asked_by.encode()), (b"vary", b"Origin")]
                message["headers"] = stamped
            await send(message)

        if not host.is_own(headers.get("host"), self.port):
            await _refuse(scope, send_stamped, 421, "Misdirected request", f"Ask for 127.0.0.1:{self.port}.")
            return
        if not origin.is_allowed(asked_by, self.port):
            await _refuse(scope, send_stamped, 403, "Foreign origin", "Web pages may not talk to Satchel.")
            return
        if not tokenless.needs_none(scope["method"], scope["path"]):
            given = token.from_header(headers.get("authorization"))
            try:
                client = self.look_up(given) if given else None
            except StoreError as error:
                await _refuse(scope, send_stamped, error.status, error.title, str(error))
                return
            if client is None:
                hint = "Send `Authorization: Bearer TOKEN`; `satchel token` makes one."
                await _refuse(scope, send_stamped, 401, "No valid token", hint)
                return
            scope["satchel_client"] = client
            self.seen(client)
        has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
        if not content.is_json(scope["method"], headers.get("content-type"), has_body=has_body):
            hint = "Send JSON, with `Content-Type: application/json`."
            await _refuse(scope, send_stamped, 415, "Unsupported media type", hint)
            return
        await self.app(scope, receive, send_stamped)


async def _refuse(scope: Any, send: Send, status: int, title: str, detail: str) -> None:
    headers = [(b"content-type", problem.MEDIA_TYPE.encode()), (b"connection", b"close")]
    body = problem.body(status, title, detail)
    if scope["path"].startswith(MEMOS_PREFIX):
        headers[0] = (b"content-type", b"application/json")
        code = 40100 if status == 401 else status * 100
        body = msgspec.json.encode({"code": code, "data": None, "message": f"{title}. {detail}"})
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
