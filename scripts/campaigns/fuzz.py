"""Sends what schemathesis and hypothesis think of to every call: no answer may be a mistake of ours (5xx)."""

from __future__ import annotations

import argparse
import itertools
import json
import random
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import requests
from _campaign import ROOT, load, report, save, work_folder
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "backend")]

from schemathesis import GenerationMode  # noqa: E402

from api.guard_table import Prepared  # noqa: E402
from api.running import Running, running  # noqa: E402
from api.test_schemathesis import OPERATIONS  # noqa: E402

BY_SCHEMA = 50
BY_BYTES = 200
"""Inputs to one call before the next one's turn: the second kind is made several times as fast. A run that is stopped
goes on behind the last whole turn."""
ANEW = 10_000
"""Inputs after which a daemon on an empty folder takes over: else every search is one over what was fuzzed before."""

REMARKS = """To every call in turn, the event stream apart, which never ends: inputs that schemathesis makes from the
OpenAPI document, right ones and wrong ones, half of them with ids that exist; and inputs that hypothesis makes from
valid bodies, of which one place is replaced by any JSON or one stretch by any bytes, with any query, under any content
type that passes for JSON. The daemon has no models. A wrong answer is one of 500 or more, or none at all.

The inputs of a round follow from its number, so that a wrong answer comes again."""

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=()), max_size=40)
    | st.sampled_from(["", " ", "\0", "\ud800", "x" * 5000, "2026-03-01T10:00:00Z", "me", "фыва", "🦀", "' OR 1=1 --"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
KINDS = (
    "application/json",
    "application/json; charset=utf-8",
    "application/json;charset=latin-1",
    "application/x+json",
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*path, key))


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    made = dict(value) if isinstance(value, dict) else list(value)
    made[path[0]] = put(value[path[0]], path[1:], new)
    return made


@st.composite
def bent(draw: st.DrawFn, body: Any) -> bytes:
    """A body with something else in one place, or other bytes in one stretch."""
    if draw(st.booleans()):
        new = put(body, draw(st.sampled_from(list(places(body)))), draw(JSON))
        return json.dumps(new, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    raw = json.dumps(body).encode()
    begin = draw(st.integers(0, len(raw)))
    end = draw(st.integers(begin, min(len(raw), begin + 8)))
    return raw[:begin] + draw(st.binary(max_size=12)) + raw[end:]


class Fuzzed:
    """A daemon, and what it answered."""

    def __init__(self, daemon: Running, counts: Counter[str], wrong: list[str]) -> None:
        self.daemon = daemon
        self.prepared = Prepared(daemon)
        self.counts = counts
        self.wrong = wrong
        self.headers = {"Authorization": f"Bearer {daemon.token}"}
        self.session = requests.Session()
        self.session.trust_env = False
        self.http = httpx.Client(base_url=daemon.url, headers=self.headers, timeout=60, trust_env=False)

    def note(self, what: str, status: int | None) -> None:
        """None: no answer."""
        self.counts["inputs"] += 1
        self.counts[f"{(status or 0) // 100}xx" if status else "no answer"] += 1
        if status is None or status >= 500:
            self.wrong.append(f"{status} {what}"[:2000])
            print(f"  {self.wrong[-1][:300]}", flush=True)

    def by_schema(self, operation: Any, mode: GenerationMode, number: int) -> None:
        chance = random.Random(number)

        def send(case: Any) -> None:
            if chance.random() < 0.5:
                case.path_parameters = {
                    name: self.prepared.ids.get(name, value) for name, value in (case.path_parameters or {}).items()
                }
            try:
                status = case.call(base_url=self.daemon.url, headers=self.headers, session=self.session).status_code
            except requests.RequestException:
                status = None
            self.note(f"{operation.label} {mode.value} round {number}: {case.body!r} {case.query!r}", status)

        many(operation.as_strategy(generation_mode=mode), send, number, BY_SCHEMA)

    def by_bytes(self, method: str, path: str, body: Any, number: int) -> None:
        def send(given: tuple[bytes, str, str]) -> None:
            content, query, kind = given
            try:
                url = path + ("?" + quote(query, safe="=&%", errors="replace") if query else "")
                status = self.http.request(method, url, content=content, headers={"Content-Type": kind}).status_code
            except httpx.TransportError:
                status = None
            self.note(f"{method} {path}?{query!r} round {number}: {content!r}", status)

        queries = st.just("") | st.text(max_size=30)
        many(st.tuples(bent(body), queries, st.sampled_from(KINDS)), send, number, BY_BYTES)


def many(strategy: st.SearchStrategy[Any], send: Callable[[Any], None], number: int, inputs: int) -> None:
    @seed(number)
    @settings(
        max_examples=inputs,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def each(value: Any) -> None:
        send(value)

    each()


def chunks(fuzzed: Fuzzed, number: int) -> list[Callable[[], None]]:
    """A round: each call in each way."""
    made: list[Callable[[], None]] = []
    for (method, path), body in fuzzed.prepared.bodies().items():
        there = path.format(**fuzzed.prepared.ids)
        made.append(lambda method=method, there=there, body=body: fuzzed.by_bytes(method.upper(), there, body, number))
    for operation, mode in itertools.product(OPERATIONS, (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)):
        if (operation.path, mode) != ("/health", GenerationMode.NEGATIVE):  # nothing can be wrong in it
            made.append(lambda operation=operation, mode=mode: fuzzed.by_schema(operation, mode, number))
    return made


def run(folder: Path, state: dict[str, Any], *, inputs: int, until: float) -> None:
    """Goes on until there were so many inputs, or the time (of time.monotonic) is over."""
    while state["counts"].get("inputs", 0) < inputs and time.monotonic() < until:
        shutil.rmtree(folder / "data", ignore_errors=True)
        with running(folder / "data", models=folder / "no-models") as daemon:
            counts: Counter[str] = Counter(state["counts"])
            fuzzed = Fuzzed(daemon, counts, state["wrong"])
            begun, size = counts["inputs"], len(chunks(fuzzed, 0))
            while counts["inputs"] < min(inputs, begun + ANEW) and time.monotonic() < until:
                number, at = divmod(state["chunks"], size)
                before = time.monotonic()
                chunks(fuzzed, number)[at]()
                state["chunks"] += 1
                state["counts"] = dict(counts)
                state["seconds"] += time.monotonic() - before
                save(folder / "state.json", state)
                if state["chunks"] % 20 == 0:
                    print(f"{counts['inputs']:,}/{inputs:,}  {len(state['wrong'])} wrong", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/campaign fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so many, to go on another time")
    parser.add_argument("--fresh", action="store_true", help="begin again instead of going on")
    options = parser.parse_args()

    folder = work_folder("fuzz")
    if options.fresh:
        shutil.rmtree(folder)
        folder = work_folder("fuzz")
    state = load(folder / "state.json", {"chunks": 0, "counts": {}, "seconds": 0.0, "wrong": []})
    run(folder, state, inputs=options.inputs, until=time.monotonic() + options.seconds)
    counts = state["counts"]
    figures = {
        "inputs": counts.get("inputs", 0),
        "answered_5xx": counts.get("5xx", 0),
        "not_answered": counts.get("no answer", 0),
        "answered_2xx": counts.get("2xx", 0),
        "answered_4xx": counts.get("4xx", 0),
        "inputs_a_second": round(counts.get("inputs", 0) / max(state["seconds"], 1), 1),
    }
    report("fuzz", "Whatever a client sends", figures, REMARKS)
    print(json.dumps(figures, indent=2))
    sys.exit(bool(state["wrong"]))


if __name__ == "__main__":
    main()
