"""What is answered without a token: where nothing private stands, and how a client comes to a token."""

from __future__ import annotations

OPEN_PATHS = frozenset({"/health", "/schema/openapi.json"})
PAIR = "/v1/pair"


def needs_none(method: str, path: str) -> bool:
    """Exact paths alone: what merely looks like one of them needs a token."""
    if path in OPEN_PATHS:
        return True
    pairing_id = path.removeprefix(PAIR + "/")
    collects = pairing_id != path and pairing_id != "" and "/" not in pairing_id
    return method == "POST" and (path == PAIR or collects)
