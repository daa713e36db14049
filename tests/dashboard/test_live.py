"""Pages hear of what happens, also after the daemon was away, and in tabs that nobody looks at."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from api.running import Running
from dashboard.looking import Looking

Look = Callable[..., Looking]


def test_a_daemon_that_stops_is_said_and_one_that_is_back_is_heard(look: Look, small_house: Running) -> None:
    looking = look(small_house)
    looking.expects("ERR_")
    lost = looking.page.get_by_role("alert").filter(has_text="isn't responding")
    small_house.stop()
    expect(lost).to_be_visible()
    small_house.start()
    expect(lost).to_be_hidden(timeout=30_000)
    small_house.ok("POST", "/v1/memories", {"text": "Plays the bandoneon.", "pinned": True})
    expect(looking.page.get_by_text("bandoneon").first).to_be_visible()


def test_many_tabs_leave_connections_to_ask_with(look: Look, house: Running) -> None:
    """Chromium opens six at the most to one address."""
    looking = look(house)
    for _ in range(8):
        tab = looking.new_tab()
        tab.goto(f"{house.url}/")
        tab.locator("main h1").wait_for()
    tab.wait_for_function("!document.querySelector('.skeleton')")
