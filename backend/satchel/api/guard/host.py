"""Which Host headers are the daemon's own: a page that rebinds its name to 127.0.0.1 still sends that name."""

from __future__ import annotations

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def is_own(host: str | None, port: int) -> bool:
    return host is not None and host.lower() in {f"{name}:{port}" for name in LOOPBACK}
