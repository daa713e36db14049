"""How long the command line waits for the daemon."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from satchel import client
from satchel.client import Client, ClientError


@pytest.fixture
def answer() -> threading.Event:
    """Until it is set, the daemon at `slow` answers nothing."""
    return threading.Event()


@pytest.fixture
def slow(answer: threading.Event) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            assert answer.wait(20)
            body = b'{"receipt": {"id": "r"}}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        answer.set()
        server.shutdown()


def test_a_forgetting_is_waited_for_when_anything_else_has_been_given_up(
    slow: str, answer: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "TIMEOUT_SECONDS", 0.2)
    asking = Client(Path("nowhere"), url=slow, token="t")
    receipts: list[object] = []
    forgetting = threading.Thread(target=lambda: receipts.append(asking.forget({"name": "Ottilie"})))
    forgetting.start()
    for path in ("/v1/recall", "/v1/context"):  # each begun after it, and given up
        with pytest.raises(ClientError, match="did not answer"):
            asking.call("POST", path, body={})
    assert forgetting.is_alive()
    answer.set()
    forgetting.join(20)
    assert receipts == [{"id": "r"}]
    asking.close()
