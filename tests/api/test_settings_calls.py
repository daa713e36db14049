"""`/v1/settings`: what there is, changed in the file and in the running daemon."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, get_args

import pytest

from api.running import Running, assert_problem, eventually, running
from models.helpers import run, until
from satchel import config
from satchel.api.daemon import Daemon
from satchel.config import Config, Extract, Models, Recall
from satchel.models import Runtime
from satchel.models.registry import ModelRole
from satchel.store import Store
from satchel.types import Category

QUESTION = "Where do I live?"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, no_models: Path) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("settings") / "data", models=no_models) as daemon:
        yield daemon


@pytest.fixture(autouse=True)
def defaults(own: Running) -> Iterator[None]:
    yield
    (own.data / config.FILE_NAME).unlink(missing_ok=True)
    own.ok("PATCH", "/v1/settings", {"key": "server.port", "value": None})


def change(own: Running, key: str, value: Any) -> dict[str, Any]:
    return own.ok("PATCH", "/v1/settings", {"key": key, "value": value})  # type: ignore[no-any-return]


def items(own: Running) -> dict[str, dict[str, Any]]:
    return {item["key"]: item for item in own.ok("GET", "/v1/settings")["items"]}


def test_all_are_listed_with_their_defaults(own: Running) -> None:
    found = items(own)
    assert all(item["value"] == item["default"] and not item["restart_needed"] for item in found.values())
    assert found["recall.threshold"] == {
        "key": "recall.threshold",
        "value": None,
        "default": None,
        "type": "number",
        "minimum": 0,
        "maximum": 1,
        "restart_needed": False,
        "description": found["recall.threshold"]["description"],
    }
    assert found["extract.keep_out"]["choices"] == list(get_args(Category))


def test_what_is_changed_stands_in_the_file_beside_its_comments(own: Running) -> None:
    file = own.data / config.FILE_NAME
    file.write_text("# mine\n[models]\nthreads = 1  # one is enough\n", "utf-8")
    changed = change(own, "extract.keep_out", ["health", "sex"])
    assert changed["value"] == ["health", "sex"]
    assert changed == items(own)["extract.keep_out"]
    assert config.load(own.data) == Config(models=Models(threads=1), extract=Extract(keep_out=("health", "sex")))
    text = file.read_text("utf-8")
    assert "# mine" in text
    assert "# one is enough" in text
    assert file.stat().st_mode & 0o077 == 0
    assert change(own, "extract.keep_out", None)["value"] == []
    assert change(own, "models.threads", None)["value"] == 0
    assert config.load(own.data) == Config()
    assert "keep_out" not in file.read_text("utf-8")


def test_a_threshold_holds_at_once(own: Running) -> None:
    own.ok("POST", "/v1/memories", {"text": "You live in Porto.", "profile": "threshold"})

    def context() -> str:
        return own.ok("POST", "/v1/context", {"query": QUESTION, "profile": "threshold"})["context"]  # type: ignore[no-any-return]

    assert change(own, "recall.threshold", 0)["restart_needed"] is False
    assert "Porto" in context()
    assert change(own, "recall.threshold", 1)["restart_needed"] is False
    assert context() == ""
    change(own, "recall.threshold", None)


def test_what_holds_later_says_so_until_it_is_as_before(own: Running) -> None:
    assert change(own, "server.port", 9999)["restart_needed"] is True
    assert items(own)["server.port"]["restart_needed"] is True
    assert change(own, "server.port", None)["restart_needed"] is False
    assert change(own, "models.generate", "qwen3-4b-instruct-2507")["restart_needed"] is True


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("recall.threshold", 1.5),
        ("recall.threshold", "high"),
        ("server.port", 0),
        ("server.port", 9000.5),
        ("models.idle_seconds", 0),
        ("models.threads", 2000),
        ("models.embed", ["all-MiniLM-L6-v2"]),
        ("models.embed", "SmolLM2-135M-Instruct"),
        ("models.generate", "gpt-9"),
        ("extract.keep_out", ["wealth"]),
        ("extract.keep_out", "health"),
        ("models.nonsense", 1),
        ("nonsense.key", "x"),
        ("models", 1),
        ("__class__.port", 1),
    ],
)
def test_what_is_no_setting_is_refused_by_its_key(own: Running, key: str, value: Any) -> None:
    before = items(own)
    assert_problem(own.call("PATCH", "/v1/settings", {"key": key, "value": value}), 400, key)
    assert items(own) == before
    assert not (own.data / config.FILE_NAME).read_text("utf-8").strip()


def test_a_broken_file_is_told_and_not_overwritten(own: Running) -> None:
    file = own.data / config.FILE_NAME
    file.write_text("[server]\nprot = 9000\n", "utf-8")
    for method, body in (("GET", None), ("PATCH", {"key": "models.threads", "value": 1})):
        assert_problem(own.call(method, "/v1/settings", body), 503, "prot", str(file), "mend that line")
    assert file.read_text("utf-8") == "[server]\nprot = 9000\n"


def test_two_at_once_lose_no_change(own: Running) -> None:
    with ThreadPoolExecutor(8) as several:
        list(several.map(lambda n: change(own, "models.threads" if n % 2 else "models.idle_seconds", n + 1), range(40)))
    found = config.load(own.data).models
    assert found.threads
    assert found.idle_seconds != Models().idle_seconds


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("PATCH", {"key": "models.threads", "value": 1})])
def test_it_takes_the_right_to_manage_all_profiles(own: Running, method: str, body: Any) -> None:
    for token in (own.new_token("--profile", "work"), own.new_token("--scope", "recall")):
        assert_problem(own.call(method, "/v1/settings", body, token=token), 403)


def test_the_running_daemon_takes_over_what_it_can(tmp_path: Path) -> None:
    async def check() -> None:
        runtime = Runtime(tmp_path / "no-models", idle_seconds=300)
        daemon = Daemon(Store(tmp_path / "store"), runtime, Config())
        wanted = Config(
            server=config.Server(port=1),
            models=Models(generate="other", idle_seconds=7, threads=3),
            extract=Extract(keep_out=("sex",)),
            recall=Recall(threshold=0.25),
        )
        daemon.apply(wanted)
        assert daemon.config == Config(
            models=Models(idle_seconds=7, threads=3), extract=wanted.extract, recall=wanted.recall
        )
        assert daemon.worker.keep_out.categories == {"sex"}
        await daemon.stop()

    run(check())


def test_what_is_written_last_holds(tmp_path: Path) -> None:
    """Though the thread that wrote first comes back last."""
    second_written = threading.Event()

    def first() -> Config:
        kept = config.set_value(tmp_path, "recall.threshold", 0.25)
        second_written.wait(0.5)  # in vain, where the second waits for its turn
        return kept

    def second() -> Config:
        kept = config.set_value(tmp_path, "recall.threshold", 0.5)
        second_written.set()
        return kept

    async def check() -> None:
        daemon = Daemon(Store(tmp_path / "store"), Runtime(tmp_path / "no-models", idle_seconds=300), Config())
        begun = asyncio.create_task(daemon.change_settings(first))
        await until(lambda: config.load(tmp_path).recall.threshold == 0.25)
        await asyncio.gather(daemon.change_settings(second), begun)
        assert daemon.config.recall.threshold == config.load(tmp_path).recall.threshold == 0.5
        await daemon.stop()

    run(check())


def test_a_loaded_model_is_unloaded_after_the_new_time(models_folder: Path) -> None:
    def loaded(runtime: Runtime, role: ModelRole) -> bool:
        return any(one.state == "ready" for one in runtime.status() if one.role == role)

    async def check() -> None:
        async with Runtime(models_folder, idle_seconds=300) as runtime:
            await runtime.embed(["something"])
            assert loaded(runtime, "embed")
            runtime.set_limits(idle_seconds=0.05, threads=1)
            await until(lambda: not loaded(runtime, "embed"))

    run(check())


def test_it_starts_with_what_was_set(tmp_path: Path, no_models: Path) -> None:
    with running(tmp_path / "data", models=no_models) as own:
        change(own, "models.generate", "Qwen3-4B-Instruct-2507")
        own.stop()
        own.start()
        assert not eventually(lambda: items(own))["models.generate"]["restart_needed"]
        assert own.ok("GET", "/v1/status")["models"][1]["name"] == "Qwen3-4B-Instruct-2507"
