"""How the guard says no: a problem, or MemOS's envelope on its paths. Nothing of the request is repeated in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from satchel.api import problem
from satchel.api.guard import page
from satchel.dashboard import CLOSED
from satchel.types import SatchelError, TooManyError

if TYPE_CHECKING:
    from litestar.types import Send

MEMOS_PREFIX = "/api/openmem/"


class Refused(SatchelError):  # noqa: N818 - it says what happened
    def __init__(self, status: int, title: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.title = title


async def refuse(scope: Any, send: Send, error: SatchelError, *, to_person: bool = False) -> None:
    """`to_person`: a browser shows the answer, so that it should be a page."""
    headers = [(b"content-type", problem.MEDIA_TYPE.encode()), (b"connection", b"close")]
    body = problem.body(error.status, error.title, str(error))
    if scope["path"].startswith(MEMOS_PREFIX):
        headers[0] = (b"content-type", b"application/json")
        code = 40100 if error.status == 401 else error.status * 100
        body = msgspec.json.encode({"code": code, "data": None, "message": f"{error.title}. {error}"})
    if to_person and error.status == 401:
        headers[0] = (b"content-type", b"text/html; charset=utf-8")
        headers += page.HEADERS
        body = CLOSED
    if error.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if isinstance(error, TooManyError):
        headers.append((b"retry-after", str(error.retry_after).encode()))
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
