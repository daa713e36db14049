#!/usr/bin/env python3
"""Measures recall as a store grows: building, memory, and each stage, beside named baselines of the same run.

    .venv/bin/python scripts/bench_scale.py [--sizes 1000,10000,100000] [--texts FILE.json] [--queries 100]
                                            [--beside [sqlite-vec,usearch]] [--plot docs/scale.svg] [--json FILE]

The turns are real ones as far as they go (`--texts`: a LoCoMo file, or any JSON whose strings are taken; without it
sentences made up here), with their real embeddings. Beyond that they are resampled: the same texts again with two words
changed, the same vectors with noise of a third of their length. So every turn has some near doubles, which is hard on
an index. The baseline is numpy's float32 matrix product over the same vectors on all cores, which takes turns with the
index. `--beside` adds sqlite-vec's flat search, usearch (HNSW over bits, rescored), Chroma (HNSW) and LanceDB (flat)
over the same vectors, each in turn with the product too, and mem0's search over 2,000 memories beside Satchel's, both
with Satchel's embedder; or those that are named. They are no dependencies: what is missing, it says how to install.

Times are p50/p95/p99 in ms of one run, and ratios to the baseline: these say something on a busy machine, the times do
not. `recall@10` is against exact search over the same vectors.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools
import gc
import json
import random
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil

from eval_support import beside
from eval_support.beside import PAGE, TOP, Rows, in_turn, percentiles, recall_of, resident_mb
from satchel.models import Runtime
from satchel.recall.recall import Recall
from satchel.store import Store, Tx, log, neighbours, search, vector_sets, vectors
from satchel.store.clock import new_id
from satchel.store.neighbours import Neighbours
from satchel.store.segment import segment
from satchel.store.store import CELLS_FOLDER

NOISE = 0.33
"""Length of the noise that is added to a resampled vector, of length 1."""

SEED = 7
BLOCK = 1_000
DAY_MS = 86_400_000
BEGAN = 1_600_000_000_000
CONVERSATION = 12
"""Turns of a conversation."""


@functools.cache
def model() -> str:
    """Whose vectors these are: the default model's, so that a daemon takes them for its own."""
    return Runtime(generate=None).model_id("embed")


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    found = work()
    return time.perf_counter() - started, found


# ------------------------------------------------------------------------------------------------------- the turns


def real_texts(file: Path | None) -> tuple[list[str], list[str]]:
    """(turns, questions). Of a LoCoMo file its own; else every string of some length, and questions made of them."""
    if file is None:
        return _made_up()
    found = json.loads(file.read_text("utf-8"))
    turns: list[str] = []
    questions: list[str] = []

    def walk(value: object, key: str = "") -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                walk(inner, name)
        elif isinstance(value, list):
            for inner in value:
                walk(inner, key)
        elif isinstance(value, str) and key in {"text", "content"} and len(value) > 20:
            turns.append(value)
        elif isinstance(value, str) and key == "question":
            questions.append(value)

    walk(found)
    if len(turns) < 100 or len(questions) < 20:
        raise SystemExit(f'{file}: needs at least 100 strings named "text" or "content" and 20 named "question".')
    return list(dict.fromkeys(turns)), list(dict.fromkeys(questions))


def _made_up() -> tuple[list[str], list[str]]:
    chooser = random.Random(SEED)
    who = ["my sister", "our neighbour", "the dentist", "my boss", "the plumber", "Mira", "our band", "my old teacher"]
    did = ["repaired", "sold", "painted", "forgot", "borrowed", "described", "ordered", "photographed", "cleaned"]
    what = [
        "the violin",
        "a red kayak",
        "the allotment shed",
        "two concert tickets",
        "an espresso machine",
        "the piano",
    ]
    where = ["in Porto", "near the canal", "at the market", "after the storm", "on Tuesday", "before the wedding"]
    parts = [(a, b, c, d) for a in who for b in did for c in what for d in where]
    chooser.shuffle(parts)
    turns = [f"I was surprised that {a} {b} {c} {d}." for a, b, c, d in parts]
    return turns, [f"Who {b} {c} {d}?" for _, b, c, d in parts[:300]]


