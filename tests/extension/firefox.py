"""Debian's firefox-esr with the extension, driven over WebDriver BiDi without geckodriver."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from api.running import Running, command, free_port
from extension.bidi import Session, Tab
from extension.sites.server import Serving

START_SECONDS = 60

#: What the network must not be asked for, and what a person clicks away once.
PREFERENCES: dict[str, bool | int | str] = {
    "extensions.originControls.grantByDefault": True,
    "extensions.webextensions.warnings-as-errors": False,
    "extensions.blocklist.enabled": False,
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.http.http3.enable": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
    "security.enterprise_roots.enabled": False,
}


def firefox() -> str:
    found = shutil.which("firefox-esr") or shutil.which("firefox")
    if found is None:
        pytest.fail("Firefox is not installed: run ./scripts/test")
    return found


class Firefox:
    def __init__(self, session: Session, server: Serving, rows: dict[str, dict[str, Any]], packaged: str) -> None:
        self.session, self.server, self.rows = session, server, rows
        self.extension = packaged

    def tab(self) -> Tab:
        context = self.session.call("browsingContext.create", type="tab")["context"]
        return Tab(self.session, context)

    def own(self, name: str) -> Tab:
        """A page of the extension itself."""
        tab = self.tab()
        tab.open(f"moz-extension://{self.extension}/{name}")
        return tab

    def ask(self, message: dict[str, Any]) -> Any:
        tab = self.own("options.html")
        try:
            text = tab.evaluate(f"browser.runtime.sendMessage({json.dumps(message)}).then(JSON.stringify)")
        finally:
            self.session.call("browsingContext.close", context=tab.context)
        return json.loads(text) if text else None

    def address(self, site: str, path: str = "/") -> str:
        """The port stays in the address; patterns without one match all the same."""
        return f"https://{self.server[site].hosts[0]}:{self.server.port}{path}"

    def pair(self, daemon: Running) -> None:
        """As a person does: the page shows a code, the terminal confirms it."""
        self.ask({"do": "set", "settings": {"port": daemon.port}})
        page = self.own("pair.html")
        page.click(page.wait("button.primary"))
        code = page.of(page.wait("[data-code]"), "e => e.textContent")
        done = command("pair", "--data", daemon.data, code, "--yes")
        assert done.returncode == 0, done.stderr
        page.wait("p", saying="Paired.")


@contextmanager
def launched(profile: Path, preferences: dict[str, bool | int | str], *options: str) -> Iterator[Session]:
    """A Firefox on a profile of its own, ready to be told what to do."""
    profile.mkdir(parents=True, exist_ok=True)
    settings = {**PREFERENCES, **preferences}
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in settings.items()]
    (profile / "user.js").write_text("\n".join(lines) + "\n")
    port = free_port()
    with (profile / "firefox.log").open("wb") as log:
        process = subprocess.Popen(
            [
                firefox(),
                "--headless",
                "--no-remote",
                "--profile",
                profile,
                "--remote-debugging-port",
                str(port),
                *options,
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        session = _connect(port, process, profile)
        session.call("session.new", capabilities={"alwaysMatch": {"acceptInsecureCerts": True}})
        yield session
        session.close()
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()


@contextmanager
def running_firefox(package: Path, profile: Path, server: Serving, bundles: Path) -> Iterator[Firefox]:
    rows = {row["id"]: row for row in json.loads((bundles / "sites.json").read_text())}
    hosts = ",".join(host for site in server.sites.values() for host in site.hosts)
    # With access to the system: else the extension's own pages are out of reach.
    with launched(profile, {"network.dns.localDomains": hosts}, "--remote-allow-system-access") as session:
        installed = session.call("webExtension.install", extensionData={"type": "path", "path": str(package)})
        yield Firefox(session, server, rows, _uuid(profile, installed["extension"]))


def _connect(port: int, process: subprocess.Popen[bytes], profile: Path) -> Session:
    end = time.monotonic() + START_SECONDS
    while True:
        assert process.poll() is None, (profile / "firefox.log").read_text()[-800:]
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return Session(f"ws://127.0.0.1:{port}/session")
        assert time.monotonic() < end, "Firefox did not listen"
        time.sleep(0.1)


def _uuid(profile: Path, extension: str) -> str:
    """The host of the extension's own pages: each profile has another. Firefox writes it down a moment later."""
    end = time.monotonic() + START_SECONDS
    while True:
        with contextlib.suppress(OSError, StopIteration, KeyError):
            lines = (profile / "prefs.js").read_text().splitlines()
            line = next(line for line in lines if "extensions.webextensions.uuids" in line)
            value = json.loads(line.partition(",")[2].strip().removesuffix(");"))
            return str(json.loads(value)[extension])
        assert time.monotonic() < end, "Firefox did not note the extension's address"
        time.sleep(0.2)
