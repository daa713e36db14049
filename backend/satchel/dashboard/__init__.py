"""The pages that the daemon serves: what a browser loads of them, read once.

Plain modules of JavaScript, served as they stand in `static`; of `vendor`, libraries bundled by `build.mjs` from the
versions in `package-lock.json`. Pages hold no data: they ask the API for it as any client does.
"""

from __future__ import annotations

import hashlib
from importlib.resources import files
from importlib.resources.abc import Traversable

import msgspec

MEDIA_TYPES = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


class File(msgspec.Struct, frozen=True):
    """`tag` is its ETag."""

    content: bytes
    media_type: str
    tag: str


def _file(content: bytes, name: str) -> File:
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    return File(content, MEDIA_TYPES[name.rpartition(".")[2]], tag)


def _under(folder: Traversable, path: str = "") -> dict[str, File]:
    found: dict[str, File] = {}
    for one in folder.iterdir():
        name = path + one.name
        if one.is_dir():
            found |= _under(one, name + "/")
        elif one.name.rpartition(".")[2] in MEDIA_TYPES:
            found[name] = _file(one.read_bytes(), one.name)
    return found


STATIC = files("satchel.dashboard") / "static"


def read_all() -> dict[str, File]:
    """Every file by its path in `static`: "index.html", "pages/home.js"."""
    return _under(STATIC)


CLOSED = (STATIC / "closed.html").read_bytes()
"""What is shown in a browser that has not been let in."""
