"""What the OpenAPI document says of errors: every call may answer them, so they are added in one place."""

from __future__ import annotations

from http import HTTPStatus

from litestar import Litestar
from litestar.openapi.datastructures import ResponseSpec
from litestar.routes import HTTPRoute

from satchel.api import problem
from satchel.api.guard.guard import MEMOS_PREFIX, OPEN_PATHS
from satchel.api.memos import Envelope

STATUSES = (400, 401, 403, 404, 413, 415, 421, 500, 503)
ANYBODYS = (400, 403, 421, 500, 503)
"""Of calls that need no token."""


def document_errors(app: Litestar) -> None:
    """Adds to every handler the errors it may answer, as problem+json or in MemOS's envelope."""
    for route in app.routes:
        if not isinstance(route, HTTPRoute):
            continue
        statuses = ANYBODYS if route.path in OPEN_PATHS else STATUSES
        enveloped = route.path.startswith(MEMOS_PREFIX)
        for handler in route.route_handlers:
            handler.responses = {
                status: ResponseSpec(
                    Envelope if enveloped else problem.Problem,
                    generate_examples=False,
                    description=HTTPStatus(status).phrase,
                    media_type="application/json" if enveloped else problem.MEDIA_TYPE,
                )
                for status in statuses
            }
