"""What the OpenAPI document says of errors: every call may answer them, so they are added in one place."""

from __future__ import annotations

from http import HTTPStatus

from litestar import Litestar
from litestar.openapi.datastructures import ResponseSpec
from litestar.routes import HTTPRoute

from satchel.api import problem
from satchel.api.guard import tokenless
from satchel.api.guard.refusing import MEMOS_PREFIX
from satchel.api.memos import Envelope

STATUSES = (400, 401, 403, 404, 413, 415, 421, 429, 500, 503)
ANYBODYS = (400, 403, 421, 429, 500, 503)
"""Of calls that need no token."""
WITH_BODY = (408, 413, 415)
"""Of those among them that have a body."""


def document_errors(app: Litestar) -> None:
    """Adds to every handler the errors it may answer, as problem+json or in MemOS's envelope.

    Those that not every call gives stand in the handler's `opt["problems"]`.
    """
    for route in app.routes:
        if not isinstance(route, HTTPRoute):
            continue
        enveloped = route.path.startswith(MEMOS_PREFIX)
        for handler in route.route_handlers:
            statuses: tuple[int, ...] = STATUSES
            if all(tokenless.needs_none(method, route.path) for method in handler.http_methods):
                statuses = ANYBODYS if "GET" in handler.http_methods else (*ANYBODYS, *WITH_BODY)
            errors = {
                status: ResponseSpec(
                    Envelope if enveloped else problem.Problem,
                    generate_examples=False,
                    description=HTTPStatus(status).phrase,
                    media_type="application/json" if enveloped else problem.MEDIA_TYPE,
                )
                for status in (*statuses, *handler.opt.get("problems", ()))
            }
            handler.responses = {**(handler.responses or {}), **errors}
