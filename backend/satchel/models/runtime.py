"""Embedding and generating, for the rest of Satchel: two model processes behind awaitable calls.

Each role has its own process, so that the vector of a query never waits for a generation. The embedding
process also holds the generator's vocabulary, to count tokens without loading the generator.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections import OrderedDict
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from satchel.models import frames, prompts, registry
from satchel.models.lane import Lane, Need, Plan
from satchel.models.protocols import Adapter, Generation, ModelMissingError, ModelState, Passage
from satchel.models.registry import ModelEntry, ModelRole, PromptFormat
from satchel.types import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BATCH_TEXTS = 4
BATCH_CHARACTERS = 1200
"""A bulk batch holds at most so much: an urgent text waits for about one long turn's vector at most."""
REMEMBERED_QUERIES = 256
ADAPTERS: tuple[Adapter, ...] = get_args(Adapter)
GENERATE_NICE = 5
CONTEXT_TOKENS = 4096
HANG_SECONDS = 120.0


class Runtime:
    """Implements Embedder and Generator. To be used from one event loop; several may exist side by side.

    `embed` and `generate` name models (None: the default of the manifest). Processes start when first
    needed, end after `idle_seconds` without work, and are started again when they die. `threads` defaults
    to the physical cores; fewer are used while other programs need them. `context` bounds prompt and answer
    together, in tokens. A process that gives no sign of life for `hang_seconds` is ended.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        embed: str | None = None,
        generate: str | None = None,
        idle_seconds: float = 300.0,
        threads: int | None = None,
        context: int = CONTEXT_TOKENS,
        hang_seconds: float = HANG_SECONDS,
    ) -> None:
        self._folder = folder or registry.models_folder()
        self._names: dict[ModelRole, str | None] = {"embed": embed, "generate": generate}
        self._idle_seconds, self._hang_seconds = idle_seconds, hang_seconds
        self._entries: dict[ModelRole, ModelEntry] = {}
        self._threads = threads or physical_cores()
        self._context = context
        self._lanes = {
            "embed": Lane("embedding", self._plan_embed, idle_seconds=idle_seconds, hang_seconds=hang_seconds),
            "generate": Lane("generating", self._plan_generate, idle_seconds=idle_seconds, hang_seconds=hang_seconds),
        }
        self._vectors: OrderedDict[tuple[str, str], NDArray[np.float32]] = OrderedDict()
        self._hashes: dict[tuple[str, int, int], str] = {}
        """By path, size and time of change (ns)."""
        self._others: dict[tuple[str, str], Runtime] = {}
        """Embedding models beside the one in use, by hash and name."""

    @property
    def dimensions(self) -> int:
        """The width of the vectors."""
        entry = self._entry("embed")
        if entry.dimensions is None:
            raise ModelError(f"{entry.name} does not say how wide its vectors are; choose another embedding model.")
        return entry.dimensions

    @property
    def prompt_format(self) -> PromptFormat:
        return self._entry("generate").prompt_format

    def format_chat(self, turns: Sequence[prompts.Turn], *, system: str = "") -> str:
        """A prompt in the generator's chat format; nothing in the texts can pose as a control token."""
        return prompts.format_chat(self.prompt_format, turns, system=system)

    def model_id(self, role: ModelRole) -> str:
        """The sha256 of the model's file, to stamp on what it made. Raises ModelError when it is not
        there.

        The first call may hash gigabytes: in an event loop, call it in a thread.
        """
        return self._hashed_file(role)[1]

    async def embed(self, texts: Sequence[str], *, urgent: bool = False) -> NDArray[np.float32]:
        """Unit vectors, shape (len(texts), dimensions), rows in the order of `texts`.

        Longer texts are cut at the model's limit. Urgent texts go ahead of all others and are remembered.
        Raises ModelError.
        """
        import numpy as np

        if not texts:
            return np.empty((0, self.dimensions), dtype=np.float32)
        if urgent:
            return await self._embed_urgently(texts)
        batches = _batches([_encodable(text) for text in texts])
        return np.concatenate(await _together([self._embed_batch(batch, urgent=False) for batch in batches]))

    async def embed_with(self, model: str, texts: Sequence[str], *, urgent: bool = False) -> NDArray[np.float32]:
        """As `embed`, by the embedding model whose file has the hash `model`, be it in use or not.

        Raises ModelError, and ModelMissingError when no such model is installed.
        """
        return await (await self._with_embedder(model)).embed(texts, urgent=urgent)

    async def _with_embedder(self, model: str) -> Runtime:
        for one in (self, *self._others.values()):
            with contextlib.suppress(ModelError):  # another may be there all the same
                if await asyncio.to_thread(one.model_id, "embed") == model:
                    return one
        name = await asyncio.to_thread(self.embedder_called, model)
        if name is None:
            raise ModelMissingError(f"The embedding model {model[:12]}… is not installed any more.", "embed")
        other = Runtime(
            self._folder,
            embed=name,
            idle_seconds=self._idle_seconds,
            threads=self._threads,
            hang_seconds=self._hang_seconds,
        )
        return self._others.setdefault((model, name), other)

    def embedder_called(self, model: str) -> str | None:
        """The name of the installed embedding model whose file has this hash; None where there is none.

        Raises ModelError when the list of models cannot be read. In an event loop, call it in a thread.
        """
        entry = registry.with_hash(model, "embed", self._folder)
        return entry.name if entry else None

    async def read(self, passages: Sequence[Passage], *, adapter: Adapter = "gate") -> NDArray[np.float32]:
        """Unit vectors of the marked pieces in their context: shape (pieces, dimensions), in order.

        Zeros for a piece without words, or beyond what the model sees. Raises ModelError, also when the embedding
        model is not the one that the adapters were trained on.
        """
        import numpy as np

        if not passages:
            return np.empty((0, self.dimensions), dtype=np.float32)
        if not self._entry("embed").default:
            default = registry.default_entry("embed").name
            raise ModelError(f"Satchel finds memories with {default} only; run: satchel models use {default}")
        width = self.dimensions
        safe = [
            Passage(tuple((_encodable(text), marked) for text, marked in passage.pieces), _encodable(passage.before))
            for passage in passages
        ]
        return np.concatenate(await _together([self._read_batch([passage], adapter, width) for passage in safe]))

    async def _read_batch(self, passages: list[Passage], adapter: Adapter, width: int) -> NDArray[np.float32]:
        import numpy as np

        reply = await self._lanes["embed"].submit(
            lambda number: frames.Read(number, passages, adapter), "model", urgent=False
        )
        assert isinstance(reply, frames.Vectors)
        return np.frombuffer(reply.data, dtype=np.float32).reshape(-1, width)

    async def generate(
        self, prompt: str, *, grammar: str | None, max_tokens: int, stop: Sequence[str] = ()
    ) -> Generation:
        """Complete `prompt` with the likeliest tokens that the GBNF `grammar` allows (None: any).

        Ends at the model's end of turn, before one of `stop`, or after `max_tokens`. Raises ModelError, and
        ModelDiedError when the process died on the way: asking again starts a new one.
        """
        safe, rules, stops = (
            _encodable(prompt),
            grammar and _encodable(grammar),
            [_encodable(mark) for mark in stop],
        )

        def ask(number: int) -> frames.Generate:
            return frames.Generate(id=number, prompt=safe, grammar=rules, max_tokens=max_tokens, stop=stops)

        if max_tokens < 1:
            raise ModelError("A generation needs room for at least one token; ask for more.")
        reply = await self._lanes["generate"].submit(ask, "model", urgent=False)
        assert isinstance(reply, frames.Generated)
        return reply.generation

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """How many tokens of the generator each text has, as plain text, without begin and end marks."""
        if not texts:
            return []
        safe = [_encodable(text) for text in texts]
        reply = await self._lanes["embed"].submit(lambda number: frames.Count(number, safe), "vocabulary", urgent=True)
        assert isinstance(reply, frames.Counts)
        return reply.counts

    def status(self) -> list[ModelState]:
        """How both models are, without starting anything."""
        return [self._state("embed"), self._state("generate")]

    def set_limits(self, *, idle_seconds: float, threads: int | None) -> None:
        """Changes what `__init__` was given. A process with another number of threads is started anew when it is next
        asked."""
        for one in (self, *self._others.values()):
            one._idle_seconds = idle_seconds
            one._threads = threads or physical_cores()
            for lane in one._lanes.values():
                lane.set_idle_seconds(idle_seconds)

    async def close(self) -> None:
        """End all processes, whatever they do, within about three seconds. Waiting calls raise
        ModelError."""
        others = [other.close() for other in self._others.values()]
        await asyncio.gather(*(lane.close() for lane in self._lanes.values()), *others)

    async def forget(self) -> None:
        """Lets go of all texts: the vectors of questions, and the processes, each when it has answered what was asked
        until now. They start again when they are needed."""
        self._forget_vectors()
        lanes = (lane.forget() for one in (self, *self._others.values()) for lane in one._lanes.values())
        await asyncio.gather(*lanes)
        self._forget_vectors()  # of what was asked meanwhile, by those who had read it before

    def _forget_vectors(self) -> None:
        """A new dict each: who waits for a vector now keeps it in the former one."""
        for one in (self, *self._others.values()):
            one._vectors = OrderedDict()

    async def __aenter__(self) -> Runtime:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _embed_urgently(self, texts: Sequence[str]) -> NDArray[np.float32]:
        import numpy as np

        vectors = self._vectors
        model = await asyncio.to_thread(self.model_id, "embed")
        safe = [_encodable(text) for text in texts]
        missing = [text for text in dict.fromkeys(safe) if (model, text) not in vectors]
        known = {text: vectors[model, text] for text in safe if (model, text) in vectors}
        for batch in _batches(missing):
            known.update(zip(batch, await self._embed_batch(batch, urgent=True), strict=True))
        for text in dict.fromkeys(safe):
            vectors[model, text] = known[text]
            vectors.move_to_end((model, text))
        while len(vectors) > REMEMBERED_QUERIES:
            vectors.popitem(last=False)
        return np.stack([known[text] for text in safe])

    async def _embed_batch(self, texts: list[str], *, urgent: bool) -> NDArray[np.float32]:
        import numpy as np

        reply = await self._lanes["embed"].submit(lambda number: frames.Embed(number, texts), "model", urgent=urgent)
        assert isinstance(reply, frames.Vectors)
        return np.frombuffer(reply.data, dtype=np.float32).reshape(len(texts), -1)

    def _entry(self, role: ModelRole) -> ModelEntry:
        """Looked up once; a name that is unknown now may be added later."""
        if role not in self._entries:
            name = self._names[role]
            try:
                entry = registry.find(name, self._folder) if name else registry.default_entry(role)
            except ModelError as error:
                raise ModelMissingError(str(error), role) from error
            if entry.role != role:
                message = f"{entry.name} is no model to {role} with; choose another: satchel models list"
                raise ModelMissingError(message, role)
            self._entries[role] = entry
        return self._entries[role]

    def _file(self, role: ModelRole) -> Path:
        """The model's file, known to be there. Raises ModelMissingError, or ModelError when its folder cannot
        be looked into."""
        entry = self._entry(role)
        path = registry.path_of(entry, self._folder)
        try:
            there = path.is_file()
        except OSError as error:
            raise _unreadable(path, error) from error
        if not there:
            if entry.path is not None:
                raise ModelMissingError(f"{path} is not there any more; put it back, or choose another model.", role)
            default = "" if entry.default else f" {entry.name}"
            raise ModelMissingError(f"The model {entry.name} is not there; run: satchel models pull{default}", role)
        return path

    def _hashed_file(self, role: ModelRole) -> tuple[tuple[str, int, int], str]:
        """Path, size, time of change of the model's file, and its sha256. Raises ModelError."""
        path = self._file(role)
        try:
            stat = path.stat()
            file = (str(path), stat.st_size, stat.st_mtime_ns)
            if file not in self._hashes:
                self._hashes[file] = registry.file_sha256(path, self._folder)
        except OSError as error:
            raise _unreadable(path, error) from error
        return file, self._hashes[file]

    def _checked_file(self, role: ModelRole) -> tuple[str, int, int]:
        """Path, size, time of change of a file known to be a GGUF and the one the manifest means."""
        path = self._file(role)
        registry.check_gguf(path)
        file, found = self._hashed_file(role)
        expected = self._entry(role).sha256
        if expected not in (registry.PIN, found):
            raise ModelError(
                f"{path} is not the file the manifest means (hash {found[:12]}… instead of "
                f"{expected[:12]}…); run: satchel models pull"
            )
        return file

    async def _plan_embed(self, need: Need) -> Plan:
        """Both files belong to the process; only the needed one must be there."""
        return await asyncio.to_thread(self._plan, need, {"model": "embed", "vocabulary": "generate"}, "embed", 0)

    async def _plan_generate(self, need: Need) -> Plan:
        return await asyncio.to_thread(self._plan, need, {"model": "generate"}, "generate", GENERATE_NICE)

    def _plan(self, need: Need, roles: dict[Need, ModelRole], role: ModelRole, nice: int) -> Plan:
        files: dict[Need, tuple[str, int, int]] = {}
        for what, of in roles.items():
            try:
                files[what] = self._checked_file(of)
            except ModelError:
                if what == need:
                    raise
        paths = {what: file[0] for what, file in files.items()}
        start = frames.Start(
            role=role,
            model=paths.get("model"),
            adapters=self._adapters() if role == "embed" else {},
            vocabulary=paths.get("vocabulary"),
            threads=self._threads,
            context=self._context,
            nice=nice,
        )
        return Plan(start=start, files=tuple(files.values()))

    def _adapters(self) -> dict[Adapter, str]:
        """The files of the adapters; none for another embedding model than the one they were trained on, and without
        those that are missing: only who reads with them needs them."""
        found: dict[Adapter, str] = {}
        if self._entry("embed").default:
            for name in ADAPTERS:
                with contextlib.suppress(ModelError):
                    found[name] = str(registry.shipped_path("satchel.extract", f"{name}.gguf"))
        return found

    def _state(self, role: ModelRole) -> ModelState:
        lane = self._lanes[role]
        try:
            name = self._entry(role).name
            self._file(role)
        except ModelError as error:
            return ModelState(name=self._names[role] or role, role=role, state="missing", error=str(error))
        process = lane.process
        state: Literal["unloaded", "loading", "ready", "failed"]
        if process is not None and "model" in process.loaded:
            state = "ready"
        elif lane.loading:
            state = "loading"
        else:
            state = "failed" if lane.error else "unloaded"
        return ModelState(
            name=name,
            role=role,
            state=state,
            error=lane.error,
            resident=resident_bytes(process.pid) if process else None,
            pid=process.pid if process else None,
        )


