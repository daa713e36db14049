"""A web page that knows the daemon's address reads nothing from it and writes nothing to it, in a real browser."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, sync_playwright

from api.running import Running

ATTACKS = """
async ({ daemon, token }) => {
  const body = JSON.stringify({ site: "evil", external_id: "evil", messages: [{ role: "user", content: "Planted." }] });
  const told = {};
  const attempt = async (name, run) => {
    try { told[name] = await Promise.race([run(), new Promise((_, no) => setTimeout(() => no("silence"), 5000))]); }
    catch (error) { told[name] = "refused"; }
  };
  const read = async (path, options = {}) => {
    const answer = await fetch(daemon + path, options);
    return { type: answer.type, status: answer.status, text: await answer.text() };
  };
  const bearer = { Authorization: "Bearer " + token };
  await attempt("health", () => read("/health"));
  await attempt("read", () => read("/v1/memories"));
  await attempt("read with the token", () => read("/v1/memories", { headers: bearer }));
  await attempt("cors post", () => read("/v1/messages", { method: "POST", body,
    headers: { ...bearer, "Content-Type": "application/json" } }));
  await attempt("credentials", () => read("/v1/memories", { credentials: "include" }));
  await attempt("no-cors get", () => read("/v1/memories", { mode: "no-cors" }));
  for (const kind of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
    await attempt("no-cors post " + kind, () => read("/v1/messages", { method: "POST", mode: "no-cors", body,
      headers: { "Content-Type": kind } }));
  await attempt("beacon", async () => { navigator.sendBeacon(daemon + "/v1/messages", body); return "sent"; });
  await attempt("image", () => new Promise((yes, no) => {
    const image = new Image(); image.onload = () => yes("loaded"); image.onerror = () => no("error");
    image.src = daemon + "/v1/memories"; }));
  await attempt("script", () => new Promise((yes, no) => {
    const script = document.createElement("script"); script.onload = () => yes("loaded");
    script.onerror = () => no("error"); script.src = daemon + "/health"; document.head.append(script); }));
  await attempt("event source", () => new Promise((yes, no) => {
    const source = new EventSource(daemon + "/v1/events"); source.onopen = () => yes("open");
    source.onerror = () => { source.close(); no("error"); }; }));
  await attempt("web socket", () => new Promise((yes, no) => {
    const socket = new WebSocket(daemon.replace("http", "ws") + "/v1/events"); socket.onopen = () => yes("open");
    socket.onerror = () => no("error"); }));
  for (const kind of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
    await attempt("form " + kind, () => new Promise((yes) => {
      const frame = Object.assign(document.createElement("iframe"), { name: "f" + kind });
      frame.onload = () => {
        if (sent) yes(frame.contentDocument ? frame.contentDocument.body.innerText : "unreadable"); };
      let sent = false;
      document.body.append(frame);
      const form = Object.assign(document.createElement("form"),
        { method: "POST", action: daemon + "/v1/messages", enctype: kind, target: frame.name });
      form.append(Object.assign(document.createElement("input"),
        { name: body.slice(0, -1) + ', "x": "', value: '"}' }));
      document.body.append(form); sent = true; form.submit(); }));
  return told;
}
"""


@pytest.fixture(scope="module")
def page_server() -> Iterator[int]:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>A page of the web</title><body>")

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture(scope="module")
def browser(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"),
            executable_path=chromium,
            headless=False,
            args=[
                "--headless=new",
                "--no-sandbox",
                "--host-resolver-rules=MAP * 127.0.0.1",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                # The browser's own gate between public and local addresses would hide whether ours stands.
                "--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests",
            ],
        )
        yield context
        context.close()


ADDRESSES = ["http://127.0.0.1:{port}", "http://evil.example:{port}"]


@pytest.mark.parametrize("own_address", ADDRESSES, ids=["another port", "another host"])
@pytest.mark.parametrize(
    "daemon_address", ["http://127.0.0.1:{port}", "http://rebound.example:{port}"], ids=["plain", "rebound"]
)
def test_a_foreign_page_reads_nothing_and_writes_nothing(
    daemon: Running, browser: BrowserContext, page_server: int, own_address: str, daemon_address: str
) -> None:
    secret = "The secret is Marzipanwald."
    daemon.ok("POST", "/v1/memories", {"text": secret})
    before = daemon.ok("GET", "/v1/status")["counts"]
    page = browser.new_page()
    page.goto(own_address.format(port=page_server))
    at = daemon_address.format(port=daemon.port)
    told: dict[str, Any] = page.evaluate(ATTACKS, {"daemon": at, "token": daemon.token})
    page.close()
    assert len(told) == 17, list(told)
    for name, answer in told.items():
        if isinstance(answer, dict):  # an opaque answer: sent, refused by us, unreadable for the page
            assert (answer["type"], answer["text"]) == ("opaque", ""), name
        else:
            assert answer in ("refused", "sent", "unreadable"), f"{name}: {answer}"
    assert "Marzipanwald" not in json.dumps(told)
    assert daemon.ok("GET", "/v1/status")["counts"] == before
    assert daemon.ok("GET", "/v1/conversations", params={"site": "evil"})["total"] == 0


def test_a_page_that_rebinds_its_name_to_the_loopback_address_reads_nothing(
    daemon: Running, browser: BrowserContext
) -> None:
    """The page's own origin is then the daemon's address under another name: no CORS in the way."""
    page = browser.new_page()
    for path in ("/health", "/v1/memories", "/schema/openapi.json"):
        answer = page.goto(f"http://rebound.example:{daemon.port}{path}")
        assert answer is not None
        assert answer.status == 421
        assert "127.0.0.1" in answer.text()
    page.close()
