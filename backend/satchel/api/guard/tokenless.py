"""What is answered without a token: where nothing private stands, and how a client comes to a token."""

from __future__ import annotations

OPEN_PATHS = frozenset({"/health", "/schema/openapi.json"})
PAIR = "/v1/pair"


def needs_none(method: str, path: str) -> bool:
    """Exact paths alone: what merely looks like one of them needs a token."""
    return path in OPEN_PATHS or is_pairing(method, path)


def is_pairing(method: str, path: str) -> bool:
    """Asking for a token, or collecting it: the only ones of these calls whose bodies are read."""
    pairing_id = path.removeprefix(PAIR + "/")
    collects = pairing_id != path and pairing_id != "" and "/" not in pairing_id
    return method == "POST" and (path == PAIR or collects)
