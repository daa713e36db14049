"""One model process, seen from the daemon: start it, ask it, end it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process

import msgspec

from satchel.models import frames
from satchel.types import ModelError

GRACE_SECONDS = 0.8
"""How long a process may take to end by itself, then how long after being told to."""


SPIN_COUNT = "5000"
"""How often a thread of llama.cpp (where it is built with GNU OpenMP) looks for the others before it
sleeps. The library's own, milliseconds long, starves everybody on a busy machine; this is as fast on an
idle one."""


class ProcessEndedError(Exception):
    """The process is gone: it crashed, was killed, hung, or lost step. The message says which."""


class ModelProcess:
    """Ask with `request`, one at a time."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.loaded: dict[str, frames.Loaded] = {}
        """What has been loaded in it: "model", "vocabulary"."""

    @classmethod
    async def start(cls, start: frames.Start) -> ModelProcess:
        """-P keeps the current folder off the module path: nobody's `satchel` but ours is imported.

        Raises ModelError when the system gives no process: memory, open files or processes ran out."""
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "satchel.models.worker"),
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                env={"GOMP_SPINCOUNT": SPIN_COUNT, **os.environ},
            )
        except OSError as error:
            raise ModelError(
                f"The model's process cannot be started ({error.strerror or error}); close other programs, "
                "then ask again."
            ) from error
        started = cls(process)
        started.send(start)
        return started

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.returncode is None

    def send(self, frame: frames.Request) -> None:
        """Write without waiting. Into a closed pipe: nothing happens, the next read tells."""
        assert self._process.stdin is not None
        if not self._process.stdin.is_closing():
            self._process.stdin.write(frames.pack(frame))

    async def request(
        self, frame: frames.Load | frames.Embed | frames.Read | frames.Count | frames.Generate, *, hang_seconds: float
    ) -> frames.Reply:
        """The reply to `frame`. Raises ProcessEndedError when there will be none, or no sign of life came for
        `hang_seconds`; the process must then be stopped."""
        assert self._process.stdin is not None
        self.send(frame)
        try:
            await asyncio.wait_for(self._process.stdin.drain(), hang_seconds)
            while True:
                reply = await asyncio.wait_for(self._read(), hang_seconds)
                if reply.id == frame.id and not isinstance(reply, frames.Alive):
                    return reply
        except TimeoutError as error:
            raise ProcessEndedError(f"gave no sign of life for {hang_seconds:.0f} s and was ended") from error
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise ProcessEndedError(await self._how_it_ended()) from error
        except msgspec.DecodeError as error:
            raise ProcessEndedError("lost step and was ended") from error

    async def _read(self) -> frames.Reply:
        assert self._process.stdout is not None
        (length,) = frames.HEADER.unpack(await self._process.stdout.readexactly(frames.HEADER.size))
        if length > frames.MAX_FRAME:
            raise msgspec.DecodeError("a frame of impossible length")
        return frames.decode_reply(await self._process.stdout.readexactly(length))

    async def _how_it_ended(self) -> str:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), GRACE_SECONDS)
        code = self._process.returncode
        if code is not None and code < 0:
            # 9 is what the kernel sends when memory runs out.
            return f"was killed (signal {-code}{', perhaps for want of memory' if code == -9 else ''})"
        return "ended unexpectedly" if code is None else f"ended unexpectedly (exit code {code})"

    async def stop(self) -> None:
        """End it, whatever it is doing, and wait until it is gone."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        for end in (None, self._process.terminate, self._process.kill):
            if end is not None and self.running:
                with contextlib.suppress(ProcessLookupError):
                    end()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), GRACE_SECONDS)
                break
