"""What campaigns share: a daemon to torment, a state that outlives interruptions, a report.

Under `build/campaigns/NAME` lies what a campaign needs to go on; its figures go to `docs/campaigns`.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[2]
REPORTS = ROOT / "docs" / "campaigns"


class Daemon:
    """`satchel serve` on a data folder, in a process group of its own."""

    def __init__(self, data: Path, token: str, start_seconds: float = 60) -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
        began = time.monotonic()
        with (data.parent / "daemon.log").open("ab") as log:
            self.process = subprocess.Popen(
                satchel("serve", "--data", str(data), "--port", str(port)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {token}"}, timeout=60
        )
        while True:
            if self.process.poll() is not None:
                raise RuntimeError(f"the daemon ended with {self.process.returncode}: see {log.name}")
            try:
                self.client.get("/health")
                break
            except httpx.TransportError:
                if time.monotonic() - began > start_seconds:
                    self.kill()
                    raise RuntimeError(f"no answer within {start_seconds} s: see {log.name}") from None
                time.sleep(0.01)
        self.started_in = time.monotonic() - began

    def kill(self, *, group: bool = True) -> None:
        """SIGKILL, to the daemon and its children, or to the daemon alone."""
        if group:
            os.killpg(self.process.pid, signal.SIGKILL)
        else:
            self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.kill()
        self.client.close()


def satchel(*arguments: str) -> list[str]:
    return [sys.executable, "-P", "-m", "satchel", *arguments]


def new_token(data: Path) -> str:
    command = satchel("token", "--data", str(data), "--name", "campaign")
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.split()[-1]


def work_folder(name: str) -> Path:
    folder = ROOT / "build" / "campaigns" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def load(path: Path, fresh: dict[str, Any]) -> dict[str, Any]:
    return json.loads(path.read_text()) if path.exists() else fresh


def save(path: Path, state: dict[str, Any]) -> None:
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(state, indent=1) + "\n")
    temporary.replace(path)


def report(name: str, title: str, figures: dict[str, Any], remarks: str) -> None:
    """Writes `docs/campaigns/NAME.json`, and the same figures as a table in NAME.md."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    (REPORTS / f"{name}.json").write_text(json.dumps(figures, indent=2) + "\n")
    rows = "\n".join(f"| {what.replace('_', ' ')} | {value} |" for what, value in figures.items())
    (REPORTS / f"{name}.md").write_text(
        f"# {title}\n\n`./scripts/campaign {name}`\n\n| | |\n|---|---|\n{rows}\n\n{remarks}\n"
    )
