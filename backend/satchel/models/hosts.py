"""Which hosts a model would be fetched from, to be told before anything goes out. Nobody is connected to for this."""

from __future__ import annotations

import time
from collections.abc import Callable

from satchel.models import download
from satchel.models.registry import HttpsSource, ModelEntry, Source

KNOWN_SECONDS = 60.0
"""How long an answer holds: pip is asked for its settings in a process of its own, which takes half a second."""


class Hosts:
    """`now` in seconds. To be asked in a thread."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._until = 0.0
        self._known: dict[object, str | None] = {}

    def of(self, entry: ModelEntry) -> list[str]:
        """Host names in the order in which they are tried; none for a file of this machine."""
        if self._now() >= self._until:
            self._known, self._until = {}, self._now() + KNOWN_SECONDS
        return list(dict.fromkeys(name for source in entry.sources if (name := self._of_source(source))))

    def _of_source(self, source: Source) -> str | None:
        known = self._known
        what = source if isinstance(source, HttpsSource) else type(source)  # one index, one hub
        if what not in known:
            known[what] = download.host_of(source)
        return known[what]
