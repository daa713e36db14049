"""The application: controllers behind the guard, with the daemon's life in its lifespan."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar, Response
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

from satchel import __version__
from satchel.api import errors, memos, native
from satchel.api.access import AnyRequest, needs_scope
from satchel.api.daemon import Daemon
from satchel.api.guard.refusing import MEMOS_PREFIX
from satchel.api.guard.size import MAX_BODY_BYTES
from satchel.api.openapi import document_errors
from satchel.api.pages import create_pages
from satchel.api.parameters import refuse_unknown


def http_error(request: AnyRequest, error: HTTPException) -> Response[Any]:
    """Also for paths that no handler has: each API answers in its own form there too."""
    enveloped = request.url.path.startswith(MEMOS_PREFIX)
    return memos.http_error(request, error) if enveloped else errors.http_error(request, error)


def create_app(daemon: Daemon) -> Litestar:
    """The application without its guard. `satchel.server` serves it behind the guard."""

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        await daemon.start()
        try:
            yield
        finally:
            await daemon.stop()

    async def provide_daemon() -> Daemon:
        return daemon

    app = Litestar(
        route_handlers=[
            native.health,
            native.CaptureController,
            native.RecallController,
            native.MemoryController,
            native.DecisionController,
            native.RederiveController,
            native.ConversationController,
            native.ForgetController,
            native.StateController,
            native.PairController,
            native.PairingController,
            native.ClientController,
            native.DashboardController,
            memos.memos_router,
            create_pages(),
        ],
        dependencies={"daemon": Provide(provide_daemon)},
        guards=[needs_scope],
        before_request=refuse_unknown,
        exception_handlers={**errors.HANDLERS, HTTPException: http_error},
        lifespan=[lifespan],
        request_max_body_size=MAX_BODY_BYTES,
        openapi_config=OpenAPIConfig(
            title="Satchel",
            version=__version__,
            description="Carries what your AIs know about you from chat to chat, and lives on your machine.",
            render_plugins=[JsonRenderPlugin(path="/openapi.json")],
            components=Components(security_schemes={"token": SecurityScheme(type="http", scheme="bearer")}),
            security=[{"token": []}],
        ),
        logging_config=None,
        signature_types=[Daemon],
    )
    document_errors(app)
    return app
