"""A daemon as a user has it: `python -m satchel serve` in a process of its own, asked over HTTP."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx

T = TypeVar("T")
BACKEND = Path(__file__).resolve().parents[2] / "backend"
START_SECONDS = 60
WAIT_SECONDS = 120


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def eventually(look: Callable[[], T | None], *, seconds: float = WAIT_SECONDS, what: str = "it") -> T:
    """The first result that is true. Fails when there is none in time."""
    end = time.monotonic() + seconds
    while True:
        if found := look():
            return found
        assert time.monotonic() < end, f"{what} did not come within {seconds:.0f} s"
        time.sleep(0.05)


def environment(**extra: str) -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith("SATCHEL_") or name == "SATCHEL_MODELS"
    }
    return {**kept, "PYTHONPATH": str(BACKEND), "NO_COLOR": "1", "COLUMNS": "100", **extra}


def command(*arguments: str | Path, stdin: bytes | None = None, **extra: str) -> subprocess.CompletedProcess[str]:
    """Runs `satchel ARGUMENTS` to its end."""
    done = subprocess.run(
        [sys.executable, "-m", "satchel", *map(str, arguments)],
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        env=environment(**extra),
        timeout=240,
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


class Running:
    """A daemon on a data folder. `call` asks as a client with every right; `as_client` as another."""

    def __init__(self, data: Path, *, models: Path | None = None, port: int | None = None) -> None:
        self.data = data
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._extra = {} if models is None else {"SATCHEL_MODELS": str(models)}
        self._process: subprocess.Popen[bytes] | None = None
        self._http: httpx.Client | None = None
        self.start()

    def start(self) -> None:
        self.data.mkdir(parents=True, exist_ok=True)
        self.errors = self.data.parent / f"{self.data.name}.stderr"
        with self.errors.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "satchel", "serve", "--data", str(self.data), "--port", str(self.port)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env=environment(**self._extra),
            )
        eventually(self._answers, seconds=START_SECONDS, what="the daemon's /health")
        self.token = (self.data / "command-line.token").read_text().strip()
        self._http = httpx.Client(base_url=self.url, timeout=WAIT_SECONDS, trust_env=False)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"the daemon ended: {self.errors.read_text()[-800:]}"
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/health", timeout=5, trust_env=False).json()["ready"] is True
        return False

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """As the kernel does when memory runs out: no chance to tidy up."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(20)

    def stop(self) -> int:
        """Asks it to end, as Ctrl-C does; its exit status."""
        assert self._process is not None
        if self._http is not None:
            self._http.close()
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(20)
        finally:
            self._process.kill()

    def call(
        self, method: str, path: str, body: Any = None, *, token: str | None = None, **more: Any
    ) -> httpx.Response:
        assert self._http is not None
        headers = {"Authorization": f"Bearer {token or self.token}"} | more.pop("headers", {})
        if body is not None:
            more["json"] = body
        return self._http.request(method, path, headers=headers, **more)

    def ok(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """The decoded answer of a call that succeeds."""
        answer = self.call(method, path, body, **more)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        return answer.json()

    def memos(self, path: str, body: Any, *, token: str | None = None) -> httpx.Response:
        headers = {"Authorization": f"Token {token or self.token}"}
        return self.call("POST", f"/api/openmem/v1/{path}", body, headers=headers)

    def capture(self, *contents: str, profile: str = "me", external_id: str = "c", **more: Any) -> dict[str, Any]:
        messages = [{"role": "user", "content": content} for content in contents]
        body = {"profile": profile, "site": "test", "external_id": external_id, "messages": messages}
        return self.ok("POST", "/v1/messages", body | more)  # type: ignore[no-any-return]

    def finished(self, job_id: str) -> dict[str, Any]:
        """The job once it is completed or failed."""

        def look() -> dict[str, Any] | None:
            job: dict[str, Any] = self.ok("GET", f"/v1/jobs/{job_id}")
            return job if job["status"] in ("completed", "failed") else None

        return eventually(look, what="the end of the job")

    def new_token(self, *arguments: str) -> str:
        made = command("token", "--data", self.data, "--name", "test", *arguments)
        assert made.returncode == 0, made.stderr
        return made.stdout.strip().splitlines()[-1]

    def log(self, conversation_id: str) -> list[dict[str, Any]]:
        return self.ok("GET", f"/v1/conversations/{conversation_id}")["messages"]  # type: ignore[no-any-return]


@contextlib.contextmanager
def running(data: Path, *, models: Path | None = None, port: int | None = None) -> Iterator[Running]:
    daemon = Running(data, models=models, port=port)
    try:
        yield daemon
    finally:
        daemon.stop()


def assert_problem(answer: httpx.Response, status: int, *named: str) -> dict[str, Any]:
    """It is a problem+json answer with this status, whose sentence names these things."""
    assert answer.status_code == status, f"{answer.status_code} {answer.text[:500]}"
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == status
    assert problem["title"]
    for name in named:
        assert name in problem["detail"], problem
    return problem
