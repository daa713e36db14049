"""A daemon to which nothing comes sleeps, and still ends at once when it is told to."""

from __future__ import annotations

import time
from pathlib import Path

import psutil

from api.running import eventually, running

RESTING = 4
"""Times the event loop may wake in a second of rest; looking whether it should end, it would wake ten times."""


def test_it_wakes_for_nothing_and_ends_at_once(tmp_path: Path) -> None:
    none = tmp_path / "none"
    none.mkdir()
    with running(tmp_path / "data", models=none) as daemon:
        process = psutil.Process(daemon.pid)

        def rests() -> bool:
            before = process.num_ctx_switches().voluntary
            time.sleep(1)
            return process.num_ctx_switches().voluntary - before <= RESTING

        eventually(rests, seconds=30, what="rest")
        assert daemon.capture("It answers.")["accepted"] == 1
        began = time.monotonic()
        assert daemon.stop() == 0
        assert time.monotonic() - began < 5
