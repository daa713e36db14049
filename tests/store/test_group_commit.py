"""Writes share their commits, and nothing else: rule 1, acknowledged means durable."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import threading
from concurrent.futures import Future
from pathlib import Path

import apsw
import pytest
from storing import capture, said

from satchel.store import Store, Tx, log
from satchel.types import StoreError


def put(name: str) -> object:
    return lambda tx: tx.db.execute("INSERT INTO meta VALUES (?, 'x')", (name,)) and name


def names(store: Store) -> set[str]:
    return {row[0] for row in store.read_now(lambda db: db.execute("SELECT name FROM meta").fetchall())}


def block(store: Store) -> threading.Event:
    """Keeps the writer busy until the event is set."""
    begun, release = threading.Event(), threading.Event()

    def wait(_: Tx) -> None:
        begun.set()
        assert release.wait(30)

    store.submit(wait)
    assert begun.wait(30)
    return release


def test_one_that_raises_does_not_harm_the_others(store: Store) -> None:
    def work(number: int):
        def run(tx: Tx) -> int:
            tx.db.execute("INSERT INTO meta VALUES (?, 'x')", (f"n{number}",))
            if number % 7 == 0:
                raise ValueError(f"no {number}")
            if number % 11 == 0:
                tx.db.execute("INSERT INTO meta VALUES (?, 'again')", (f"n{number}",))
            return number

        return run

    async def all_at_once() -> list[object]:
        return await asyncio.gather(*(store.write(work(n)) for n in range(1, 600)), return_exceptions=True)

    for number, result in enumerate(asyncio.run(all_at_once()), start=1):
        if number % 7 == 0:
            assert isinstance(result, ValueError)
            assert str(result) == f"no {number}"
        elif number % 11 == 0:
            assert isinstance(result, StoreError)
        else:
            assert result == number
    good = {f"n{n}" for n in range(1, 600) if n % 7 and n % 11}
    assert names(store) - {"device"} == good


def test_what_waits_together_is_committed_together(store: Store) -> None:
    commits = []
    store.write_now(lambda tx: tx.db.set_commit_hook(lambda: bool(commits.append(1))))
    release = block(store)
    waiting = [store.submit(put(f"n{n}")) for n in range(100)]
    release.set()
    assert [future.result(30) for future in waiting] == [f"n{n}" for n in range(100)]
    assert len(commits) <= 3


def test_a_result_arrives_only_when_another_connection_can_read_it(store: Store) -> None:
    other = apsw.Connection(str(store.path), flags=apsw.SQLITE_OPEN_READONLY)
    seen: list[bool] = []

    def look(future: Future[str]) -> None:
        row = other.execute("SELECT 1 FROM meta WHERE name = ?", (future.result(),)).get
        seen.append(row == 1)

    release = block(store)
    waiting = []
    for n in range(50):
        future = store.submit(put(f"n{n}"))
        future.add_done_callback(look)
        waiting.append(future)
    release.set()
    for future in waiting:
        future.result(30)
    store.write_now(lambda _: None)
    assert seen == [True] * 50
    other.close()


def test_a_writer_that_is_cancelled_leaves_the_others_and_the_store_well(store: Store) -> None:
    async def scene() -> None:
        release = block(store)
        gone = asyncio.create_task(store.write(put("gone")))
        stays = asyncio.create_task(store.write(put("stays")))
        await asyncio.sleep(0)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        release.set()
        assert await stays == "stays"
        assert await store.write(put("later")) == "later"

    asyncio.run(scene())
    # The client is gone, the transaction is not: what it asked for is done.
    assert {"gone", "stays", "later"} <= names(store)


def test_a_write_taken_back_before_it_began_is_not_done(store: Store) -> None:
    release = block(store)
    taken_back, stays = store.submit(put("taken back")), store.submit(put("stays"))
    assert taken_back.cancel()
    release.set()
    assert stays.result(30) == "stays"
    assert "taken back" not in names(store)


def test_a_checkpoint_that_goes_wrong_leaves_the_writer_alive(store: Store) -> None:
    def stumble(_: Tx) -> None:
        raise ValueError("oh")

    with pytest.raises(ValueError, match="oh"):
        store.submit(stumble, alone=True).result(30)
    assert store.submit(put("after")).result(30) == "after"


def test_closing_while_busy_answers_everyone_and_keeps_what_it_acknowledged(store: Store, data: Path) -> None:
    kept: list[str] = []
    refused: list[str] = []
    started = threading.Barrier(5)

    def write(thread: int) -> None:
        started.wait()
        for n in range(100_000):
            name = f"{thread}:{n}"
            try:
                kept.append(str(store.submit(put(name)).result(30)))
            except StoreError as error:
                refused.append(str(error))
                return

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    started.wait()
    while len(kept) < 20:
        pass
    store.close()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    assert len(refused) == 4
    assert "shutting down" in refused[0]
    again = Store(data)
    assert set(kept) <= names(again)
    again.close()


def test_what_was_submitted_before_closing_is_done(store: Store, data: Path) -> None:
    release = block(store)
    waiting = [store.submit(put(f"n{n}")) for n in range(10)]
    closing = threading.Thread(target=store.close)
    closing.start()
    release.set()
    closing.join(30)
    assert [future.result(0) for future in waiting] == [f"n{n}" for n in range(10)]


def test_a_closed_store_says_so(store: Store) -> None:
    store.close()
    store.close()
    with pytest.raises(StoreError, match="shutting down"):
        store.write_now(put("late"))
    with pytest.raises(StoreError, match="shutting down"):
        store.read_now(lambda db: db.execute("SELECT 1").get)
    with pytest.raises(StoreError, match="shutting down"):
        asyncio.run(store.read(lambda db: db.execute("SELECT 1").get))


CAPTURE_UNTIL_KILLED = """
import asyncio, itertools, sys
from pathlib import Path
from satchel.capture.normalise import Captured, CapturedMessage, normalise
from satchel.store import Store, log

