"""Query parameters that a call does not have are refused by name, as unknown fields of a body are."""

from __future__ import annotations

from litestar.exceptions import ClientException

from satchel.api.access import AnyRequest

INJECTED = frozenset({"self", "request", "data", "daemon"})
"""Parameters of handlers that come from elsewhere than the query."""


async def refuse_unknown(request: AnyRequest) -> None:
    """A Litestar `before_request`. Raises ClientException naming the parameter."""
    handler = request.route_handler
    if not request.scope["query_string"] or handler.opt.get("ignore_unknown"):
        return
    known = handler.parsed_fn_signature.parameters.keys() - INJECTED - request.path_params.keys()
    for name in request.query_params:
        if name not in known:
            takes = f"it takes {', '.join(sorted(known))}" if known else "it takes none"
            raise ClientException(f"There is no query parameter {name[:64]!r} here; {takes}.")
