"""What is told of each of our own copies: when and why it was made, how large it is."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from satchel.store import backup

BY_HAND = "by hand"
REASONS = {
    backup.BEFORE_RESTORE: "before a restore",
    backup.BEFORE_SCHEMA: "before an update",
    backup.AFTER_FORGETTING: "after a forgetting",
}
"""By how the part of the name begins that says why."""

_WHY = re.compile(r"satchel-\d{8}T\d{6}Z-?(.*)\.db$")


class Copy(msgspec.Struct, frozen=True, kw_only=True):
    """`made_at` in ms since the epoch, `size` in bytes."""

    name: str
    made_at: int
    size: int
    why: str


def listed(data: Path) -> list[Copy]:
    """Our own copies that could be restored, newest first. Raises OSError."""
    found = []
    for file in reversed(backup.own(data)):
        try:
            found.append(told(file))
        except FileNotFoundError:  # it went just now, with what was forgotten
            continue
    return found


def told(file: Path) -> Copy:
    """Of one of our own copies. Raises OSError."""
    made = int(backup.made_at(file).timestamp() * 1000)
    return Copy(name=file.name, made_at=made, size=file.stat().st_size, why=why(file.name))


def why(name: str) -> str:
    """Why the copy of this name was made."""
    found = _WHY.match(name)
    said = found[1] if found else ""
    return next((reason for begins, reason in REASONS.items() if said.startswith(begins)), BY_HAND)
