"""What a service runs, whatever the platform calls it: one command, of which everything is named."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from satchel.types import SatchelError


class ServiceError(SatchelError):
    """The service cannot be written, started or removed; the message says what to do."""

    title = "No service"


class Plan(msgspec.Struct, frozen=True):
    """All paths are absolute. The folders are named even where they are the defaults: a service starts with other
    environment variables than a terminal, from which the defaults are taken. Without `port` it is that of config.toml,
    read at each start."""

    python: str
    data: str
    models: str
    port: int | None = None

    def command(self) -> tuple[str, ...]:
        # -P: a file in the folder it starts in must not pass for a module of ours.
        words = (self.python, "-P", "-m", "satchel", "serve", "--service", "--data", self.data, "--models", self.models)
        return words if self.port is None else (*words, "--port", str(self.port))


def make(data: Path, port: int | None) -> Plan:
    """The plan for the Python that runs now. Raises ServiceError for a path that a service's file cannot hold."""
    from satchel.models import registry

    # Not resolved: python in a virtual environment is a link, and its place is what tells it where its packages lie.
    found = Plan(
        python=os.path.abspath(_windowless(sys.executable)),
        data=os.path.abspath(data.expanduser()),
        models=os.path.abspath(registry.models_folder()),
        port=port,
    )
    for path in (found.python, found.data, found.models):
        if not all(map(_can_be_written, path)):
            raise ServiceError(f"{path!r} holds characters that no service's file can name; give it another name.")
    return found


def of_command(words: Sequence[str]) -> Plan | None:
    """The plan whose command this is, also as another version wrote it or the user changed it; None for a command of
    another program."""
    after = dict(itertools.pairwise(words))
    if after.get("-m") != "satchel" or "serve" not in words or "--data" not in after:
        return None
    port = after.get("--port", "")
    return Plan(
        python=words[0],
        data=after["--data"],
        models=after.get("--models", ""),
        port=int(port) if port.isascii() and port.isdecimal() else None,
    )


def _windowless(python: str) -> str:
    """The Python beside it that opens no window, where there is one: on Windows."""
    beside = Path(python).with_name("pythonw.exe")
    return str(beside) if beside.exists() else python


def _can_be_written(c: str) -> bool:
    """Neither a control character, nor a byte that is no text, nor one of Unicode's non-characters: XML has no way to
    name them, and systemd takes no line with them."""
    code = ord(c)
    control = code < 0x20 or 0x7F <= code < 0xA0
    nothing = 0xD800 <= code < 0xE000 or 0xFDD0 <= code < 0xFDF0 or code & 0xFFFE == 0xFFFE
    return not control and not nothing
