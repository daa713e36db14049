"""The body of a request without a token: all of it must be there soon, and until then the request takes nobody's place.

The server itself waits for ever: whoever announced a body and never sent it would count as under way for as long as the
connection stays open. How many may wait here at a time is bounded by how often may be asked, and how much each holds by
how long such a request may be.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from satchel.api.guard.refusing import Refused
from satchel.api.guard.size import MAX_TOKENLESS_BYTES

if TYPE_CHECKING:
    from litestar.types import HTTPReceiveMessage, Receive

SECONDS = 10.0
"""For the whole body, which fits into one packet or a few, from a program on this machine."""


async def received(receive: Receive, announced: str | None = None) -> Receive:
    """Waits for the body, or for more of it than is allowed; the app reads it, and what follows, from what is returned.

    `announced` is the header that says how long it is: the app refuses what is too long without reading it. Raises
    Refused after SECONDS.
    """
    if announced is not None and announced.isdecimal() and int(announced) > MAX_TOKENLESS_BYTES:
        return receive
    messages: list[HTTPReceiveMessage] = []
    size = 0
    try:
        async with asyncio.timeout(SECONDS):
            while size <= MAX_TOKENLESS_BYTES:
                message = cast("HTTPReceiveMessage", await receive())
                messages.append(message)
                if message["type"] != "http.request" or not message.get("more_body"):
                    break
                size += len(message["body"])
    except TimeoutError:
        raise Refused(
            408, "Request timeout", f"The request did not come within {SECONDS:.0f} seconds; send it again, whole."
        ) from None
    coming = iter(messages)

    async def again() -> HTTPReceiveMessage:
        message = next(coming, None)
        return cast("HTTPReceiveMessage", await receive()) if message is None else message

    return again
