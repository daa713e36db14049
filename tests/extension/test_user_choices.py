"""The user decides what goes in: memories, kinds, sites, modes; what is edited or forgotten is gone at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from api.running import Running
from extension.chrome import Chrome
from extension.driver import Driver
from extension.overlay import Overlay
from extension.test_branches import BRANCHING
from extension.test_capture import logged
from extension.test_inject import MEMORIES, QUESTION, remember, squeezed

DINOSAURS, VIOLIN = (text for _, text in MEMORIES)


@pytest.fixture
def driver(request: pytest.FixtureRequest, browser: Chrome, profile: str) -> Iterator[Driver]:
    driver = browser.driver(getattr(request, "param", "claude"))
    host = driver.site.hosts[0]
    kinds = ["fact", "event", "explicit_preference", "implicit_preference", "instruction", "turn"]
    browser.set_site(host, profile=profile, mode=None, kinds=kinds, notFrom=[])
    driver.site.received.clear()
    yield driver
    browser.set_site(host, mode=None, kinds=kinds, notFrom=[])
    driver.page.close()


@pytest.fixture
def overlay(browser: Chrome, driver: Driver) -> Overlay:
    return browser.overlay(driver)


def offered(overlay: Overlay) -> list[str]:
    overlay.open_preview()
    return sorted(overlay.hits())


def test_a_deselected_memory_stays_out(driver: Driver, overlay: Overlay, daemon: Running, profile: str) -> None:
    ids = remember(daemon, profile, *MEMORIES)
    driver.open()
    driver.type(QUESTION)
    overlay.wait(".chip .label", saying="2 memories fit")
    overlay.open_preview()
    overlay.click(f'li[data-id="{ids[1]}"] input')
    overlay.wait(".panel .primary", saying="Insert 1")
    block = overlay.block()
    assert DINOSAURS in block
    assert VIOLIN not in block
    overlay.click(".panel .primary")
    overlay.wait(".chip .label", saying="1 memory inserted")
    driver.press_send()
    assert squeezed(driver.site.received[-1]["text"]) == squeezed(f"{block}\n\n{QUESTION}")
    # Only what went in counts as given: the other one is still offered here.
    driver.page.wait_for_timeout(500)
    driver.type("What does my daughter play in the school orchestra?")
    overlay.wait(".chip .label", saying="1 memory fits")
    assert offered(overlay) == [VIOLIN]


def test_a_memory_is_corrected_and_forgotten_from_the_preview(
    driver: Driver, overlay: Overlay, daemon: Running, profile: str
) -> None:
    ids = remember(daemon, profile, *MEMORIES)
    driver.open()
    driver.type(QUESTION)
    overlay.wait(".chip .label", saying="2 memories fit")
    overlay.open_preview()
    overlay.click(f'li[data-id="{ids[0]}"] button', saying="Correct")
    overlay.fill("li textarea", "The user's daughter loves dragons and lemon cake.")
    overlay.click("li button", saying="Save")
    overlay.wait(".list .words", saying="dragons")
    assert daemon.ok("GET", f"/v1/memories/{ids[0]}")["text"] == "The user's daughter loves dragons and lemon cake."
    overlay.click(f'li[data-id="{ids[1]}"] button', saying="Forget")
    overlay.click("li .danger")
    overlay.wait(".panel .primary", saying="Insert 1")
    assert overlay.hits() == ["The user's daughter loves dragons and lemon cake."]
    assert daemon.call("GET", f"/v1/memories/{ids[1]}").status_code == 404


def test_what_is_forgotten_elsewhere_is_gone_from_the_preview_at_once(
    driver: Driver, overlay: Overlay, daemon: Running, profile: str
) -> None:
    ids = remember(daemon, profile, *MEMORIES)
    driver.open()
    driver.type(QUESTION)
    overlay.wait(".chip .label", saying="2 memories fit")
    overlay.open_preview()
    daemon.ok("DELETE", f"/v1/memories/{ids[1]}")
    overlay.wait(".panel .primary", saying="Insert 1")
    assert overlay.hits() == [DINOSAURS]


def test_nothing_goes_in_that_changed_since_it_was_seen(
    driver: Driver, browser: Chrome, overlay: Overlay, daemon: Running, profile: str
) -> None:
    ids = remember(daemon, profile, *MEMORIES)
    driver.open()
    driver.type(QUESTION)
    overlay.wait(".chip .label", saying="2 memories fit")
    browser.kill_worker()  # nobody listens to the daemon's events
    daemon.ok("PATCH", f"/v1/memories/{ids[0]}", {"text": "The user's daughter loves trains and lemon cake."})
    driver.page.locator(driver.composer).first.focus()
    driver.page.keyboard.press("Tab")
    overlay.wait(".panel .note", saying="changed")
    assert "⟦" not in driver.page.locator(driver.composer).first.inner_text()
    overlay.click(".panel .primary")
    overlay.wait(".chip .label", saying="2 memories inserted")
    assert "trains" in driver.page.locator(driver.composer).first.inner_text()


def test_kinds_and_sites_that_the_user_ruled_out_are_not_offered(
    driver: Driver, browser: Chrome, overlay: Overlay, daemon: Running, profile: str
) -> None:
    remember(daemon, profile, *MEMORIES)
    daemon.capture("My daughter's birthday party is in the garden.", profile=profile, site="chatgpt.com")
    host = driver.site.hosts[0]
    browser.set_site(host, kinds=["fact", "turn"], notFrom=["chatgpt.com"])
    driver.open()
    driver.type(QUESTION)
    overlay.wait(".chip .label", saying="1 memory fits")
    assert offered(overlay) == [VIOLIN]


def test_off_offers_nothing(driver: Driver, browser: Chrome, overlay: Overlay, daemon: Running, profile: str) -> None:
    remember(daemon, profile, *MEMORIES)
    browser.set_site(driver.site.hosts[0], mode="off")
    driver.open()
    driver.send(QUESTION)
    assert overlay.label is None
    assert logged(daemon, profile, 2)[0]["content"] == QUESTION


def test_a_question_that_nothing_fits_shows_nothing(
    driver: Driver, overlay: Overlay, daemon: Running, profile: str
) -> None:
    remember(daemon, profile, *MEMORIES)
    driver.open()
    driver.type("What is the boiling point of tungsten?")
    driver.page.wait_for_timeout(1500)
    assert overlay.label is None


# Automatic


@pytest.mark.parametrize("driver", BRANCHING, indirect=True)
def test_automatic_mode_adds_on_sending_and_shows_it(
    driver: Driver, browser: Chrome, overlay: Overlay, daemon: Running, profile: str
) -> None:
    remember(daemon, profile, *MEMORIES)
    browser.set_site(driver.site.hosts[0], mode="auto")
    driver.open()
    driver.type(QUESTION)
    overlay.wait(".chip .label", saying="2 memories go along")
    driver.page.locator(driver.composer).first.press("Enter")
    overlay.wait(".chip .label", saying="Sending with memories: 2")
    assert driver.site.received == []
    browser.until(lambda: driver.site.received, what="the prompt")
    driver.idle()
    (received,) = [squeezed(each["text"]) for each in driver.site.received]
    assert received.startswith("⟦satchel⟧")
    assert received.endswith(f"⟦/satchel⟧ {QUESTION}")
    assert received.count(QUESTION) == 1
    assert DINOSAURS in received
    overlay.wait(".chip .label", saying="2 memories inserted")
    assert logged(daemon, profile, 2)[0]["content"] == QUESTION


@pytest.mark.parametrize("driver", BRANCHING, indirect=True)
def test_what_automatic_mode_adds_can_be_taken_back(
    driver: Driver, browser: Chrome, overlay: Overlay, daemon: Running, profile: str
) -> None:
    remember(daemon, profile, *MEMORIES)
    browser.set_site(driver.site.hosts[0], mode="auto")
    driver.open()
    driver.type(QUESTION)
    driver.page.keyboard.press("Enter")  # before the chip had an answer
    overlay.wait(".chip .label", saying="Sending with memories: 2")
    driver.page.keyboard.press("Escape")
    overlay.wait_gone()
    assert driver.site.received == []
    driver.page.locator(driver.composer).first.press("Enter")
    browser.until(lambda: driver.site.received, what="the prompt")
    assert [squeezed(each["text"]) for each in driver.site.received] == [QUESTION]


def test_automatic_mode_never_adds_a_special_category(
    driver: Driver, browser: Chrome, overlay: Overlay, daemon: Running, profile: str
) -> None:
    remember(
        daemon,
        profile,
        MEMORIES[1],
        ("fact", "The user takes metformin for diabetes before the school orchestra's concerts."),
    )
    question = "What should I bring to the concert of my daughter's school orchestra?"
    # When asked first, it is there to be chosen, and not chosen.
    driver.open()
    driver.type(question)
    overlay.wait(".chip .label", saying="1 memory fits")
    overlay.open_preview()
    assert len(overlay.hits()) == 2
    assert "health" in overlay.texts(".meta .mark")
    assert "metformin" not in overlay.block()
    browser.set_site(driver.site.hosts[0], mode="auto")
    driver.open()
    driver.type(question)
    overlay.wait(".chip .label", saying="1 memory goes along")
    driver.page.keyboard.press("Enter")
    browser.until(lambda: driver.site.received, what="the prompt")
    assert "violin" in driver.site.received[0]["text"]
    assert "metformin" not in driver.site.received[0]["text"]
