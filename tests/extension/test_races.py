"""Users who are quick, change their minds or go elsewhere in the middle; and pages that press our keys."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from api.running import Running
from extension.chrome import Chrome
from extension.driver import Driver
from extension.overlay import Overlay
from extension.test_inject import MEMORIES, QUESTION, remember, squeezed


@pytest.fixture
def driver(request: pytest.FixtureRequest, browser: Chrome, daemon: Running, profile: str) -> Iterator[Driver]:
    driver = browser.driver(getattr(request, "param", "claude"))
    browser.set_site(driver.site.hosts[0], profile=profile, mode=None)
    driver.site.received.clear()
    remember(daemon, profile, *MEMORIES)
    yield driver
    browser.set_site(driver.site.hosts[0], mode=None)
    driver.page.close()


@pytest.fixture
def overlay(browser: Chrome, driver: Driver) -> Overlay:
    return browser.overlay(driver)


def test_a_script_of_the_page_cannot_press_our_keys(driver: Driver, overlay: Overlay) -> None:
    driver.open()
    driver.type(QUESTION)
    overlay.wait(".chip .label", saying="2 memories fit")
    driver.page.evaluate(
        """selector => document.querySelector(selector).dispatchEvent(
          new KeyboardEvent("keydown", { key: "Tab", code: "Tab", bubbles: true, cancelable: true }))""",
        driver.composer,
    )
    driver.page.wait_for_timeout(1000)
    assert "⟦" not in driver.page.locator(driver.composer).first.inner_text()


def test_a_script_of_the_page_cannot_make_automatic_mode_add(driver: Driver, browser: Chrome, overlay: Overlay) -> None:
    browser.set_site(driver.site.hosts[0], mode="auto")
    driver.open()
    driver.type(QUESTION)
    overlay.wait(".chip .label", saying="2 memories go along")
    driver.page.evaluate("selector => document.querySelector(selector).click()", ", ".join(driver.row["send"]))
    browser.until(lambda: driver.site.received, what="the prompt")
    assert [each["text"] for each in driver.site.received] == [QUESTION]


@pytest.mark.parametrize("driver", ["chatgpt", "kimi", "deepseek"], indirect=True)
def test_enter_right_after_tab_sends_the_block_and_reports_it(
    driver: Driver, browser: Chrome, overlay: Overlay, daemon: Running, profile: str
) -> None:
    driver.open()
    driver.type(QUESTION)
    overlay.wait(".chip .label", saying="2 memories fit")
    driver.page.keyboard.press("Tab")
    driver.page.keyboard.press("Enter")
    browser.until(lambda: driver.site.received, what="the prompt")
    driver.idle()
    (received,) = [squeezed(each["text"]) for each in driver.site.received]
    assert received.startswith("⟦satchel⟧")
    assert received.endswith(f"⟦/satchel⟧ {QUESTION}")
    conversation = driver.site.received[0]["conversation"]

    def is_given() -> bool:
        body = {"profile": profile, "query": QUESTION, "external_id": conversation}
        return not daemon.ok("POST", "/v1/context", body)["context"]

    browser.until(is_given, what="the report")


def test_tab_right_after_the_last_key_inserts(driver: Driver, overlay: Overlay) -> None:
    driver.open()
    driver.type(QUESTION)
    overlay.wait(".chip .label", saying="2 memories fit")
    driver.page.keyboard.type(" Please")
    driver.page.wait_for_timeout(300)  # just before the next question is asked
    driver.page.keyboard.press("Tab")
    overlay.wait(".chip .label", saying="2 memories inserted")
    assert squeezed(driver.page.locator(driver.composer).first.inner_text()).endswith(f"{QUESTION} Please")


def test_automatic_mode_waits_while_the_user_goes_on_writing(driver: Driver, browser: Chrome, overlay: Overlay) -> None:
    browser.set_site(driver.site.hosts[0], mode="auto")
    driver.open()
    driver.type(QUESTION)
    driver.page.keyboard.press("Enter")
    overlay.wait(".chip .label", saying="Sending with memories: 2")
    driver.page.keyboard.type(" And a present?")
    driver.page.wait_for_timeout(3500)
    assert driver.site.received == []
    overlay.wait(".chip .small", saying="Undo")
    driver.page.keyboard.press("Enter")
    browser.until(lambda: driver.site.received, what="the prompt")
    (received,) = [squeezed(each["text"]) for each in driver.site.received]
    assert received.endswith(f"{QUESTION} And a present?")


def test_automatic_mode_sends_nothing_into_another_conversation(
    driver: Driver, browser: Chrome, overlay: Overlay
) -> None:
    other = driver.site.new_conversation_id()
    driver.site.seed(other, [("user", "Hello"), ("assistant", "Hello.")], "Other")
    browser.set_site(driver.site.hosts[0], mode="auto")
    driver.open()
    driver.type(QUESTION)
    driver.page.keyboard.press("Enter")
    overlay.wait(".chip .label", saying="Sending with memories: 2")
    driver.page.locator(f'[data-test="open"][data-id="{other}"]').click()
    driver.loaded()
    driver.page.wait_for_timeout(3500)
    assert driver.site.received == []


def test_a_correction_being_written_outlives_what_changes_meanwhile(
    driver: Driver, overlay: Overlay, daemon: Running, profile: str
) -> None:
    driver.open()
    driver.type(QUESTION)
    overlay.wait(".chip .label", saying="2 memories fit")
    overlay.open_preview()
    overlay.block()
    overlay.click("li button", saying="Correct")
    overlay.fill("li textarea", "Half a correc")
    remember(daemon, profile, ("fact", "The user's daughter has a birthday cake stand."))
    driver.page.wait_for_timeout(1000)
    assert overlay.run('function () { return this.querySelector("li textarea").value }') == "Half a correc"


MENU = """([item, selection, url]) => chrome.tabs.query({ url: url + "*" }).then(([tab]) =>
  chrome.contextMenus.onClicked.dispatch({ menuItemId: item, selectionText: selection, pageUrl: tab.url }, tab))"""


def test_the_menu_remembers_a_selection_and_opens_the_preview(
    driver: Driver, browser: Chrome, overlay: Overlay, daemon: Running, profile: str
) -> None:
    driver.open()
    driver.page.locator(driver.composer).first.click()
    url = "https://claude.ai/"
    text = "The lighthouse keeper's cat is called Brandy."
    browser.worker().evaluate(MENU, ["remember", text, url])

    def kept() -> bool:
        return text in str(daemon.ok("GET", "/v1/memories", params={"profile": profile, "q": "lighthouse"})["items"])

    browser.until(kept, what="the memory")
    driver.type(QUESTION)
    overlay.wait(".chip .label", saying="2 memories fit")
    browser.worker().evaluate(MENU, ["insert", "", url])
    overlay.wait(".panel .primary", saying="Insert 2")
    # What was picked out is a memory of its own, no turn of a chat.
    assert daemon.ok("GET", "/v1/conversations", params={"profile": profile})["items"] == []
