"""Fetching a model by `satchel models pull` in a process of its own, for the daemon itself connects nowhere.

One at a time. What it says of its progress is kept, and told to whoever listens. It ends with the daemon.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec

from satchel.models import registry, tied_process
from satchel.models.download import Progress
from satchel.models.registry import ModelEntry
from satchel.types import NotFoundError, SatchelError

TELL_SECONDS = 0.5
"""Between two events of the same step."""

SPEED_SECONDS = 10.0
"""How far back the rate is measured: long enough for a connection's ups and downs to even out."""

LEAST_SECONDS = 0.5
"""Under which no rate can be told."""


class PullingError(SatchelError):
    """One model is being fetched already."""

    status = 409
    title = "Already fetching"


class Pulling(msgspec.Struct, frozen=True, kw_only=True):
    """`source` is the host that was gone to last. `rate` in bytes a second and `seconds_left` are None while they
    cannot be told. With `error` it is over."""

    name: str
    source: str | None = None
    done_bytes: int = 0
    total_bytes: int
    rate: float | None = None
    seconds_left: int | None = None
    error: str | None = None


class Speed:
    """Of bytes that arrive, over the last `SPEED_SECONDS`."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def add(self, now: float, done: int) -> None:
        """So many are there at this moment (s). Fewer than before: another source begins anew."""
        if self._seen and done < self._seen[-1][1]:
            self._seen.clear()
        self._seen.append((now, done))

    def rate(self, now: float) -> float | None:
        """Bytes a second; None while nothing has come for long enough."""
        while len(self._seen) > 1 and self._seen[1][0] <= now - SPEED_SECONDS:
            self._seen.popleft()
        if not self._seen:
            return None
        since, before = self._seen[0]
        moved, passed = self._seen[-1][1] - before, now - since
        return moved / passed if moved and passed >= LEAST_SECONDS else None


class Pulls:
    """To be used from the server's event loop. `publish` takes events, `fetched` is called when a model is there."""

    def __init__(
        self,
        publish: Callable[..., None],
        fetched: Callable[[], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._publish = publish
        self._fetched = fetched
        self._now = now
        self._task: asyncio.Task[None] | None = None
        self._pulling: Pulling | None = None
        self._speed = Speed()
        self._told_at = -math.inf

    @property
    def pulling(self) -> Pulling | None:
        """What is being fetched, or failed last."""
        found = self._pulling
        if found is None or found.error is not None:
            return found
        rate = self._speed.rate(self._now())
        left = None if rate is None else math.ceil(max(found.total_bytes - found.done_bytes, 0) / rate)
        return msgspec.structs.replace(found, rate=rate, seconds_left=left)

    async def start(self, name: str) -> Pulling:
        """Begins to fetch the manifest's model of this name (letter case does not matter).

        Raises NotFoundError, and PullingError while another one is fetched.
        """
        entry = await asyncio.to_thread(of_manifest, name)
        if self._task is not None and not self._task.done():
            busy = self._pulling.name if self._pulling else "A model"
            raise PullingError(f"{busy} is being fetched; wait until it is here, or stop that first.")
        self._speed = Speed()
        begun = self._pulling = Pulling(name=entry.name, total_bytes=entry.size)
        self._task = asyncio.create_task(self._run(entry), name="pulling")
        self._tell()
        return begun

    async def stop(self) -> None:
        """Ends what is being fetched; what came of it stays for the next time, if its source can go on. Also lets go of
        the last error."""
        await self.close()
        if self._pulling is not None:
            self._pulling = None
            self._tell()

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self, entry: ModelEntry) -> None:
        failed = ""
        try:
            process = await _start(entry.name)
        except OSError as error:
            self._fail(f"The download cannot be started ({error.strerror or error}); close other programs, try again.")
            return
        try:
            assert process.stdout is not None
            async for line in process.stdout:
                if (step := _step(line)) is not None:
                    failed = step.message if step.stage == "failed" else failed
                    self._follow(step)
            code = await process.wait()
        finally:
            if process.returncode is None:
                tied_process.end_group(process.pid)
                await process.wait()
        if code:
            self._fail(failed or f"The download ended unexpectedly (exit code {code}); try again.")
            return
        self._pulling = None
        self._tell()
        self._fetched()

    def _follow(self, step: Progress) -> None:
        assert self._pulling is not None
        if step.stage == "downloading":
            self._speed.add(self._now(), step.done)
            total = step.total or self._pulling.total_bytes
            self._pulling = msgspec.structs.replace(self._pulling, done_bytes=step.done, total_bytes=total)
            if self._now() - self._told_at >= TELL_SECONDS:
                self._tell()
            return
        self._speed = Speed()  # nothing arrives while a file is checked
        if step.stage == "connecting":
            self._pulling = msgspec.structs.replace(self._pulling, source=step.source, done_bytes=0)
            self._tell()

    def _fail(self, error: str) -> None:
        assert self._pulling is not None
        self._pulling = msgspec.structs.replace(self._pulling, error=error)
        self._tell()

    def _tell(self) -> None:
        self._told_at = self._now()
        self._publish("pull", None, pulling=self.pulling)


def of_manifest(name: str) -> ModelEntry:
    """The entry of the manifest that ships with the program. Raises NotFoundError."""
    for entry in registry.manifest():
        if entry.name.casefold() == name.casefold():
            return entry
    raise NotFoundError(f"Satchel knows no model {name!r} that could be fetched; `GET /v1/models` lists them.")


async def _start(name: str) -> Process:
    """Raises OSError. -P keeps the current folder off the module path: nobody's `satchel` but ours is imported."""
    arguments: dict[str, Any] = tied_process.own_group()
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "satchel", "models", "pull", "--json", "--tied", name),
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        **arguments,
    )


def _step(line: bytes) -> Progress | None:
    """None for what is no progress."""
    with contextlib.suppress(msgspec.MsgspecError):
        return msgspec.json.decode(line, type=Progress)
    return None
