"""Chromium with the extension as its user has it: unpacked, the sites under their own names."""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from playwright.sync_api import BrowserContext, Error, Page, Playwright, Worker

from api.running import Running, command
from extension.driver import Driver
from extension.overlay import Overlay
from extension.sites.server import Serving

T = TypeVar("T")


def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.fail("Chromium is not installed: run ./scripts/test")
    return found


def arguments(server: Serving) -> list[str]:
    """The sites' names lead to our server, and the browser asks nobody else."""
    return [
        "--headless=new",
        "--no-sandbox",
        f"--host-resolver-rules=MAP * 127.0.0.1:{server.port}, EXCLUDE 127.0.0.1",
        "--ignore-certificate-errors",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]


class Chrome:
    """A running browser. `folder` is the built extension, `profile` what the browser keeps."""

    def __init__(self, context: BrowserContext, server: Serving, rows: dict[str, dict[str, Any]]) -> None:
        self.context, self.server, self.rows = context, server, rows
        worker = context.service_workers[0] if context.service_workers else context.wait_for_event("serviceworker")
        self.id = worker.url.split("/")[2]
        self._own: Page | None = None
        self.until(lambda: any("pair.html" in page.url for page in context.pages), what="the pairing page")

    def until(self, look: Callable[[], T | None], *, seconds: float = 30, what: str = "it") -> T:
        """The first result that is true. The browser's events arrive meanwhile, which a plain sleep would hold up."""
        end = time.monotonic() + seconds
        while not (found := look()):
            assert time.monotonic() < end, f"{what} did not come within {seconds:.0f} s"
            self.context.pages[0].wait_for_timeout(50)
        return found

    # The extension's own pages

    def own(self, name: str) -> Page:
        page = self.context.new_page()
        page.goto(f"chrome-extension://{self.id}/{name}")
        return page

    def ask(self, message: dict[str, Any]) -> Any:
        """What the worker answers to a page of the extension."""
        if self._own is None or self._own.is_closed():
            self._own = self.own("options.html")
        return self._own.evaluate("message => chrome.runtime.sendMessage(message)", message)

    def run(self, script: str, argument: Any = None) -> Any:
        """Runs a script in a page of the extension, with all that the extension may do."""
        self.ask({"do": "state"})
        assert self._own is not None
        return self._own.evaluate(script, argument)

    def set_site(self, host: str, **settings: Any) -> None:
        self.ask({"do": "set-site", "site": host, "settings": settings})

    def set(self, **settings: Any) -> None:
        self.ask({"do": "set", "settings": settings})

    def waiting(self) -> int:
        return int(self.ask({"do": "state"})["waiting"])

    def pair(self, daemon: Running) -> None:
        """As a person does: the page shows a code, the terminal confirms it."""
        page = self.own("pair.html")
        if page.locator("#port").input_value() != str(daemon.port):
            page.locator("#port").fill(str(daemon.port))
            with page.expect_navigation():
                page.locator("#port").press("Tab")
        page.get_by_role("button", name="Show the code").click()
        code = page.locator("[data-code]").inner_text()
        done = command("pair", "--data", daemon.data, code, "--yes")
        assert done.returncode == 0, done.stderr
        page.get_by_text("Paired.").wait_for()
        page.close()

    def worker(self) -> Worker:
        """The service worker, awake."""
        self.ask({"do": "state"})
        return next(worker for worker in self.context.service_workers if self.id in worker.url)

    def kill_worker(self) -> None:
        """As the browser does after half a minute of quiet."""
        session = self.context.browser.new_browser_cdp_session() if self.context.browser else None
        cdp = session or self.context.new_cdp_session(self.context.pages[0])
        for target in cdp.send("Target.getTargets")["targetInfos"]:
            if target["type"] == "service_worker" and self.id in target["url"]:
                cdp.send("Target.closeTarget", {"targetId": target["targetId"]})

    def reload(self) -> None:
        """As an update does: the worker starts anew, and scripts in open pages are orphans."""
        # An unpacked extension may come back only in developer mode, in which its user has loaded it.
        page = self.context.new_page()
        page.goto("chrome://extensions")
        page.evaluate("chrome.developerPrivate.updateProfileConfiguration({ inDeveloperMode: true })")
        page.close()
        self.ask({"do": "state"})
        assert self._own is not None
        with contextlib.suppress(Error):
            self._own.evaluate("chrome.runtime.reload()")
        self._own = None
        self.until(self._is_up, what="the extension after its update")

    def _is_up(self) -> bool:
        try:
            return bool(self.ask({"do": "state"}))
        except Error:
            self._own = None
            return False

    # Pages of sites

    def driver(self, site: str) -> Driver:
        return Driver(self.context.new_page(), self.server[site], self.rows[site])

    def overlay(self, driver: Driver) -> Overlay:
        return Overlay(driver.page)


@contextmanager
def chrome(
    playwright: Playwright, folder: Path, profile: Path, server: Serving, bundles: Path, **options: Any
) -> Iterator[Chrome]:
    rows = {row["id"]: row for row in json.loads((bundles / "sites.json").read_text())}
    context = playwright.chromium.launch_persistent_context(
        profile,
        executable_path=chromium(),
        headless=False,
        args=[
            *arguments(server),
            f"--disable-extensions-except={folder}",
            f"--load-extension={folder}",
            *options.pop("args", []),
        ],
        **options,
    )
    try:
        yield Chrome(context, server, rows)
    finally:
        context.close()
