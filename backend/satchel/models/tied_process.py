"""A process that ends with the one that started it, whatever became of that: it is told by its standard input."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

ENDED = 1
CHUNK = 4096


def end_with_input() -> None:
    """From now on this process ends, with those that it started, when its standard input does.

    It ends at once, whatever it is doing. To be called by a process that leads its own group (`own_group`), where the
    system has groups; what others of the group do would end as well.
    """
    threading.Thread(target=_wait_and_end, name="tied", daemon=True).start()


def own_group() -> dict[str, bool | int]:
    """The arguments with which `subprocess` and asyncio start a process that leads a group of its own, out of reach of
    the terminal's Ctrl-C."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def end_group(pid: int) -> None:
    """Ends a process of `own_group`, with those that it started; nothing where it is gone. Raises OSError."""
    if sys.platform == "win32":
        # By its whole path: Windows looks in the current folder first, which may be anybody's.
        taskkill = os.path.join(os.environ["SYSTEMROOT"], "System32", "taskkill.exe")
        subprocess.run([taskkill, "/F", "/T", "/PID", str(pid)], capture_output=True, check=False)  # noqa: S603
        return
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _wait_and_end() -> None:
    try:
        while os.read(0, CHUNK):
            pass
    except OSError:
        pass  # closed from the start: nobody is there
    if sys.platform == "win32" or os.getpgrp() == os.getpid():
        end_group(os.getpid())
    os._exit(ENDED)
