"""Linux: a systemd user unit. The rules of quoting are those of systemd.syntax(7) and systemd.service(5)."""

from __future__ import annotations

import os
import re
from pathlib import Path

from satchel.service.manager import State, Step, ask
from satchel.service.plan import Plan, ServiceError, of_command
from satchel.service.unattended import FINAL

UNIT = "satchel.service"
OURS = "# Written by `satchel service install`; `satchel service uninstall` removes it."

TEMPLATE = """\
{ours}
[Unit]
Description=Satchel, the memory of your AI chats
# What fails five times in five minutes will fail again: it is left until you start it.
StartLimitIntervalSec=300
StartLimitBurst=5

[Service]
Type=exec
SyslogIdentifier=satchel
ExecStart={command}
Restart=on-failure
RestartSec=5
# A wrong option, another Satchel on the same data folder, settings that cannot be read: starting again mends none.
RestartPreventExitStatus={final}
# It ends by itself within five seconds. Its models' processes are ended by it, so only it is told.
TimeoutStopSec=5
KillMode=mixed
# A model that takes more memory than there is ends alone, and is started again by the daemon.
OOMPolicy=continue

# Files are for you alone, and no core dump holds what you said.
UMask=0077
LimitCORE=0
# What a user's systemd can forbid without root and without user namespaces, and Satchel and llama.cpp never do: gain
# rights through a program, make namespaces, set-uid files or another architecture's calls, take the processor for
# real time, change the execution domain, or speak other protocols than it takes to answer on the loopback address and
# to fetch a model when you ask for one: IPv6 where a network has only that, netlink to look up names and routes.
# ProtectSystem and its like are left out: they need user namespaces, which many systems refuse. MemoryDenyWriteExecute
# is left out: a library that calls back into Python may need what it forbids.
NoNewPrivileges=yes
RestrictNamespaces=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
RestrictRealtime=yes
LockPersonality=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK

[Install]
WantedBy=default.target
"""

RESET = Step(("systemctl", "--user", "reset-failed", UNIT), may_fail=True)
"""One that failed too often is not started, and is listed when it is gone, until this is done."""

PLAIN = re.compile(r"[A-Za-z0-9_./+,=@-]+")
WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|([^\s"]+)')


class Systemd:
    name = "systemd"
    hint = (
        "It starts when you log in and ends when you log out. To have it from the computer's start on, also while you "
        "are logged out, run: loginctl enable-linger"
    )

    @property
    def _folder(self) -> Path:
        # A relative XDG_CONFIG_HOME is to be ignored, says the XDG Base Directory Specification.
        chosen = os.environ.get("XDG_CONFIG_HOME", "")
        return (Path(chosen) if os.path.isabs(chosen) else Path.home() / ".config") / "systemd" / "user"

    @property
    def file(self) -> Path:
        return self._folder / UNIT

    @property
    def links(self) -> tuple[Path, ...]:
        return (self._folder / "default.target.wants" / UNIT,)

    def write(self, plan: Plan) -> bytes:
        if any(c in plan.python for c in "\"'\\"):
            raise ServiceError(
                f"systemd runs no program with a quote or a backslash in its path ({plan.python}); move Satchel."
            )
        words = plan.command()
        # Variables are not wanted. Only then: systemd knows the colon since 244.
        colon = ":" if any("$" in word for word in words) else ""
        command = colon + " ".join(map(quote, words))
        final = " ".join(map(str, FINAL))
        return TEMPLATE.format(ours=OURS, command=command, final=final).encode()

    def read(self, content: bytes) -> Plan | None:
        lines = content.decode("utf-8", "replace").split("\n")
        if lines[0] != OURS:
            return None
        command = next((line.removeprefix("ExecStart=") for line in lines if line.startswith("ExecStart=")), "")
        words = [_meant(quoted or bare) for quoted, bare in WORD.findall(command.removeprefix(":"))]
        return of_command(words)

    def enable(self) -> tuple[Step, ...]:
        return _systemctl("daemon-reload"), _systemctl("enable", UNIT)

    def start(self) -> tuple[Step, ...]:
        return RESET, _systemctl("restart", UNIT)

    def stop(self) -> tuple[Step, ...]:
        return (_systemctl("stop", UNIT),)

    def disable(self) -> tuple[Step, ...]:
        return (_systemctl("disable", "--now", UNIT),)

    def after_removal(self) -> tuple[Step, ...]:
        return _systemctl("daemon-reload"), RESET

    def state(self) -> State | None:
        asked = "UnitFileState,ActiveState,SubState,MainPID,Result,NRestarts"
        shown = ask("systemctl", "--user", "show", UNIT, f"--property={asked}")
        if shown is None:
            return None
        of = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
        said = f"{of.get('ActiveState', '?')} ({of.get('SubState', '?')})"
        if of.get("Result", "success") != "success":
            said += f", ended by: {of['Result']}"
        if of.get("NRestarts", "0") != "0":
            said += f", started again {of['NRestarts']} times"
        return State(
            enabled=of.get("UnitFileState") == "enabled",
            active=of.get("ActiveState") in ("active", "activating", "reloading"),
            pid=int(of.get("MainPID", "0")) or None,
            said=said,
        )


def quote(word: str) -> str:
    """One word of ExecStart, which systemd reads as it is, but for `$`. It holds no control characters."""
    word = word.replace("%", "%%")  # else a specifier
    if PLAIN.fullmatch(word):
        return word
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _meant(word: str) -> str:
    return re.sub(r"\\(.)|%(%)", lambda found: found[1] or found[2], word)


def _systemctl(*words: str) -> Step:
    return Step(("systemctl", "--user", *words))
