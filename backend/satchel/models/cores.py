"""How many cores are free for a model: what other programs use is left to them.

llama.cpp's threads meet hundreds of times a token and spin until the last has come. Where one of them must wait for a
core that another program holds, two threads decoded 5 tokens a second and one 77.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

WINDOW_SECONDS = 0.25
"""What others use is measured over at least this long."""


class Usage(NamedTuple):
    """Seconds: the clock, what all cores together have worked since the system started, and this process's share."""

    clock: float
    all: float
    own: float


def usage() -> Usage | None:
    """None where the system does not tell (anything but Linux)."""
    try:
        first = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0]
        user, nice, system, _idle, _waiting, irq, soft_irq, *_ = (int(ticks) for ticks in first.split()[1:])
    except (OSError, ValueError):
        return None
    own = os.times()
    busy = (user + nice + system + irq + soft_irq) / os.sysconf("SC_CLK_TCK")
    return Usage(time.monotonic(), busy, own.user + own.system)


class Cores:
    """Shares `most` cores with whatever else runs; `look` reads the usage."""

    def __init__(self, most: int, look: Callable[[], Usage | None] = usage) -> None:
        self._most = most
        self._look = look
        self._last = look()
        self._free = most

    def free(self) -> int:
        """How many cores, at least 1, nothing else worked on since the last look."""
        now = self._look()
        if now is None or self._last is None:
            return self._most
        passed = now.clock - self._last.clock
        if passed >= WINDOW_SECONDS:
            others = max((now.all - self._last.all) - (now.own - self._last.own), 0.0) / passed
            self._free = max(1, self._most - round(others))
            self._last = now
        return self._free
