"""What a browser asks before a request that is not its page's own: may this origin (CORS), may it reach this machine
(Private Network Access)? Extensions that are paired are told yes. All others get one and the same refusal, on every
path, whether it exists or not.

An extension with the host's permission, as ours has, sends no preflight in Chromium; one whose permission the person
took back does.
"""

from __future__ import annotations

from collections.abc import Mapping

Header = tuple[bytes, bytes]

REQUESTED = "access-control-request-method"
PRIVATE_NETWORK = "access-control-request-private-network"
METHODS = b"GET, POST, PATCH, DELETE, OPTIONS"
"""The last: by which an extension asks whether its token is its own."""
HEADERS = b"authorization, content-type"
SECONDS = b"600"
"""How long a browser may go by it: not much longer than a revoked client should look welcome."""


def is_one(method: str, headers: Mapping[str, str]) -> bool:
    """`headers` by lower-case name."""
    return method == "OPTIONS" and (REQUESTED in headers or PRIVATE_NETWORK in headers)


def answer(headers: Mapping[str, str]) -> list[Header]:
    """What a paired origin is told, beside what `readable` says."""
    allowed = [
        (b"access-control-allow-methods", METHODS),
        (b"access-control-allow-headers", HEADERS),
        (b"access-control-max-age", SECONDS),
    ]
    if headers.get(PRIVATE_NETWORK) == "true":
        allowed.append((b"access-control-allow-private-network", b"true"))
    return allowed


def readable(origin: str) -> list[Header]:
    """Lets a paired origin read an answer, and which version gave it."""
    return [
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-expose-headers", b"X-Satchel-Version, Retry-After"),
        (b"vary", b"Origin"),
    ]
