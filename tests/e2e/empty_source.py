"""A source of packages and models on this machine that has none, and notes what it was asked for, and when."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Asked(BaseHTTPRequestHandler):
    """Answers every request 404, and notes what `said` gives at that moment."""

    seen: list[tuple[str, str]]
    said: Callable[[], str]

    def do_GET(self) -> None:
        self.seen.append((self.path, self.said()))
        self.send_error(404)

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def source(said: Callable[[], str]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """A source of packages and models that has none: its address, and what it was asked for when what was said."""
    seen: list[tuple[str, str]] = []
    handler = type("Handler", (Asked,), {"seen": seen, "said": staticmethod(said)})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", seen
        server.shutdown()


def from_there_alone(address: str) -> dict[str, str]:
    """Settings with which pip and the hub's client go to `address`."""
    return {
        "PIP_INDEX_URL": f"{address}/simple",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_FIND_LINKS": "",
        "PIP_EXTRA_INDEX_URL": "",
        "PIP_NO_CACHE_DIR": "1",
        "PIP_RETRIES": "0",
        "HF_ENDPOINT": address,
        "NO_PROXY": "127.0.0.1",
    }
