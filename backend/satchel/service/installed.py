"""What is installed, what runs, and the writing and removing of the service's file."""

from __future__ import annotations

import os
import time
from pathlib import Path

import httpx
import msgspec

from satchel import logs, server
from satchel.files import make_private, new_private_file
from satchel.service import plan as plans
from satchel.service.manager import Failure, Manager, State, do
from satchel.service.plan import Plan, ServiceError
from satchel.times import to_iso

ANSWER_SECONDS = 15
"""How long a daemon may take until it answers, on a computer that has just been started."""

POLL_SECONDS = 0.1


class Status(msgspec.Struct, frozen=True):
    """`current`: whether the file is the one that this version would write. `by_service`: whether the daemon that runs
    is the service's; None where the manager does not tell. `since` is when the daemon was started."""

    manager: str
    file: str
    installed: bool
    current: bool
    enabled: bool | None
    said: str
    data: str
    log: str
    running: bool
    by_service: bool | None = None
    pid: int | None = None
    port: int | None = None
    since: str | None = None


def read(manager: Manager) -> Plan | None:
    """The plan of the installed service; None where none is installed.

    Raises ServiceError when something else lies in the file's place: it is not ours to write or remove.
    """
    file = manager.file
    if not os.path.lexists(file):
        return None
    try:
        found = None if file.is_symlink() else manager.read(file.read_bytes())
    except OSError as error:
        raise ServiceError(f"{file} cannot be read ({error.strerror}); mend its permissions.") from error
    if found is None:
        raise ServiceError(
            f"{file} is not of Satchel's making and is left alone; look at it, and move it away if nobody needs it."
        )
    return found


def write(manager: Manager, content: bytes) -> None:
    """Puts the service's file in its place, whole or not at all. Raises ServiceError."""
    file = manager.file
    part = file.with_name(file.name + ".part")
    try:
        make_private(file.parent)
        part.unlink(missing_ok=True)
        new_private_file(part)
        part.write_bytes(content)
        part.replace(file)
    except OSError as error:
        raise ServiceError(f"{file} cannot be written ({error.strerror}); mend its folder's permissions.") from error


def remove(manager: Manager) -> Failure | None:
    """Stops the service, has it started no more and removes its file; what the manager did not do.

    Raises ServiceError.
    """
    failure = do(manager.disable())
    try:
        for link in manager.links:
            if link.is_symlink():
                link.unlink()
        manager.file.unlink(missing_ok=True)
    except OSError as error:
        raise ServiceError(f"{error.filename} cannot be removed ({error.strerror}); mend its permissions.") from error
    return failure or do(manager.after_removal())


def status(manager: Manager, data: Path) -> Status:
    """Of the installed service's data folder, or of `data` where none is installed. Raises ServiceError."""
    found = read(manager)
    folder = Path(found.data) if found else data
    state = manager.state()
    daemon = running(folder)
    return Status(
        manager=manager.name,
        file=str(manager.file),
        installed=found is not None,
        current=found is not None and _is_current(manager, found),
        enabled=state.enabled if state and found else None,
        said="" if state is None or found is None else state.said,
        data=str(folder),
        log=str(folder / logs.FOLDER / logs.FILE_NAME),
        running=daemon is not None,
        by_service=_started(state, daemon) if daemon and found else None,
        pid=daemon.pid if daemon else None,
        port=daemon.port if daemon else None,
        since=_since(folder) if daemon else None,
    )


def running(data: Path) -> server.Running | None:
    """The daemon of this folder, if it answers."""
    found = server.running(data)
    return found if found and answers(found.port) else None


def answers(port: int) -> bool:
    try:
        answer = httpx.get(f"http://{server.ADDRESS}:{port}/health", trust_env=False, timeout=5)
    except httpx.HTTPError:
        return False
    return "X-Satchel-Version" in answer.headers


def by_hand(manager: Manager, data: Path) -> server.Running | None:
    """The daemon that runs on this folder without being the service's."""
    found = running(data)
    return found if found and _started(manager.state(), found) is False else None


def wait(data: Path, seconds: float = ANSWER_SECONDS) -> server.Running | None:
    """The daemon of this folder as soon as it answers; None when it does not in time."""
    end = time.monotonic() + seconds
    while (found := running(data)) is None and time.monotonic() < end:
        time.sleep(POLL_SECONDS)
    return found


def _started(state: State | None, daemon: server.Running) -> bool | None:
    """Whether this daemon is the one the manager started; None: it does not tell."""
    if state is None or (state.pid is None and state.active is not False):
        return None
    return state.pid == daemon.pid


def _is_current(manager: Manager, found: Plan) -> bool:
    """Where its data lie and which port it takes was chosen when it was installed; the rest is this program's."""
    wanted = plans.make(Path(found.data), found.port)
    return manager.file.read_bytes() == manager.write(wanted)


def _since(data: Path) -> str | None:
    """A daemon writes this file once, as it starts."""
    try:
        return to_iso(int((data / server.RUNNING_FILE).stat().st_mtime * 1000))
    except OSError:
        return None
