"""What of an unforeseen error may stand in a log."""

from __future__ import annotations

import traceback


def type_and_place(error: BaseException) -> str:
    """`TypeError at FILE:LINE`. Neither its message nor the values around it: they may hold what the user said."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "?"
    return f"{type(error).__name__} at {place}"
