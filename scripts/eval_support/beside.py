"""What Satchel's search is measured beside: other indexes over the same vectors, and mem0 over the same memories.

None of them is a dependency of Satchel; `missing` says what to install. Each runs in a process of its own, so that what
it holds in memory can be told and nothing of it is left for the next. Their telemetry is switched off, and nothing here
leaves the loopback address.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import multiprocessing
import os
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satchel.models import Runtime
from satchel.models.registry import default_entry
from satchel.models.runtime import resident_bytes

TOP = 10
"""Neighbours asked for."""

PAGE = 5_000
"""Vectors handed over at a time, where a whole matrix is not taken."""

TURN = 20
"""Queries after which the next one has its turn."""

SETTLED = 0.1
"""Seconds before a turn: threads of the one before have then stopped spinning."""

MEMORIES = 2_000

RESCORED = 400
"""Neighbours by bits that usearch is asked for, of which the whole vectors choose."""

NEEDED: dict[str, dict[str, str]] = {
    "sqlite-vec": {},  # Satchel's own dependency
    "usearch": {"usearch": "usearch==2.26.6"},
    "chroma": {"chromadb": "chromadb==1.5.9"},
    "lancedb": {"lancedb": "lancedb==0.40.0", "pyarrow": "pyarrow==26.0.1"},
    "mem0": {"mem0": "mem0ai==2.2.1", "openai": "openai==3.57.0", "qdrant_client": "qdrant-client==1.20.0"},
}
"""What each imports, and the releases that the figures in the README are of."""

QUIET = {
    "ANONYMIZED_TELEMETRY": "False",
    "MEM0_TELEMETRY": "False",
    "DO_NOT_TRACK": "1",
    "HF_HUB_OFFLINE": "1",
    "NO_PROXY": "127.0.0.1",
    "no_proxy": "127.0.0.1",
}
"""Telemetry, hubs and proxies off, in whatever these tools start."""

Rows = NDArray[np.float32]
Ask = Callable[[Rows], list[int]]
Figures = dict[str, float]


def percentiles(seconds: Sequence[float]) -> Figures:
    return {f"p{share}": float(np.percentile(seconds, share) * 1000) for share in (50, 95, 99)}


def recall_of(found: Sequence[Sequence[int]], truth: Sequence[Sequence[int]]) -> float:
    return float(np.mean([len(set(mine) & set(right)) / len(right) for mine, right in zip(found, truth, strict=True)]))


def nearest(rows: Rows, query: Rows) -> list[int]:
    """The baseline and the truth: numpy's product with all rows."""
    cosines = rows @ query
    best = np.argpartition(-cosines, TOP - 1)[:TOP]
    return [int(one) for one in best[np.argsort(-cosines[best])]]


def in_turn(
    queries: Sequence[Any] | Rows, warm: Sequence[Any] | Rows, *asks: Callable[[Any], Any]
) -> list[tuple[list[float], list[Any]]]:
    """Asks each of `asks` all `queries`: for each, the seconds they took and what came.

    They take turns of some queries each, so that a busy moment of the machine hits all of them; but not query by query,
    for one would find the caches full of another's rows. Before a turn it is asked one of `warm`, unmeasured.
    """
    results: list[tuple[list[float], list[Any]]] = [([], []) for _ in asks]
    for start in range(0, len(queries), TURN):
        for ask, (took, found) in zip(asks, results, strict=True):
            time.sleep(SETTLED)
            ask(warm[start // TURN % len(warm)])
            for query in queries[start : start + TURN]:
                began = time.perf_counter()
                found.append(ask(query))
                took.append(time.perf_counter() - began)
    return results


def resident_mb() -> float:
    return (resident_bytes(os.getpid()) or 0) / 1e6


def folder_mb(folder: Path) -> float:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6


def missing(names: Sequence[str]) -> str:
    """How to install what these need and is not there; "" when all is there."""
    modules = {module: release for name in names for module, release in NEEDED[name].items()}
    lacking = [release for module, release in modules.items() if importlib.util.find_spec(module) is None]
    if not lacking:
        return ""
    return (
        f"--beside {','.join(names)} needs packages that are no dependencies of Satchel. Install them in the"
        f" environment that runs this script, or name others:\n\n    {sys.executable} -m pip install"
        f" {' '.join(lacking)}"
    )


def _apart(work: Callable[..., Any], *values: Any) -> Any:
    """Runs `work` in a fresh process with `QUIET` in its environment."""
    before = {name: os.environ.get(name) for name in QUIET}
    os.environ.update(QUIET)
    try:
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
            return process.submit(work, *values).result()
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


# ------------------------------------------------------------------------------------------------------ vectors


def sqlite_vec_flat(rows: Rows, folder: Path) -> Ask:
    import apsw
    import sqlite_vec

    db = apsw.Connection(str(folder / "flat.sqlite"))
    db.enable_load_extension(True)
    db.load_extension(sqlite_vec.loadable_path())
    width = rows.shape[1]
    db.execute(f"CREATE VIRTUAL TABLE v USING vec0 (pk INTEGER PRIMARY KEY, e FLOAT[{width}] DISTANCE_METRIC=cosine)")
    with db:
        db.executemany("INSERT INTO v VALUES (?, ?)", ((number, row.tobytes()) for number, row in enumerate(rows)))
    sql = f"SELECT pk FROM v WHERE e MATCH ? AND k = {TOP} ORDER BY distance"
    return lambda query: [pk for (pk,) in db.execute(sql, (query.tobytes(),))]


def usearch_bits(rows: Rows, folder: Path) -> Ask:
    """HNSW over the signs; the whole vectors, which stay in memory, choose among `RESCORED`."""
    from usearch.index import Index

    index = Index(ndim=rows.shape[1], metric="hamming", dtype="b1")
    index.add(np.arange(len(rows), dtype=np.uint64), np.packbits(rows > 0, axis=1))
    index.save(str(folder / "index.usearch"))

    def ask(query: Rows) -> list[int]:
        near = index.search(np.packbits(query > 0), RESCORED).keys.astype(np.int64)
        return [int(one) for one in near[np.argsort(-(rows[near] @ query))[:TOP]]]

    return ask


def chroma(rows: Rows, folder: Path) -> Ask:
    import chromadb

    client = chromadb.PersistentClient(str(folder), settings=chromadb.Settings(anonymized_telemetry=False))
    held = client.create_collection("vectors", metadata={"hnsw:space": "cosine"}, embedding_function=None)
    for at in range(0, len(rows), PAGE):
        part = rows[at : at + PAGE]
        held.add(ids=[str(number) for number in range(at, at + len(part))], embeddings=part)
    return lambda query: [int(one) for one in held.query(query[None], n_results=TOP, include=[])["ids"][0]]


def lancedb_flat(rows: Rows, folder: Path) -> Ask:
    import lancedb
    import pyarrow as pa

    vectors = pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), rows.shape[1])
    data = pa.table({"pk": pa.array(range(len(rows))), "vector": vectors})
    table = lancedb.connect(str(folder)).create_table("vectors", data)

    def ask(query: Rows) -> list[int]:
        found = table.search(query).distance_type("cosine").select(["pk", "_distance"]).limit(TOP).to_arrow()
        return [int(one) for one in found["pk"].to_pylist()]

    return ask


