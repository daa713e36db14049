"""What is answered without a token: where nothing private stands, and how a client comes to a token."""

from __future__ import annotations

from satchel.api.guard import page, rate

OPEN_PATHS = frozenset({"/health", "/schema/openapi.json"})
PAIR = "/v1/pair"


def needs_none(method: str, path: str) -> bool:
    """Exact paths alone: what merely looks like one of them needs a token."""
    return is_open(method, path) or hands_in(method, path)


def is_open(method: str, path: str) -> bool:
    """Answered alike to everybody."""
    return path in OPEN_PATHS or page.opens(method, path)


def counted_as(method: str, path: str) -> tuple[str, rate.Rate]:
    """Under which name a call without a token is counted, and at what rate. A flood of who wants to be paired keeps no
    link of `satchel open` from being handed in."""
    if is_open(method, path):
        return "open", rate.OPEN
    return ("dashboard" if path == page.SESSIONS else "pairing"), rate.PAIRING


def hands_in(method: str, path: str) -> bool:
    """Whose body is read without a token: what asks for one, collects it, or hands in the link of `satchel open`."""
    return is_pairing(method, path) or (method == "POST" and path == page.SESSIONS)


def is_pairing(method: str, path: str) -> bool:
    """Asking for a token, or collecting it."""
    pairing_id = path.removeprefix(PAIR + "/")
    collects = pairing_id != path and pairing_id != "" and "/" not in pairing_id
    return method == "POST" and (path == PAIR or collects)