class Turns:
    """As many turns as are asked for, a page at a time, the same for the same number."""

    def __init__(self, texts: list[str], rows: Rows) -> None:
        self._texts, self._rows = texts, rows
        self._words = sorted({word for text in texts for word in re.findall(r"[a-z]{5,}", text.lower())})

    def page(self, start: int, count: int) -> tuple[list[str], Rows]:
        """Turns `start` to `start + count`, whatever pages they are asked for in."""
        first, last = start // BLOCK, (start + count - 1) // BLOCK
        blocks = [self._block(number * BLOCK, BLOCK) for number in range(first, last + 1)]
        skip = start - first * BLOCK
        texts = [text for block, _ in blocks for text in block][skip : skip + count]
        return texts, np.concatenate([rows for _, rows in blocks])[skip : skip + count]

    def _block(self, start: int, count: int) -> tuple[list[str], Rows]:
        numbers = np.random.default_rng(SEED + start)
        chooser = random.Random(SEED + start)
        texts: list[str] = []
        picks = []
        for number in range(start, start + count):
            pick = number if number < len(self._texts) else int(numbers.integers(len(self._texts)))
            picks.append(pick)
            texts.append(self._texts[pick] if number < len(self._texts) else self._changed(self._texts[pick], chooser))
        rows = self._rows[picks].copy()
        again = np.arange(start, start + count) >= len(self._texts)
        noise = numbers.normal(size=(int(again.sum()), rows.shape[1])).astype(np.float32)
        rows[again] += NOISE * noise / np.linalg.norm(noise, axis=1, keepdims=True)
        return texts, rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def _changed(self, text: str, chooser: random.Random) -> str:
        words = text.split()
        for _ in range(2):
            words[chooser.randrange(len(words))] = chooser.choice(self._words)
        return " ".join(words)


def fill(store: Store, turns: Turns, count: int) -> float:
    """Writes turns, words and vectors as the daemon has them, without its HTTP; the seconds it took."""
    started = time.perf_counter()

    def begin(tx: Tx) -> int:
        vectors.prepare(tx, model(), 384)
        tx.db.execute("INSERT OR IGNORE INTO profile (name, created_at) VALUES ('me', 0)")
        return int(str(log.profile_pk(tx.db, "me")))

    profile = store.write_now(begin)
    have = len(_order(store))
    for start in range(have, count, PAGE):
        texts, rows = turns.page(start, min(PAGE, count - start))

        def write(tx: Tx, start: int = start, texts: list[str] = texts, rows: Rows = rows) -> None:
            _write(tx, profile, start, texts, rows)

        store.write_now(write)
        _progress("filling", start + len(texts), count, started)
    return time.perf_counter() - started


def _order(store: Store) -> list[int]:
    """The pks of the measured turns: the place of one is its number."""
    profile = store.read_now(lambda db: log.profile_pk(db, "me")) or 0
    return store.read_now(lambda db: vectors.all_of(db, model(), "turn", profile)) if profile else []


def _write(tx: Tx, profile: int, start: int, texts: list[str], rows: Rows) -> None:
    (held,) = vector_sets.held(tx.db)
    conversation = 0
    for number, (text, row) in enumerate(zip(texts, rows, strict=True), start):
        at = BEGAN + number * 60_000
        if number % CONVERSATION == 0 or not conversation:
            tx.db.execute(
                "INSERT INTO conversation (id, profile, site, external_id, created_at, updated_at, device, clock)"
                " VALUES (?, ?, 'bench', ?, ?, ?, ?, ?)",
                (new_id(), profile, str(number), at, at, tx.device, tx.tick()),
            )
            conversation = tx.db.last_insert_rowid()
        role = "assistant" if number % 2 else "user"
        tx.db.execute(
            "INSERT INTO message (id, conversation, key, role, content, hash, received_at, time, position, device,"
            " clock) VALUES (?, ?, ?, ?, ?, x'', ?, ?, ?, ?, ?)",
            (new_id(), conversation, str(number), role, text, at, at, number % CONVERSATION, tx.device, tx.tick()),
        )
        pk = tx.db.last_insert_rowid()
        tx.db.execute("INSERT INTO turn_words (rowid, text) VALUES (?, ?)", (pk, segment(text)))
        vectors.store(tx.db, held, "turn", pk, profile, row.tobytes())


def _progress(what: str, done: int, total: int, started: float) -> None:
    spent = time.perf_counter() - started
    left = spent / max(done, 1) * (total - done)
    print(f"\r{what} {done:,} of {total:,}, {done / max(spent, 1e-9):,.0f} a second, {left:.0f} s left ", end="",
          file=sys.stderr, flush=True)  # fmt: skip
    if done >= total:
        print(file=sys.stderr)


# ------------------------------------------------------------------------------------------------------ the stages


