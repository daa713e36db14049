"""All the chat sites on one port of 127.0.0.1, over TLS, told apart by the Host header.

    with serve(bundles) as server:
        server.port, server["chatgpt"].received

Chromium started with `--host-resolver-rules=MAP * 127.0.0.1:PORT` and `--ignore-certificate-errors` then sees the
sites under their own addresses.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import trustme

from extension.sites import SITES
from extension.sites.chat import ChatSite, Request, Response

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{name}</title>
<link rel="stylesheet" href="/assets/page.css">
</head>
<body><script src="/assets/page.js"></script></body>
</html>
"""

#: A browser resets connections that it has no more use for.
GONE = (BrokenPipeError, ConnectionResetError, ssl.SSLError)


class Serving:
    """The running server: its port, and each site's state by the site's id."""

    def __init__(self, port: int, sites: Mapping[str, ChatSite]) -> None:
        self.port = port
        self.sites = sites

    def __getitem__(self, site: str) -> ChatSite:
        return self.sites[site]


@contextmanager
def serve(bundles: Path) -> Iterator[Serving]:
    """Serves every site of `SITES`, its page from `bundles/<site id>.js` and `.css` (see `pages/build.mjs`)."""
    sites = {name: site() for name, site in SITES.items()}
    hosts = {host: site for site in sites.values() for host in site.hosts}

    class Handler(SiteHandler):
        def site(self) -> ChatSite | None:
            return hosts.get((self.headers.get("Host") or "").partition(":")[0].lower())

        def asset(self, site: ChatSite, name: str) -> bytes | None:
            file = bundles / f"{site.id}{Path(name).suffix}"
            return file.read_bytes() if file.is_file() else None

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1", *hosts).configure_cert(context)
    context.set_alpn_protocols(["http/1.1"])
    with TlsServer(("127.0.0.1", 0), Handler, context) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield Serving(server.server_port, sites)
        finally:
            server.shutdown()
            thread.join()


class TlsServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler], context: ssl.SSLContext):
        super().__init__(address, handler)
        self.context = context

    def get_request(self) -> tuple[Any, Any]:
        """The handshake is the handler's, in its own thread: a silent client must not hold up the others."""
        plain, address = super().get_request()
        return self.context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Never prints for a client that went away."""


class SiteHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def site(self) -> ChatSite | None:
        raise NotImplementedError

    def asset(self, site: ChatSite, name: str) -> bytes | None:
        raise NotImplementedError

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        site = self.site()
        if site is None:
            self.reply(Response(b"no such site", "text/plain", 421))
            return
        request = Request.of(self.command, self.path, dict(self.headers), body)
        if request.path.startswith("/assets/"):
            asset = self.asset(site, request.path)
            kind = "text/css" if request.path.endswith(".css") else "text/javascript"
            self.reply(Response(asset or b"", f"{kind}; charset=utf-8", 200 if asset else 404))
            return
        response = site.handle(request)
        if response is not None:
            site.requests.append((request.method, self.path))
        elif request.method == "GET" and "text/html" in request.headers.get("accept", ""):
            response = Response(PAGE.format(name=site.name).encode(), "text/html; charset=utf-8", 200, policy(site))
        else:
            response = Response(b"{}", status=404)
        self.reply(response)

    def do_GET(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        self.answer()

    def do_PUT(self) -> None:
        self.answer()

    def reply(self, response: Response) -> None:
        self.send_response(response.status)
        self.send_header("Content-Type", response.type)
        self.send_header("Cache-Control", "no-store")
        for name, value in response.headers.items():
            self.send_header(name, value)
        if isinstance(response.body, bytes):
            self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            self.wfile.write(response.body)
            return
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for chunk in response.body:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def handle(self) -> None:
        with suppress(*GONE):
            super().handle()

    def log_message(self, *_: object) -> None:
        pass


def policy(site: ChatSite) -> dict[str, str]:
    """The strict headers of a page."""
    return {
        "Content-Security-Policy": "; ".join(
            (
                "default-src 'none'",
                "script-src 'self'",
                "style-src 'self' 'unsafe-inline'",
                "connect-src 'self'",
                "img-src 'self' data:",
                "base-uri 'none'",
                "frame-ancestors 'none'",
                "require-trusted-types-for 'script'",
                f"trusted-types {' '.join(site.trusted_types) or chr(39) + 'none' + chr(39)}",
            )
        ),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "strict-origin-when-cross-origin",
    }
