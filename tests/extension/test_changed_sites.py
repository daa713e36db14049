"""Sites change: the rendered page is read where the wire is silent; what cannot be read is said, not guessed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Playwright

from api.running import Running
from extension.chrome import Chrome, chrome
from extension.sites.server import Serving
from extension.test_capture import SITES, logged


def changed(packages: Path, to: Path, file: str, *swaps: tuple[str, str]) -> Path:
    """The extension as built, but for these words in one of its scripts: a site that moved on, seen from outside."""
    folder = Path(shutil.copytree(packages / "chrome", to))
    text = (folder / file).read_text()
    for old, new in swaps:
        assert old in text, f"{old!r} is not in {file}"
        text = text.replace(old, new)
    (folder / file).write_text(text)
    return folder


@pytest.fixture(scope="module")
def deaf(
    playwright: Playwright,
    packages: Path,
    server: Serving,
    bundles: Path,
    daemon: Running,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Chrome]:
    """Hears nothing on the wire: every site has moved to addresses that we do not know."""
    home = tmp_path_factory.mktemp("deaf")
    folder = changed(packages, home / "extension", "tap.js", ("fetch", "fetched"), ("XMLHttpRequest", "Request"))
    with chrome(playwright, folder, home / "profile", server, bundles) as browser:
        browser.pair(daemon)
        yield browser


@pytest.mark.parametrize("site", [site for site in SITES if site != "perplexity"])
def test_where_the_wire_is_silent_the_rendered_page_is_read(
    site: str, deaf: Chrome, daemon: Running, profile: str
) -> None:
    driver = deaf.driver(site)
    deaf.set_site(driver.site.hosts[0], profile=profile)
    driver.site.next_answer.append("The lake is **sixty** metres deep.\n\nMind the cold.")
    driver.open()
    driver.send("How deep is the lake?")
    said = logged(daemon, profile, 2)
    assert [turn["role"] for turn in said] == ["user", "assistant"]
    assert said[0]["content"] == "How deep is the lake?"
    assert said[1]["content"].split() == ["The", "lake", "is", "sixty", "metres", "deep.", "Mind", "the", "cold."]
    driver.page.close()


def test_a_site_without_markup_is_read_by_structure(deaf: Chrome, daemon: Running, profile: str) -> None:
    driver = deaf.driver("perplexity")
    deaf.set_site(driver.site.hosts[0], profile=profile)
    driver.site.next_answer.append("Sixty metres.")
    driver.open()
    driver.send("How deep is the lake?")
    said = logged(daemon, profile, 2)
    assert said[0]["content"] == "How deep is the lake?"
    assert "Sixty metres." in said[1]["content"]
    driver.page.close()


BROKEN = ("#prompt-textarea", "#prompt-of-yesterday")


def test_a_broken_selector_is_said_and_counted(
    playwright: Playwright,
    packages: Path,
    server: Serving,
    bundles: Path,
    daemon: Running,
    tmp_path: Path,
    profile: str,
) -> None:
    folder = changed(packages, tmp_path / "extension", "worker.js", BROKEN)
    with chrome(playwright, folder, tmp_path / "profile", server, bundles) as browser:
        browser.pair(daemon)
        driver = browser.driver("chatgpt")
        browser.set_site("chatgpt.com", profile=profile)
        driver.open()
        driver.type("Where do I find the composer?")
        overlay = browser.overlay(driver)
        overlay.wait(".chip.warn .label", saying="Satchel cannot read this page any more")
        assert "the text box was not found" in (overlay.label or "")
        state = browser.ask({"do": "state"})
        assert state["lastError"]["name"] == "error_unreadable"
        assert "chatgpt.com: composer" in state["lastError"]["detail"]
        badge = browser.run(
            "tabs => chrome.tabs.query({}).then((all) => Promise.all(all.map((tab) => "
            "chrome.action.getBadgeText({ tabId: tab.id }))))"
        )
        assert "!" in badge
        # The chat itself goes on, and is captured all the same: the wire still speaks.
        driver.press_send()
        assert logged(daemon, profile, 2)[0]["content"] == "Where do I find the composer?"


@pytest.mark.parametrize("kind", ["history", "event"])
def test_a_wire_of_another_shape_is_said_and_the_page_is_read_instead(
    browser: Chrome, daemon: Running, profile: str, kind: str
) -> None:
    driver = browser.driver("chatgpt")
    browser.set_site("chatgpt.com", profile=profile)
    conversation = driver.site.new_conversation_id()
    driver.site.seed(conversation, [("user", "Which shape is this?"), ("assistant", "A new one.")])
    driver.site.shape = lambda what, value: _reshaped(value) if what == kind == "history" else value
    if kind == "event":
        driver.site.shape = lambda what, value: {"shape": "new"} if what == "event" else value
    try:
        if kind == "history":
            driver.page.goto(driver.address(conversation))
        else:
            driver.open()
            driver.type("Which shape is this?")
            driver.page.locator(", ".join(driver.row["send"])).first.click()
        browser.overlay(driver).wait(".chip.warn .label", saying="cannot read this page")
    finally:
        driver.site.shape = None
    assert browser.ask({"do": "state"})["lastError"]["name"] == "error_unreadable"
    driver.page.close()


def _reshaped(value: object) -> object:
    """The history under other names."""
    return {"turns": value}