def vector_stage(store: Store, rows: Rows, queries: Rows) -> dict[str, float]:
    """Building, loading and asking the index that the daemon uses, and numpy's product with `rows` in turn with it."""
    folder = store.path.parent / CELLS_FOLDER
    profile = store.read_now(lambda db: log.profile_pk(db, "me")) or 0
    number = {pk: number for number, pk in enumerate(_order(store))}
    gc.collect()
    before = resident_mb()
    held = Neighbours(folder, store.read_now)

    def ask(query: Rows) -> list[int]:
        meaning = vectors.Meaning(model(), query.tobytes())
        found = store.read_now(lambda db: held.nearest(db, "turn", meaning, profile=profile, k=TOP))
        return [number[pk] for pk, _ in found]

    building, _ = timed(lambda: (ask(queries[0]), held.settle()))
    (took, found), (product, truth) = in_turn(queries, queries, ask, functools.partial(beside.nearest, rows))
    memory = resident_mb() - before
    held.close()
    again = Neighbours(folder, store.read_now)
    held = again
    loading, _ = timed(lambda: ask(queries[0]))
    again.close()
    return {
        **percentiles(took),
        **{f"product {share}": value for share, value in percentiles(product).items()},
        "recall@10": recall_of(found, truth),
        "build s": building,
        "load s": loading,
        "memory MB": memory,
        # The whole vectors and their signs lie in the store.
        "disk MB": beside.folder_mb(folder) + (rows.nbytes + rows.size / 8) / 1e6,
    }


def text_stage(store: Store, questions: Sequence[str]) -> dict[str, float]:
    from satchel.recall import query, surroundings

    profile = store.read_now(lambda db: log.profile_pk(db, "me")) or 0
    among = search.eligible_turns(profile)

    def ask(question: str) -> None:
        terms = query.fts_terms(question)
        store.read_now(lambda db: search.by_words(db, terms, among, limit=surroundings.WORDS))

    return percentiles([timed(lambda question=question: ask(question))[0] for question in questions])  # type: ignore[misc]


class Given:
    """Vectors of questions that were embedded before: the call is measured without its embedding."""

    def __init__(self, by_text: dict[str, Rows]) -> None:
        self.by_text = by_text

    async def embed(self, texts: Sequence[str], *, urgent: bool = False) -> Rows:  # noqa: ARG002
        return np.stack([self.by_text[text] for text in texts])

    async def embed_with(self, _: str, texts: Sequence[str], *, urgent: bool = False) -> Rows:
        return await self.embed(texts, urgent=urgent)

    def model_id(self, _: str) -> str:
        return model()


def whole_call(store: Store, given: Given, questions: Sequence[str]) -> dict[str, float]:
    recall = Recall(store, given)  # type: ignore[arg-type]

    async def ask() -> list[float]:
        await recall.search(questions[0], profile="me", limit=TOP)
        recall._near.settle()
        took = []
        for question in questions:
            started = time.perf_counter()
            await recall.search(question, profile="me", limit=TOP)
            took.append(time.perf_counter() - started)
        return took

    try:
        return percentiles(asyncio.run(ask()))
    finally:
        recall.close()


class Asked(Given):
    """The same, but the question is embedded as well, each time."""

    def __init__(self, by_text: dict[str, Rows], runtime: Runtime) -> None:
        super().__init__(by_text)
        self._runtime = runtime

    async def embed(self, texts: Sequence[str], *, urgent: bool = False) -> Rows:
        await self._runtime.embed(texts, urgent=urgent)
        return await super().embed(texts, urgent=urgent)


def call_with_embedding(store: Store, by_text: dict[str, Rows]) -> tuple[dict[str, float], dict[str, float]]:
    """The whole call with the question's embedding, and in turn with it embedding a question alone."""

    async def ask() -> tuple[list[float], list[float]]:
        async with Runtime(generate=None) as runtime:
            recall = Recall(store, Asked(by_text, runtime))  # type: ignore[arg-type]
            try:
                await recall.search(next(iter(by_text)), profile="me", limit=TOP)
                recall._near.settle()
                calls, alone = [], []
                for question in list(by_text)[1:]:
                    started = time.perf_counter()
                    await runtime.embed([f"{question} "], urgent=True)  # other text: what was embedded is remembered
                    between = time.perf_counter()
                    await recall.search(question, profile="me", limit=TOP)
                    alone.append(between - started)
                    calls.append(time.perf_counter() - between)
                return calls, alone
            finally:
                recall.close()

    calls, alone = asyncio.run(ask())
    return percentiles(calls), percentiles(alone)


