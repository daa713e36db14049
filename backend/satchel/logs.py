"""The daemon's log: what happened and where, never what was said.

Our own messages name ids, counts, types and places (`faults.type_and_place`). Of other libraries' messages, which may
quote whatever they were working on, only their place is kept; of every exception, its type and place.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Iterator
from logging.handlers import RotatingFileHandler
from pathlib import Path

from satchel.faults import type_and_place
from satchel.files import FOLDER_MODE
from satchel.types import StoreError

FOLDER = "logs"
FILE_NAME = "satchel.log"

FILE_BYTES = 500_000
KEPT = 3
"""How many full files stay beside the present one: 2 MB in all."""

LINE = 1_000
"""Characters of a message at the most."""


class Formatter(logging.Formatter):
    """`2026-03-01 10:00:00 WARNING satchel.indexing: indexing waits: ...`, on one line."""

    def format(self, record: logging.LogRecord) -> str:
        own = record.name.partition(".")[0] == "satchel"
        said = record.getMessage() if own else f"at {record.filename}:{record.lineno}"
        if record.exc_info and record.exc_info[1] is not None:
            said += f" ({type_and_place(record.exc_info[1])})"
        line = " ".join(said[:LINE].split())
        return f"{self.formatTime(record, '%Y-%m-%d %H:%M:%S')} {record.levelname} {record.name}: {line}"


@contextlib.contextmanager
def kept(data: Path) -> Iterator[None]:
    """Keeps what is logged meanwhile in the data folder, in a few files of bounded size; warnings go to standard error
    too. Raises StoreError when nothing can be written there."""
    folder = data / FOLDER
    try:
        folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
        file = RotatingFileHandler(folder / FILE_NAME, maxBytes=FILE_BYTES, backupCount=KEPT, encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{folder} cannot be written ({error.strerror or error}); mend its permissions.") from error
    screen = logging.StreamHandler(sys.stderr)
    screen.setLevel(logging.WARNING)
    root, own = logging.getLogger(), logging.getLogger("satchel")
    before = own.level, logging.raiseExceptions
    logging.raiseExceptions = False  # a full disk must not print what was to be logged, with all around it
    own.setLevel(logging.INFO)
    for handler in (file, screen):
        handler.setFormatter(Formatter())
        root.addHandler(handler)
    try:
        yield
    finally:
        for handler in (file, screen):
            root.removeHandler(handler)
            handler.close()
        own.level, logging.raiseExceptions = before