INDEXES: dict[str, Callable[[Rows, Path], Ask]] = {
    "sqlite-vec": sqlite_vec_flat,
    "usearch": usearch_bits,
    "chroma": chroma,
    "lancedb": lancedb_flat,
}
BITS_ONLY = {"usearch"}
"""Those that keep no whole vectors but read this script's: these are counted with what they hold."""


def index_beside(name: str, rows: Rows, queries: Rows) -> Figures:
    """One of `INDEXES` over these rows, and numpy's product in turn with it (`product p50` and so on)."""
    with tempfile.TemporaryDirectory(prefix="satchel-beside-") as folder:
        np.save(Path(folder, "rows.npy"), rows)
        figures: Figures = _apart(_index, name, Path(folder), queries)
    return figures


def _index(name: str, folder: Path, queries: Rows) -> Figures:
    rows: Rows = np.load(folder / "rows.npy")
    own = folder / name
    own.mkdir()
    for module in NEEDED[name]:  # importing is no part of building
        importlib.import_module(module)
    before = resident_mb()
    began = time.perf_counter()
    ask = INDEXES[name](rows, own)
    ask(queries[0])  # what an index puts off until it is first asked is part of building it
    built = time.perf_counter() - began
    (took, found), (product, truth) = in_turn(queries, queries, ask, functools.partial(nearest, rows))
    whole = rows.nbytes / 1e6 if name in BITS_ONLY else 0.0
    memory = resident_mb() - before + whole
    return {
        **percentiles(took),
        **{f"product {share}": value for share, value in percentiles(product).items()},
        "recall@10": recall_of(found, truth),
        "build s": built,
        "memory MB": memory,
        "disk MB": folder_mb(own) + whole,
    }


# ----------------------------------------------------------------------------------------------------- memories


@contextlib.contextmanager
def _endpoint() -> Iterator[str]:
    """An OpenAI-compatible address of Satchel's own embedder, in a process of its own: mem0 shares no lock with it."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_serve, args=(theirs,))
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}/v1"
    finally:
        process.terminate()
        process.join(20)


def _serve(told: Connection) -> None:
    import asyncio

    import uvicorn
    from litestar import Litestar, post

    async def run() -> None:
        async with Runtime(generate=None) as runtime:

            @post("/v1/embeddings", status_code=200)
            async def embeddings(data: dict[str, Any]) -> dict[str, Any]:
                texts = [data["input"]] if isinstance(data["input"], str) else data["input"]
                # Not urgent: nothing else waits here, and an urgent text's vector would be remembered.
                rows = await runtime.embed(texts)
                return {
                    "object": "list",
                    "model": data["model"],
                    "data": [
                        {"object": "embedding", "index": number, "embedding": row.tolist()}
                        for number, row in enumerate(rows)
                    ],
                    "usage": {"prompt_tokens": 0, "total_tokens": 0},
                }

            app = Litestar([embeddings], openapi_config=None)
            listening = socket.create_server(("127.0.0.1", 0))
            told.send(listening.getsockname()[1])
            config = uvicorn.Config(app, log_level="error", lifespan="off", timeout_graceful_shutdown=2)
            await uvicorn.Server(config).serve(sockets=[listening])

    asyncio.run(run())


def memories_beside(texts: Sequence[str], questions: Sequence[str]) -> dict[str, Figures]:
    """Searching these memories by these questions: mem0's `search`, `POST /v1/recall` of a daemon, and what both
    contain, embedding the question, through mem0's client and endpoint."""
    figures: dict[str, Figures] = _apart(_memories, list(texts), list(questions))
    return figures


