"""From what went wrong to the problem that is answered."""

from __future__ import annotations

import logging
import traceback
from http import HTTPStatus
from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException, SerializationException, ValidationException
from litestar.types import ExceptionHandlersMap

from satchel.api.guard import tokenless
from satchel.api.guard.size import MAX_BODY_BYTES, MAX_TOKENLESS_BYTES, too_large
from satchel.api.problem import MEDIA_TYPE, Problem
from satchel.faults import type_and_place
from satchel.types import SatchelError, TooManyError

log = logging.getLogger("satchel.api")


def respond(problem: Problem) -> Response[Problem]:
    return Response(problem, status_code=problem.status, media_type=MEDIA_TYPE)


def satchel_error(_: Request[Any, Any, Any], error: SatchelError) -> Response[Problem]:
    response = respond(Problem(status=error.status, title=error.title, detail=str(error)))
    if isinstance(error, TooManyError):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[Problem]:
    open_to_all = tokenless.needs_none(request.method, request.url.path)
    return respond(problem_of(error, limit=MAX_TOKENLESS_BYTES if open_to_all else MAX_BODY_BYTES))


def problem_of(error: HTTPException, *, limit: int = MAX_BODY_BYTES) -> Problem:
    """`limit`: how many bytes the request might have had."""
    detail, errors = error.detail, []
    if isinstance(error, ValidationException) and isinstance(error.extra, list):
        errors = [
            {"field": str(e.get("key", "")), "message": str(e.get("message", ""))}
            for e in error.extra
            if isinstance(e, dict)
        ]
        said = [f"{e['field']}: {e['message']}" if e["field"] else e["message"] for e in errors]
        detail = "; ".join(said) or detail
    elif isinstance(error.__cause__, SerializationException):
        detail = _malformed(str(error.__cause__))
    if error.status_code == 413:
        detail = too_large(limit)
    return Problem(status=error.status_code, title=HTTPStatus(error.status_code).phrase, detail=detail, errors=errors)


def _malformed(said: str) -> str:
    """One sentence for what the JSON decoder says. It takes half of a surrogate pair before a quote for an end, too."""
    said = said.removeprefix("400: ").removeprefix("JSON is malformed: ").rstrip(".")
    if "truncated" in said:
        return "The JSON ends too early, or a string in it ends with half of a surrogate pair."
    return f"The JSON is malformed: {said}."


TOO_DEEP = "The JSON is nested too deep."


def too_deep(_: Request[Any, Any, Any], __: RecursionError) -> Response[Problem]:
    """What the JSON decoder raises for ten thousand brackets."""
    return respond(Problem(status=400, title=HTTPStatus(400).phrase, detail=TOO_DEEP))


NOT_TEXT = "A string in the JSON is not UTF-8."


def is_of_body(error: UnicodeDecodeError) -> bool:
    """Whether the request's JSON raised it, and not what is stored."""
    return traceback.extract_tb(error.__traceback__)[-1].name == "decode_json"


def not_text(request: Request[Any, Any, Any], error: UnicodeDecodeError) -> Response[Problem]:
    """What the JSON decoder raises for bytes in a string that are no text."""
    if not is_of_body(error):
        return unexpected(request, error)
    return respond(Problem(status=400, title=HTTPStatus(400).phrase, detail=NOT_TEXT))


def unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    # The path as it is declared: in what was asked for may stand anything.
    log.error("%s %s: %s", request.method, request.scope.get("path_template", "?"), type_and_place(error))
    return respond(
        Problem(
            status=500,
            title="Internal error",
            detail="Satchel made a mistake on this request. What it acknowledged is safe; its log has the place.",
        )
    )


HANDLERS: ExceptionHandlersMap = {
    SatchelError: satchel_error,
    HTTPException: http_error,
    RecursionError: too_deep,
    UnicodeDecodeError: not_text,
    Exception: unexpected,
}
