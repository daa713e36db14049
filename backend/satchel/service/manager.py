"""What the three platforms' service managers have in common, and which one is here."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

import msgspec

from satchel.service.plan import Plan, ServiceError

STEP_SECONDS = 30
"""How long one command of a manager may take: stopping takes five seconds at the most."""


class Step(msgspec.Struct, frozen=True):
    """A command of the platform's own. One that `may_fail` asks for what may be so already."""

    words: tuple[str, ...]
    may_fail: bool = False

    def __str__(self) -> str:
        return subprocess.list2cmdline(self.words)


class Failure(msgspec.Struct, frozen=True):
    """The steps that were not done, and what the first of them said."""

    left: tuple[Step, ...]
    said: str


class State(msgspec.Struct, frozen=True):
    """What the manager says of the service. None: it does not tell."""

    enabled: bool
    active: bool | None = None
    pid: int | None = None
    said: str = ""


class Manager(Protocol):
    """Where the service's file lies, what stands in it, and the commands that act on it."""

    name: str
    hint: str
    """What else there is to know once it is installed."""

    @property
    def file(self) -> Path: ...

    @property
    def links(self) -> tuple[Path, ...]:
        """Links to the file that the manager made, and removes itself where it can be asked."""

    def write(self, plan: Plan) -> bytes:
        """The file's content. Raises ServiceError for what the platform cannot run."""

    def read(self, content: bytes) -> Plan | None:
        """The plan a file was written from; None when we did not write it."""

    def enable(self) -> tuple[Step, ...]: ...

    def start(self) -> tuple[Step, ...]:
        """Starts it, anew where it runs."""

    def stop(self) -> tuple[Step, ...]: ...

    def disable(self) -> tuple[Step, ...]:
        """Stops it and starts it no more. To be done while the file is there."""

    def after_removal(self) -> tuple[Step, ...]: ...

    def state(self) -> State | None:
        """None where no manager answers."""


def here(platform: str = sys.platform) -> Manager:
    """The manager of this platform. Raises ServiceError where there is none that we know."""
    if platform == "linux":
        from satchel.service.systemd import Systemd

        return Systemd()
    if platform == "darwin":
        from satchel.service.launchd import Launchd

        return Launchd()
    if platform == "win32":
        from satchel.service.windows import TaskScheduler

        return TaskScheduler()
    raise ServiceError(
        f"On {platform} Satchel knows no way to be started with the computer; run `satchel serve` from your own."
    )


def ask(*words: str) -> str | None:
    """What a command printed; None when it is not here, failed, or did not answer in time."""
    done = _run(words)
    return done.stdout if done and done.returncode == 0 else None


def do(steps: Iterable[Step]) -> Failure | None:
    """Runs them in order until one fails."""
    left = tuple(steps)
    while left:
        done = _run(left[0].words)
        if not left[0].may_fail and (done is None or done.returncode):
            said = (
                (done.stderr or done.stdout).strip() if done else f"{left[0].words[0]} is not here or does not answer"
            )
            return Failure(left, " ".join(said.split()))
        left = left[1:]
    return None


def _run(words: tuple[str, ...]) -> subprocess.CompletedProcess[str] | None:
    if sys.platform == "win32":  # which looks in the current folder first, and that may be anybody's
        words = (os.path.join(os.environ["SYSTEMROOT"], "System32", f"{words[0]}.exe"), *words[1:])
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        return subprocess.run(  # noqa: S603 - our own words and the user's own paths, and no shell
            words, capture_output=True, text=True, errors="replace", timeout=STEP_SECONDS, check=False
        )
    return None
