"""macOS: a LaunchAgent of the user's. What the keys mean stands in launchd.plist(5)."""

from __future__ import annotations

import os
import plistlib
import re
from pathlib import Path
from xml.parsers.expat import ExpatError

from satchel.files import OTHERS
from satchel.service.manager import State, Step, ask
from satchel.service.plan import Plan, of_command

LABEL = "local.satchel"


class Launchd:
    name = "launchd"
    hint = "It starts when you log in and ends when you log out."

    @property
    def file(self) -> Path:
        return Path.home() / "Library" / "LaunchAgents" / f"{LABEL}.plist"

    @property
    def links(self) -> tuple[Path, ...]:
        return ()

    def write(self, plan: Plan) -> bytes:
        return plistlib.dumps(
            {
                "Label": LABEL,
                "ProgramArguments": list(plan.command()),
                "RunAtLoad": True,
                # Again after a failure, once a minute at the most. What a new start cannot mend ends with status 0.
                "KeepAlive": {"SuccessfulExit": False},
                "ThrottleInterval": 60,
                "ExitTimeOut": 5,  # seconds; it ends by itself within them
                "Umask": OTHERS,
                "HardResourceLimits": {"Core": 0},  # no core dump holds what was said
            },
            sort_keys=False,
        )

    def read(self, content: bytes) -> Plan | None:
        try:
            found = plistlib.loads(content)
        except (plistlib.InvalidFileException, ExpatError, ValueError):
            return None
        if not isinstance(found, dict) or found.get("Label") != LABEL:
            return None
        words = found.get("ProgramArguments")
        return of_command(words) if isinstance(words, list) and all(isinstance(word, str) for word in words) else None

    def enable(self) -> tuple[Step, ...]:
        return (Step(("launchctl", "enable", self._service)),)

    def start(self) -> tuple[Step, ...]:
        # What is loaded keeps what its file said when it was.
        return *self.disable(), Step(("launchctl", "bootstrap", self._domain, str(self.file)))

    def stop(self) -> tuple[Step, ...]:
        return (Step(("launchctl", "bootout", self._service)),)

    def disable(self) -> tuple[Step, ...]:
        return (Step(("launchctl", "bootout", self._service), may_fail=True),)

    def after_removal(self) -> tuple[Step, ...]:
        return ()

    def state(self) -> State | None:
        if ask("launchctl", "print", self._domain) is None:
            return None
        shown = ask("launchctl", "print", self._service)
        if shown is None:
            return State(enabled=False, active=False, said="not loaded")
        running = re.search(r"^\s*state = (.+)$", shown, re.MULTILINE)
        pid = re.search(r"^\s*pid = (\d+)$", shown, re.MULTILINE)
        said = running[1].strip() if running else "?"
        return State(enabled=True, active=said == "running", pid=int(pid[1]) if pid else None, said=said)

    @property
    def _domain(self) -> str:
        return f"gui/{os.getuid()}"

    @property
    def _service(self) -> str:
        return f"{self._domain}/{LABEL}"
