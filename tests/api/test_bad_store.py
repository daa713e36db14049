"""The store in trouble while the daemon serves: one sentence, then it goes on; nothing acknowledged is lost."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from api.running import Running, assert_problem, eventually, running


@pytest.fixture
def own(tmp_path: Path, no_models: Path) -> Iterator[Running]:
    with running(tmp_path / "data", models=no_models) as daemon:
        yield daemon


def said(daemon: Running, conversation_id: str) -> list[str]:
    return [message["content"] for message in daemon.log(conversation_id)]


def sent(number: int, external_id: str = "c", content: str = "") -> dict[str, object]:
    message = {"role": "user", "id": f"m{number}", "content": f"Number {number}. {content}"}
    return {"site": "test", "external_id": external_id, "messages": [message]}


def test_a_database_locked_by_another_program_is_told_and_works_when_released(own: Running) -> None:
    before = own.capture("before")
    other = apsw.Connection(str(own.data / "satchel.sqlite"))
    other.set_busy_timeout(10_000)  # the daemon itself may be writing just now
    other.execute("BEGIN IMMEDIATE")
    answers = []
    threads = [
        threading.Thread(target=lambda n=n: answers.append(own.call("POST", "/v1/messages", sent(n)))) for n in range(3)
    ]
    for thread in threads:
        thread.start()
    assert said(own, before["conversation_id"]) == ["before"], "reading goes on meanwhile"
    assert_problem(own.call("POST", "/v1/memories", {"text": "x"}), 503, "locked")
    for thread in threads:
        thread.join()
    for answer in answers:
        assert_problem(answer, 503, "Another program")
    other.execute("ROLLBACK")
    other.close()
    assert own.capture("after")["accepted"] == 1
    assert said(own, before["conversation_id"]) == ["before", "after"]


def test_what_is_forgotten_while_another_program_reads_is_gone_once_it_lets_go(own: Running) -> None:
    kept = own.capture("The heron stands by the pond.")
    reader = apsw.Connection(str(own.data / "satchel.sqlite"))
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM message").get == 1  # holds this snapshot in the write-ahead log
    answer = own.call("DELETE", f"/v1/conversations/{kept['conversation_id']}")
    assert_problem(answer, 503, "It is forgotten")
    reader.execute("ROLLBACK")
    reader.close()

    def gone() -> bool:
        return not any(b"heron" in f.read_bytes().lower() for f in own.data.glob("satchel.sqlite*"))

    eventually(gone, seconds=30)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root may mount a small file system")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)


@pytest.mark.skipif(sys.platform != "linux", reason="tmpfs")
def test_a_full_disk_is_told_loses_nothing_acknowledged_and_works_again_with_space(
    small_disk: Path, no_models: Path
) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 2_000_000)
    with running(small_disk / "data", models=no_models) as daemon:
        kept, conversation, full = [], "", None
        for number in range(200):
            body = sent(number, content=os.urandom(15_000).hex())
            answer = daemon.call("POST", "/v1/messages", body)
            if answer.status_code != 202:
                full = answer
                break
            conversation = answer.json()["conversation_id"]
            kept.append(body["messages"][0]["content"])  # type: ignore[index]
        assert full is not None, "the disk never filled"
        assert_problem(full, 503, "full", "free some space")
        assert said(daemon, conversation) == kept
        assert daemon.call("GET", "/v1/status").status_code == 200
        ballast.unlink()
        assert daemon.capture("There is space again.")["accepted"] == 1
        assert said(daemon, conversation) == [*kept, "There is space again."]
        daemon.kill()
        daemon.start()
        assert said(daemon, conversation) == [*kept, "There is space again."]


def test_no_models_capture_and_search_by_words_work_and_jobs_wait_for_the_model(
    tmp_path: Path, models_folder: Path
) -> None:
    models = tmp_path / "models"
    models.mkdir()
    with running(tmp_path / "data", models=models) as daemon:
        done = daemon.capture("My sister Ana lives in Porto and is allergic to peanuts.")
        hits = daemon.ok("POST", "/v1/recall", {"query": "peanuts"})["hits"]
        assert [hit["id"] for hit in hits] == done["message_ids"]

        def waiting() -> dict[str, object] | None:
            job: dict[str, object] = daemon.ok("GET", f"/v1/jobs/{done['job_id']}")
            return job if job["error"] else None

        job = eventually(waiting, what="the job's error")
        assert job["status"] == "queued"
        assert job["attempts"] == 0, "waiting for a model is no failed attempt"
        assert "satchel models pull" in str(job["error"])
        states = {model["role"]: model for model in daemon.ok("GET", "/v1/status")["models"]}
        assert {model["state"] for model in states.values()} == {"missing"}
        assert "satchel models pull" in states["embed"]["error"]
        context = daemon.ok("POST", "/v1/context", {"query": "Is Ana allergic to peanuts?", "budget_tokens": 300})
        assert context["tokens"] <= 300

        for file in models_folder.glob("*.gguf"):
            (models / file.name).symlink_to(file)
        after = daemon.finished(done["job_id"])
        assert (after["status"], after["error"]) == ("completed", None)
        assert after["memory_ids"]


def test_a_gguf_that_is_none_is_told_in_the_status_and_by_the_job(tmp_path: Path, models_folder: Path) -> None:
    models = tmp_path / "models"
    models.mkdir()
    for file in models_folder.glob("*.gguf"):
        (models / file.name).write_bytes(b"This is no model at all. " * 100)
    with running(tmp_path / "data", models=models) as daemon:
        done = daemon.capture("My sister Ana lives in Porto.")

        def failed() -> dict[str, object] | None:
            job: dict[str, object] = daemon.ok("GET", f"/v1/jobs/{done['job_id']}")
            return job if job["error"] else None

        job = eventually(failed, what="the job's error")
        assert "GGUF" in str(job["error"])
        embed = next(m for m in daemon.ok("GET", "/v1/status")["models"] if m["role"] == "embed")
        assert embed["state"] == "failed"
        assert "GGUF" in embed["error"]
        assert daemon.capture("Still captured.")["accepted"] == 1


def children(daemon: Running) -> list[int]:
    import psutil

    return [child.pid for child in psutil.Process(daemon.pid).children()]


def test_a_model_process_killed_in_mid_answer_costs_a_retry_and_nothing_else(
    tmp_path: Path, models_folder: Path
) -> None:
    with running(tmp_path / "data") as daemon:
        contents = [f"I live at number {n} in Porto and I am allergic to peanuts." for n in range(60)]
        done = daemon.capture(*contents)

        def killed() -> bool:
            """One kill may hit a process that has nothing to do just then, so all are killed until it is felt."""
            job = daemon.ok("GET", f"/v1/jobs/{done['job_id']}")
            assert job["status"] != "completed", "it was over before anything could be killed"
            if job["attempts"] < 2 and job["status"] == "running":
                for pid in children(daemon):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, 9)
            return job["attempts"] >= 2

        assert eventually(killed, what="the second attempt")
        job = daemon.finished(done["job_id"])
        assert job["status"] == "completed", job
        assert job["memory_ids"]
        assert said(daemon, done["conversation_id"]) == contents


def test_after_a_kill_in_a_storm_of_captures_all_that_was_acknowledged_is_there_and_jobs_go_on(
    tmp_path: Path, models_folder: Path
) -> None:
    with running(tmp_path / "data") as daemon:
        acknowledged: dict[str, str] = {}
        stop = threading.Event()

        def storm(worker: int) -> None:
            number = 0
            while not stop.is_set():
                content = f"My friend {worker} {number} lives in Porto."
                message = {"role": "user", "id": f"{worker}-{number}", "content": content}
                body = {"site": "test", "external_id": f"storm-{worker}", "messages": [message]}
                try:
                    answer = daemon.call("POST", "/v1/messages", body)
                except Exception:  # noqa: BLE001 - the daemon is being killed
                    return
                if answer.status_code == 202:
                    acknowledged[answer.json()["message_ids"][0]] = content
                number += 1

        workers = [threading.Thread(target=storm, args=(n,)) for n in range(3)]
        for worker in workers:
            worker.start()
        eventually(lambda: len(acknowledged) >= 20, what="twenty captures")
        daemon.kill()
        stop.set()
        for worker in workers:
            worker.join()

        (tmp_path / "data" / "config.toml").write_text("")
        daemon.start()
        pages = daemon.ok("GET", "/v1/conversations")["items"]
        kept = {message["id"]: message["content"] for page in pages for message in daemon.log(page["id"])}
        assert acknowledged.items() <= kept.items()
        status = daemon.ok("GET", "/v1/status")
        assert status["completed"] + status["queued"] + status["running"] >= len(acknowledged)
        before = status["completed"]
        eventually(lambda: daemon.ok("GET", "/v1/status")["completed"] > before, what="a job that goes on")
        assert daemon.ok("GET", "/v1/status")["failed"] == 0


def test_a_damaged_database_while_serving_is_told(own: Running) -> None:
    own.capture("before", "x" * 100_000)
    file = own.data / "satchel.sqlite"
    own.stop()
    raw = bytearray(file.read_bytes())
    for page in range(8192, len(raw) - 4096, 4096):
        raw[page : page + 512] = b"\xde\xad\xbe\xef" * 128
    file.write_bytes(raw)
    shutil.rmtree(own.data / "models", ignore_errors=True)
    try:
        own.start()
    except AssertionError as ended:
        assert "damaged" in str(ended) or "not an SQLite database" in str(ended)  # noqa: PT017
        assert "Traceback" not in str(ended)  # noqa: PT017
        return
    answer = own.call("GET", "/v1/conversations")
    if answer.status_code != 200:
        assert_problem(answer, 503, "damaged")
