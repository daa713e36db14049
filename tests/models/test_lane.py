"""The queue in front of a model process outlives whatever goes wrong behind it."""

from __future__ import annotations

import asyncio
import errno

import pytest

from models.helpers import run, until
from satchel.models import frames
from satchel.models.lane import Lane, Need, Plan
from satchel.models.process import ModelProcess
from satchel.types import ModelError

PLAN = Plan(
    start=frames.Start(role="embed", model="m", vocabulary=None, threads=1, context=1, nice=0), files=(("m", 1, 1),)
)
SOON = 5


class Planned:
    """Says how to start a process, once it has raised what stands in `errors`."""

    def __init__(self, *errors: BaseException) -> None:
        self.errors = list(errors)

    async def __call__(self, need: Need) -> Plan:
        if self.errors:
            raise self.errors.pop(0)
        return PLAN


class Answering(ModelProcess):
    """Answers at once, without a process; first raises what stands in `errors`."""

    def __init__(self, *errors: Exception) -> None:
        self.loaded: dict[str, frames.Loaded] = {"model": frames.Loaded(0, 1, 1)}
        self.errors = list(errors)
        self.stopped = False

    @property
    def running(self) -> bool:
        return not self.stopped

    async def request(self, frame: object, *, hang_seconds: float) -> frames.Reply:
        if self.errors:
            raise self.errors.pop(0)
        assert isinstance(frame, frames.Count)
        return frames.Counts(frame.id, [7])

    async def stop(self) -> None:
        self.stopped = True


def lane(plan: Planned) -> Lane:
    return Lane("testing", plan, idle_seconds=60, hang_seconds=60)


async def ask(lane: Lane) -> frames.Reply:
    return await asyncio.wait_for(lane.submit(lambda number: frames.Count(number, ["x"]), "model", urgent=False), SOON)


@pytest.mark.parametrize("trouble", [errno.EAGAIN, errno.ENOMEM, errno.EMFILE])
def test_no_process_to_be_had_is_told_and_asked_for_again(monkeypatch: pytest.MonkeyPatch, trouble: int) -> None:
    asked = 0

    async def refuse(*_: object, **__: object) -> None:
        nonlocal asked
        asked += 1
        raise OSError(trouble, "there is none")

    monkeypatch.setattr(asyncio, "create_subprocess_exec", refuse)

    async def check() -> None:
        queue = lane(Planned())
        for time in (1, 2):
            with pytest.raises(ModelError, match=r"cannot be started \(there is none\)"):
                await ask(queue)
            assert asked == time
        await queue.close()

    run(check())


def test_an_unforeseen_error_reaches_its_caller_and_the_next_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = Answering(RuntimeError("out of step")), Answering()
    processes = [first, second]

    async def start(_: frames.Start) -> ModelProcess:
        return processes.pop(0)

    monkeypatch.setattr(ModelProcess, "start", start)

    async def check() -> None:
        queue = lane(Planned(ValueError("a plan gone wrong")))
        failing, behind, third = (asyncio.create_task(ask(queue)) for _ in range(3))
        with pytest.raises(ValueError, match="a plan gone wrong"):
            await failing
        with pytest.raises(RuntimeError, match="out of step"):
            await behind
        reply = await third
        assert isinstance(reply, frames.Counts)
        assert reply.counts == [7]
        assert first.stopped, "nobody knows what it would have answered next"
        await queue.close()

    run(check())


def test_closing_refuses_also_what_is_being_planned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("satchel.models.lane.CLOSE_SECONDS", 0.05)
    planning = asyncio.Event()

    async def for_ever(need: Need) -> Plan:
        planning.set()
        await asyncio.sleep(60)
        return PLAN

    async def check() -> None:
        queue = Lane("testing", for_ever, idle_seconds=60, hang_seconds=60)
        waiting = asyncio.create_task(ask(queue))
        await until(planning.is_set)
        await queue.close()
        with pytest.raises(ModelError, match="closed"):
            await waiting

    run(check())


def test_forgetting_ends_the_process_after_its_answer_and_the_next_request_has_a_new_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[Answering] = []
    answer = asyncio.Event()

    class Slow(Answering):
        async def request(self, frame: object, *, hang_seconds: float) -> frames.Reply:
            await answer.wait()
            assert not self.stopped, "it was ended in mid-answer"
            return await super().request(frame, hang_seconds=hang_seconds)

    async def start(*_: object) -> Answering:
        started.append(Slow())
        return started[-1]

    monkeypatch.setattr(ModelProcess, "start", start)

    async def check() -> None:
        one = lane(Planned())
        await asyncio.wait_for(one.forget(), SOON)  # nothing runs: nothing to wait for
        asked = asyncio.create_task(ask(one))
        await until(lambda: bool(started), seconds=SOON)
        forgetting = [asyncio.create_task(one.forget()) for _ in range(2)]
        waiting = asyncio.create_task(ask(one))
        answer.set()
        await asyncio.wait_for(asyncio.gather(*forgetting), SOON)
        assert started[0].stopped
        assert await asked == frames.Counts(1, [7])
        await waiting
        assert len(started) == 2
        await one.close()
        assert started[1].stopped

    run(check())


def test_forgetting_waits_for_all_that_was_asked_before_and_its_process_answers_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[Answering] = []
    read: list[list[int]] = []
    starting, answer = asyncio.Event(), asyncio.Event()

    class Slow(Answering):
        async def request(self, frame: object, *, hang_seconds: float) -> frames.Reply:
            await answer.wait()
            assert isinstance(frame, frames.Count)
            read[started.index(self)].append(int(frame.texts[0]))
            return await super().request(frame, hang_seconds=hang_seconds)

    async def start(*_: object) -> Answering:
        starting.set()
        await answer.wait()
        started.append(Slow())
        read.append([])
        return started[-1]

    monkeypatch.setattr(ModelProcess, "start", start)

    def ask_for(one: Lane, text: int, *, urgent: bool = False) -> asyncio.Task[frames.Reply]:
        return asyncio.create_task(
            one.submit(lambda number: frames.Count(number, [str(text)]), "model", urgent=urgent), name=str(text)
        )

    async def check() -> None:
        one = lane(Planned())
        before = [ask_for(one, text) for text in range(3)]
        await asyncio.wait_for(starting.wait(), SOON)  # there is no process yet
        forgetting = asyncio.create_task(one.forget())
        await until(lambda: bool(one._to_end) or forgetting.done(), seconds=SOON)
        after = [ask_for(one, 3), ask_for(one, 4, urgent=True)]
        answer.set()
        await asyncio.wait_for(forgetting, SOON)
        assert started[0].stopped
        assert all(asked.done() for asked in before), "what was asked before would be read by the next process"
        await asyncio.wait_for(asyncio.gather(*before, *after), SOON)
        assert read == [[0, 1, 2], [4, 3]]
        await one.close()

    run(check())


def test_closing_ends_a_forgetting_that_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("satchel.models.lane.CLOSE_SECONDS", 0.05)
    planning = asyncio.Event()

    async def for_ever(need: Need) -> Plan:
        planning.set()
        await asyncio.sleep(60)
        return PLAN

    async def check() -> None:
        one = Lane("testing", for_ever, idle_seconds=60, hang_seconds=60)
        asked = [asyncio.create_task(ask(one)) for _ in range(2)]
        await until(planning.is_set)
        forgetting = asyncio.create_task(one.forget())
        await until(lambda: bool(one._to_end))
        await one.close()
        await asyncio.wait_for(forgetting, SOON)
        for each in asked:
            with pytest.raises(ModelError, match="closed"):
                await each

    run(check())
