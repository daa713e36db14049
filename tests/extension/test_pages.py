"""The fixture pages themselves, without the extension: what they send, what they show, and that it stays."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Playwright, expect

from extension.chrome import arguments, chromium
from extension.driver import Driver
from extension.sites import SITES
from extension.sites.server import Serving

BRANCHING = [site for site in ("chatgpt", "claude", "gemini", "deepseek") if site in SITES]
TEMPORARY = [site for site in ("chatgpt", "claude", "gemini") if site in SITES]
ANSWER = "Here is **a plan** for `Zürich`:\n\n- one 🙂\n- two\n\n```python\nprint(1)\n```\n\nGood luck."
PROMPT = 'First line with "quotes"\nand a second, über-long one 🙂'


@pytest.fixture(scope="module")
def browser(
    server: Serving, playwright: Playwright, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BrowserContext]:
    context = playwright.chromium.launch_persistent_context(
        tmp_path_factory.mktemp("profile"),
        executable_path=chromium(),
        headless=False,
        args=arguments(server),
    )
    yield context
    context.close()


@pytest.fixture(params=list(SITES))
def driver(request: pytest.FixtureRequest, browser: BrowserContext, server: Serving, bundles: Path) -> Iterator[Driver]:
    rows = {row["id"]: row for row in json.loads((bundles / "sites.json").read_text())}
    site = server[request.param]
    site.received.clear()
    site.next_answer.clear()
    page = browser.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    yield Driver(page, site, rows[request.param])
    page.close()
    # That a conversation is not there under one of its addresses is part of a site's life.
    assert [text for text in wrong if "404" not in text] == []


def shown(driver: Driver) -> list[str]:
    return [" ".join(text.split()) for text in driver.words()]


def test_a_prompt_is_received_as_it_was_typed_and_its_streamed_answer_stays(driver: Driver) -> None:
    driver.site.next_answer.append(ANSWER)
    driver.open()
    assert not driver.can_send()
    driver.send(PROMPT)
    assert [each["text"] for each in driver.site.received] == [PROMPT]
    assert driver.page.url == driver.address(driver.site.received[0]["conversation"])
    first = shown(driver)
    assert first == [" ".join(PROMPT.split()), "Here is a plan for Zürich: one 🙂 two print(1) Good luck."]
    driver.page.reload()
    driver.loaded()
    assert shown(driver) == first
    driver.send("And then?")
    assert [each["text"] for each in driver.site.received] == [PROMPT, "And then?"]
    assert len({each["conversation"] for each in driver.site.received}) == 1
    assert shown(driver) == [*first, "And then?", "Noted."]


def test_the_page_says_when_it_streams(driver: Driver) -> None:
    driver.site.next_answer.append("word " * 60)
    driver.open()
    driver.type("Go on at length")
    driver.page.locator(driver.composer).press("Enter")
    driver.page.wait_for_selector("html[data-state=streaming]")
    if driver.row.get("busy"):
        expect(driver.page.locator(driver.row["busy"])).not_to_have_count(0)
    driver.idle()
    if driver.row.get("busy"):
        expect(driver.page.locator(driver.row["busy"])).to_have_count(0)


def test_conversations_are_opened_within_the_page(driver: Driver) -> None:
    one, two = driver.site.new_conversation_id(), driver.site.new_conversation_id()
    driver.site.seed(one, [("user", "The first"), ("assistant", "**One** it is")], "One")
    driver.site.seed(two, [("user", "The second"), ("assistant", "Two"), ("user", "More"), ("assistant", "No")], "Two")
    driver.open()
    driver.page.evaluate("window.same = true")
    driver.page.locator(f'[data-test="open"][data-id="{one}"]').click()
    driver.loaded()
    assert (shown(driver), driver.page.url) == (["The first", "One it is"], driver.address(one))
    driver.page.locator(f'[data-test="open"][data-id="{two}"]').click()
    driver.loaded()
    assert (shown(driver), driver.page.url) == (["The second", "Two", "More", "No"], driver.address(two))
    driver.page.go_back()
    driver.loaded()
    assert (shown(driver), driver.page.url) == (["The first", "One it is"], driver.address(one))
    driver.tool("new-chat")
    assert shown(driver) == []
    assert driver.page.evaluate("window.same") is True


@pytest.mark.parametrize("driver", BRANCHING, indirect=True)
def test_edits_and_second_answers_are_branches(driver: Driver) -> None:
    driver.site.next_answer.extend(["First answer.", "Second answer.", "Third answer."])
    driver.open()
    driver.send("A question")
    driver.tool("regenerate")
    assert shown(driver) == ["A question", "Second answer."]
    driver.tool("edit")
    driver.page.locator('[data-test="edit-text"]').fill("Another question")
    driver.tool("edit-save")
    assert shown(driver) == ["Another question", "Third answer."]
    # Gemini sends the prompt again for another answer.
    assert list(dict.fromkeys(each["text"] for each in driver.site.received)) == ["A question", "Another question"]
    driver.page.reload()
    driver.loaded()
    assert shown(driver) == ["Another question", "Third answer."]
    if driver.page.locator('[data-test="previous"]').count():
        driver.tool("previous", "first")
        assert shown(driver) == ["A question", "Second answer."]
        driver.tool("previous")
        assert shown(driver) == ["A question", "First answer."]


@pytest.mark.parametrize("driver", TEMPORARY, indirect=True)
def test_a_temporary_chat_leaves_nothing_in_the_sidebar(driver: Driver) -> None:
    driver.open()
    before = driver.page.locator('[data-test="open"]').count()
    driver.tool("temporary")
    marks = driver.row["temporary"]
    assert "url" not in marks or re.search(marks["url"], driver.page.url)
    assert "selector" not in marks or driver.page.locator(marks["selector"]).is_visible()
    driver.send("Between us")
    driver.send("Still between us")
    assert len({each["conversation"] for each in driver.site.received}) == 1
    driver.open()
    assert driver.page.locator('[data-test="open"]').count() == before


def test_a_stopped_answer_stays_unfinished(driver: Driver) -> None:
    if not driver.row.get("busy"):
        pytest.skip("the row knows no stop button")
    driver.site.next_answer.append("word " * 4000)
    driver.open()
    driver.type("Go on")
    driver.page.locator(driver.composer).press("Enter")
    expect(driver.page.locator(driver.row["turns"]["assistant"]).last).to_contain_text("word word")
    driver.page.locator(driver.row["busy"]).last.click()
    driver.idle()
    assert len(driver.words()[-1]) < 15000


@pytest.mark.parametrize("driver", ["chatgpt"], indirect=True)
def test_chatgpt_also_streams_whole_messages_and_hands_its_history_out_in_pages(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver.site, "whole_events", True)
    monkeypatch.setattr(driver.site, "paged", True)
    turns = [(role, f"{role} {number}") for number in range(23) for role in ("user", "assistant")]
    kept = driver.site.seed(driver.site.new_conversation_id(), turns, "Long")
    driver.open(driver.site.path(kept.id))
    driver.send("One more")
    assert shown(driver) == [*(text for _, text in turns), "One more", "Noted."]
    pages = [target for _, target in driver.site.requests if kept.id in target and "/messages?before=" in target]
    assert len(pages) == 2
