#!/usr/bin/env python3
"""What it costs to have Satchel started with the computer: its start, and an idle minute, as ratios of the same run.

    .venv/bin/python scripts/bench_service.py [--starts 20] [--seconds 60] [--turns 1000] [--json FILE]

The baselines are what any such program would cost: a Python that imports Litestar and uvicorn and ends, and uvicorn
serving a Litestar application of one route. Starts take turns in random order; they are timed from the process's
making to the first answer of /health, and, for Satchel, until it says `ready`. Then both servers idle side by side,
Satchel on a store of some turns that are read and indexed. CPU is that of the process and its children,
which Linux counts in ticks of 10 ms, so that wake-ups (voluntary context switches) tell more.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import psutil

BACKEND = Path(__file__).resolve().parents[1] / "backend"
IMPORTS = "import litestar, uvicorn"
EMPTY = """
import sys, uvicorn
from litestar import Litestar, get

@get("/health")
async def health() -> dict[str, bool]:
    return {"ready": True}

uvicorn.run(Litestar([health]), port=int(sys.argv[1]), log_level="warning", access_log=False)
"""
SETTLE_SECONDS = 10
START_SECONDS = 60


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextlib.contextmanager
def started(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(BACKEND)}, **quiet)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


def satchel(data: Path, port: int) -> list[str]:
    return [sys.executable, "-m", "satchel", "serve", "--service", "--data", str(data), "--port", str(port)]


def empty(port: int) -> list[str]:
    return [sys.executable, "-c", EMPTY, str(port)]


def call(port: int, path: str, *, token: str = "", body: Any = None) -> Any:
    """The decoded answer; None while nothing listens."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        line.request("POST" if body else "GET", path, json.dumps(body) if body else None, headers)
        return json.loads(line.getresponse().read())
    except ConnectionError:
        return None
    finally:
        line.close()


def until_ready(port: int, began: float) -> tuple[float, float]:
    """Seconds from `began` to the first answer, and to the first that says `ready`."""
    first = None
    while time.perf_counter() < began + START_SECONDS:
        answer = call(port, "/health")
        now = time.perf_counter() - began
        if answer is not None:
            first = first or now
            if answer["ready"]:
                return first, now
        time.sleep(0.002)
    raise SystemExit("A server did not start.")


def starts(data: Path, number: int, chance: random.Random) -> dict[str, list[float]]:
    took: dict[str, list[float]] = {"imports": [], "empty": [], "answers": [], "ready": []}
    for at in range(-1, number):
        for what in chance.sample(["imports", "empty", "satchel"], 3):
            port = free_port()
            began = time.perf_counter()
            if what == "imports":
                subprocess.run([sys.executable, "-c", IMPORTS], check=True)
                found = {"imports": time.perf_counter() - began}
            else:
                with started(empty(port) if what == "empty" else satchel(data, port)):
                    first, ready = until_ready(port, began)
                found = {"empty": ready} if what == "empty" else {"answers": first, "ready": ready}
            for name, seconds in found.items():
                if at >= 0:  # the first ones warm the disk's cache
                    took[name].append(seconds)
    return took


def fill(data: Path, port: int, turns: int) -> None:
    """Turns that hold something to remember now and then; returns when all are read and indexed."""
    token = (data / "command-line.token").read_text().strip()
    for at in range(0, turns, 100):
        said = [f"Can you make list {at + n} of things shorter?" for n in range(99)] + [f"I live in town {at}."]
        messages = [{"role": "user", "content": text} for text in said]
        call(port, "/v1/messages", token=token, body={"site": "bench", "external_id": str(at), "messages": messages})
    while True:
        now = call(port, "/v1/status", token=token)
        if not (now["queued"] or now["running"] or now["indexing"]):
            return
        time.sleep(0.5)


def usage(pid: int) -> tuple[float, int, int]:
    """CPU seconds, voluntary context switches and resident bytes, of a process and its children."""
    all_of_it = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    cpu = sum(one.cpu_times().user + one.cpu_times().system for one in all_of_it)
    # Those of every thread: the process's own figure is of its first thread alone.
    waits = sum(
        int(line.split()[1])
        for one in all_of_it
        for status in Path(f"/proc/{one.pid}/task").glob("*/status")
        for line in status.read_text().splitlines()
        if line.startswith("voluntary_ctxt_switches")
    )
    return cpu, waits, sum(one.memory_info().rss for one in all_of_it)


def idle(data: Path, seconds: float) -> dict[str, dict[str, float]]:
    """An idle time of both servers, side by side. A fresh daemon: its models' processes are not started yet."""
    ports = {"satchel": free_port(), "empty": free_port()}
    with (
        started(satchel(data, ports["satchel"])) as ours,
        started(empty(ports["empty"])) as bare,
    ):
        for port in ports.values():
            until_ready(port, time.perf_counter())
        time.sleep(SETTLE_SECONDS)
        pids = {"satchel": ours.pid, "empty": bare.pid}
        before = {name: usage(pid) for name, pid in pids.items()}
        time.sleep(seconds)
        after = {name: usage(pid) for name, pid in pids.items()}
    return {
        name: {
            "cpu_ms_a_minute": round((after[name][0] - before[name][0]) * 60_000 / seconds, 1),
            "wakeups_a_minute": round((after[name][1] - before[name][1]) * 60 / seconds, 1),
            "resident_mb": round(after[name][2] / 1e6, 1),
        }
        for name in pids
    }


def run(number: int, seconds: float, turns: int) -> dict[str, Any]:
    chance = random.Random(7)
    with tempfile.TemporaryDirectory(prefix="satchel-bench-") as scratch:
        data = Path(scratch)
        port = free_port()
        with started(satchel(data, port)):
            until_ready(port, time.perf_counter())
            fill(data, port, turns)
        took = {name: round(median(found), 3) for name, found in starts(data, number, chance).items()}
        idling = idle(data, seconds)
    ours, bare = idling["satchel"], idling["empty"]
    return {
        "start_median_s": took,
        "ratio_answers_to_imports": round(took["answers"] / took["imports"], 2),
        "ratio_ready_to_imports": round(took["ready"] / took["imports"], 2),
        "ratio_ready_to_empty": round(took["ready"] / took["empty"], 2),
        "idle": idling,
        "ratio_resident": round(ours["resident_mb"] / bare["resident_mb"], 2),
        "ratio_wakeups": round(ours["wakeups_a_minute"] / max(bare["wakeups_a_minute"], 1), 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=20, help="of each of the three")
    parser.add_argument("--seconds", type=float, default=60, help="how long they idle")
    parser.add_argument("--turns", type=int, default=1000, help="in the store")
    parser.add_argument("--json", type=Path, help="write the figures there as well")
    options = parser.parse_args()
    figures = run(options.starts, options.seconds, options.turns)
    print(json.dumps(figures, indent=2))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
