"""What a page's main thread spent, and how much of it on an extension's scripts, out of Chromium's trace.

The extension's time is that of the trace's outermost slices with an address of the extension (thread time, with the
layout that they force), and that of the sampling profiler's samples with one of its functions on the stack where no
such slice is: microtasks, and what the page calls through a function that the extension put before the browser's. What
it passes on to the browser's own is the page's time.
"""

from __future__ import annotations

import base64
import bisect
import contextlib
import itertools
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Page

CATEGORIES = (
    "devtools.timeline",
    "v8",
    "v8.execute",
    "blink.user_timing",
    "disabled-by-default-devtools.timeline",
    "disabled-by-default-v8.cpu_profiler",
)
OURS = "chrome-extension://"
#: The browser's functions that the tap puts itself before: their time is the page's own.
PASSED_ON = ("fetch", "open", "send")
#: A sample stands for no longer than this (µs): beyond it the thread was not running.
LONGEST_SAMPLE = 1_000


@dataclass
class Cost:
    """Main-thread time in ms: the extension's own, all tasks', and the extension's by function."""

    ours: float
    busy: float
    functions: dict[str, float] = field(default_factory=lambda: defaultdict(float))


@contextlib.contextmanager
def traced(page: Page) -> Iterator[list[Cost]]:
    """Puts the cost of what happens inside into the list it gives."""
    cdp = page.context.new_cdp_session(page)
    ended: dict[str, Any] = {}
    cdp.on("Tracing.tracingComplete", lambda told: ended.update(told))
    config = {"recordMode": "recordAsMuchAsPossible", "includedCategories": CATEGORIES, "excludedCategories": ["*"]}
    cdp.send("Tracing.start", {"transferMode": "ReturnAsStream", "traceConfig": config})
    cost: list[Cost] = []
    yield cost
    page.evaluate("performance.mark('bench:end')")
    cdp.send("Tracing.end")
    while not ended:
        page.wait_for_timeout(20)
    if ended.get("dataLossOccurred"):
        raise SystemExit("The browser lost a part of its trace; take a shorter --idle or fewer --turns.")
    parts, last = [], False
    while not last:
        piece = cdp.send("IO.read", {"handle": ended["stream"], "size": 1 << 22})
        parts.append(base64.b64decode(piece["data"]) if piece.get("base64Encoded") else piece["data"].encode())
        last = piece["eof"]
    cdp.detach()
    cost.append(cost_of(json.loads(b"".join(parts))["traceEvents"]))


def cost_of(events: list[dict[str, Any]]) -> Cost:
    """The cost to the page that marked its end, from when tracing began until that mark."""
    end = next(event for event in events if event["name"] == "bench:end")
    here = [event for event in events if event["pid"] == end["pid"]]
    main = [event for event in here if event["tid"] == end["tid"] and event["ph"] == "X" and event["ts"] <= end["ts"]]
    profiler = [event for event in main if event["name"].startswith("CpuProfiler::")]

    def spent_in(event: dict[str, Any]) -> float:
        """The thread's time in ms without the profiler's own start, which happens inside whatever runs first."""
        inside = [each for each in profiler if event["ts"] <= each["ts"] < event["ts"] + event["dur"]]
        return float(time_of(event) - sum(map(time_of, inside))) / 1e3

    cost = Cost(0, sum(spent_in(event) for event in main if event["name"] == "RunTask"))
    begins: list[float] = []
    ends: list[float] = []
    for event in sorted(main, key=lambda each: (each["ts"], -each["dur"])):
        arguments = event.get("args", {})
        data = arguments.get("data") if isinstance(arguments.get("data"), dict) else {}
        url = str(data.get("url") or arguments.get("fileName") or "")
        if not url.startswith(OURS) or (ends and event["ts"] < ends[-1]):
            continue
        begins.append(event["ts"])
        ends.append(event["ts"] + event["dur"])
        spent = spent_in(event)
        cost.ours += spent
        what = f"{data.get('functionName') or event['name']} {place(url, data)}"
        cost.functions[what] += spent
    for at, spent, what in samples(here, end["tid"]):
        index = bisect.bisect_right(begins, at) - 1
        if at <= end["ts"] and (index < 0 or at > ends[index]):
            cost.ours += spent
            cost.functions[what] += spent
    return cost


def time_of(event: dict[str, Any]) -> int:
    """In µs: on the processor where the trace knows it."""
    return int(event.get("tdur", event["dur"]))


def place(url: str, at: dict[str, Any]) -> str:
    return f"{url.rpartition('/')[2]}:{at.get('lineNumber', 0)}:{at.get('columnNumber', 0)}"


def samples(events: list[dict[str, Any]], thread: int) -> Iterator[tuple[float, float, str]]:
    """The profiler's samples with one of our functions on the stack: when (µs), how long (ms), which function."""
    started = next((e for e in events if e["name"] == "Profile" and e["tid"] == thread), None)
    if started is None:
        return
    chunks = [e for e in events if e["name"] == "ProfileChunk" and e["id"] == started["id"]]
    nodes: dict[int, dict[str, Any]] = {}
    taken: list[tuple[float, int]] = []
    at = float(started["args"]["data"]["startTime"])
    for chunk in sorted(chunks, key=lambda each: each["ts"]):
        data = chunk["args"]["data"]
        profile = data.get("cpuProfile", {})
        nodes |= {each["id"]: each for each in profile.get("nodes", [])}
        for sample, passed in zip(profile.get("samples", []), data.get("timeDeltas", []), strict=False):
            at += passed
            taken.append((at, sample))

    def ours(number: int | None) -> str | None:
        while number is not None:
            frame = nodes[number]["callFrame"]
            url = frame.get("url", "")
            if url.startswith(OURS):
                return f"{frame['functionName'] or '(anonymous)'} {place(url, frame)}"
            if not url and frame["functionName"] in PASSED_ON:
                return None
            number = nodes[number].get("parent")
        return None

    known = {number: ours(number) for number in nodes}
    taken.sort()
    for (at, number), (following, _) in itertools.pairwise(taken):
        if (what := known[number]) is not None:
            yield at, min(following - at, LONGEST_SAMPLE) / 1e3, what
