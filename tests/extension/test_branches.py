"""Edits, second answers and branches keep their identity; a history opened again adds nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from api.running import Running
from extension.chrome import Chrome
from extension.driver import Driver
from extension.test_capture import SITES, logged

BRANCHING = ("chatgpt", "claude", "gemini", "deepseek")


@pytest.fixture
def driver(request: pytest.FixtureRequest, browser: Chrome, profile: str) -> Iterator[Driver]:
    driver = browser.driver(request.param)
    browser.set_site(driver.site.hosts[0], profile=profile)
    driver.site.received.clear()
    yield driver
    driver.page.close()


def contents(daemon: Running, profile: str, turns: int) -> list[str]:
    return [turn["content"] for turn in logged(daemon, profile, turns)]


@pytest.mark.parametrize("driver", BRANCHING, indirect=True)
def test_an_edited_question_and_a_second_answer_are_turns_of_their_own(
    driver: Driver, browser: Chrome, daemon: Running, profile: str
) -> None:
    driver.site.next_answer.extend(["First answer.", "Second answer.", "Third answer."])
    driver.open()
    driver.send("A question about ships")
    contents(daemon, profile, 2)
    driver.tool("regenerate")
    contents(daemon, profile, 3)
    driver.tool("edit")
    driver.page.locator('[data-test="edit-text"]').fill("A question about boats")
    driver.tool("edit-save")
    everything = [
        "A question about ships",
        "First answer.",
        "Second answer.",
        "A question about boats",
        "Third answer.",
    ]
    if driver.site.id == "gemini":  # asks the question again under a new id when it answers again
        everything.insert(0, "A question about ships")
    assert sorted(contents(daemon, profile, len(everything))) == sorted(everything)
    # Opened again, and switched to and fro: nothing new.
    driver.page.reload()
    driver.loaded()
    if driver.page.locator('[data-test="previous"]').count():
        driver.tool("previous", "first")
        driver.tool("next", "first")
    driver.send("The end")
    assert sorted(contents(daemon, profile, len(everything) + 2)) == sorted([*everything, "The end", "Noted."])
    assert len(daemon.ok("GET", "/v1/conversations", params={"profile": profile})["items"]) == 1


@pytest.mark.parametrize("driver", SITES, indirect=True)
def test_a_history_is_captured_when_it_is_opened_and_only_once(
    driver: Driver, browser: Chrome, daemon: Running, profile: str
) -> None:
    one, two = driver.site.new_conversation_id(), driver.site.new_conversation_id()
    driver.site.seed(one, [("user", "Yes"), ("assistant", "Good."), ("user", "Yes"), ("assistant", "Fine.")], "One")
    driver.site.seed(two, [("user", "The second, in Málaga"), ("assistant", "**Two**")], "Two")
    driver.open()
    for conversation in (one, two, one):
        driver.page.locator(f'[data-test="open"][data-id="{conversation}"]').click()
        driver.loaded()
    driver.send("And in the first again")
    said = logged(daemon, profile, 6, conversation=one)
    assert [turn["content"] for turn in said] == ["Yes", "Good.", "Yes", "Fine.", "And in the first again", "Noted."]
    said = logged(daemon, profile, 2, conversation=two)
    assert said[0]["content"] == "The second, in Málaga"
    assert len(said) == 2
    assert len(daemon.ok("GET", "/v1/conversations", params={"profile": profile})["items"]) == 2


@pytest.mark.parametrize("driver", ["chatgpt", "claude"], indirect=True)
def test_a_temporary_chat_is_never_captured(driver: Driver, browser: Chrome, daemon: Running, profile: str) -> None:
    driver.open()
    driver.tool("temporary")
    driver.send("Between us: I am planning a surprise party")
    driver.open()
    driver.send("This one may be kept")
    assert contents(daemon, profile, 2) == ["This one may be kept", "Noted."]
    assert len(daemon.ok("GET", "/v1/conversations", params={"profile": profile})["items"]) == 1


@pytest.mark.parametrize("driver", ["claude"], indirect=True)
def test_a_paused_site_and_an_unremembered_conversation_are_not_captured(
    driver: Driver, browser: Chrome, daemon: Running, profile: str
) -> None:
    host = driver.site.hosts[0]
    browser.set_site(host, paused=True)
    driver.open()
    driver.send("Not this")
    browser.set_site(host, paused=False)
    driver.tool("new-chat")
    driver.send("But this")
    assert contents(daemon, profile, 2) == ["But this", "Noted."]
    conversation = driver.site.received[-1]["conversation"]
    browser.ask({"do": "remember-conversation", "site": host, "conversation": conversation, "remember": False})
    driver.send("And this no more")
    driver.tool("new-chat")
    driver.send("Another conversation")
    browser.until(
        lambda: len(daemon.ok("GET", "/v1/conversations", params={"profile": profile})["items"]) == 2,
        what="the other conversation",
    )
    found = daemon.ok("POST", "/v1/recall", {"profile": profile, "query": "this no more", "limit": 50})
    assert "no more" not in str([hit["text"] for hit in found["hits"]])