@contextlib.contextmanager
def importing(store: Store, turns: Turns, count: int) -> Iterator[None]:
    """Another thread writes turns all the while, as an import does; into a profile of its own, so that what is asked
    stays the same."""
    ended = threading.Event()

    def begin(tx: Tx) -> int:
        tx.db.execute("INSERT OR IGNORE INTO profile (name, created_at) VALUES ('import', 0)")
        return int(str(log.profile_pk(tx.db, "import")))

    profile = store.write_now(begin)
    have = store.read_now(lambda db: int(str(db.execute("SELECT count(*) FROM message").get)))

    def write() -> None:
        start = have + count
        while not ended.is_set():
            texts, rows = turns.page(start, 64)
            store.write_now(lambda tx, at=start, t=texts, r=rows: _write(tx, profile, at, t, r))  # type: ignore[misc]
            start += 64

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


# ------------------------------------------------------------------------------------------------------------- main


def served(data: Path, questions: Sequence[str]) -> float:
    """What the daemon takes, as users run it, when it has answered these questions on this store; without the model's
    own process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    serve = [sys.executable, "-P", "-m", "satchel", "serve", "--data", str(data), "--port", port]
    with subprocess.Popen(serve, stdout=subprocess.DEVNULL) as daemon:
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=300, trust_env=False) as http:
                while not _is_ready(http):
                    time.sleep(0.1)
                token = (data / "command-line.token").read_text().strip()
                for question in [*questions, *questions]:  # the index is loaded beside the first of them
                    body = {"query": question, "limit": TOP}
                    http.post("/v1/recall", json=body, headers={"Authorization": f"Bearer {token}"}).raise_for_status()
            return psutil.Process(daemon.pid).memory_info().rss / 1e6
        finally:
            daemon.terminate()


def _is_ready(http: httpx.Client) -> bool:
    try:
        return http.get("/health").json()["ready"] is True
    except httpx.TransportError:
        return False


async def embedded(texts: list[str]) -> Rows:
    parts = []
    async with Runtime(generate=None) as runtime:
        started = time.perf_counter()
        for at in range(0, len(texts), 64):
            parts.append(await runtime.embed(texts[at : at + 64]))
            _progress("embedding", min(at + 64, len(texts)), len(texts), started)
    return np.concatenate(parts)


def measure(
    store: Store, turns: Turns, size: int, questions: list[str], queries: Rows, others: list[str]
) -> dict[str, Any]:
    figures: dict[str, Any] = {"size": size, "fill s": fill(store, turns, size)}
    rows = np.concatenate([turns.page(at, min(PAGE, size - at))[1] for at in range(0, size, PAGE)])
    mine = vector_stage(store, rows, queries)
    figures["product"] = {name.removeprefix("product "): one for name, one in mine.items() if "product" in name}
    figures["vectors"] = mine
    if others:
        figures["beside"] = {"Satchel": mine}
        for name in others:
            print(f"beside: {name}", file=sys.stderr, flush=True)
            figures["beside"][name] = beside.index_beside(name, rows, queries)
    del rows
    gc.collect()
    given = Given(dict(zip(questions, queries, strict=True)))
    figures["words"] = text_stage(store, questions)
    figures["call"] = whole_call(store, given, questions)
    figures["call with embedding"], figures["embedding"] = call_with_embedding(store, given.by_text)
    with importing(store, turns, size):
        figures["call while importing"] = whole_call(store, given, questions)
    figures["store MB"] = sum(file.stat().st_size for file in store.path.parent.rglob("*") if file.is_file()) / 1e6
    figures["daemon MB"] = served(store.path.parent, questions)
    return figures


def table(runs: list[dict[str, Any]]) -> str:
    lines = [
        "| turns | | p50 | p95 | p99 ms | p95, of numpy's product | recall@10 | built s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for run in runs:
        base = run["product"]["p95"]
        for name, one in run.items():
            if not isinstance(one, dict) or name == "beside":
                continue
            lines.append(
                f"| {run['size']:,} | {name} | {one['p50']:.2f} | {one['p95']:.2f} | {one['p99']:.2f} |"
                f" {one['p95'] / base:.2f} | {one.get('recall@10', ''):.3} | {one.get('build s', ''):.3} |"
                if "recall@10" in one
                else f"| {run['size']:,} | {name} | {one['p50']:.2f} | {one['p95']:.2f} | {one['p99']:.2f} |"
                f" {one['p95'] / base:.2f} | | |"
            )
    lines += [
        "",
        "| turns | filling s | index built s | loaded s | index MB in memory | daemon MB | store MB |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {run['size']:,} | {run['fill s']:.0f} | {run['vectors']['build s']:.1f} | {run['vectors']['load s']:.2f} |"
        f" {run['vectors']['memory MB']:.0f} | {run['daemon MB']:.0f} | {run['store MB']:.0f} |"
        for run in runs
    ]
    lines += [
        "",
        "| turns | the call with the question's embedding, of embedding a question alone: p50 | p95 |",
        "|---|---|---|",
    ]
    lines += [
        f"| {run['size']:,} | {run['call with embedding']['p50'] / run['embedding']['p50']:.2f} |"
        f" {run['call with embedding']['p95'] / run['embedding']['p95']:.2f} |"
        for run in runs
    ]
    for run in runs:
        if "beside" in run:
            lines += ["", beside.vectors_table(run["size"], run["beside"])]
    return "\n".join(lines)


def plot(runs: list[dict[str, Any]], file: Path) -> None:
    """Latency against size, both logarithmic, as an SVG of its own making: a few lines need no library."""
    names = [name for name in ("call", "words", "vectors", "product") if all(name in run for run in runs)]
    width, height, left, top = 640, 360, 60, 20
    sizes = np.log10([run["size"] for run in runs])
    values = {name: np.log10([run[name]["p50"] for run in runs]) for name in names}
    low, high = min(v.min() for v in values.values()) - 0.1, max(v.max() for v in values.values()) + 0.1
    span = max(float(sizes[-1] - sizes[0]), 1e-9)

    def x(value: float) -> float:
        return left + (value - sizes[0]) / span * (width - left - 120)

    def y(value: float) -> float:
        return top + (high - value) / (high - low) * (height - top - 40)

    colours = ("#1b6ca8", "#c8553d", "#2e8b57", "#777777")
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif"'
        ' font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for power in range(int(np.floor(low)), int(np.ceil(high)) + 1):
        if low <= power <= high:
            parts.append(
                f'<line x1="{left}" x2="{width - 120}" y1="{y(power):.1f}" y2="{y(power):.1f}" stroke="#ddd"/>'
            )
            parts.append(f'<text x="{left - 6}" y="{y(power) + 4:.1f}" text-anchor="end">{10.0**power:g} ms</text>')
    for run, size in zip(runs, sizes, strict=True):
        parts.append(f'<text x="{x(size):.1f}" y="{height - 14}" text-anchor="middle">{run["size"]:,}</text>')
    parts.append(f'<text x="{left}" y="14" fill="#777">half of the calls take at most, by turns stored</text>')
    for name, colour in zip(names, colours, strict=False):
        points = " ".join(f"{x(size):.1f},{y(value):.1f}" for size, value in zip(sizes, values[name], strict=True))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(
            f'<text x="{x(sizes[-1]) + 8:.1f}" y="{y(values[name][-1]) + 4:.1f}" fill="{colour}">{name}</text>'
        )
    file.write_text("\n".join([*parts, "</svg>", ""]), "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="1000,10000,100000", type=lambda text: sorted(map(int, text.split(","))))
    parser.add_argument("--texts", type=Path)
    parser.add_argument(
        "--beside",
        nargs="?",
        const=",".join(beside.NEEDED),
        default="",
        help="all, or comma-separated: " + ", ".join(beside.NEEDED),
    )
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    named = [name for name in arguments.beside.split(",") if name]
    if unknown := set(named) - set(beside.NEEDED):
        parser.error(f"--beside knows {', '.join(beside.NEEDED)}, not {', '.join(unknown)}")
    if lacking := beside.missing(named):
        raise SystemExit(lacking)
    indexes = [name for name in named if name in beside.INDEXES]
    texts, questions = real_texts(arguments.texts)
    questions = random.Random(SEED).sample(questions, min(arguments.queries, len(questions)))
    rows = asyncio.run(embedded([*texts, *questions]))
    turns, queries = Turns(texts, rows[: len(texts)]), rows[len(texts) :]
    print(f"{len(texts):,} real turns and {len(questions)} questions; exact up to {neighbours.EXACT:,} vectors")
    runs = []
    with tempfile.TemporaryDirectory(prefix="satchel-scale-") as folder:
        store = Store(Path(folder) / "data", now=lambda: BEGAN + 3_000 * DAY_MS)
        try:
            for size in arguments.sizes:
                runs.append(measure(store, turns, size, questions, queries, indexes))
                print(table(runs[-1:]), flush=True)
        finally:
            store.close()
    print("\n" + table(runs))
    memories = None
    if "mem0" in named:
        print("beside: mem0", file=sys.stderr, flush=True)
        memories = beside.memories_beside(turns.page(0, beside.MEMORIES)[0], questions)
        print("\n" + beside.memories_table(memories))
    if arguments.plot:
        plot(runs, arguments.plot)
    if arguments.json:
        arguments.json.write_text(json.dumps({"runs": runs, "memories": memories}, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