async def main(run):
    store = Store(Path(sys.argv[1]))

    async def client(n):
        for turn in itertools.count():
            name = f"{run}-{n}"
            text = f"turn {turn} of {name} " + "x" * (turn % 7) * 500
            captured = Captured(site="s", external_id=name, messages=(CapturedMessage(role="user", content=text),))
            known = await store.write(lambda tx: log.record(tx, profile="me", site="s", external_id=name, title=None,
                url=None, messages=normalise(captured)))
            sys.stdout.write(f"{known.message_ids[0]} {known.job_id} {text}\\n")
            sys.stdout.flush()

    await asyncio.gather(*(client(n) for n in range(12)))

asyncio.run(main(sys.argv[2]))
"""


def test_killed_right_after_it_acknowledged_it_has_kept_everything(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    acknowledged: dict[str, tuple[str, str]] = {}
    chance = random.Random(1)
    for run in range(4):
        child = subprocess.Popen(
            [sys.executable, "-c", CAPTURE_UNTIL_KILLED, str(tmp_path / "d"), str(run)],
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(chance.randint(3, 120))]
        child.send_signal(signal.SIGKILL)
        # What it had printed and we had not read yet was acknowledged too; its last line may be cut off.
        lines += [line for line in child.stdout if line.endswith("\n")]
        child.wait()
        for line in lines:
            message_id, job_id, text = line.rstrip("\n").split(" ", 2)
            acknowledged[message_id] = (job_id, text)
        store = Store(tmp_path / "d")
        found = store.read_now(lambda db: log.messages(db, list(acknowledged)))
        assert {i: m.content for i, m in found.items()} == {i: text for i, (_, text) in acknowledged.items()}
        queued = store.read_now(lambda db: {row[0] for row in db.execute("SELECT id FROM job")})
        assert {job for job, _ in acknowledged.values()} <= queued
        assert store.read_now(lambda db: db.execute("PRAGMA integrity_check").get) == "ok"
        store.close()


def test_captures_of_many_clients_at_once_lose_and_double_nothing(store: Store) -> None:
    def client(n: int) -> None:
        for turn in range(10):
            # Every client sends the same conversation, each time a little more of it.
            capture(store, [said(f"turn {t}", f"m{t}") for t in range(turn + 1)])

    threads = [threading.Thread(target=client, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    contents = store.read_now(lambda db: [r[0] for r in db.execute("SELECT content FROM message ORDER BY position")])
    assert contents == [f"turn {t}" for t in range(10)]
