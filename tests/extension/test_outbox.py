"""A turn leaves the extension only when the daemon has said that it is on its disk."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from api.running import Running
from extension.chrome import Chrome
from extension.driver import Driver
from extension.test_capture import logged

COUNT = """async () => {
  const open = indexedDB.open("satchel");
  const db = await new Promise((done, fail) => { open.onsuccess = () => done(open.result); open.onerror = fail; });
  const request = db.transaction("outbox").objectStore("outbox").count();
  const count = await new Promise((done) => { request.onsuccess = () => done(request.result); });
  db.close();
  return count;
}"""
"""Looked up in the browser's store itself: asking the worker would wake it."""

FULL = """() => {
  self.roomyAdd = IDBObjectStore.prototype.add;
  IDBObjectStore.prototype.add = () => { throw new DOMException("full", "QuotaExceededError"); };
}"""
"""What the browser throws when the disk is full: no quota can be set for an extension with unlimitedStorage."""


@pytest.fixture
def driver(browser: Chrome, profile: str) -> Iterator[Driver]:
    driver = browser.driver("chatgpt")
    browser.set_site(driver.site.hosts[0], profile=profile)
    driver.site.received.clear()
    yield driver
    driver.page.close()


def test_turns_wait_while_the_daemon_is_down_and_outlive_the_worker(
    driver: Driver, browser: Chrome, daemon: Running, profile: str
) -> None:
    driver.open()
    own = browser.own("options.html")
    daemon.stop()
    try:
        for number in range(3):
            driver.send(f"Said while nobody listened, number {number}")
        browser.until(lambda: own.evaluate(COUNT) == 6, what="six turns in the store")
        browser.kill_worker()
        assert own.evaluate(COUNT) == 6
    finally:
        daemon.start()
    # The next sign of life wakes the worker, which sends what waits, in order, with what is new.
    driver.send("And now again")
    own.close()
    said = logged(daemon, profile, 8)
    assert [turn["content"] for turn in said if turn["role"] == "user"] == [
        *(f"Said while nobody listened, number {number}" for number in range(3)),
        "And now again",
    ]
    browser.until(lambda: browser.waiting() == 0, what="an empty outbox")


def test_two_hundred_turns_in_a_burst_arrive_once_and_in_order(
    driver: Driver, browser: Chrome, daemon: Running, profile: str
) -> None:
    conversation = driver.site.new_conversation_id()
    turns = [("user" if n % 2 == 0 else "assistant", f"Turn number {n} of many") for n in range(200)]
    driver.site.seed(conversation, turns, "Long")
    driver.open(driver.site.path(conversation))
    said = logged(daemon, profile, 200)
    assert [turn["content"] for turn in said] == [content for _, content in turns]


def test_twenty_tabs_capture_each_its_own(browser: Chrome, driver: Driver, daemon: Running, profile: str) -> None:
    drivers = [browser.driver("chatgpt") for _ in range(20)]
    for number, one in enumerate(drivers):
        one.open()
        one.type(f"Tab number {number} speaks")
    for one in drivers:
        one.page.locator(", ".join(one.row["send"])).first.click()
    for one in drivers:
        one.idle()

    def kept() -> list[dict[str, object]] | None:
        items = daemon.ok("GET", "/v1/conversations", params={"profile": profile})["items"]
        return items if len(items) == 20 and all(item["message_count"] == 2 for item in items) else None

    items = browser.until(kept, seconds=60, what="twenty conversations of two turns")
    first = {daemon.log(str(item["id"]))[0]["content"] for item in items}
    assert first == {f"Tab number {number} speaks" for number in range(20)}
    for one in drivers:
        one.page.close()


def test_a_turn_the_daemon_refuses_holds_nothing_else_up(
    driver: Driver, browser: Chrome, daemon: Running, profile: str
) -> None:
    # Half of a surrogate pair: no text that can be written as UTF-8.
    driver.site.next_answer.append("Half an emoji: \\ud83d, that is all")
    driver.site.shape = lambda kind, value: _halved(value)
    driver.open()
    driver.send("What is this?")
    driver.site.shape = None
    driver.send("And after it?")
    said = logged(daemon, profile, 3)
    assert "And after it?" in [turn["content"] for turn in said]
    browser.until(lambda: browser.waiting() == 0, what="an empty outbox")


def _halved(value: object) -> object:
    """The escape that stands in the answer's text, made real."""
    if isinstance(value, str):
        return value.replace("\\ud83d", "\ud83d")
    if isinstance(value, list):
        return [_halved(each) for each in value]
    if isinstance(value, dict):
        return {name: _halved(each) for name, each in value.items()}
    return value


def test_a_full_store_loses_nothing_and_says_so(driver: Driver, browser: Chrome, daemon: Running, profile: str) -> None:
    overlay = browser.overlay(driver)
    driver.open()
    worker = browser.worker()
    worker.evaluate(FULL)
    driver.send("The store is full now")
    overlay.wait(".chip.warn .label", saying="storage is full")
    assert browser.ask({"do": "state"})["lastError"]["name"] == "error_full"
    worker.evaluate("() => { IDBObjectStore.prototype.add = self.roomyAdd; }")
    # With room again, the page's next sign of life brings what it held on to.
    driver.send("There is room again")
    said = logged(daemon, profile, 4)
    assert {turn["content"] for turn in said if turn["role"] == "user"} == {
        "The store is full now",
        "There is room again",
    }
