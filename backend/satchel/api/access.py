"""What the client that asks may do: its scopes and its profiles."""

from __future__ import annotations

from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler

from satchel.api.daemon import Daemon
from satchel.api.guard import browser, origin
from satchel.store.clients import Client
from satchel.types import SatchelError, Scope

AnyRequest = Request[Any, Any, Any]

TheDaemon = NamedDependency[Daemon]
"""How a handler asks for the one that the application was made with."""


class ForbiddenError(SatchelError):
    status = 403
    title = "Not allowed"


def client_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Client:
    """The client whose token the guard accepted."""
    client = connection.scope.get("satchel_client")
    if not isinstance(client, Client):
        raise ForbiddenError("This call needs a token.")
    return client


async def needs_scope(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """A Litestar guard, async because Litestar runs a plain one in a thread.

    The handler's `opt["scope"]` must be among the client's; without one, any client may ask.
    """
    scope: Scope | None = handler.opt.get("scope")
    if scope is None:
        return
    client = client_of(connection)
    if not client.may(scope):
        raise ForbiddenError(f"The token of {client.name!r} lacks the scope {scope!r}.")


async def refuse_pages(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """A Litestar guard: of browsers, extensions alone. The daemon's own pages are no clients that ask for a token."""
    asked_by = connection.headers.get("origin")
    if asked_by is not None and not origin.is_extension(asked_by):
        raise ForbiddenError("Pages may not be paired; browser extensions and programs may.")


async def refuse_browsers(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """A Litestar guard: nothing that a browser sends, whatever its token may do, but from the dashboard, which whoever
    may do everything has opened there."""
    if browser.sent(connection.headers) and not client_of(connection).page:
        raise ForbiddenError(
            "This is decided in the dashboard, or in a terminal (`satchel pair CODE`, `satchel clients`)."
        )


def oversees_all(client: Client) -> bool:
    """Whether it may be told of clients and pairings: it manages all profiles, and is no browser extension, which could
    make use of knowing that somebody pairs just now. Of a token that is not pinned yet nobody knows."""
    if not client.pinned or (client.origin is not None and origin.is_extension(client.origin)):
        return False
    return client.may("manage") and client.profiles is None


async def refuse_limited(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """A Litestar guard for what concerns all profiles: no client that is limited to some."""
    if client_of(connection).profiles is not None:
        raise ForbiddenError("This concerns all profiles, and this token is limited to some.")


def check_profile(request: AnyRequest, profile: str) -> str:
    client = client_of(request)
    if not client.sees(profile):
        raise ForbiddenError(f"The token of {client.name!r} is not for the profile {profile!r}.")
    return profile


def sees(request: AnyRequest, profile: str) -> bool:
    return client_of(request).sees(profile)


def visible_profiles(request: AnyRequest) -> tuple[str, ...] | None:
    """The profiles the client is limited to, None for all."""
    return client_of(request).profiles