def _memories(texts: list[str], questions: list[str]) -> dict[str, Figures]:
    import httpx

    from bench_main import daemon

    with (
        tempfile.TemporaryDirectory(prefix="satchel-beside-") as folder,
        _endpoint() as url,
        daemon(Path(folder, "satchel")) as running,
        # The same client as mem0's own, so that both pay alike for HTTP.
        httpx.Client(
            base_url=f"http://127.0.0.1:{running.port}",
            headers={"Authorization": f"Bearer {running.token}"},
            timeout=60,
            trust_env=False,
        ) as client,
    ):
        began = time.perf_counter()
        for text in texts:
            client.post("/v1/memories", json={"text": text}).raise_for_status()
        while client.get("/v1/status").json()["indexing"]:
            time.sleep(0.05)
        written = {"POST /v1/recall": time.perf_counter() - began}
        began = time.perf_counter()
        held = _mem0(url, Path(folder, "mem0"))
        for text in texts:
            held.add(text, user_id="me", infer=False)
        written["mem0"] = time.perf_counter() - began

        def theirs(question: str) -> int:
            return len(held.search(question, filters={"user_id": "me"}, top_k=TOP)["results"])

        def ours(question: str) -> int:
            answer = client.post("/v1/recall", json={"query": question, "limit": TOP})
            return len(answer.raise_for_status().json()["hits"])

        # A question is asked a daemon once only: it remembers the vectors of the last ones.
        warm = [f"{question} Or not?" for question in questions]
        asks = {"mem0": theirs, "POST /v1/recall": ours, "embedding alone": held.embedding_model.embed}
        measured = dict(zip(asks, in_turn(questions, warm, *asks.values()), strict=True))
        for name in written:
            if not any(measured[name][1]):
                raise SystemExit(f"{name} found nothing for any question: these figures would say nothing.")
        sizes = {"mem0": Path(folder, "mem0"), "POST /v1/recall": Path(folder, "satchel")}
        return {
            name: percentiles(took)
            | ({"build s": written[name], "disk MB": folder_mb(sizes[name])} if name in written else {})
            for name, (took, _) in measured.items()
        }


def _mem0(url: str, folder: Path) -> Any:
    folder.mkdir()
    os.environ["MEM0_DIR"] = str(folder / "home")  # read when it is imported
    from mem0 import Memory

    served = {"model": default_entry("embed").name, "api_key": "none", "openai_base_url": url}
    return Memory.from_config(
        {
            "embedder": {"provider": "openai", "config": served},
            # Never asked: `infer=False`. It cannot be left out.
            "llm": {"provider": "openai", "config": served},
            "vector_store": {
                "provider": "qdrant",
                "config": {
                    "path": str(folder / "qdrant"),
                    "collection_name": "memories",
                    "embedding_model_dims": default_entry("embed").dimensions,
                    "on_disk": True,
                },
            },
            "history_db_path": str(folder / "history.sqlite"),
        }
    )


# ------------------------------------------------------------------------------------------------------- tables


def vectors_table(size: int, figures: Mapping[str, Mapping[str, float]]) -> str:
    """Of vectors: every row with its ratio to numpy's product, which took turns with it."""
    lines = [
        f"| {size:,} vectors | p50 ms | p95 ms | p50, of numpy's product | p95, of numpy's product | recall@10 |"
        " built s | MB in memory | MB on disk |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, one in figures.items():
        lines.append(
            f"| {name} | {one['p50']:.2f} | {one['p95']:.2f} | {one['p50'] / one['product p50']:.2f} |"
            f" {one['p95'] / one['product p95']:.2f} | {one['recall@10']:.3f} | {one['build s']:.1f} |"
            f" {one['memory MB']:.0f} | {one['disk MB']:.0f} |"
        )
    return "\n".join(lines)


def memories_table(figures: Mapping[str, Mapping[str, float]]) -> str:
    base = figures["embedding alone"]
    lines = [
        f"| {MEMORIES:,} memories | p50 ms | p95 ms | p50, of embedding alone | p95, of embedding alone | written s |"
        " MB on disk |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, one in figures.items():
        built = f"{one['build s']:.0f} | {one['disk MB']:.0f}" if "build s" in one else "|"
        lines.append(
            f"| {name} | {one['p50']:.1f} | {one['p95']:.1f} | {one['p50'] / base['p50']:.2f} |"
            f" {one['p95'] / base['p95']:.2f} | {built} |"
        )
    return "\n".join(lines)
