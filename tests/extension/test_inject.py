"""What is inserted is what the preview showed, once, and the site's own editor has it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from api.running import Running, eventually
from extension.chrome import Chrome
from extension.driver import Driver
from extension.overlay import Overlay
from extension.test_capture import SITES, logged

QUESTION = "What should I cook for my daughter's birthday party?"
MEMORIES = (
    ("explicit_preference", "The user's daughter loves dinosaurs and lemon cake."),
    ("fact", "The user's daughter Mia plays the violin in the school orchestra."),
)


def squeezed(text: str) -> str:
    """Editors and sites change white space, and nothing else."""
    return " ".join(text.split())


def remember(daemon: Running, profile: str, *memories: tuple[str, str]) -> list[str]:
    ids = [
        daemon.ok("POST", "/v1/memories", {"profile": profile, "kind": kind, "text": text})["id"]
        for kind, text in memories
    ]
    eventually(lambda: daemon.ok("GET", "/v1/status")["indexing"] == 0, what="the index")
    return ids


@pytest.fixture
def driver(request: pytest.FixtureRequest, browser: Chrome, profile: str) -> Iterator[Driver]:
    driver = browser.driver(request.param)
    browser.set_site(driver.site.hosts[0], profile=profile, mode=None)
    driver.site.received.clear()
    yield driver
    driver.page.close()


@pytest.fixture
def overlay(browser: Chrome, driver: Driver) -> Overlay:
    return browser.overlay(driver)


@pytest.mark.parametrize("driver", SITES, indirect=True)
def test_what_the_site_receives_is_what_the_preview_showed_and_the_prompt_once(
    driver: Driver, overlay: Overlay, daemon: Running, profile: str
) -> None:
    remember(daemon, profile, *MEMORIES)
    driver.open()
    driver.type(QUESTION)
    overlay.wait(".chip .label", saying="2 memories fit")
    overlay.open_preview()
    assert sorted(overlay.hits()) == sorted(text for _, text in MEMORIES)
    block = overlay.block()
    overlay.click(".panel .primary")
    overlay.wait(".chip .label", saying="2 memories inserted")
    driver.press_send()
    received = [each["text"] for each in driver.site.received]
    assert [squeezed(text) for text in received] == [squeezed(f"{block}\n\n{QUESTION}")]
    assert received[0].splitlines()[0].strip() == "⟦satchel⟧"
    # The block is not captured, and not offered again in this conversation.
    said = logged(daemon, profile, 2)
    assert said[0]["content"] == QUESTION
    assert not any("⟦" in turn["content"] for turn in said)
    driver.type("And which birthday cake would my daughter like?")
    driver.page.wait_for_timeout(1500)
    assert overlay.label in (None, "2 memories inserted")


@pytest.mark.parametrize("driver", SITES, indirect=True)
def test_tab_inserts_and_undo_gives_the_prompt_back(
    driver: Driver, overlay: Overlay, daemon: Running, profile: str
) -> None:
    remember(daemon, profile, *MEMORIES)
    driver.open()
    driver.type(f"Hello,\n{QUESTION}")
    overlay.wait(".chip .label", saying="2 memories fit")
    driver.page.keyboard.press("Tab")
    overlay.wait(".chip .label", saying="2 memories inserted")
    overlay.click(".chip .small", saying="Undo")
    overlay.wait_gone()
    driver.press_send()
    assert [squeezed(each["text"]) for each in driver.site.received] == [squeezed(f"Hello, {QUESTION}")]
