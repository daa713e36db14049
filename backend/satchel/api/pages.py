"""The dashboard's files, at `/`, `/open` and `/dashboard/…`. The guard decides who gets them."""

from __future__ import annotations

from typing import Any

from litestar import Response, Router, get
from litestar.params import FromPath

from satchel.api.access import AnyRequest
from satchel.api.guard import page
from satchel.dashboard import File, read_all
from satchel.types import NotFoundError

HEADERS = {name.decode(): value.decode() for name, value in page.HEADERS} | {"cache-control": "no-cache"}
"""No cache but one that asks every time: after an update, an old script would meet a new API."""


def create_pages() -> Router:
    """Reads the files once; they change with the version only."""
    known = read_all()

    def answer(request: AnyRequest, name: str) -> Response[bytes]:
        file: File | None = known.get(name)
        if file is None:
            raise NotFoundError("There is no such file.")
        fresh = request.headers.get("if-none-match") == file.tag
        headers: dict[str, Any] = HEADERS | {"etag": file.tag}
        return Response(
            b"" if fresh else file.content,
            status_code=304 if fresh else 200,
            media_type=file.media_type,
            headers=headers,
        )

    @get("/", sync_to_thread=False)
    def index(request: AnyRequest) -> Response[bytes]:
        return answer(request, "index.html")

    @get("/open", sync_to_thread=False)
    def opening(request: AnyRequest) -> Response[bytes]:
        return answer(request, "open.html")

    @get("/dashboard/{file:path}", sync_to_thread=False)
    def static(request: AnyRequest, file: FromPath[str]) -> Response[bytes]:
        return answer(request, str(file).lstrip("/"))

    return Router(path="/", route_handlers=[index, opening, static], include_in_schema=False)
