#!/usr/bin/env python3
"""How quick the dashboard is on a large store, as ratios to the API calls alone in the same run.

    .venv/bin/python scripts/bench_dashboard.py [--memories 100000] [--rounds 20] [--data DIR] [--json FILE]

The store is a made-up life (`tests/dashboard/life.py`) of 2,000 memories with their conversations and the real vectors;
beyond that its memories are resampled, two words changed, with noise on their vectors. `--data` keeps it, or takes one
that was kept. Chromium without a window; each sample beside the same calls over plain HTTP to the same daemon.

home     from going to the page until what it knows is painted, with the files in the browser's cache; beside the calls
         that it makes, one after the other
search   from a key pressed in Memories until what recall found is painted, the 120 ms that it waits for the next key
         included; beside that recall
frames   of scrolling through the list with the wheel, and jumping through it: how many were due and not painted, beside
         those of the same page while nothing moves
bytes    of everything that Home loads in a browser that has nothing of it yet
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import httpx
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "scripts"), str(ROOT / "backend")]

from playwright.sync_api import Page, Request, sync_playwright  # noqa: E402

from api.running import Running, eventually, running  # noqa: E402
from dashboard.life import fill  # noqa: E402
from dashboard.looking import Looking  # noqa: E402
from extension.chrome import chromium  # noqa: E402
from satchel.store import Store, Tx, memories, vector_sets, vectors  # noqa: E402
from satchel.types import Draft, Memory  # noqa: E402

LIFE = 2000
BATCH = 2000
NOISE = 0.33
KINDS = ["fact", "event", "explicit_preference", "implicit_preference", "instruction"]
QUESTIONS = (
    "what do I like to eat",
    "where does my sister live",
    "how should you answer me",
    "which languages do I speak",
    "what am I allergic to",
    "what did I plan for the summer",
    "who is my employer",
    "what music do I listen to",
    "how old are my children",
    "which car do I drive",
)
#: Milliseconds since the navigation began at which the page stood there, and one frame after that.
PAINTED = """() => new Promise((done) => {
  const look = () => {
    const there = document.querySelector("main .card") && !document.querySelector(".skeleton");
    requestAnimationFrame(there ? () => done(performance.now()) : look);
  };
  look();
})"""
#: Milliseconds from the next key until two frames after the recall that it leads to has been answered.
ANSWERED = """() => {
  const recalled = () => performance.getEntriesByType("resource").some((one) => one.name.endsWith("/v1/recall"));
  performance.clearResourceTimings();
  window.answered = new Promise((done) => {
    const pressed = ({ timeStamp }) => {
      const tell = () => done(performance.now() - timeStamp);
      const look = () => requestAnimationFrame(recalled() ? () => requestAnimationFrame(tell) : look);
      look();
    };
    addEventListener("keydown", pressed, { once: true, capture: true });
  });
}"""
#: Times between frames while `window.scrolling` is true.
FRAMES = """() => {
  window.scrolling = true;
  window.frames_ = [];
  let before = 0;
  const note = (now) => {
    before && window.frames_.push(now - before);
    before = now;
    window.scrolling && requestAnimationFrame(note);
  };
  requestAnimationFrame(note);
}"""


def resample(data: Path, count: int) -> None:
    """Brings the profile `me` to `count` memories that hold, each with its words and a vector."""
    chance = random.Random(11)
    noise = np.random.default_rng(11)
    store = Store(data)
    try:
        (held,) = store.read_now(vector_sets.held)
        profile = int(str(store.read_now(lambda db: db.execute("SELECT pk FROM profile WHERE name = 'me'").get)))
        pks = store.read_now(lambda db: vectors.all_of(db, held.model, "memory", profile))
        found = store.read_now(lambda db: memories.by_pks(db, pks))
        rows = dict(zip(*store.read_now(lambda db: vectors.whole(db, held.model, "memory", pks)), strict=True))
        live = [(pk, memory) for pk, memory in found.items() if memory.status == "active" and memory.sources]
        words = sorted({word for _, memory in live for word in memory.text.split()})

        def add(tx: Tx, pk: int, memory: Memory) -> None:
            text = memory.text.split()
            for _ in range(2):
                text[chance.randrange(len(text))] = chance.choice(words)
            row = rows[pk] + NOISE * noise.normal(size=held.dimensions).astype(np.float32) / held.dimensions**0.5
            draft = Draft(
                kind=memory.kind,
                text=" ".join(text),
                key=memory.key,
                tags=memory.tags,
                sources=memory.sources,
                valid_from=memory.valid_from,
            )
            new = memories.add(tx, draft, profile="me")
            vectors.store(tx.db, held, "memory", new, profile, (row / np.linalg.norm(row)).astype(np.float32).tobytes())
            tx.db.execute("DELETE FROM unindexed WHERE type = 'memory' AND pk = ?", (new,))

        for start in range(len(live), count, BATCH):

            def write(tx: Tx, size: int = min(BATCH, count - start)) -> None:
                for _ in range(size):
                    add(tx, *chance.choice(live))

            store.write_now(write)
            print(f"\r{start + BATCH:,} of {count:,} memories ", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
    finally:
        store.close()


def prepare(data: Path, count: int) -> None:
    fill(data, count=min(LIFE, count))
    with running(data) as daemon:
        eventually(lambda: daemon.ok("GET", "/v1/status")["indexing"] == 0, seconds=1800, what="the vectors")
    if count > LIFE:
        resample(data, count)


def alone(daemon: Running, calls: list[tuple[str, str, Any]]) -> float:
    """Milliseconds of these calls over one connection, one after the other."""
    with httpx.Client(
        base_url=daemon.url, headers={"Authorization": f"Bearer {daemon.token}"}, trust_env=False
    ) as http:
        http.get("/health")
        began = time.perf_counter()
        for method, path, body in calls:
            answer = http.request(method, path, json=body, timeout=60)
            answer.raise_for_status()
        return (time.perf_counter() - began) * 1000


def home(looking: Looking, rounds: int) -> tuple[list[float], list[float]]:
    page, daemon = looking.page, looking.daemon
    mine, others = [], []
    for _ in range(rounds):
        asked: list[tuple[str, str, Any]] = []

        def note(request: Request, asked: list[tuple[str, str, Any]] = asked) -> None:
            path = request.url.removeprefix(daemon.url)
            if path.startswith("/v1/") and path != "/v1/events":
                asked.append((request.method, path, request.post_data_json if request.post_data else None))

        page.goto("about:blank")
        page.on("request", note)
        page.goto(f"{daemon.url}/#/home", wait_until="commit")
        mine.append(float(page.evaluate(PAINTED)))
        page.remove_listener("request", note)
        others.append(alone(daemon, asked))
    return mine, others


def search(looking: Looking, rounds: int) -> tuple[list[float], list[float]]:
    page, daemon = looking.page, looking.daemon
    looking.go("memories")
    box = page.get_by_role("searchbox")
    mine, others = [], []
    for number in range(rounds):
        question = QUESTIONS[number % len(QUESTIONS)] + f" {number}"
        with page.expect_response("**/v1/recall"):
            box.fill(question[:-1])
        page.wait_for_timeout(300)
        page.evaluate(ANSWERED)
        box.press(question[-1])
        mine.append(float(page.evaluate("window.answered")))
        body = {"profile": "me", "query": question, "limit": 100, "kinds": KINDS, "filter": {}}
        others.append(alone(daemon, [("POST", "/v1/recall", body)]))
    return mine, others


def frames(page: Page, move: Callable[[int], None], steps: int) -> dict[str, float]:
    """The share of the frames due while the list is moved that were not painted, and the longest wait for one, ms."""
    page.evaluate(FRAMES)
    for step in range(steps):
        move(step)
        page.wait_for_timeout(16)
    waits = page.evaluate("(window.scrolling = false, window.frames_)")
    due = median(waits)
    missed = sum(max(0, round(wait / due) - 1) for wait in waits)
    return {"dropped": missed / (len(waits) + missed), "longest_ms": max(waits), "frames": len(waits), "due_ms": due}


def transferred(looking: Looking) -> dict[str, int]:
    """Bytes of bodies and headers that a first look at Home takes."""
    found = {"files": 0, "answers": 0, "requests": 0}

    def note(request: Request) -> None:
        if request.url.endswith("/v1/events"):
            return
        sizes = request.sizes()
        part = "answers" if "/v1/" in request.url else "files"
        found[part] += sizes["responseBodySize"] + sizes["responseHeadersSize"]
        found["requests"] += 1

    looking.let_in()
    tab = looking.new_tab()
    session = looking.context.new_cdp_session(tab)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    tab.on("requestfinished", note)
    tab.goto(f"{looking.daemon.url}/#/home")
    tab.evaluate(PAINTED)
    tab.wait_for_timeout(1000)
    tab.close()
    return found


def beside(mine: list[float], others: list[float]) -> dict[str, float]:
    def at(values: list[float], share: int) -> float:
        return quantiles(values, n=20, method="inclusive")[share // 5 - 1]

    ratios = [one / other for one, other in zip(mine, others, strict=True)]
    return {
        f"{name}_p{share}": round(at(values, share), 2)
        for share in (50, 95)
        for name, values in (("page", mine), ("calls", others), ("ratio", ratios))
    }


def measure(daemon: Running, rounds: int) -> dict[str, Any]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"])
        looking = Looking(browser, daemon)
        figures: dict[str, Any] = {"bytes": transferred(looking)}
        looking.go("home")
        daemon.ok("POST", "/v1/recall", {"query": "what do I like"})  # the embedding model is loaded when first needed
        figures["home"] = beside(*home(looking, rounds))
        figures["search"] = beside(*search(looking, rounds))
        looking.go("memories")
        page = looking.page
        page.locator(".rows").hover()
        figures["still"] = frames(page, lambda _: None, 180)  # what the machine itself drops
        figures["wheel"] = frames(page, lambda _: page.mouse.wheel(0, 240), 180)
        jump = "(to) => { const box = document.querySelector('.rows'); box.scrollTop = box.scrollHeight * to; }"
        figures["jumps"] = frames(
            page, lambda step: page.evaluate(jump, step * 0.137 % 1) if step % 12 == 0 else None, 180
        )
        figures["rows"] = {
            "listed": int(str(page.get_by_role("grid").get_attribute("aria-rowcount"))),
            "drawn": page.locator(".line").count(),
        }
        looking.close()
        browser.close()
    return figures


def table(figures: dict[str, Any]) -> str:
    lines = [f"{figures['rows']['listed']:,} memories listed, {figures['rows']['drawn']} rows in the page", ""]
    lines.append("| what | page p50 | calls p50 | ratio p50 | page p95 | calls p95 | ratio p95 |")
    lines.append("|---|---:|---:|---:|---:|---:|---:|")
    for what in ("home", "search"):
        one = figures[what]
        cells = [f"{one[f'{name}_p{share}']:.2f}" if name == "ratio" else f"{one[f'{name}_p{share}']:.0f} ms"
                 for share in (50, 95) for name in ("page", "calls", "ratio")]  # fmt: skip
        lines.append(f"| {what} | {' | '.join(cells)} |")
    lines.append("")
    for what in ("still", "wheel", "jumps"):
        one = figures[what]
        lines.append(
            f"{what}: {one['dropped']:.1%} of frames not painted, the longest wait {one['longest_ms']:.0f} ms "
            f"({one['frames']} frames, one every {one['due_ms']:.1f} ms)"
        )
    size = figures["bytes"]
    lines.append(
        f"home, first look: {size['files'] / 1000:.0f} kB of files, {size['answers'] / 1000:.0f} kB of answers, "
        f"{size['requests']} requests"
    )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--memories", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--data", type=Path, help="keep the store there, or take the one that is there")
    parser.add_argument("--json", type=Path, help="write the figures there as well")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = options.data or Path(folder) / "data"
        if not data.exists():
            prepare(data, options.memories)
        with running(data) as daemon:
            figures = measure(daemon, options.rounds)
    print(table(figures))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