async def _together(calls: Sequence[Coroutine[Any, Any, NDArray[np.float32]]]) -> list[NDArray[np.float32]]:
    """All results in order; when one fails or the caller gives up, the others are cancelled too."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


def physical_cores() -> int:
    """Cores this process may use, not counting the second thread of a core, which slows llama.cpp down."""
    if sys.platform != "linux":
        return max(1, os.cpu_count() or 1)
    cores: set[str] = set()
    for cpu in os.sched_getaffinity(0):
        siblings = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
        try:
            cores.add(siblings.read_text(encoding="ascii").strip())
        except OSError:  # some containers hide it
            cores.add(str(cpu))
    return max(1, len(cores))


def resident_bytes(pid: int) -> int | None:
    """Memory of a process, where the system says so without a library (Linux)."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def _unreadable(path: Path, error: OSError) -> ModelError:
    return ModelError(f"{path} cannot be read ({error.strerror or error}); mend that, or run: satchel models pull")


def _encodable(text: str) -> str:
    """Lone surrogates cannot travel; they become question marks, as they would in the model."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def _batches(texts: Sequence[str]) -> list[list[str]]:
    """Consecutive texts, at most BATCH_TEXTS and, unless one alone is longer, BATCH_CHARACTERS together."""
    batches: list[list[str]] = []
    characters = 0
    for text in texts:
        if batches and len(batches[-1]) < BATCH_TEXTS and characters + len(text) <= BATCH_CHARACTERS:
            batches[-1].append(text)
            characters += len(text)
        else:
            batches.append([text])
            characters = len(text)
    return batches
