"""What is said on a chat site is in the daemon's log: each finished turn of both sides, once."""

from __future__ import annotations

from typing import Any

import pytest

from api.running import Running, eventually
from extension.chrome import Chrome
from extension.driver import Driver

SITES = ("chatgpt", "claude", "gemini", "deepseek", "perplexity", "grok", "kimi", "qwen")


@pytest.fixture
def driver(request: pytest.FixtureRequest, browser: Chrome, profile: str) -> Any:
    driver = browser.driver(request.param)
    browser.set_site(driver.site.hosts[0], profile=profile)
    yield driver
    driver.page.close()


def logged(daemon: Running, profile: str, turns: int, *, conversation: str | None = None) -> list[dict[str, Any]]:
    """The turns of a profile's only conversation, once there are so many."""

    def look() -> list[dict[str, Any]] | None:
        listed = daemon.ok("GET", "/v1/conversations", params={"profile": profile})["items"]
        found = [one for one in listed if conversation is None or one["external_id"] == conversation]
        if not found:
            return None
        said = daemon.log(found[0]["id"])
        return said if len(said) >= turns else None

    return eventually(look, seconds=30, what=f"{turns} turns in the log")


@pytest.mark.parametrize("driver", SITES, indirect=True)
def test_a_streamed_answer_is_captured_once_with_its_question(
    driver: Driver, browser: Chrome, daemon: Running, profile: str
) -> None:
    driver.site.next_answer.append("Take the night train.\n\n- It leaves at nine.\n- Bring **earplugs**.")
    driver.open()
    driver.send("How do I get to Vienna?\nI hate flying.")
    said = logged(daemon, profile, 2)
    assert [turn["role"] for turn in said] == ["user", "assistant"]
    assert said[0]["content"] == "How do I get to Vienna?\nI hate flying."
    assert "Take the night train." in said[1]["content"]
    assert "earplugs" in said[1]["content"]
    # The same conversation, loaded anew: everything is known.
    driver.page.reload()
    driver.loaded()
    driver.send("And back?")
    said = logged(daemon, profile, 4)
    assert [turn["role"] for turn in said] == ["user", "assistant"] * 2
    assert [turn["revision"] for turn in said] == [1] * 4
    browser.until(lambda: browser.waiting() == 0, what="an empty outbox")
