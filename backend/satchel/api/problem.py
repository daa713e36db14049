"""A problem on the wire (RFC 9457): one sentence a person can act on, nothing private."""

from __future__ import annotations

import msgspec

MEDIA_TYPE = "application/problem+json"


class Problem(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    status: int
    title: str
    detail: str
    type: str = "about:blank"
    errors: list[dict[str, str]] = []


def body(status: int, title: str, detail: str) -> bytes:
    """A problem as JSON bytes, for answers given before there is a request object."""
    return msgspec.json.encode(Problem(status=status, title=title, detail=detail))
