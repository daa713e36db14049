"""The token of a request, from `Authorization: Bearer TOKEN` or MemOS's `Authorization: Token TOKEN`."""

from __future__ import annotations


def from_header(authorization: str | None) -> str | None:
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() or None if scheme.lower() in ("bearer", "token") else None
