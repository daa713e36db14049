#!/usr/bin/env python3
"""Measures what the extension costs a chat page, in Chromium's own trace, with it and without it in turns.

    .venv/bin/python scripts/bench_extension.py [--quick] [--runs 5] [--turns 2000] [--idle 60] [--json FILE]

Each run opens a long conversation on the ChatGPT fixture page, leaves it idle, types a prompt, and streams an answer,
in a browser with the extension (paired with a real daemon) and in one without. Two figures for each:

attributed   main-thread time of the extension's own scripts, as `page_trace` tells it
difference   all tasks of the page's main thread (thread time), median with minus median without: also what carries no
             address, such as copies of a response, isolated worlds and garbage. Noisy on a busy machine.

The profiler runs on both sides. The conversation was captured before the first run, as when it is opened again.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import io
import json
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "scripts"), str(ROOT / "backend")]

from playwright.sync_api import BrowserContext, Playwright, sync_playwright  # noqa: E402

from api.running import Running, eventually, running  # noqa: E402
from bench_main import sentence  # noqa: E402
from extension.chrome import Chrome, chrome, chromium  # noqa: E402
from extension.conftest import node  # noqa: E402
from extension.driver import Driver  # noqa: E402
from extension.sites.server import Serving, serve  # noqa: E402
from page_trace import Cost, traced  # noqa: E402

CONVERSATION = "0be7c4a1-5a1c-4e11-9a55-0123456789ab"
#: The pace of the stream: about 450 words a second, where real sites send some 100.
CHUNK_BYTES, CHUNK_SECONDS = 96, 0.006
KEYS_PER_SECOND = 8
PARTS = ("opened", "idle", "typed", "streamed")
DEBOUNCE_MS = 350
MEMORIES = (
    "The user's daughter Mia loves dinosaurs and lemon cake.",
    "The user's daughter Mia turns seven in June.",
    "The user's kitchen has no oven.",
)
PROMPT = (
    "My daughter Mia has her birthday party next week and I would like to bake a cake that she really likes, with "
    "something of dinosaurs on it. How should I go about it, and what can be made a day before"
)
#: Resolves when the page is idle and loaded, without asking it again and again.
SETTLED = """() => new Promise((done) => {
  const page = document.documentElement;
  const look = () => page.matches("[data-state=idle]:not([data-loading])") && (watch.disconnect(), done());
  const watch = new MutationObserver(look);
  watch.observe(page, { attributes: true });
  look();
})"""
#: Notes when the last key came and when an element was first shown beside the page's own after it.
WATCH_CHIP = """() => {
  const seen = (window.bench = { key: 0, chips: [] });
  addEventListener("input", (event) => (seen.key = event.timeStamp), true);
  new MutationObserver(() => requestAnimationFrame(() => seen.chips.push(performance.now())))
    .observe(document.documentElement, { childList: true });
}"""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


# One run


@dataclass
class Run:
    idle: Cost
    opened: Cost
    typed: Cost
    streamed: Cost
    stream_seconds: float
    chip_ms: float | None


def one_run(driver: Driver, *, words: int, idle: float, quiet: float, prompt: str) -> Run:
    page, site = driver.page, driver.site
    conversation = site.conversations[CONVERSATION]
    before = dict(conversation.messages), conversation.current
    with traced(page) as opened:
        page.goto(driver.address(CONVERSATION))
        page.evaluate(SETTLED)
        page.wait_for_timeout(quiet * 1e3)
    with traced(page) as idled:
        page.wait_for_timeout(idle * 1e3)
    page.locator(driver.composer).first.click()
    page.evaluate(WATCH_CHIP)
    with traced(page) as typed:
        pace = time.monotonic()
        for letter in prompt:
            page.keyboard.type(letter)
            pace += 1 / KEYS_PER_SECOND
            page.wait_for_timeout(max(0.0, pace - time.monotonic()) * 1e3)
        page.wait_for_timeout(2_500)
    seen = page.evaluate("window.bench")
    site.next_answer.append(answer(words))
    with traced(page) as streamed:
        began = time.monotonic()
        page.keyboard.press("Enter")
        page.wait_for_function("document.documentElement.dataset.state === 'streaming'", polling=50)
        page.evaluate(SETTLED)
        took = time.monotonic() - began
        page.wait_for_timeout(1_500)
    conversation.messages, conversation.current = before
    chip = next((at for at in seen["chips"] if at > seen["key"]), None)
    return Run(idled[0], opened[0], typed[0], streamed[0], took, None if chip is None else chip - seen["key"])


def answer(words: int) -> str:
    """Paragraphs and lists of plain words."""
    rng = random.Random(words)
    said: list[str] = []
    length = 0
    while length < words:
        sentences = [sentence(rng) for _ in range(4)]
        said.append("\n".join(f"- {one}" for one in sentences) if len(said) % 3 == 2 else " ".join(sentences))
        length += len(said[-1].split())
    return " ".join("\n\n".join(said).split(" ")[:words])


def seeded(turns: int) -> list[tuple[str, str]]:
    rng = random.Random(turns)
    return [
        ("assistant", " ".join(sentence(rng) for _ in range(6))) if number % 2 else ("user", sentence(rng))
        for number in range(turns)
    ]


# Both browsers, and the daemon


@contextlib.contextmanager
def without_extension(playwright: Playwright, profile: Path, server: Serving) -> Iterator[BrowserContext]:
    """A browser as `chrome` starts it, but for the extension."""
    rules = f"--host-resolver-rules=MAP * 127.0.0.1:{server.port}, EXCLUDE 127.0.0.1"
    others = (
        "--headless=new --no-sandbox --ignore-certificate-errors --disable-gpu --disable-quic --no-first-run "
        "--disable-background-networking --disable-component-update --disable-sync"
    )
    context = playwright.chromium.launch_persistent_context(
        profile, executable_path=chromium(), headless=False, args=[rules, *others.split()]
    )
    try:
        yield context
    finally:
        context.close()


def calm(daemon: Running) -> None:
    """Waits until the daemon has read all that it was sent."""

    def look() -> bool:
        status = daemon.ok("GET", "/v1/status")
        return not (status["indexing"] or status["queued"] or status["running"])

    eventually(look, seconds=1_200, what="a daemon at rest")


def daemon_answer_ms(daemon: Running, prompt: str, count: int) -> list[float]:
    """What the worker asks, asked from here: each time another question of the same length."""
    body = {"profile": "bench", "site": "chatgpt.com", "external_id": CONVERSATION, "budget_tokens": 800}
    took = []
    for number in range(count + 1):
        started = time.perf_counter()
        daemon.ok("POST", "/v1/context", {**body, "query": f"{prompt[:-4]}{number:03}?"})
        took.append((time.perf_counter() - started) * 1e3)
    return took[1:]  # the first may load the model


def sizes(folder: Path) -> dict[str, float]:
    """Bytes: minified scripts and what is left of them gzipped, and the package as it is uploaded."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder))
    found: dict[str, float] = {"package_zip": len(packed.getvalue())}
    for name, files in {"page": ("content.js", "tap.js"), "worker": ("worker.js",)}.items():
        contents = [(folder / file).read_bytes() for file in files]
        found[f"{name}_bytes"] = sum(map(len, contents))
        found[f"{name}_gzip"] = sum(len(gzip.compress(content, 9)) for content in contents)
    return found


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    ours: list[Run] = []
    theirs: list[Run] = []
    answers: list[float] = []
    prompt = PROMPT.ljust(200, "?")[: arguments.keys - 1] + "?"
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        say("building ...")
        package = arguments.extension
        if package is None:
            node("build.mjs")
            package = shutil.copytree(ROOT / "extension" / "dist" / "chrome", folder / "package")
        node(ROOT / "tests" / "extension" / "pages" / "build.mjs", folder / "pages")
        server = stack.enter_context(serve(folder / "pages"))
        daemon = stack.enter_context(running(folder / "data"))
        playwright = stack.enter_context(sync_playwright())
        browser: Chrome = stack.enter_context(chrome(playwright, package, folder / "with", server, folder / "pages"))
        plain = stack.enter_context(without_extension(playwright, folder / "without", server))
        browser.pair(daemon)
        browser.set_site("chatgpt.com", profile="bench")
        for text in MEMORIES:
            daemon.ok("POST", "/v1/memories", {"profile": "bench", "kind": "fact", "text": text})
        site = server["chatgpt"]
        site.chunk_bytes, site.chunk_seconds = CHUNK_BYTES, CHUNK_SECONDS
        site.seed(CONVERSATION, seeded(arguments.turns))

        def driver(context: BrowserContext) -> Driver:
            return Driver(context.new_page(), site, browser.rows["chatgpt"])

        say(f"capturing {arguments.turns} turns ...")
        for context in (browser.context, plain):
            first = driver(context)
            first.open(site.path(CONVERSATION))
            first.page.wait_for_timeout(1_000)
            first.page.close()
        browser.until(lambda: browser.waiting() == 0, seconds=600, what="an empty outbox")
        how = {"words": arguments.words, "idle": arguments.idle_seconds, "quiet": arguments.quiet, "prompt": prompt}
        for number in range(arguments.runs):
            # Each side goes first every other time.
            sides = [(browser.context, ours, "with"), (plain, theirs, "without")]
            for context, runs, name in sides[:: -1 if number % 2 else 1]:
                calm(daemon)
                answers += daemon_answer_ms(daemon, prompt, 3 if arguments.quick else 8)
                one = driver(context)
                run = one_run(one, **how)
                one.page.close()
                runs.append(run)
                parts = (f"{part} {getattr(run, part).ours:.1f}/{getattr(run, part).busy:.0f}" for part in PARTS)
                say(f"run {number + 1}/{arguments.runs} {name}: own/all ms {', '.join(parts)}")
        packed = sizes(package)
    return {
        "load_average": os.getloadavg(),
        "processors": os.cpu_count(),
        **{name: getattr(arguments, name) for name in ("runs", "turns", "words", "idle_seconds", "keys")},
        "bytes": packed,
        **compared(ours, theirs, answers, arguments),
    }


