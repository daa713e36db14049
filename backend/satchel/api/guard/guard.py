"""The guard: Host, then Origin, then token, limits, and kind of body; what fails never reaches the app.

Host and Origin come first and count for nothing: what a page sends must not use up what others may ask.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from math import ceil
from typing import TYPE_CHECKING, Any

from satchel import __version__
from satchel.api.guard import body, concurrency, content, host, origin, page, preflight, rate, token, tokenless
from satchel.api.guard.refusing import Refused, refuse
from satchel.store.clients import Client
from satchel.types import SatchelError, TooManyError

if TYPE_CHECKING:
    from litestar.types import ASGIApp, Message, Receive, Send

ONCE = frozenset(
    {b"host", b"origin", b"authorization", b"content-type", b"cookie", b"sec-fetch-site", page.KEY.encode()}
)
"""Headers that are judged: of two, the app or a later version might read the other one."""


ANOTHERS = "Another's token"
"""The title by which the extension tells that it has to be paired again (extension/src/worker/daemon.ts)."""


class Guard:
    """Wraps the app. `look_up` finds the client of a token, `look_up_page` that of a browser's cookie and of the key
    beside it (None where the cookie is enough), `pin` gives a token that is nobody's yet to an origin,
    `seen` is told who asked, `paired` says whether a client has this origin; `port` is the daemon's own; `now` gives
    seconds that never go back.

    The client is handed on as `scope["satchel_client"]`.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        port: int,
        look_up: Callable[[str], Client | None],
        look_up_page: Callable[[str, str | None], Client | None],
        pin: Callable[[Client, str | None], Awaitable[Client]],
        seen: Callable[[Client], None],
        paired: Callable[[str], bool],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.app = app
        self.port = port
        self.look_up = look_up
        self.look_up_page = look_up_page
        self.pin = pin
        self.seen = seen
        self.paired = paired
        self.rates = rate.Rates(now)
        self.under_way = concurrency.UnderWay()

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008, "reason": "no web sockets here"})
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        stamps = [(b"x-satchel-version", __version__.encode()), (b"x-content-type-options", b"nosniff")]

        async def send_stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = list(message.get("headers", []))
                # What a browser keeps would outlive a forgetting.
                kept = [] if any(name == b"cache-control" for name, _ in own) else [(b"cache-control", b"no-store")]
                message["headers"] = [*own, *stamps, *kept]
            await send(message)

        try:
            self._check_where_from(scope, headers)
            asked_by = headers.get("origin")
            is_paired = asked_by is not None and origin.is_extension(asked_by) and self.paired(asked_by)
            if asked_by is not None and is_paired:
                stamps += preflight.readable(asked_by)
            if preflight.is_one(scope["method"], headers):
                if not is_paired:
                    raise Refused(403, "Not allowed", "Satchel answers no preflight of this origin.")
                self._count("open", rate.OPEN)
                await send_stamped({"type": "http.response.start", "status": 204, "headers": preflight.answer(headers)})
                await send_stamped({"type": "http.response.body", "body": b"", "more_body": False})
                return
            who, limit = await self._check_who(scope, headers)
            has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
            if not content.is_json(scope["method"], headers.get("content-type"), has_body=has_body):
                raise Refused(415, "Unsupported media type", "Send JSON, with `Content-Type: application/json`.")
            if has_body and tokenless.hands_in(scope["method"], scope["path"]):
                receive = await body.received(receive, headers.get("content-length"))
            if not self.under_way.enter(who, limit):
                raise TooManyError(f"{limit} such requests are under way already; wait until one ends.", retry_after=1)
        except SatchelError as error:
            await refuse(scope, send_stamped, error, to_person=page.wants_page(headers, scope["path"]))
            return
        try:
            await self.app(scope, receive, send_stamped)
        finally:
            self.under_way.leave(who)

    def _check_where_from(self, scope: Any, headers: dict[str, str]) -> None:
        """Raises Refused for what has come astray, and for pages of the web."""
        if not host.is_own(headers.get("host"), self.port):
            raise Refused(421, "Misdirected request", f"Ask for 127.0.0.1:{self.port}.")
        judged = [name for raw, _ in scope["headers"] if (name := raw.lower()) in ONCE]
        if len(judged) != len(set(judged)):
            raise Refused(400, "Bad request", "A header that may stand there once stands there twice.")
        if not origin.is_allowed(headers.get("origin"), self.port) or origin.is_embedded(headers):
            raise Refused(403, "Foreign origin", "Web pages may not talk to Satchel.")

    async def _check_who(self, scope: Any, headers: dict[str, str]) -> tuple[str, int]:
        """Under which name the request is counted, and how many of that name may be under way.

        Finds the client of the token. Raises Refused, and StoreError where it cannot be looked up.
        """
        if tokenless.needs_none(scope["method"], scope["path"]):
            name, pace = tokenless.counted_as(scope["method"], scope["path"])
            self._count(name, pace)
            return name, concurrency.TOKENLESS
        given = token.from_header(headers.get("authorization"))
        client = self.look_up(given) if given else self._browser(scope, headers)
        if client is None:
            self._count("unknown", rate.UNKNOWN)
            hint = "Send `Authorization: Bearer TOKEN`; `satchel token` makes one."
            raise Refused(401, "No valid token", hint)
        self._count(client.id, rate.CLIENT)
        if not client.pinned and origin.shows_owner(headers, scope["method"]):
            client = await self.pin(client, headers.get("origin"))
            if client.revoked_at is not None:
                raise Refused(401, "No valid token", "This token was revoked a moment ago.")
        if not origin.fits(client.origin, headers.get("origin"), scope["method"]):
            hint = (
                "This token was given to another: pair this extension, or make a token with `satchel token --origin`."
            )
            raise Refused(403, ANOTHERS, hint)
        scope["satchel_client"] = client
        self.seen(client)
        if concurrency.is_stream(scope["path"]):
            return f"{client.id} streams", concurrency.STREAMS
        return client.id, concurrency.CLIENT

    def _browser(self, scope: Any, headers: dict[str, str]) -> Client | None:
        """The browser in which the dashboard was opened. Raises Refused where something else in it asks."""
        secrets = page.cookies(headers, self.port)
        if not secrets:
            return None
        is_file = page.is_file(scope["method"], scope["path"])
        if not page.is_own(headers, navigates=is_file):
            raise Refused(403, "Foreign origin", "Only the dashboard's own pages may ask in its name.")
        key = headers.get(page.KEY)
        if not is_file and not key:
            return None
        found = (self.look_up_page(secret, None if is_file else key) for secret in secrets)
        return next((client for client in found if client is not None), None)

    def _count(self, who: str, pace: rate.Rate) -> None:
        if wait := self.rates.take(who, pace):
            raise TooManyError(
                f"More than {pace.per_second:.0f} requests a second come; ask again later.", retry_after=ceil(wait)
            )
