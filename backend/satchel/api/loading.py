"""The application while it loads: the daemon answers `/health` at once, and everything else as soon as it can.

Importing the web framework and building the routes takes most of a start. Behind the guard stands this, which does
both in a thread; a request that comes earlier waits those tenths of a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from satchel import __version__
from satchel.api.schemas import Health

if TYPE_CHECKING:
    from litestar import Litestar
    from litestar.types import LifeSpanReceive, LifeSpanSend, Send


class Loading:
    """An ASGI application that becomes another. `failed` is told when that cannot be built."""

    def __init__(self, build: Callable[[], Litestar], *, failed: Callable[[BaseException], None]) -> None:
        self._build = build
        self._failed = failed
        self._app: Litestar | None = None
        self._loaded = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        if not self._loaded.is_set():
            if scope["path"] == "/health" and scope["method"] == "GET":
                await _say_not_ready(send)
                return
            await self._loaded.wait()
        assert self._app is not None
        await self._app(scope, receive, send)

    async def _live(self, receive: LifeSpanReceive, send: LifeSpanSend) -> None:
        """The ASGI lifespan: up at once, while the rest loads; down when the application is down."""
        await receive()
        await send({"type": "lifespan.startup.complete"})
        try:
            self._app = await asyncio.to_thread(self._build)
            # Entered and left in this one task, as its cancel scopes demand.
            async with self._app.lifespan():
                self._loaded.set()
                await receive()
        except Exception as error:  # noqa: BLE001 - whatever stops the application ends the daemon, which reports it
            self._failed(error)
            if not self._loaded.is_set():
                await receive()
        await send({"type": "lifespan.shutdown.complete"})


async def _say_not_ready(send: Send) -> None:
    body = msgspec.json.encode(Health(name="satchel", version=__version__, ready=False))
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
