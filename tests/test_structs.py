"""Structs that several threads may decode: the first time too, all at once."""

from __future__ import annotations

import subprocess
import sys

FIRST_TIMES = """
import importlib, sys, threading
import msgspec
from satchel.models import registry

sys.setswitchinterval(1e-6)

def decode(together):
    together.wait()
    msgspec.convert({"model": []}, registry.Manifest)

for _ in range(40):
    importlib.reload(registry)
    together = threading.Barrier(4)
    threads = [threading.Thread(target=decode, args=(together,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""


def test_threads_that_read_the_manifest_first_at_the_same_time_do_not_end_the_process() -> None:
    done = subprocess.run([sys.executable, "-c", FIRST_TIMES], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