# What it says


def compared(ours: list[Run], theirs: list[Run], answers: list[float], arguments: argparse.Namespace) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    seconds = statistics.median(run.stream_seconds for run in ours)
    scales = {"opened": 1, "idle": 60 / arguments.idle_seconds, "typed": 1 / arguments.keys, "streamed": 0.1 / seconds}
    for part, scale in scales.items():
        mine = [getattr(run, part) for run in ours]
        busy = [[cost.busy for cost in mine], [getattr(run, part).busy for run in theirs]]
        functions: dict[str, float] = defaultdict(float)
        for cost in mine:
            for name, spent in cost.functions.items():
                functions[name] += spent / len(mine)
        figures[part] = {
            "attributed": statistics.median(cost.ours for cost in mine) * scale,
            "attributed_worst": max(cost.ours for cost in mine) * scale,
            "difference": (statistics.median(busy[0]) - statistics.median(busy[1])) * scale,
            "ratio": statistics.median(busy[0]) / statistics.median(busy[1]),
            "spread_without": (max(busy[1]) - min(busy[1])) * scale,
            "busy_without": statistics.median(busy[1]) * scale,
            "functions_ms_a_run": dict(sorted(functions.items(), key=lambda each: -each[1])[:12]),
        }
    figures["stream_seconds"] = {"with": seconds, "without": statistics.median(run.stream_seconds for run in theirs)}
    chips = [run.chip_ms for run in ours if run.chip_ms is not None]
    figures["chip"] = {
        "runs_ms": chips,
        "last_key_to_chip_ms": statistics.median(chips) if chips else None,
        "debounce_ms": DEBOUNCE_MS,
        "daemon_ms": statistics.median(answers),
    }
    return figures


