"""A user's session with a service manager: `satchel` commands in a home of their own, and `fake_systemctl`."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

from api.running import BACKEND, command, free_port

TESTS = Path(__file__).resolve().parents[1]


class Session:
    def __init__(self, folder: Path) -> None:
        self.data = folder / "my memories 50% $HOME é"
        self.models = folder / "models"
        self.units = folder / "conf %h" / "systemd" / "user"
        self.unit = self.units / "satchel.service"
        self.link = self.units / "default.target.wants" / "satchel.service"
        self.fake = folder / "fake"
        self.port = free_port()
        programs = folder / "bin"
        for made in (folder, self.models, self.fake, programs):
            made.mkdir(exist_ok=True)
        script = TESTS / "service" / "fake_systemctl.py"
        words = shlex.join(["env", f"PYTHONPATH={BACKEND}:{TESTS}", sys.executable, str(script)])
        (programs / "systemctl").write_text(f'#!/bin/sh\nexec {words} "$@"\n')
        (programs / "systemctl").chmod(0o755)
        self.environment = {
            "HOME": str(folder / "home"),
            "PATH": f"{programs}:/usr/bin:/bin",
            "XDG_CONFIG_HOME": str(folder / "conf %h"),
            "SATCHEL_MODELS": str(self.models),
            "FAKE_SYSTEMCTL": str(self.fake),
        }

    def run(self, *arguments: str | Path, stdin: bytes | None = None) -> subprocess.CompletedProcess[str]:
        return command("--data", self.data, *arguments, stdin=stdin, **self.environment)

    def ok(self, *arguments: str | Path, stdin: bytes | None = None) -> str:
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode == 0, (done.stdout, done.stderr)
        return done.stdout

    def install(self) -> str:
        return self.ok("service", "install", "--port", str(self.port), "--yes")

    def calls(self) -> list[str]:
        """What the manager was asked to do, without what it was only asked for."""
        file = self.fake / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        return [line.removeprefix("--user ") for line in lines if " show " not in line]

    def break_manager(self) -> None:
        (self.fake / "broken").touch()
