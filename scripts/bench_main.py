#!/usr/bin/env python3
"""Measures the main path as ratios against named baselines of the same run (times alone say little on a busy machine).

    .venv/bin/python scripts/bench_main.py [--part ack|context|tokens|memory] [--turns 10000] [--json FILE]

ack      acknowledged captures, against a bare apsw commit of the same bytes with the same durability
context  POST /v1/context over --turns turns, against embedding the same questions alone
tokens   the generator's speed in extraction, against llama.cpp's own loop on the same prompts
memory   resident memory of the daemon and its model processes: idle, working, after the idle time
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import http.client
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apsw

WORDS = tuple(
    word
    for word in [
        "garden",
        "train",
        "invoice",
        "recipe",
        "python",
        "meeting",
        "holiday",
        "river",
        "budget",
        "guitar",
        "doctor",
        "window",
        "letter",
        "market",
        "school",
        "violin",
        "camera",
        "bicycle",
        "kitchen",
        "mountain",
        "ticket",
        "contract",
        "neighbour",
        "library",
        "battery",
        "carpet",
        "engine",
        "forest",
        "museum",
        "passport",
        "printer",
        "sandwich",
        "shoulder",
        "suitcase",
        "telescope",
        "umbrella",
        "vaccine",
        "wedding",
        "yoghurt",
        "zipper",
        "orchestra",
    ]
)
OPENINGS = ("How do I", "Could you", "I wonder how to", "Please help me", "What is the best way to", "Explain how to")
VERBS = ("choose", "repair", "compare", "plan", "describe", "organise", "measure", "translate", "summarise", "clean")


class Daemon:
    """A real daemon on a folder, with a token."""

    def __init__(self, data: Path, **environment: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "satchel", "serve", "--data", str(data), "--port", str(self.port)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env=os.environ | environment,
        )
        self._local = threading.local()
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException):
                probe_connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                probe_connection.request("GET", "/health")
                if probe_connection.getresponse().status == 200:
                    break
            if self.process.poll() is not None:
                raise SystemExit("The daemon ended at once; see above.")
            time.sleep(0.02)
        self.token = (data / "command-line.token").read_text().strip()

    def call(self, method: str, path: str, body: Any = None) -> Any:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
            connection.connect()
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        raw = response.read()
        if response.status >= 400:
            raise SystemExit(f"{method} {path}: {response.status} {raw[:300]!r}")
        return json.loads(raw)

    def capture_request(self, body: dict[str, Any]) -> bytes:
        """A whole request, made beforehand: what is measured is the daemon, not this script's HTTP client."""
        content = json.dumps(body).encode()
        head = (
            f"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nAuthorization: Bearer {self.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        return head.encode() + content

    def connect(self) -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", self.port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)


@contextlib.contextmanager
def daemon(data: Path, **environment: str) -> Iterator[Daemon]:
    running = Daemon(data, **environment)
    try:
        yield running
    finally:
        running.stop()


def acknowledged(sock: socket.socket, request: bytes) -> None:
    """Sends a request and reads its answer, which must be a 202."""
    sock.sendall(request)
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += sock.recv(65536)
    head, _, rest = answer.partition(b"\r\n\r\n")
    if b" 202 " not in head.split(b"\r\n", 1)[0]:
        raise SystemExit(answer.decode(errors="replace"))
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    while len(rest) < length:
        rest += sock.recv(65536)


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def sentence(rng: random.Random) -> str:
    a, b, c = rng.sample(WORDS, 3)
    return (
        f"{rng.choice(OPENINGS)} {rng.choice(VERBS)} the {a} for my {b} before the {c} number {rng.randrange(10_000)}?"
    )


def exchange(rng: random.Random, number: int) -> dict[str, Any]:
    """One question with its answer, about 700 bytes, as an extension sends it."""
    answer = " ".join(sentence(rng) for _ in range(6))
    return {
        "site": "bench",
        "external_id": f"chat-{number // 20}",
        "messages": [
            {"id": f"{number}-q", "role": "user", "content": sentence(rng)},
            {"id": f"{number}-a", "role": "assistant", "content": answer},
        ],
    }


def timed(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def bench_ack(count: int = 400, clients: int = 8) -> dict[str, float]:
    """The daemon without models: only the way to disk is measured. Both sides take turns, so that noise hits both."""
    with tempfile.TemporaryDirectory() as folder, daemon(Path(folder), SATCHEL_MODELS=folder + "/none") as running:
        bare = apsw.Connection(folder + "/bare.sqlite")
        bare.pragma("journal_mode", "wal")
        bare.pragma("synchronous", "full")
        bare.execute("CREATE TABLE message (pk INTEGER PRIMARY KEY, role TEXT, content TEXT)")

        def commit(body: dict[str, Any]) -> None:
            with bare:
                bare.executemany(
                    "INSERT INTO message (role, content) VALUES (?, ?)",
                    [(m["role"], m["content"]) for m in body["messages"]],
                )

        rng = random.Random(1)
        ours, theirs = [], []
        sock = running.connect()
        for number in range(count + 50):
            body = exchange(rng, number)
            request = running.capture_request(body)
            theirs.append(timed(lambda body=body: commit(body)))
            ours.append(timed(lambda request=request: acknowledged(sock, request)))
        ours, theirs = ours[50:], theirs[50:]

        bodies = [[exchange(rng, 10_000 + client * 1000 + n) for n in range(100)] for client in range(clients)]

        requests = [[running.capture_request(body) for body in mine] for mine in bodies]

        def send(mine: list[bytes]) -> None:
            own = running.connect()
            for request in mine:
                acknowledged(own, request)

        threads = [threading.Thread(target=send, args=(mine,)) for mine in requests]
        together = timed(lambda: [[t.start() for t in threads], [t.join() for t in threads]])
        flat = [body for mine in bodies for body in mine]
        alone = timed(lambda: [commit(body) for body in flat])
    return {
        "captures_per_second_one_client": 1 / statistics.mean(ours),
        "captures_per_second_8_clients": len(flat) / together,
        "bare_commits_per_second": len(flat) / alone,
        "ack_p50_ms": percentile(ours, 0.5) * 1e3,
        "ack_p99_ms": percentile(ours, 0.99) * 1e3,
        "bare_p50_ms": percentile(theirs, 0.5) * 1e3,
        "bare_p99_ms": percentile(theirs, 0.99) * 1e3,
        "ratio_p50": percentile(ours, 0.5) / percentile(theirs, 0.5),
        "ratio_p99": percentile(ours, 0.99) / percentile(theirs, 0.99),
        "ratio_throughput_8_clients": (len(flat) / alone) / (len(flat) / together),
    }


def fill(running: Daemon, turns: int) -> None:
    """Captures `turns` turns and waits until all are indexed and read, with progress."""
    rng = random.Random(2)
    for start in range(0, turns // 2, 250):
        body = {"site": "bench", "external_id": f"fill-{start}", "messages": []}
        for number in range(start, min(start + 250, turns // 2)):
            body["messages"] += [
                {"id": f"{number}-q", "role": "user", "content": sentence(rng)},
                {"id": f"{number}-a", "role": "assistant", "content": sentence(rng) + " " + sentence(rng)},
            ]
        running.call("POST", "/v1/messages", body)
    while True:
        status = running.call("GET", "/v1/status")
        left = status["indexing"], status["queued"] + status["running"]
        print(f"\r  filling: {left[0]} to index, {left[1]} jobs to read   ", end="", file=sys.stderr, flush=True)
        if left == (0, 0):
            print(file=sys.stderr)
            return
        time.sleep(1)


def bench_context(turns: int, count: int = 120) -> dict[str, float]:
    from satchel.models import Runtime

    with tempfile.TemporaryDirectory() as folder, daemon(Path(folder)) as running:
        fill(running, turns)

        async def measure() -> tuple[list[float], list[float]]:
            rng = random.Random(3)
            ours, theirs = [], []
            async with Runtime(generate=None) as runtime:
                for _ in range(count + 10):
                    question, other = sentence(rng), sentence(rng)
                    started = time.perf_counter()
                    await runtime.embed([other], urgent=True)
                    theirs.append(time.perf_counter() - started)
                    body = {"query": question, "external_id": "asking"}
                    ours.append(timed(lambda body=body: running.call("POST", "/v1/context", body)))
            return ours[10:], theirs[10:]

        ours, theirs = asyncio.run(measure())
    return {
        "turns": turns,
        "context_p50_ms": percentile(ours, 0.5) * 1e3,
        "context_p95_ms": percentile(ours, 0.95) * 1e3,
        "embed_p50_ms": percentile(theirs, 0.5) * 1e3,
        "embed_p95_ms": percentile(theirs, 0.95) * 1e3,
        "ratio_p50": percentile(ours, 0.5) / percentile(theirs, 0.5),
        "ratio_p95": percentile(ours, 0.95) / percentile(theirs, 0.95),
    }


FRAGMENTS = (
    "Mother of three, working nights",
    "Left-handed and colour-blind",
    "Two kids and a dog",
    "Dutch, living in Graz",
    "Vegetarian since 2019",
    "Terrified of heights",
)
"""Clauses without a subject: what the generator words."""

CLAUSES = (
    "My daughter Mia is allergic to peanuts",
    "As a widower I cook for one most days",
    "Noise makes me lose the thread, so I work with earplugs",
    "We moved from Leeds to Porto in May because of my wife's job",
    "Decaf for me, please, coffee keeps me awake all night",
    "I've decided to go to Guangzhou for the summer vacation",
)


LONG = 80
"""Tokens of the long generation: enough that decoding, not the prompt, decides."""


def bench_tokens() -> dict[str, float]:
    """The same prompts and the same number of tokens on both sides, the shared prefix kept on both.

    Twice: the calls that extraction makes (a long prompt, a few words under a tight grammar), and a long generation
    under a grammar that checks every token.
    """
    import llama_cpp

    from satchel.extract.saying import say
    from satchel.models import Runtime
    from satchel.models.registry import default_entry, models_folder, path_of
    from satchel.models.runtime import physical_cores

    threads = physical_cores()
    llama = llama_cpp.Llama(
        str(path_of(default_entry("generate"), models_folder())),
        n_ctx=4096,
        n_threads=threads,
        n_threads_batch=threads,
        verbose=False,
    )

    def theirs(prompt: str, count: int) -> float:
        """Seconds of llama.cpp's own loop: greedy, no grammar, stopped after `count` tokens."""
        tokens = llama.tokenize(prompt.encode(), add_bos=False)
        started = time.perf_counter()
        for number, _ in enumerate(llama.generate(tokens, temp=0.0, repeat_penalty=1.0), 1):
            if number >= count:
                break
        return time.perf_counter() - started

    async def measure() -> dict[str, float]:
        figures: dict[str, float] = {}
        async with Runtime(threads=threads) as runtime:
            for name in ("extraction", "long"):
                tight = name == "extraction"
                ours_seconds = theirs_seconds = tokens = 0.0

                async def ask(clause: str, tight: bool = tight) -> Any:
                    grammar = say.grammar(clause) if tight else "root ::= [a-zA-Z ,.\\n]+"
                    most = say.MAX_TOKENS if tight else LONG
                    return await runtime.generate(
                        say.prompt(clause, runtime.prompt_format), grammar=grammar, max_tokens=most
                    )

                for turn in range(4):
                    # In blocks, not call by call: the model process leaves cores alone that others just worked on.
                    await asyncio.sleep(0.5)
                    await ask("Warm-up, nothing else")
                    told = [await ask(clause) for clause in FRAGMENTS]
                    counts = [max(done.completion_tokens, 1) for done in told]
                    theirs(say.prompt("Warm-up, nothing else", runtime.prompt_format), 4)
                    other = [
                        theirs(say.prompt(clause, runtime.prompt_format), count)
                        for clause, count in zip(FRAGMENTS, counts, strict=True)
                    ]
                    if turn:  # the first round fills both caches
                        ours_seconds += sum(done.seconds for done in told)
                        theirs_seconds += sum(other)
                        tokens += sum(counts)
                figures[f"{name}_tokens"] = tokens
                figures[f"{name}_ours_tokens_per_second"] = tokens / ours_seconds
                figures[f"{name}_llama_tokens_per_second"] = tokens / theirs_seconds
                figures[f"{name}_ratio"] = theirs_seconds / ours_seconds
        return figures

    return asyncio.run(measure())


def resident_mb(pid: int) -> float:
    import psutil

    return psutil.Process(pid).memory_info().rss / 1e6


def bench_memory(idle_seconds: float = 5.0) -> dict[str, float]:
    import psutil

    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "config.toml").write_text(f"[models]\nidle_seconds = {idle_seconds}\n")
        with daemon(Path(folder)) as running:
            process = psutil.Process(running.process.pid)
            fresh = resident_mb(process.pid)
            rng = random.Random(4)
            job = ""
            for number in range(20):
                body = exchange(rng, number)
                said = f"{CLAUSES[number % len(CLAUSES)]}. {FRAGMENTS[number % len(FRAGMENTS)]}."
                body["messages"].append({"id": f"{number}-f", "role": "user", "content": said})
                job = running.call("POST", "/v1/messages", body)["job_id"]
            running.call("POST", "/v1/context", {"query": sentence(rng)})
            peak: dict[str, float] = {}
            while running.call("GET", f"/v1/jobs/{job}")["status"] not in ("completed", "failed"):
                peak["daemon"] = max(peak.get("daemon", 0), resident_mb(process.pid))
                for model in running.call("GET", "/v1/status")["models"]:
                    if model["resident_bytes"]:
                        peak[model["role"]] = max(peak.get(model["role"], 0), model["resident_bytes"] / 1e6)
                time.sleep(0.02)
            deadline = time.monotonic() + 60
            while process.children() and time.monotonic() < deadline:
                time.sleep(0.2)
            after, left = resident_mb(process.pid), len(process.children())
    return {
        "daemon_fresh_mb": fresh,
        "daemon_working_mb": peak.get("daemon", 0),
        "embed_process_mb": peak.get("embed", 0),
        "generate_process_mb": peak.get("generate", 0),
        "daemon_idle_after_work_mb": after,
        "model_processes_after_idle_time": left,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=["ack", "context", "tokens", "memory"], help="default: all")
    parser.add_argument("--turns", type=int, default=10_000)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    arguments = parser.parse_args()
    parts: dict[str, Callable[[], dict[str, float]]] = {
        "ack": bench_ack,
        "tokens": bench_tokens,
        "memory": bench_memory,
        "context": lambda: bench_context(arguments.turns),
    }
    figures = {}
    for name, measure in parts.items():
        if arguments.part in (None, name):
            print(f"{name} ...", file=sys.stderr)
            figures[name] = measure()
            for figure, value in figures[name].items():
                print(f"{name:8} {figure:34} {value:10.2f}", flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
