"""The queue in front of one model process, and the life of that process.

It is started when first needed, ended when idle, started again after it died, and left alone for a while
when it keeps failing.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
import time
from collections.abc import Awaitable, Callable
from typing import Literal

import msgspec

from satchel.models import frames
from satchel.models.process import ModelProcess, ProcessEndedError
from satchel.models.protocols import ModelDiedError
from satchel.types import ModelError

Need = Literal["model", "vocabulary"]
Ask = frames.Embed | frames.Read | frames.Count | frames.Generate
CLOSE_SECONDS = 2.8
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
DEATHS_BEFORE_PAUSE = 2
CLOSED = "Satchel closed before this was done; ask again."


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How a process is to be started now. Two plans differ when a file was replaced, or appeared."""

    start: frames.Start
    files: tuple[tuple[str, int, int], ...]
    """Path, size and time of change of each file."""


class _Waiting(msgspec.Struct, eq=False):
    ask: Callable[[int], Ask]
    need: Need
    future: asyncio.Future[frames.Reply]


class _Failure(msgspec.Struct):
    plan: Plan
    message: str
    pause: float
    until: float


class Lane:
    """`plan(need)` says how to start the process, or raises ModelError when the file that `need` means is not
    usable."""

    def __init__(
        self,
        name: str,
        plan: Callable[[Need], Awaitable[Plan]],
        *,
        idle_seconds: float,
        hang_seconds: float,
    ) -> None:
        self._name = name
        self._plan = plan
        self._idle_seconds = idle_seconds
        self._hang_seconds = hang_seconds
        self._heap: list[tuple[int, int, _Waiting]] = []
        self._order = itertools.count()
        self._ids = itertools.count(1)
        self._wake = asyncio.Event()
        self._runner: asyncio.Task[None] | None = None
        self._process: ModelProcess | None = None
        self._running_plan: Plan | None = None
        self._failures: dict[Need, _Failure] = {}
        self._deaths = 0
        self._current: tuple[_Waiting, int] | None = None
        self._closing = False
        self._to_end: list[tuple[int, asyncio.Future[None]]] = []
        """Those who wait for the end of the process that answers what was asked before this number in the order."""
        self.loading = False
        self.error: str | None = None

    @property
    def process(self) -> ModelProcess | None:
        """The process, if it runs."""
        return self._process if self._process is not None and self._process.running else None

    async def submit(self, ask: Callable[[int], Ask], need: Need, *, urgent: bool) -> frames.Reply:
        """Queue a request (`ask` makes it from its id), wait for its reply. Urgent ones go ahead of the
        others.

        Cancelling the wait leaves the process in step: its answer, when it comes, is dropped. Raises
        ModelError, and ModelDiedError when the process died over this very request; what nobody foresaw comes
        as it is.
        """
        if self._closing:
            raise ModelError("Satchel is closing; ask again once it has started.")
        waiting = _Waiting(ask, need, asyncio.get_running_loop().create_future())
        heapq.heappush(self._heap, (0 if urgent else 1, next(self._order), waiting))
        self._wake.set()
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._run(), name=f"satchel-{self._name}")
        try:
            return await waiting.future
        except asyncio.CancelledError:
            if self._current is not None and self._current[0] is waiting and self._process is not None:
                self._process.send(frames.Cancel(self._current[1]))
            raise

    def set_idle_seconds(self, seconds: float) -> None:
        """From now on the process ends after so long without work; the present idling begins anew."""
        self._idle_seconds = seconds
        self._wake.set()

    async def forget(self) -> None:
        """End the process once it has answered all that was asked until now, so that nothing that it read stays in its
        memory; one that is being started for it as well. What is asked meanwhile waits for that, and has a new one."""
        if self._closing:
            return
        if self._runner is None or self._runner.done():
            await self._end_process()
            return
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._to_end.append((next(self._order), ended))
        self._wake.set()
        await ended

    async def close(self) -> None:
        """End the process, also in mid-answer, and fail what waits."""
        self._closing = True
        self._wake.set()
        if self._process is not None:
            await self._process.stop()
        if self._runner is not None:
            done, _ = await asyncio.wait([self._runner], timeout=CLOSE_SECONDS)
            if not done:  # hashing a large file in a thread
                self._runner.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await self._runner
        await self._end_process()
        for _, _, waiting in self._heap:
            _refuse(waiting, ModelError(CLOSED))
        self._heap.clear()
        self._tell_ended()

    async def _run(self) -> None:
        while not self._closing:
            if self._to_end and not self._asked_before(self._to_end[0][0]):
                await self._end_process()
                self._tell_ended()
            if not self._heap:
                self._wake.clear()
                try:
                    await asyncio.wait_for(self._wake.wait(), self._idle_seconds if self._process else None)
                except TimeoutError:
                    await self._end_process()
                continue
            waiting = self._next()
            if waiting.future.done():  # cancelled while it waited
                continue
            try:
                reply = await self._serve(waiting)
            except asyncio.CancelledError:
                _refuse(waiting, ModelError(CLOSED))
                raise
            except ModelError as error:
                self.error = str(error)
                _refuse(waiting, error)
            except Exception as error:  # noqa: BLE001 - it is the caller's; the requests behind it must be served
                self.error = f"The {self._name} model failed ({type(error).__name__}); ask again."
                _refuse(waiting, error)
                if self._current is not None:  # in mid-request: whether the process is in step, nobody knows
                    await self._end_process()
            else:
                if not waiting.future.done():
                    waiting.future.set_result(reply)
            finally:
                self._current = None
                self.loading = False

    async def _serve(self, waiting: _Waiting) -> frames.Reply:
        plan = await self._plan(waiting.need)
        failure = self._failures.get(waiting.need)
        if failure is not None and failure.plan == plan and time.monotonic() < failure.until:
            raise ModelError(failure.message)
        process = await self._ready_process(plan, waiting.need)
        number = next(self._ids)
        self._current = (waiting, number)
        try:
            reply = await process.request(waiting.ask(number), hang_seconds=self._hang_seconds)
        except ProcessEndedError as ended:
            await self._end_process()
            self._deaths += 1
            message = f"The {self._name} model's process {ended}; ask again, it starts anew."
            if self._deaths >= DEATHS_BEFORE_PAUSE:
                self._pause(plan, waiting.need, message)
            raise ModelDiedError(message) from ended
        self._deaths = 0
        self._failures.pop(waiting.need, None)
        if isinstance(reply, frames.Failed):
            raise ModelError(f"{reply.message}.")
        self.error = None
        return reply

    async def _ready_process(self, plan: Plan, need: Need) -> ModelProcess:
        """A process started after `plan` that has loaded what is needed."""
        if self._process is not None and (not self._process.running or self._running_plan != plan):
            await self._end_process()
        if self._process is None:
            self.loading = True
            self._process = await ModelProcess.start(plan.start)
            self._running_plan = plan
        if self._closing:
            raise ModelError(CLOSED)
        if need in self._process.loaded:
            return self._process
        self.loading = True
        try:
            reply = await self._process.request(frames.Load(next(self._ids), need), hang_seconds=self._hang_seconds)
        except ProcessEndedError as ended:
            await self._end_process()
            message = (
                f"The {self._name} model's process {ended} while it loaded {self._file(plan, need)}; "
                "run `satchel doctor`, or choose another model with `satchel models use`."
            )
            self._pause(plan, need, message)
            raise ModelDiedError(message) from ended
        if not isinstance(reply, frames.Loaded):
            message = reply.message if isinstance(reply, frames.Failed) else "The model process lost step"
            message += "; choose another model with `satchel models use`, or download it again."
            self._pause(plan, need, message)
            if not self._process.loaded:
                await self._end_process()
            raise ModelError(message)
        self._process.loaded[need] = reply
        self.loading = False
        return self._process

    @staticmethod
    def _file(plan: Plan, need: Need) -> str | None:
        return plan.start.model if need == "model" else plan.start.vocabulary

    def _pause(self, plan: Plan, need: Need, message: str) -> None:
        """Answer at once with `message` for a while, longer each time: no crash loop."""
        last = self._failures.get(need)
        pause = min(LONGEST_PAUSE_SECONDS, last.pause * 2) if last and last.plan == plan else FIRST_PAUSE_SECONDS
        self._failures[need] = _Failure(plan, message, pause, time.monotonic() + pause)

    def _next(self) -> _Waiting:
        """The most urgent, and of those the oldest; the oldest of all while somebody waits for the process to end."""
        if self._to_end:
            oldest = min(self._heap, key=lambda one: one[1])
            self._heap.remove(oldest)
            heapq.heapify(self._heap)
            return oldest[2]
        return heapq.heappop(self._heap)[2]

    def _asked_before(self, number: int) -> bool:
        return any(order < number for _, order, _ in self._heap)

    def _tell_ended(self) -> None:
        """Tells those before whom nothing is left to be answered; there is no process."""
        for number, ended in self._to_end:
            if not self._asked_before(number) and not ended.done():
                ended.set_result(None)
        self._to_end = [one for one in self._to_end if self._asked_before(one[0])]

    async def _end_process(self) -> None:
        process, self._process, self._running_plan = self._process, None, None
        if process is not None:
            await process.stop()


def _refuse(waiting: _Waiting, error: Exception) -> None:
    if not waiting.future.done():  # given up meanwhile
        waiting.future.set_exception(error)