def table(figures: dict[str, Any]) -> str:
    bytes_, chip = figures["bytes"], figures["chip"]
    rows = [
        (f"idle, {figures['turns']} turns, from {figures['idle_seconds']:.0f} s", "idle", "ms/min", "< 20"),
        (f"opening {figures['turns']} turns, until quiet", "opened", "ms", ""),
        (f"streaming {figures['words']} words", "streamed", "%", "< 1"),
        (f"typing {figures['keys']} characters", "typed", "ms/key", ""),
    ]
    lines = [
        f"{figures['runs']} runs each, in turns; load average {figures['load_average'][0]:.1f} on "
        f"{figures['processors']} processors; an answer streams for {figures['stream_seconds']['with']:.1f} s "
        f"with, {figures['stream_seconds']['without']:.1f} s without the extension.",
        "",
        "| main-thread time added | attributed | worst run | with − without | with ÷ without | page's own | aim |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, part, unit, aim in rows:
        cost = figures[part]
        lines.append(
            f"| {name} | {cost['attributed']:.2f} {unit} | {cost['attributed_worst']:.2f} | {cost['difference']:+.2f} "
            f"(noise {cost['spread_without']:.2f}) | {cost['ratio']:.3f} | {cost['busy_without']:.1f} | {aim} |"
        )
    lines += ["", "| last keystroke to chip | ms |", "|---|---:|"]
    if chip["last_key_to_chip_ms"] is not None:
        rest = chip["last_key_to_chip_ms"] - chip["debounce_ms"] - chip["daemon_ms"]
        lines += [
            f"| all | {chip['last_key_to_chip_ms']:.0f} |",
            f"| of it the debounce | {chip['debounce_ms']} |",
            f"| of it the daemon's own answer | {chip['daemon_ms']:.0f} |",
            f"| of it messages, worker and drawing | {rest:.0f} |",
        ]
    lines += [
        "",
        "| bytes | minified | gzipped | aim |",
        "|---|---:|---:|---:|",
        f"| content.js + tap.js | {bytes_['page_bytes']} | {bytes_['page_gzip']} | < 40000 |",
        f"| worker.js | {bytes_['worker_bytes']} | {bytes_['worker_gzip']} | |",
        f"| package | | {bytes_['package_zip']} | |",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one short run of each: whether it works, not how fast")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--turns", type=int, default=2_000, help="of the open conversation")
    parser.add_argument("--words", type=int, default=5_000, help="of the streamed answer")
    parser.add_argument("--idle", type=float, default=60, metavar="SECONDS", dest="idle_seconds")
    parser.add_argument("--extension", type=Path, help="a built extension (default: builds this one)")
    parser.add_argument("--json", type=Path, help="also write the figures here, with what took the time")
    arguments = parser.parse_args()
    # Five seconds after opening the extension looks once whether the history came over the wire.
    arguments.quiet, arguments.keys = 7.0, 200
    if arguments.quick:
        arguments.runs, arguments.turns, arguments.words = 1, min(arguments.turns, 100), 400
        arguments.idle_seconds, arguments.quiet, arguments.keys = 3.0, 5.5, 24
    if arguments.runs < 1 or arguments.idle_seconds <= 0:
        parser.error("there is nothing to measure")
    figures = measure(arguments)
    print(table(figures))
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
