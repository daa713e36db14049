"""What a body may call itself: JSON alone. A form, or text/plain, is what a foreign page can send without asking."""

from __future__ import annotations

WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def is_json(method: str, content_type: str | None, *, has_body: bool) -> bool:
    """True where nothing is sent, or what is sent is said to be JSON."""
    if method not in WITH_BODY or (content_type is None and not has_body):
        return True
    kind = (content_type or "").partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
