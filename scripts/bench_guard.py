#!/usr/bin/env python3
"""What the guard costs: captures and questions with and without it, in turn, as ratios of the same run.

    .venv/bin/python scripts/bench_guard.py [--pairs 1000] [--turns 2000] [--json FILE]

One process serves the same application on the same store at two ports: behind the guard, and behind nothing but a line
that says which client it is. Requests go to the one and the other in turn, which of them first is left to chance.
Captures are two turns each; questions are asked of `--turns` turns, by words and meaning as the default models have it,
and of the words alone, where there is least beside the guard. Extraction is paused.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import quantiles
from typing import Any

from bench_main import OPENINGS, VERBS, WORDS

PORTS = ("with", "without")
# Without models every question is logged as answered by words alone.
PIPES: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}


async def serve(data: Path, ports: list[int], models: Path | None) -> None:
    """Both servers, until standard input ends. Says the token when they answer."""
    import uvicorn

    from satchel.api.app import create_app
    from satchel.api.daemon import Daemon
    from satchel.api.guard import Guard
    from satchel.config import Config
    from satchel.models import Runtime
    from satchel.store import Store, clients, jobs

    config = Config()
    store = Store(data)
    runtime = Runtime(models, embed=config.models.embed, generate=config.models.generate)
    token = store.write_now(lambda tx: clients.issue(tx, name="bench"))
    client = store.read_now(lambda db: clients.by_token(db, token))
    store.write_now(lambda tx: jobs.set_paused(tx, True))
    daemon = Daemon(store, runtime, config)
    app = create_app(daemon)

    async def bare(scope: Any, receive: Any, send: Any) -> None:
        scope["satchel_client"] = client
        await app(scope, receive, send)

    guarded = Guard(
        app,
        port=ports[0],
        look_up=daemon.client_of_token,
        look_up_page=daemon.client_of_page,
        pin=daemon.pin_client,
        seen=daemon.client_seen,
        paired=daemon.is_paired,
    )
    servers = [
        uvicorn.Server(
            uvicorn.Config(
                served,
                port=port,
                log_level="warning",
                access_log=False,
                server_header=False,
                date_header=False,
                ws="none",
                lifespan="off",
                timeout_keep_alive=75,
            )
        )
        for served, port in zip((guarded, bare), ports, strict=True)
    ]
    async with app.lifespan():
        running = [asyncio.create_task(server.serve()) for server in servers]
        while not all(server.started for server in servers):
            await asyncio.sleep(0.01)
        print(token, flush=True)
        await asyncio.to_thread(sys.stdin.read)
        for server in servers:
            server.should_exit = True
        await asyncio.gather(*running)


class Line:
    """A connection that stays, to one of the two."""

    def __init__(self, port: int, token: str) -> None:
        self.port, self.token = port, token
        self.sock = socket.create_connection(("127.0.0.1", port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def call(self, path: str, body: Any, method: str = "POST") -> tuple[float, Any]:
        """Seconds from the request's first byte to the answer's last, and the answer."""
        content = b"" if body is None else json.dumps(body).encode()
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nAuthorization: Bearer {self.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        request = head.encode() + content
        began = time.perf_counter()
        self.sock.sendall(request)
        got = b""
        while b"\r\n\r\n" not in got:
            got += self.sock.recv(65536)
        said, _, rest = got.partition(b"\r\n\r\n")
        if not said.startswith(b"HTTP/1.1 2"):
            raise SystemExit(f"{path}: {said[:200]!r} {rest[:300]!r}")
        length = int(said.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        while len(rest) < length:
            rest += self.sock.recv(65536)
        return time.perf_counter() - began, json.loads(rest)


class Pair:
    """The two servers in a process of their own."""

    def __init__(self, folder: Path, *, models: Path | None) -> None:
        ports = []
        with contextlib.ExitStack() as held:
            for _ in PORTS:
                probe = held.enter_context(socket.socket())
                probe.bind(("127.0.0.1", 0))
                ports.append(probe.getsockname()[1])
        given = [str(folder), *map(str, ports), *([str(models)] if models else [])]
        command = [sys.executable, __file__, "--serve", *given]
        self.process = subprocess.Popen(command, **PIPES)
        assert self.process.stdout is not None
        token = self.process.stdout.readline().strip()
        if not token:
            raise SystemExit(f"The servers did not start: {' '.join(command)}")
        self.lines = {name: Line(port, token) for name, port in zip(PORTS, ports, strict=True)}

    def settle(self) -> None:
        """Until nothing waits for its vector."""
        while self.lines["without"].call("/v1/status", None, "GET")[1]["indexing"]:
            time.sleep(0.5)

    def stop(self) -> None:
        self.process.communicate()


def words(chance: random.Random) -> str:
    return f"{chance.choice(OPENINGS)} {chance.choice(VERBS)} the {' and the '.join(chance.sample(WORDS, 3))}?"


def capture(chance: random.Random, number: int) -> tuple[str, Any]:
    turns = [{"role": role, "content": words(chance)} for role in ("user", "assistant")]
    return "/v1/messages", {"site": "bench", "external_id": f"c{number}", "messages": turns}


def recall(chance: random.Random, _: int) -> tuple[str, Any]:
    return "/v1/recall", {"query": words(chance)}


def measure(
    pair: Pair, pairs: int, make: Callable[[random.Random, int], tuple[str, Any]], chance: random.Random
) -> dict[str, Any]:
    """p50 and p95 in ms of both, and their ratios."""
    took: dict[str, list[float]] = {name: [] for name in PORTS}
    for number in range(-20, pairs):
        for at, name in enumerate(chance.sample(PORTS, 2)):
            path, body = make(chance, 2 * number + at)
            seconds = pair.lines[name].call(path, body)[0]
            if number >= 0:  # the first ones are warm-up
                took[name].append(1000 * seconds)
    figures: dict[str, Any] = {}
    for name in PORTS:
        cut = quantiles(took[name], n=20)
        figures[name] = {"p50_ms": round(cut[9], 3), "p95_ms": round(cut[18], 3)}
    for at in ("p50", "p95"):
        figures[f"ratio_{at}"] = round(figures["with"][f"{at}_ms"] / figures["without"][f"{at}_ms"], 3)
    return figures


def run(pairs: int, turns: int) -> dict[str, Any]:
    chance = random.Random(7)
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="satchel-bench-") as scratch:
        for name, models in (("words alone", Path(scratch) / "no-models"), ("words and meaning", None)):
            folder = Path(scratch) / name.replace(" ", "-")
            folder.mkdir()
            pair = Pair(folder, models=models)
            try:
                for number in range(turns // 200):
                    body = capture(chance, 0)[1] | {"external_id": f"fill{number}"}
                    body["messages"] = [{"role": "user", "content": words(chance)} for _ in range(200)]
                    pair.lines["without"].call("/v1/messages", body)
                if models is None:
                    pair.settle()
                figures[f"recall, {name}"] = measure(pair, pairs if models else pairs // 4, recall, chance)
                if models is not None:  # the embedder would run beside it
                    figures["capture"] = measure(pair, pairs, capture, chance)
            finally:
                pair.stop()
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=1000, help="requests to each of the two")
    parser.add_argument("--turns", type=int, default=2000, help="turns in the store")
    parser.add_argument("--json", type=Path, help="write the figures there as well")
    parser.add_argument("--serve", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        data, with_port, without_port, *models = options.serve
        asyncio.run(serve(Path(data), [int(with_port), int(without_port)], Path(models[0]) if models else None))
        return
    figures = run(options.pairs, options.turns)
    for what, found in figures.items():
        both = "; ".join(
            f"{at} {found['with'][f'{at}_ms']} ms with, {found['without'][f'{at}_ms']} ms without: "
            f"{found[f'ratio_{at}']}"
            for at in ("p50", "p95")
        )
        print(f"{what}: {both}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
