"""The model processes: started late, ended when idle, recovered when they die, and never out of step."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from models.helpers import run, until, with_twin
from satchel.models import ModelDiedError, ModelMissingError, Runtime, registry
from satchel.types import ModelError

STORY = "Tell a very long story about a dragon who collects teapots."


def pid_of(runtime: Runtime, role: str) -> int | None:
    return next(state.pid for state in runtime.status() if state.role == role)


def state_of(runtime: Runtime, role: str) -> str:
    return next(state.state for state in runtime.status() if state.role == role)


async def writing(runtime: Runtime, *, tokens: int = 2000) -> asyncio.Task[object]:
    """A long generation, under way."""
    task: asyncio.Task[object] = asyncio.create_task(
        runtime.generate(runtime.format_chat([("user", STORY)]), grammar="root ::= [a-z ]*", max_tokens=tokens)
    )
    await until(lambda: state_of(runtime, "generate") == "ready")
    await asyncio.sleep(0.5)
    return task


def test_nothing_starts_before_it_is_needed(models_folder: Path) -> None:
    async def check() -> None:
        async with Runtime(models_folder) as runtime:
            assert [state.state for state in runtime.status()] == ["unloaded", "unloaded"]
            assert runtime.dimensions == 384
            await runtime.embed(["hello"])
            assert state_of(runtime, "embed") == "ready"
            assert state_of(runtime, "generate") == "unloaded"

    run(check())


def test_vectors_are_unit_rows_whatever_the_text(models_folder: Path) -> None:
    texts = [
        "hello",
        "",
        "   ",
        "\0",
        "a lone \ud800 surrogate",
        "word " * 5000,
        "漢" * 3000,
        "x" * 100_000,
        "🎒",
    ]

    async def check() -> np.ndarray:
        async with Runtime(models_folder) as runtime:
            assert (await runtime.embed([])).shape == (0, 384)
            return await runtime.embed(texts)

    vectors = run(check())
    assert vectors.shape == (len(texts), 384)
    assert vectors.dtype == np.float32
    assert np.allclose((vectors**2).sum(axis=1), 1, atol=1e-5)


def test_a_text_has_the_same_vector_alone_in_bulk_and_urgently(models_folder: Path) -> None:
    async def check() -> None:
        async with Runtime(models_folder) as runtime:
            texts = [f"Sentence number {number} about tea." for number in range(9)]
            bulk = await runtime.embed(texts)
            alone = np.concatenate([await runtime.embed([text]) for text in texts])
            urgent = await runtime.embed(texts, urgent=True)
            assert np.abs(bulk - alone).max() < 1e-3
            assert np.abs(bulk - urgent).max() < 1e-3

    run(check())


def test_an_urgent_text_goes_ahead_of_the_bulk(models_folder: Path) -> None:
    async def check() -> None:
        async with Runtime(models_folder) as runtime:
            await runtime.embed(["warm up"])
            bulk = asyncio.create_task(runtime.embed(["some words to embed " * 20] * 120))
            await asyncio.sleep(0.05)
            await runtime.embed(["what did I say about tea?"], urgent=True)
            assert not bulk.done()
            started = time.monotonic()
            await runtime.embed(["what did I say about tea?"], urgent=True)
            assert time.monotonic() - started < 0.05, "a repeated query is remembered"
            bulk.cancel()

    run(check())


def test_a_query_does_not_wait_for_a_generation(models_folder: Path) -> None:
    async def check() -> None:
        async with Runtime(models_folder) as runtime:
            await runtime.embed(["warm up"])
            story = await writing(runtime)
            await runtime.embed(["a question"], urgent=True)
            assert await runtime.count_tokens(["a question"]) == [2]
            assert not story.done()
            story.cancel()

    run(check())


def test_tokens_are_counted_as_the_generator_reads_them(models_folder: Path) -> None:
    import llama_cpp

    texts = [
        "",
        "hello world",
        "暑假我打算去广州旅游",
        "<|im_end|>",
        "a\0b",
        "  two  spaces  ",
        "word " * 3000,
    ]
    path = models_folder / registry.default_entry("generate").file
    model = llama_cpp.Llama(str(path), vocab_only=True, verbose=False)
    expected = [len(model.tokenize(text.encode(), add_bos=False, special=False)) for text in texts]

    async def check() -> None:
        async with Runtime(models_folder) as runtime:
            assert await runtime.count_tokens(texts) == expected
            assert state_of(runtime, "generate") == "unloaded", "counting needs the vocabulary alone"
            assert await runtime.count_tokens([]) == []

    run(check())


def test_an_idle_model_is_unloaded_and_comes_back(models_folder: Path) -> None:
    async def check() -> None:
        async with Runtime(models_folder, idle_seconds=0.3) as runtime:
            await runtime.embed(["hello"])
            pid = pid_of(runtime, "embed")
            assert pid is not None
            await until(lambda: not psutil.pid_exists(pid))
            assert state_of(runtime, "embed") == "unloaded"
            await runtime.embed(["hello again"])
            assert pid_of(runtime, "embed") != pid

    run(check())


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
def test_a_process_killed_in_mid_answer_costs_that_answer_only(models_folder: Path, how: signal.Signals) -> None:
    async def check() -> None:
        async with Runtime(models_folder) as runtime:
            story = await writing(runtime)
            pid = pid_of(runtime, "generate")
            assert pid is not None
            os.kill(pid, how)
            with pytest.raises(ModelDiedError, match="ask again"):
                await story
            assert not psutil.pid_exists(pid), "no zombie"
            again = await runtime.generate("Tea is", grammar='root ::= " good"', max_tokens=5)
            assert again.text == " good"

    run(check())


def test_a_process_killed_while_idle_costs_nothing(models_folder: Path) -> None:
    async def check() -> None:
        async with Runtime(models_folder) as runtime:
            await runtime.embed(["one"])
            pid = pid_of(runtime, "embed")
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            await until(lambda: state_of(runtime, "embed") == "unloaded")
            assert (await runtime.embed(["two"])).shape == (1, 384)

    run(check())


def test_what_waits_behind_a_killed_process_is_served_by_the_next(models_folder: Path) -> None:
    async def check() -> None:
        async with Runtime(models_folder) as runtime:
            story = await writing(runtime)
            behind = asyncio.create_task(runtime.generate("Tea is", grammar='root ::= " good"', max_tokens=5))
            await asyncio.sleep(0)
            os.kill(pid_of(runtime, "generate") or 0, signal.SIGKILL)
            with pytest.raises(ModelDiedError):
                await story
            assert (await behind).text == " good"

    run(check())


def test_a_hung_process_is_ended(models_folder: Path) -> None:
    async def check() -> None:
        async with Runtime(models_folder, hang_seconds=5) as runtime:
            await runtime.embed(["hello"])
            pid = pid_of(runtime, "embed")
            assert pid is not None
            os.kill(pid, signal.SIGSTOP)
            with pytest.raises(ModelDiedError, match="no sign of life"):
                await runtime.embed(["are you there?"])
            assert not psutil.pid_exists(pid)
            assert (await runtime.embed(["hello"])).shape == (1, 384)

    run(check())


def test_a_call_given_up_leaves_the_process_in_step(models_folder: Path) -> None:
    async def check() -> None:
        async with Runtime(models_folder) as runtime:
            story = await writing(runtime, tokens=3000)
            pid = pid_of(runtime, "generate")
            story.cancel()
            with pytest.raises(asyncio.CancelledError):
                await story
            started = time.monotonic()
            answer = await runtime.generate("Say", grammar='root ::= " cup"', max_tokens=4)
            assert answer.text == " cup"
            assert time.monotonic() - started < 20, "the abandoned story was not written to its end"
            assert pid_of(runtime, "generate") == pid

            many = [asyncio.create_task(runtime.embed([f"text {n}"])) for n in range(20)]
            await asyncio.sleep(0.02)
            for task in many[::2]:
                task.cancel()
            rest = await asyncio.gather(*many[1::2])
            expected = await runtime.embed([f"text {n}" for n in range(1, 20, 2)])
            assert np.abs(np.concatenate(rest) - expected).max() < 1e-3

    run(check())


def test_closing_in_mid_generation_is_quick_and_leaves_no_process(models_folder: Path) -> None:
    async def check() -> None:
        runtime = Runtime(models_folder)
        await runtime.embed(["hello"])
        story = await writing(runtime)
        pids = [pid_of(runtime, "embed"), pid_of(runtime, "generate")]
        started = time.monotonic()
        await runtime.close()
        assert time.monotonic() - started < 3
        with pytest.raises(ModelError):
            await story
        assert not any(psutil.pid_exists(pid or 0) for pid in pids)
        with pytest.raises(ModelError, match="closing"):
            await runtime.embed(["too late"])

    run(check())


def test_closing_does_not_wait_for_a_stopped_process(models_folder: Path) -> None:
    async def check() -> None:
        runtime = Runtime(models_folder)
        await runtime.embed(["hello"])
        pid = pid_of(runtime, "embed") or 0
        os.kill(pid, signal.SIGSTOP)
        started = time.monotonic()
        await runtime.close()
        assert time.monotonic() - started < 3
        assert not psutil.pid_exists(pid)

    run(check())


def test_several_runtimes_live_side_by_side(models_folder: Path) -> None:
    async def check() -> None:
        async with Runtime(models_folder) as one, Runtime(models_folder) as two:
            first, second = await asyncio.gather(one.embed(["tea"]), two.embed(["tea"]))
            assert np.abs(first - second).max() < 1e-3
            assert pid_of(one, "embed") != pid_of(two, "embed")

    run(check())


def test_a_missing_model_says_how_to_get_it_and_needs_no_restart(models_folder: Path, tmp_path: Path) -> None:
    async def check() -> None:
        async with Runtime(tmp_path) as runtime:
            assert [state.state for state in runtime.status()] == ["missing", "missing"]
            for ask in (runtime.embed(["x"]), runtime.count_tokens(["x"])):
                with pytest.raises(ModelError, match="satchel models pull"):
                    await ask
            with pytest.raises(ModelError, match="SmolLM2-135M-Instruct is not there"):
                await runtime.generate("x", grammar=None, max_tokens=1)
            file = registry.default_entry("embed").file
            (tmp_path / file).symlink_to(models_folder / file)
            assert (await runtime.embed(["x"])).shape == (1, 384)
            with pytest.raises(ModelError, match="not there"):
                await runtime.count_tokens(["x"])

    run(check())


@pytest.mark.parametrize("content", [b"", b"no model at all, only text"])
def test_a_file_that_is_no_gguf_is_named_and_starts_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / registry.default_entry("generate").file).write_bytes(content)

    async def check() -> None:
        async with Runtime(tmp_path) as runtime:
            with pytest.raises(ModelError, match=r"SmolLM2-135M-Instruct\.Q4_1\.gguf is not a GGUF"):
                await runtime.generate("x", grammar=None, max_tokens=1)
            assert pid_of(runtime, "generate") is None
            assert state_of(runtime, "generate") == "failed"

    run(check())


def test_a_damaged_default_is_found_by_its_hash(models_folder: Path, tmp_path: Path) -> None:
    file = registry.default_entry("embed").file
    shutil.copy(models_folder / file, tmp_path / file)
    with (tmp_path / file).open("r+b") as out:
        out.seek(20_000_000)
        out.write(b"?")

    async def check() -> None:
        async with Runtime(tmp_path) as runtime:
            with pytest.raises(ModelError, match="not the file the manifest means"):
                await runtime.embed(["x"])

    run(check())


def test_a_gguf_that_llama_cannot_load_makes_no_crash_loop(models_folder: Path, tmp_path: Path) -> None:
    whole = (models_folder / registry.default_entry("generate").file).read_bytes()
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(whole)
    registry.add_local(broken, "broken", folder=tmp_path)
    broken.write_bytes(whole[: len(whole) // 2])
    local = registry.read_local(tmp_path)
    pinned = local.model[0]
    import msgspec

    registry.write_local(
        tmp_path, registry.Local(model=(msgspec.structs.replace(pinned, sha256=registry.sha256_of(broken)),))
    )

    async def check() -> None:
        async with Runtime(tmp_path, generate="broken") as runtime:
            with pytest.raises(ModelError, match=r"broken\.gguf.*satchel models use"):
                await runtime.generate("x", grammar=None, max_tokens=1)
            assert state_of(runtime, "generate") == "failed"
            started = time.monotonic()
            for _ in range(20):
                with pytest.raises(ModelError, match=r"broken\.gguf"):
                    await runtime.generate("x", grammar=None, max_tokens=1)
            assert time.monotonic() - started < 0.5, "asked again and again, it answers without trying"

    run(check())


def test_an_unknown_or_wrong_model_is_told(models_folder: Path) -> None:
    async def check() -> None:
        async with Runtime(models_folder, generate="gpt-9", embed="SmolLM2-135M-Instruct") as runtime:
            with pytest.raises(ModelError, match="No model is called 'gpt-9'"):
                await runtime.generate("x", grammar=None, max_tokens=1)
            with pytest.raises(ModelError, match="no model to embed with"):
                await runtime.embed(["x"])
            assert [state.state for state in runtime.status()] == ["missing", "missing"]

    run(check())


def test_the_id_of_a_model_is_the_hash_of_its_file(models_folder: Path) -> None:
    runtime = Runtime(models_folder)
    assert runtime.model_id("embed") == registry.default_entry("embed").sha256
    assert runtime.model_id("generate") == registry.default_entry("generate").sha256


def test_the_id_of_a_model_is_looked_up_once_while_its_file_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / registry.default_entry("generate").file
    hashed: list[Path] = []

    def hash_slowly(path: Path, folder: Path) -> str:
        hashed.append(path)
        return f"hash {len(hashed)}"

    monkeypatch.setattr(registry, "file_sha256", hash_slowly)
    runtime = Runtime(tmp_path)
    file.write_bytes(b"one")
    assert [runtime.model_id("generate"), runtime.model_id("generate")] == ["hash 1", "hash 1"]
    file.write_bytes(b"three")
    assert runtime.model_id("generate") == "hash 2"


def test_a_model_file_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / registry.default_entry("embed").file
    file.write_bytes(b"GGUF and more")

    def fail(path: Path) -> str:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(registry, "sha256_of", fail)

    async def check() -> None:
        async with Runtime(tmp_path) as runtime:
            for _ in range(2):
                with pytest.raises(ModelError, match=f"{file.name} cannot be read"):
                    await asyncio.wait_for(runtime.embed(["x"]), 5)

    run(check())


def test_a_missing_model_is_told_with_its_role(tmp_path: Path) -> None:
    runtime = Runtime(tmp_path, generate="gpt-9")
    with pytest.raises(ModelMissingError) as embedder:
        runtime.model_id("embed")
    with pytest.raises(ModelMissingError) as generator:
        _ = runtime.prompt_format
    assert [embedder.value.role, generator.value.role] == ["embed", "generate"]


def test_another_installed_embedding_model_reads_beside_the_one_in_use(tmp_path: Path, models_folder: Path) -> None:
    twin = with_twin(tmp_path / "models", models_folder)

    async def check() -> None:
        async with Runtime(tmp_path / "models") as runtime:
            in_use = runtime.model_id("embed")
            assert (runtime.embedder_called(twin.sha256), runtime.embedder_called("no such hash")) == ("twin", None)
            assert runtime.embedder_called(in_use) == "all-MiniLM-L6-v2"
            own = await runtime.embed_with(in_use, ["hello"])
            (pid,) = runtime_processes()
            twins = await runtime.embed_with(twin.sha256, ["hello"], urgent=True)
            assert np.allclose(own, twins, atol=1e-5)
            assert len(runtime_processes()) == 2
            await runtime.embed_with(twin.sha256, ["hello again"])
            assert len(runtime_processes()) == 2
            assert pid_of(runtime, "embed") == pid
            Path(twin.path or "").unlink()
            with pytest.raises(ModelMissingError, match="not installed any more"):
                await runtime.embed_with(twin.sha256, ["hello"])
            assert runtime.embedder_called(twin.sha256) is None
            assert (await runtime.embed_with(in_use, ["hello"])).shape == (1, 384)
        assert runtime_processes() == set()

    before = {child.pid for child in psutil.Process().children()}

    def runtime_processes() -> set[int]:
        return {child.pid for child in psutil.Process().children()} - before

    run(check())


def test_a_file_that_was_replaced_is_not_the_model_it_was(tmp_path: Path, models_folder: Path) -> None:
    twin = with_twin(tmp_path / "models", models_folder)

    async def check() -> None:
        async with Runtime(tmp_path / "models") as runtime:
            await runtime.embed_with(twin.sha256, ["hello"])
            with Path(twin.path or "").open("ab") as file:
                file.write(b"another")
            with pytest.raises(ModelMissingError, match="not installed any more"):
                await runtime.embed_with(twin.sha256, ["hello"])

    run(check())


def test_an_installed_model_reads_also_where_the_one_in_use_is_missing(tmp_path: Path, models_folder: Path) -> None:
    twin = with_twin(tmp_path / "models", models_folder)
    (tmp_path / "models" / registry.default_entry("embed").file).unlink()

    async def check() -> None:
        async with Runtime(tmp_path / "models") as runtime:
            assert (await runtime.embed_with(twin.sha256, ["hello"])).shape == (1, 384)

    run(check())


def test_a_question_that_is_read_while_something_is_forgotten_leaves_no_vector(
    models_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [f"What did Zuzanna say about numbats, part {part}?" for part in range(6)]  # two batches

    async def check() -> None:
        async with Runtime(models_folder) as runtime:
            await runtime.embed(["hello"], urgent=True)
            submit, passed = runtime._lanes["embed"].submit, asyncio.Event()
            go = asyncio.Event()

            async def hold_the_second(*args: Any, **how: Any) -> Any:
                if passed.is_set():
                    await go.wait()
                passed.set()
                return await submit(*args, **how)

            monkeypatch.setattr(runtime._lanes["embed"], "submit", hold_the_second)
            asked = asyncio.create_task(runtime.embed(texts, urgent=True))
            await passed.wait()
            await runtime.forget()
            go.set()
            assert len(await asked) == len(texts)
            assert not any("Zuzanna" in text for _, text in runtime._vectors)
            before = pid_of(runtime, "embed")
            await runtime.embed(["hello"], urgent=True)
            assert [text for _, text in runtime._vectors] == ["hello"], "what is asked after it is kept again"
            assert pid_of(runtime, "embed") == before

    run(check())
