"""Letting a browser see the dashboard: a link made by who may do everything, handed in once."""

from __future__ import annotations

from litestar import Controller, Response, delete, post
from litestar.datastructures import Cookie
from litestar.params import JSONBody

from satchel.api.access import AnyRequest, ForbiddenError, TheDaemon, client_of, refuse_browsers
from satchel.api.guard import page
from satchel.api.guard.size import MAX_TOKENLESS_BYTES
from satchel.api.links import LIFETIME_SECONDS
from satchel.api.schemas import Done, LinkAnswer, SessionAnswer, SessionRequest
from satchel.store import Tx, clients
from satchel.types import SCOPES

BROWSERS = (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
"""By what stands in a User-Agent, the particular before what others claim too."""


def browser_name(user_agent: str) -> str:
    return next((name for mark, name in BROWSERS if mark in user_agent), "a browser")


class DashboardController(Controller):
    path = "/v1/dashboard"
    tags = ("dashboard",)

    @post("/links", status_code=200, guards=[refuse_browsers], opt={"scope": "manage"})
    async def link(self, request: AnyRequest, daemon: TheDaemon) -> LinkAnswer:
        """A code that opens the dashboard in one browser: go to `/open#CODE` within a minute.

        Only for who may do everything, in all profiles: that is what the browser may then.
        """
        client = client_of(request)
        if client.page:  # a session that was stolen for a moment would give itself others, and outlive its end
            raise ForbiddenError("One browser cannot let in another; run `satchel open`.")
        if client.profiles is not None or any(not client.may(scope) for scope in SCOPES):
            raise ForbiddenError(f"The dashboard may do everything, and the token of {client.name!r} may not.")
        return LinkAnswer(code=daemon.links.make(), expires_in=LIFETIME_SECONDS)

    @post(
        "/sessions",
        status_code=200,
        security=[{}],
        request_max_body_size=MAX_TOKENLESS_BYTES,
        opt={"problems": (410,)},
    )
    async def open(
        self, request: AnyRequest, data: JSONBody[SessionRequest], daemon: TheDaemon
    ) -> Response[SessionAnswer]:
        """Hands in a link's code; sets the cookie, and answers the key that goes with each request beside it.

        From the daemon's own page alone: nobody else keeps cookies.
        """
        origin = request.headers.get("origin")
        if origin is None or not page.is_own(dict(request.headers), navigates=False):
            raise ForbiddenError("The link is handed in by the page that it leads to.")
        daemon.links.take(data.code)
        name = f"dashboard in {browser_name(request.headers.get('user-agent', ''))}"
        former = page.cookies(dict(request.headers), request.base_url.port or 80)

        def let_in(tx: Tx) -> clients.PageSecrets:
            for secret in former:
                if (before := clients.by_page(tx.db, secret, None, now=tx.now)) is not None:
                    clients.close_page(tx, before.id)  # the same browser once more
            return clients.open_page(tx, name=name, origin=origin)

        given = await daemon.store.write(let_in)
        return Response(
            SessionAnswer(key=given.key),
            cookies=[_cookie(request, given.cookie, clients.PAGE_LASTS_MS // 1000)],
        )

    @delete("/sessions", status_code=200, opt={"scope": "manage"})
    async def close(self, request: AnyRequest, daemon: TheDaemon) -> Response[Done]:
        """Signs this browser out."""
        client = client_of(request)
        if not client.page:
            raise ForbiddenError("Only a browser in which the dashboard is open can be signed out of it.")
        await daemon.store.write(lambda tx: clients.close_page(tx, client.id))
        daemon.events.end(client.id)
        return Response(Done(), cookies=[_cookie(request, "", 0)])


def _cookie(request: AnyRequest, value: str, seconds: int) -> Cookie:
    """Not `secure`: there is no certificate for one's own machine, and nothing leaves it."""
    name = page.cookie_name(request.base_url.port or 80)
    return Cookie(key=name, value=value, path="/", max_age=seconds, httponly=True, samesite="strict", secure=False)
