"""Stands for `systemctl --user` where no user manager is: obeys what `satchel service` asks, and nothing else.

It reads the unit with the rules of `unit_file`, keeps the daemon's process id in FAKE_SYSTEMCTL/pid, and writes down
each call in FAKE_SYSTEMCTL/calls. With FAKE_SYSTEMCTL/broken it answers as systemctl does where there is no manager.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from service import unit_file

HERE = Path(os.environ["FAKE_SYSTEMCTL"])
UNITS = Path(os.environ["XDG_CONFIG_HOME"]) / "systemd" / "user"
UNIT = UNITS / "satchel.service"
LINK = UNITS / "default.target.wants" / "satchel.service"
PID = HERE / "pid"


def pid() -> int:
    with contextlib.suppress(OSError, ValueError):
        found = int(PID.read_text())
        os.kill(found, 0)
        return found
    return 0


def stop() -> None:
    running = pid()
    if running:
        os.kill(running, signal.SIGTERM)
    end = time.monotonic() + 20
    while pid() and time.monotonic() < end:
        time.sleep(0.02)


def start() -> None:
    asked = unit_file.settings(UNIT.read_text("utf-8"))["Service"]
    command = unit_file.exec_start(asked["ExecStart"])
    with (HERE / "journal").open("ab") as journal:
        # By a process between that ends: nobody here would wait for it otherwise.
        code = "import subprocess, sys; print(subprocess.Popen(sys.argv[1:], stdout=2).pid)"
        made = subprocess.run(
            [sys.executable, "-c", code, *command.argv],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=journal,
            start_new_session=True,
            check=True,
        )
    PID.write_bytes(made.stdout)


def main() -> int:
    words = sys.argv[1:]
    with (HERE / "calls").open("a") as calls:
        calls.write(" ".join(words) + "\n")
    if (HERE / "broken").exists():
        print("Failed to connect to bus: No medium found", file=sys.stderr)
        return 1
    match words:
        case ["--user", "daemon-reload"] | ["--user", "reset-failed", "satchel.service"]:
            pass
        case ["--user", "enable", "satchel.service"]:
            LINK.parent.mkdir(exist_ok=True)
            LINK.unlink(missing_ok=True)
            LINK.symlink_to(UNIT)
        case ["--user", "restart", "satchel.service"]:
            stop()
            start()
        case ["--user", "stop", "satchel.service"]:
            stop()
        case ["--user", "disable", "--now", "satchel.service"]:
            stop()
            LINK.unlink(missing_ok=True)
        case ["--user", "show", "satchel.service", _]:
            running = pid()
            print(
                f"MainPID={running}\nActiveState={'active' if running else 'inactive'}\nSubState=running\nNRestarts=0"
            )
            print(f"Result=success\nUnitFileState={'enabled' if LINK.is_symlink() else 'disabled'}")
        case _:
            print(f"Unknown: {words}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
