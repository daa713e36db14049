"""A start that nobody watches: why it failed goes into the log, and its exit status says whether to try again."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import click

from satchel import logs
from satchel.config import BAD_SETTINGS
from satchel.files import private_umask
from satchel.server import ALREADY_RUNNING
from satchel.types import SatchelError, StoreError

logger = logging.getLogger("satchel.service")

WRONG_USAGE = 2
"""What click ends with when it does not know an option: the unit is of another version."""

FINAL: Final = (WRONG_USAGE, ALREADY_RUNNING, BAD_SETTINGS)
"""The exit statuses after which another start would end the same way."""


def run(data: Path, start: Callable[[], None], *, platform: str = sys.platform) -> None:
    """Runs `start`. Where it cannot start, exits with the error's status.

    launchd starts again whatever ended with another status than 0, and cannot be told which: there, what would only
    fail again ends with 0.
    """
    private_umask()
    try:
        start()
    except SatchelError as error:
        try:
            with logs.kept(data):  # which says it on standard error too
                logger.error("not started: %s", error)  # noqa: TRY400 - the sentence says what a place would
        except StoreError:
            click.echo(f"satchel: {error}", err=True)
        sys.exit(0 if platform == "darwin" and error.exit_status in FINAL else error.exit_status)
