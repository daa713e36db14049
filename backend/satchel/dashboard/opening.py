"""`satchel open`: sends the browser to a link that can be used once.

The link is a secret for a minute, and other users of the computer can see the arguments of a browser that is started
with it. So the browser is started with a file that only its user may read, which leads on to the link.
"""

from __future__ import annotations

import html
import webbrowser
from pathlib import Path

from satchel.files import make_private, new_private_file

FILE_NAME = "open.html"
"""Stays in the data folder until the next time: its link is good for nothing by then."""


def write_way(data: Path, url: str) -> Path:
    """The file that leads to `url`. Raises OSError."""
    make_private(data)
    file = data / FILE_NAME
    file.unlink(missing_ok=True)
    new_private_file(file)
    link = html.escape(url, quote=True)
    file.write_text(
        '<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer">'
        f'<meta http-equiv="refresh" content="0;url={link}"><title>Satchel</title><a href="{link}">Satchel</a>\n',
        "utf-8",
    )
    return file


def start_browser(file: Path) -> bool:
    """Whether there was a browser to start."""
    try:
        return webbrowser.open(file.absolute().as_uri())
    except (webbrowser.Error, OSError):
        return False
