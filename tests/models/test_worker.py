"""The model process as the system sees it: no listener, no core, no argument, no survivor."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from models.helpers import run, until
from satchel.models import Runtime, frames

PRIVATE = "my-very-private-word"


def test_it_listens_nowhere_and_dumps_no_core(models_folder: Path) -> None:
    async def check() -> None:
        async with Runtime(models_folder) as runtime:
            await runtime.embed(["hello"])
            await runtime.generate("hello", grammar=None, max_tokens=2)
            for state in runtime.status():
                assert state.pid is not None
                assert resource.prlimit(state.pid, resource.RLIMIT_CORE) == (0, 0)
                assert psutil.Process(state.pid).net_connections(kind="all") == []
                assert state.resident is not None
                assert state.resident > 10_000_000

    run(check())


def test_paths_and_texts_are_not_in_its_arguments_or_environment(models_folder: Path) -> None:
    async def check() -> None:
        async with Runtime(models_folder) as runtime:
            await runtime.embed([PRIVATE])
            pid = runtime.status()[0].pid
            process = psutil.Process(pid)
            assert process.cmdline()[1:] == ["-P", "-m", "satchel.models.worker"]
            assert PRIVATE not in str(process.environ())

    run(check())


def test_the_generator_gives_way_to_others(models_folder: Path) -> None:
    async def check() -> None:
        async with Runtime(models_folder) as runtime:
            await runtime.embed(["hello"])
            await runtime.generate("hello", grammar=None, max_tokens=2)
            nice = [psutil.Process(state.pid).nice() for state in runtime.status()]
            here = psutil.Process().nice()
            assert nice == [here, min(19, here + 5)]

    run(check())


def start_alone(models_folder: Path, stderr: Path) -> subprocess.Popen[bytes]:
    worker = subprocess.Popen(
        [sys.executable, "-m", "satchel.models.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr.open("wb"),
    )
    assert worker.stdin is not None
    model = str(models_folder / "SmolLM2-135M-Instruct.Q4_1.gguf")
    start = frames.Start(role="generate", model=model, vocabulary=None, threads=1, context=1024, nice=0)
    worker.stdin.write(frames.pack(start))
    worker.stdin.flush()
    return worker


def test_it_ends_when_its_input_closes_even_in_mid_generation(models_folder: Path, tmp_path: Path) -> None:
    worker = start_alone(models_folder, tmp_path / "errors")
    assert worker.stdin is not None
    assert worker.stdout is not None
    ask = frames.Generate(id=1, prompt="x", grammar="root ::= [a-z]*", max_tokens=1000, stop=[])
    worker.stdin.write(frames.pack(ask))
    worker.stdin.flush()
    worker.stdout.read(1)
    worker.stdin.close()
    assert worker.wait(5) == 0


def test_it_writes_no_word_of_the_text(models_folder: Path, tmp_path: Path) -> None:
    worker = start_alone(models_folder, tmp_path / "errors")
    assert worker.stdin is not None
    assert worker.stdout is not None
    bad = frames.Generate(id=1, prompt=PRIVATE, grammar=f'root ::= "{PRIVATE}" [', max_tokens=5, stop=[])
    worker.stdin.write(frames.pack(bad))
    worker.stdin.flush()
    (length,) = frames.HEADER.unpack(worker.stdout.read(4))
    reply = frames.decode_reply(worker.stdout.read(length))
    assert isinstance(reply, frames.Failed)
    assert PRIVATE not in reply.message
    worker.stdin.close()
    worker.wait(5)
    assert (tmp_path / "errors").read_bytes() == b""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
def test_ctrl_c_in_the_terminal_does_not_end_it(models_folder: Path) -> None:
    async def check() -> None:
        async with Runtime(models_folder) as runtime:
            await runtime.embed(["hello"])
            pid = runtime.status()[0].pid
            os.kill(pid or 0, signal.SIGINT)
            await runtime.embed(["hello again"])
            assert runtime.status()[0].pid == pid

    run(check())


def test_it_does_not_outlive_a_daemon_that_is_killed(models_folder: Path) -> None:
    script = (
        "import asyncio, sys; from pathlib import Path; from satchel.models import Runtime\n"
        "async def main():\n"
        "    runtime = Runtime(Path(sys.argv[1]))\n"
        "    await runtime.embed(['x'])\n"
        "    print(runtime.status()[0].pid, flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())"
    )
    daemon = subprocess.Popen([sys.executable, "-c", script, str(models_folder)], stdout=subprocess.PIPE)
    assert daemon.stdout is not None
    pid = int(daemon.stdout.readline())
    daemon.kill()
    daemon.wait()

    def gone() -> bool:
        return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE

    run(until(gone))
