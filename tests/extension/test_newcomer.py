"""A newcomer's way: started, paired, a first chat remembered, seen on Home, corrected, forgotten.

With SATCHEL_PICTURES naming a folder, each step leaves a screenshot there, and the seconds since the start in
`newcomer.txt`.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Playwright, expect

from api.running import Running, command, running
from extension.chrome import Chrome, chrome
from extension.sites.server import Serving

SAID = "My daughter Ines is allergic to peanuts, so satay is out. What could I cook for eight people on Saturday?"


class Film:
    """Screenshots with the seconds at which they were taken."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._folder = os.environ.get("SATCHEL_PICTURES")
        self._frames = 0

    def frame(self, page: Page, what: str) -> None:
        self._frames += 1
        if self._folder:
            page.screenshot(path=Path(self._folder) / f"newcomer-{self._frames}.png")
            with (Path(self._folder) / "newcomer.txt").open("a", encoding="utf-8") as times:
                times.write(f"{self._frames}. {time.monotonic() - self._began:5.1f} s  {what}\n")


@pytest.fixture
def fresh(tmp_path: Path, models_folder: Path) -> Iterator[tuple[Film, Running]]:
    """A daemon on an empty data folder; the film begins with its start."""
    film = Film()
    with running(tmp_path / "data") as daemon:
        yield film, daemon


@pytest.fixture
def new_browser(
    playwright: Playwright, packages: Path, server: Serving, bundles: Path, tmp_path: Path
) -> Iterator[Chrome]:
    with chrome(playwright, packages / "chrome", tmp_path / "profile", server, bundles, locale="en-GB") as browser:
        yield browser


def test_a_newcomer_is_remembered_sees_it_corrects_it_and_forgets_it(
    fresh: tuple[Film, Running], new_browser: Chrome
) -> None:
    film, daemon = fresh
    home = new_browser.context.new_page()
    home.goto(command("open", "--data", daemon.data, "--url").stdout.strip())
    home.wait_for_url(f"{daemon.url}/")
    home.locator("main h1").wait_for()
    film.frame(home, "the dashboard of an empty store")

    pairing = new_browser.own("pair.html")
    pairing.locator("#port").fill(str(daemon.port))
    with pairing.expect_navigation():
        pairing.locator("#port").press("Tab")
    pairing.get_by_role("button", name="Show the code").click()
    code = pairing.locator("[data-code]").inner_text()
    film.frame(pairing, "the extension shows its code")
    home.goto(f"{daemon.url}/#/clients")
    home.get_by_label(re.compile("code", re.IGNORECASE)).first.fill(code)
    home.keyboard.press("Enter")
    confirm = home.get_by_role("button", name=re.compile("let it in|connect|confirm|allow", re.IGNORECASE)).first
    confirm.wait_for()
    film.frame(home, "the dashboard shows who asks")
    confirm.click()
    pairing.get_by_text("Paired.").wait_for()
    film.frame(pairing, "paired")

    home.goto(f"{daemon.url}/#/home")
    chat = new_browser.driver("chatgpt")
    chat.site.next_answer.append("A mild vegetable curry would suit everybody.")
    chat.open()
    chat.send(SAID)
    film.frame(chat.page, "the first chat")
    line = home.locator("main a", has_text="peanuts").first
    line.wait_for(timeout=90_000)  # by itself: the page hears of it
    film.frame(home, "remembered, and seen on Home")

    line.click()
    expect(home.locator("mark").first).to_contain_text("peanuts")
    film.frame(home, "the words that it came from")
    home.get_by_role("button", name="Edit").first.click()
    field = home.locator("main textarea").first
    field.fill("The user's daughter Ines is allergic to peanuts and to cashews.")
    home.get_by_role("button", name="Save").first.click()
    expect(home.locator("main")).to_contain_text("cashews")
    film.frame(home, "corrected")

    home.get_by_role("button", name=re.compile("^Forget")).first.click()
    dialog = home.get_by_role("dialog")
    dialog.get_by_role("button", name="Forget for good").click()
    dialog.wait_for(state="hidden", timeout=60_000)
    home.goto(f"{daemon.url}/#/home")
    home.locator("main h1").wait_for()
    expect(home.locator("main")).not_to_contain_text("cashews")
    film.frame(home, "forgotten")
    assert daemon.ok("GET", "/v1/memories", params={"q": "cashews"})["total"] == 0
