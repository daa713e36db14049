"""Server-sent events: what happens, told to whoever listens. Ids and states only, no text."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec

BACKLOG = 256
"""Events a slow listener may fall behind; then the oldest are dropped and it is told to look again."""

HEARTBEAT_SECONDS = 15.0


class Event(msgspec.Struct, frozen=True):
    name: str
    profile: str | None
    data: dict[str, Any]


class Events:
    """A broadcaster within one event loop."""

    def __init__(self) -> None:
        self._listeners: dict[asyncio.Queue[Event | None], str | None] = {}
        """Each with the client that listens."""
        self._closed = False

    def publish(self, name: str, profile: str | None, **data: Any) -> None:
        for listener in self._listeners:
            if listener.full():
                listener.get_nowait()
            listener.put_nowait(Event(name, profile, data))

    async def listen(self, *, client: str | None = None, first: bool = False) -> AsyncIterator[Event | None]:
        """Events from now on; None now and then, so that a listener which went away is noticed.

        `client` is the id of the client they go to, until `end` is called for it.
        With `first`, a None at once: who looks at a state on each event has then looked after it began to listen.
        """
        queue: asyncio.Queue[Event | None] = asyncio.Queue(BACKLOG)
        self._listeners[queue] = client
        try:
            if first:
                yield None
            while not self._closed:
                try:
                    event = await asyncio.wait_for(queue.get(), HEARTBEAT_SECONDS)
                except TimeoutError:
                    yield None
                    continue
                if event is None:
                    return
                yield event
        finally:
            del self._listeners[queue]

    def end(self, client: str) -> None:
        """Ends this client's streams: it may no longer listen, or to less."""
        for listener, who in self._listeners.items():
            if who == client:
                while not listener.empty():  # what waits there is no longer for its ears
                    listener.get_nowait()
                listener.put_nowait(None)

    def close(self) -> None:
        """Ends every stream: the daemon is stopping."""
        self._closed = True
        for listener in self._listeners:
            if listener.full():
                listener.get_nowait()
            listener.put_nowait(None)
