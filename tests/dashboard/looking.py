"""A person in front of the dashboard, in real Chromium."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from api.running import Running, command

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "backend" / "satchel" / "dashboard" / "node_modules" / "axe-core" / "axe.min.js"
expect.set_options(timeout=15_000)
WIDE, NARROW = {"width": 1280, "height": 860}, {"width": 390, "height": 844}
PAGES = (  # noqa: SIM905 - as they stand in the menu
    "home memories decide conversations pictures ask clients models forget settings backup"
).split()


class Looking:
    """A browser of its own. `page` is the tab; `wrong` is what went wrong in it: errors of scripts, and whatever the
    console says is an error; a test that expects some of it says so with `expects`."""

    def __init__(
        self, browser: Browser, daemon: Running, *, dark: bool = False, narrow: bool = False, language: str = "en-GB"
    ) -> None:
        self.daemon = daemon
        self.context = browser.new_context(
            viewport=NARROW if narrow else WIDE,  # type: ignore[arg-type]
            color_scheme="dark" if dark else "light",
            locale=language,
        )
        self.context.set_default_timeout(15_000)
        self.wrong: list[str] = []
        self.expected: list[str] = []
        self.page = self.new_tab()

    def new_tab(self) -> Page:
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.wrong.append(f"script: {error}"))
        page.on("console", lambda said: self.wrong.append(f"console: {said.text}") if said.type == "error" else None)
        return page

    def let_in(self) -> None:
        """As `satchel open` does it."""
        done = command("open", "--data", self.daemon.data, "--url")
        assert done.returncode == 0, done.stderr
        self.page.goto(done.stdout.strip())
        self.page.wait_for_url(f"{self.daemon.url}/")

    def go(self, where: str) -> None:
        """To a page, until its heading stands there and nothing loads any more."""
        self.page.goto("about:blank")  # else the heading of the page before would do
        self.page.goto(f"{self.daemon.url}/#/{where}")
        self.page.locator("main h1").first.wait_for()
        self.settle()

    def settle(self) -> None:
        expect(self.page.locator(".skeleton")).to_have_count(0, timeout=60_000)

    def axe(self) -> list[str]:
        """Serious and critical findings of axe-core on what is shown."""
        if not AXE.is_file():
            pytest.fail("axe-core is not installed: run ./scripts/test")
        # Through the debugger: the page's own policy lets no foreign script in.
        self.page.evaluate(AXE.read_text("utf-8"))
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{one['id']}: {one['help']} {json.dumps([node['target'] for node in one['nodes'][:3]])}"
            for one in found["violations"]
            if one["impact"] in ("serious", "critical")
        ]

    def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        return max(
            0, int(self.page.evaluate("document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"))
        )

    def picture(self, name: str) -> None:
        """A screenshot of what a person sees, where SATCHEL_PICTURES names a folder for them."""
        if folder := os.environ.get("SATCHEL_PICTURES"):
            self.page.screenshot(path=Path(folder) / f"{re.sub(r'[^a-z0-9-]+', '-', name.lower())}.png")

    def call(self, method: str, path: str, body: Any = None) -> Any:
        return self.daemon.ok(method, path, body)

    def expects(self, wrong: str) -> None:
        """What holds this may go wrong, until the end."""
        self.expected.append(wrong)

    def unexpected(self) -> list[str]:
        return [one for one in self.wrong if not any(known in one for known in self.expected)]

    def close(self) -> None:
        self.context.close()
