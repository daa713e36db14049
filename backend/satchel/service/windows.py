"""Windows: a scheduled task of the user's, made from the XML that the Task Scheduler's schema describes."""

from __future__ import annotations

import getpass
import os
import re
import subprocess
from pathlib import Path
from xml.etree import ElementTree

from satchel.service.manager import State, Step, ask
from satchel.service.plan import Plan, ServiceError, of_command

TASK = "Satchel"
NAMESPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"
VARIABLE = re.compile(r"%[^%]+%|\$\(")


class TaskScheduler:
    name = "the Task Scheduler"
    hint = "It starts when you log in and ends when you log out."

    @property
    def file(self) -> Path:
        from platformdirs import user_config_path

        return user_config_path("satchel", appauthor=False) / "satchel-task.xml"

    @property
    def links(self) -> tuple[Path, ...]:
        return ()

    def write(self, plan: Plan) -> bytes:
        command = plan.command()
        if found := next((word for word in command if VARIABLE.search(word)), None):
            raise ServiceError(
                f"The Task Scheduler would take a part of {found} for a variable, and has no way to quote it; "
                "use a folder without % and $ in its name."
            )
        user = "\\".join(filter(None, (os.environ.get("USERDOMAIN"), getpass.getuser())))
        task = ElementTree.Element("Task", version="1.2", xmlns=NAMESPACE)
        _add(task, "RegistrationInfo", Description="Satchel, the memory of your AI chats")
        _add(_add(task, "Triggers"), "LogonTrigger", Enabled="true", UserId=user)
        principal = _add(
            _add(task, "Principals"), "Principal", UserId=user, LogonType="InteractiveToken", RunLevel="LeastPrivilege"
        )
        principal.set("id", "Author")
        settings = _add(
            task,
            "Settings",
            MultipleInstancesPolicy="IgnoreNew",
            DisallowStartIfOnBatteries="false",
            StopIfGoingOnBatteries="false",
            ExecutionTimeLimit="PT0S",  # none
            Enabled="true",
        )
        _add(settings, "RestartOnFailure", Interval="PT1M", Count="5")
        actions = _add(task, "Actions")
        actions.set("Context", "Author")
        _add(actions, "Exec", Command=command[0], Arguments=subprocess.list2cmdline(command[1:]))
        ElementTree.indent(task)
        content: bytes = ElementTree.tostring(task, encoding="utf-16", xml_declaration=True)  # what schtasks reads
        return content

    def read(self, content: bytes) -> Plan | None:
        try:
            task = ElementTree.fromstring(content)  # noqa: S314 - the user's own file, in the user's own folder
        except (ElementTree.ParseError, ValueError):
            return None
        run = task.find(f"{{{NAMESPACE}}}Actions/{{{NAMESPACE}}}Exec")
        if run is None:
            return None
        command = run.findtext(f"{{{NAMESPACE}}}Command", "")
        return of_command([command, *split(run.findtext(f"{{{NAMESPACE}}}Arguments", ""))])

    def enable(self) -> tuple[Step, ...]:
        return (Step(("schtasks", "/Create", "/TN", TASK, "/XML", str(self.file), "/F")),)

    def start(self) -> tuple[Step, ...]:
        return Step(("schtasks", "/End", "/TN", TASK), may_fail=True), Step(("schtasks", "/Run", "/TN", TASK))

    def stop(self) -> tuple[Step, ...]:
        return (Step(("schtasks", "/End", "/TN", TASK)),)

    def disable(self) -> tuple[Step, ...]:
        return Step(("schtasks", "/End", "/TN", TASK), may_fail=True), Step(
            ("schtasks", "/Delete", "/TN", TASK, "/F"), may_fail=self.state() == State(enabled=False)
        )

    def after_removal(self) -> tuple[Step, ...]:
        return ()

    def state(self) -> State | None:
        # What it prints is in the user's language: only whether the task is there can be read from it.
        if ask("schtasks", "/Query") is None:
            return None
        return State(enabled=ask("schtasks", "/Query", "/TN", TASK) is not None)


def split(arguments: str) -> list[str]:
    """The words of a command line, as Microsoft's C runtime reads it: the reverse of `subprocess.list2cmdline`."""
    words: list[str] = []
    word: str | None = None
    quoted = False
    for found in re.finditer(r'(\\*)(")|(\\+)|([ \t])|([^\\" \t]+)', arguments):
        slashes, quotation, plain_slashes, space, text = found.groups()
        if space and not quoted:
            if word is not None:
                words.append(word)
            word = None
        elif quotation:
            word = (word or "") + "\\" * (len(slashes) // 2) + ('"' if len(slashes) % 2 else "")
            quoted ^= len(slashes) % 2 == 0
        else:
            word = (word or "") + (plain_slashes or space or text)
    return words if word is None else [*words, word]


def _add(parent: ElementTree.Element, tag: str, /, **children: str) -> ElementTree.Element:
    """A new element with these children, in this order."""
    made = ElementTree.SubElement(parent, tag)
    for name, text in children.items():
        ElementTree.SubElement(made, name).text = text
    return made
