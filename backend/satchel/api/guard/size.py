"""How large a request may be. The app counts while it reads, so that a body of unstated length ends there as well; the
body of a request that is refused is never read.
"""

from __future__ import annotations

MAX_BODY_BYTES = 10 * 1024 * 1024
"""A message longer than this is no message; an import comes in parts."""

MAX_TOKENLESS_BYTES = 16 * 1024
"""For who has no token yet: a name of 100 characters and a hash are far below, in any script and escaped."""


def too_large(limit: int) -> str:
    """The sentence for a request above `limit` bytes."""
    amount = f"{limit // 1024**2} MB" if limit >= 1024**2 else f"{limit // 1024} kB"
    return f"The request is larger than {amount}, the limit of one call; send it in parts. Nothing of it was stored."
