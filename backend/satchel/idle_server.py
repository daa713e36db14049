"""uvicorn's server without its clock: it sleeps until something arrives."""

from __future__ import annotations

import asyncio
from types import FrameType

import uvicorn


class IdleServer(uvicorn.Server):
    """uvicorn looks ten times a second whether it should end. Here, whoever wants it to end wakes it, by a signal or
    `end`: of an idle daemon, that look was all the work, and it kept the processor from resting."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._told = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        # Once, for what it sets up; what it does again and again is the date in answers, which have none.
        if not await self.on_tick(0):
            await self._told.wait()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        self._wake()

    def end(self) -> None:
        """As a signal does; from any thread."""
        self.should_exit = True
        self._wake()

    def _wake(self) -> None:
        if self._loop is not None:  # else it has not begun to wait, and looks before it does
            self._loop.call_soon_threadsafe(self._told.set)
