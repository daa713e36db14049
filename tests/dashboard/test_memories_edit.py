"""The page of memories, as somebody changes what is there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from api.running import Running, running
from dashboard.life import fill
from dashboard.looking import Looking

Look = Callable[..., Looking]


@pytest.fixture(scope="module")
def flat(tmp_path_factory: pytest.TempPathFactory, models_folder: Path) -> Iterator[Running]:
    """A daemon for the changes of this file."""
    data = tmp_path_factory.mktemp("flat") / "data"
    fill(data, count=130)
    with running(data) as daemon:
        yield daemon


@pytest.fixture
def new_house(tmp_path: Path, models_folder: Path) -> Iterator[Running]:
    """A daemon that knows nothing yet."""
    with running(tmp_path / "new") as daemon:
        yield daemon


def line(page: Page, index: int) -> Locator:
    return page.locator(f'.line[aria-rowindex="{index + 1}"]')


def write(house: Running, text: str, **more: Any) -> dict[str, Any]:
    return house.ok("POST", "/v1/memories", {"text": text, **more})  # type: ignore[no-any-return]


def now(house: Running, memory: dict[str, Any]) -> dict[str, Any]:
    return house.ok("GET", f"/v1/memories/{memory['id']}")  # type: ignore[no-any-return]


def edit(page: Page, house: Running, memory: dict[str, Any], text: str) -> None:
    """Begins an edit and types."""
    page.goto(f"{house.url}/#/memories/{memory['id']}")
    page.get_by_role("button", name="Edit", exact=True).click()
    page.get_by_label("What it says").fill(text)


def test_an_edit_changes_it_and_its_history_tells_what_it_said(look: Look, flat: Running) -> None:
    memory = write(flat, "I play the cello.", tags=["music"])
    page = look(flat, "memories").page
    edit(page, flat, memory, "I play the viola.")
    page.get_by_label("Kind").last.select_option("event")
    page.get_by_label("Tags, with commas").fill("music, strings")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="I play the viola.")).to_be_focused()
    expect(page.locator(".past li")).to_contain_text("I play the cello.")
    saved = now(flat, memory)
    assert (saved["text"], saved["kind"], saved["tags"]) == ("I play the viola.", "event", ["music", "strings"])


def test_two_tabs_that_edit_the_same_lose_neither_text(look: Look, flat: Running) -> None:
    looking = look(flat, "memories")
    one, other = looking.page, looking.new_tab()
    memory = write(flat, "I live in Graz.")
    edit(one, flat, memory, "I live in Linz.")
    edit(other, flat, memory, "I live in Wels.")
    other.get_by_role("button", name="Save").click()
    expect(other.get_by_role("heading", name="I live in Wels.")).to_be_visible()
    choice = one.get_by_role("alert").filter(has_text="changed meanwhile")
    expect(choice).to_contain_text("I live in Wels.")
    expect(choice).to_contain_text("I live in Linz.")
    assert now(flat, memory)["text"] == "I live in Wels."
    choice.get_by_role("button", name="Keep mine").click()
    expect(one.get_by_role("heading", name="I live in Linz.")).to_be_visible()
    saved = now(flat, memory)
    assert saved["text"] == "I live in Linz."
    assert [version["text"] for version in saved["history"]] == ["I live in Graz.", "I live in Wels."]


def test_a_save_that_crosses_a_change_not_yet_heard_of_is_held_back(look: Look, flat: Running) -> None:
    """The event of the change never comes: the daemon itself refuses what was typed over another text."""
    looking = look(flat, "home")
    page = looking.page
    page.route("**/v1/events", lambda route: route.abort())
    looking.go("memories")
    memory = write(flat, "I am left-handed.")
    edit(page, flat, memory, "I am right-handed.")
    flat.ok("PATCH", f"/v1/memories/{memory['id']}", {"text": "I use both hands."})
    page.get_by_role("button", name="Save").click()
    choice = page.get_by_role("alert").filter(has_text="changed meanwhile")
    expect(choice).to_contain_text("I use both hands.")
    choice.get_by_role("button", name="Take what it says now").click()
    expect(page.get_by_role("heading", name="I use both hands.")).to_be_visible()
    assert now(flat, memory)["text"] == "I use both hands."
    looking.wrong = [one for one in looking.wrong if "409" not in one and "ERR_FAILED" not in one]


def test_what_was_typed_outlives_a_forgetting_elsewhere(look: Look, flat: Running) -> None:
    looking = look(flat, "memories")
    page = looking.page
    memory = write(flat, "I keep bees.")
    edit(page, flat, memory, "I keep bees on the roof.")
    flat.ok("POST", "/v1/forget", {"memory": memory["id"], "preview": False})
    expect(page.get_by_role("alert").filter(has_text="forgotten meanwhile")).to_be_visible()
    page.get_by_role("button", name="Write it as a new one").click()
    expect(page.get_by_role("dialog").get_by_label("What it says")).to_have_value("I keep bees on the roof.")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="I keep bees on the roof.")).to_be_visible()
    looking.wrong = [one for one in looking.wrong if "404" not in one]


def test_an_edit_outlives_the_daemon(small_house: Running, look: Look) -> None:
    looking = look(small_house, "memories")
    page = looking.page
    memory = write(small_house, "I swim on Mondays.")
    edit(page, small_house, memory, "I swim on Tuesdays.")
    small_house.stop()
    expect(page.get_by_role("alert").filter(has_text="out of date")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".edit")).to_contain_text("Is it running?")
    expect(page.get_by_label("What it says")).to_have_value("I swim on Tuesdays.")
    small_house.start()
    expect(page.get_by_role("alert").filter(has_text="out of date")).to_have_count(0)
    expect(page.get_by_label("What it says")).to_have_value("I swim on Tuesdays.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="I swim on Tuesdays.")).to_be_visible()
    assert now(small_house, memory)["text"] == "I swim on Tuesdays."
    looking.wrong = [one for one in looking.wrong if "ERR_" not in one]


def test_an_edit_waits_while_another_memory_is_looked_at(look: Look, flat: Running) -> None:
    page = look(flat, "memories").page
    memory, other = write(flat, "I have a red bicycle."), write(flat, "I have a blue coat.")
    edit(page, flat, memory, "I have a green bicycle.")
    page.goto(f"{flat.url}/#/memories/{other['id']}")
    expect(page.get_by_role("heading", name="I have a blue coat.")).to_be_visible()
    page.go_back()
    expect(page.get_by_label("What it says")).to_have_value("I have a green bicycle.")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("heading", name="I have a red bicycle.")).to_be_visible()


def test_changes_by_others_leave_place_focus_and_selection(look: Look, flat: Running) -> None:
    page = look(flat, "memories").page
    page.locator(".rows").evaluate("(box) => box.scrollTo(0, 40 * 72)")
    text = line(page, 42).locator(".says").inner_text()
    line(page, 42).locator("input").click()
    line(page, 42).focus()
    top = "(row) => row.getBoundingClientRect().top"
    before = line(page, 42).evaluate(top)
    write(flat, "I learn Finnish.", pinned=True)
    moved = page.locator('.line[aria-rowindex="44"]')
    expect(moved.locator(".says")).to_have_text(text)
    expect(moved).to_be_focused()
    expect(moved.locator("input")).to_be_checked()
    assert abs(moved.evaluate(top) - before) < 2


def test_a_range_is_selected_and_changed_together(look: Look, flat: Running) -> None:
    page = look(flat, "memories?kind=fact&order=oldest").page
    line(page, 8).locator("input").click()
    line(page, 11).locator("input").click(modifiers=["Shift"])
    bar = page.get_by_role("region", name="4 selected")
    texts = [line(page, index).locator(".says").inner_text() for index in range(8, 12)]
    bar.get_by_label("Change kind").select_option("instruction")
    expect(bar).to_have_count(0)
    found = flat.ok("GET", "/v1/memories", params={"profile": "me", "kind": "instruction", "size": 1000})["items"]
    assert set(texts) <= {memory["text"] for memory in found}


def test_ctrl_a_selects_what_is_not_even_loaded(look: Look, flat: Running) -> None:
    page = look(flat, "memories?kind=fact").page
    total = flat.ok("GET", "/v1/memories", params={"profile": "me", "kind": "fact"})["total"]
    line(page, 0).focus()
    page.keyboard.press("Control+a")
    expect(page.get_by_role("region", name=f"{total} selected")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("region", name=re.compile("selected"))).to_have_count(0)


def test_several_are_forgotten_after_one_preview(look: Look, flat: Running) -> None:
    for name in ("Ilse", "Otto"):
        write(flat, f"My teacher was {name}.", tags=["teachers"])
    page = look(flat, "memories?tag=teachers").page
    line(page, 0).focus()
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("Delete")
    dialog = page.get_by_role("dialog", name="Forget 2 memories for good?")
    expect(dialog).to_contain_text("2 memories and 0 messages will be deleted")
    expect(dialog).to_contain_text("My teacher was Ilse.")
    dialog.get_by_role("button", name="Forget for good").click()
    expect(page.get_by_text("2 memories forgotten.")).to_be_visible()
    assert flat.ok("GET", "/v1/memories", params={"profile": "me", "tag": "teachers"})["total"] == 0


def test_what_did_not_work_is_said_and_stays_selected(look: Look, flat: Running) -> None:
    for name in ("alder", "birch"):
        write(flat, f"My tree is a {name}.", tags=["trees"])
    looking = look(flat, "memories?tag=trees")
    page = looking.page
    line(page, 0).locator("input").click()
    line(page, 1).locator("input").click()
    gone = flat.ok("GET", "/v1/memories", params={"profile": "me", "tag": "trees"})["items"][0]
    page.route(f"**/v1/memories/{gone['id']}", lambda route: route.continue_(method="PATCH", post_data='{"kind": 5}'))
    page.get_by_role("button", name="Archive").click()
    alert = page.get_by_role("alert").filter(has_text="could not be changed")
    expect(alert).to_contain_text(gone["text"])
    expect(page.get_by_role("region", name="1 selected")).to_be_visible()
    assert now(flat, gone)["status"] == "active"
    looking.wrong = [one for one in looking.wrong if "400" not in one]


def test_put_away_and_brought_back_pinned_and_forgotten_with_its_messages(look: Look, flat: Running) -> None:
    found = flat.ok("GET", "/v1/memories", params={"profile": "me", "size": 1000, "order": "oldest"})["items"]
    memory = next(one for one in found if len(one["sources"]) == 1 and not one["pinned"])
    looking = look(flat, f"memories/{memory['id']}")
    page = looking.page
    page.get_by_role("button", name="Archive").click()
    page.get_by_role("button", name="Bring back").click()
    page.get_by_role("button", name="Pin", exact=True).click()
    expect(page.get_by_role("button", name="Pin", exact=True)).to_have_attribute("aria-pressed", "true")
    assert (now(flat, memory)["status"], now(flat, memory)["pinned"]) == ("active", True)
    page.get_by_role("button", name="Forget …").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("0 messages will be deleted")
    dialog.get_by_label("and the messages it came from").check()
    expect(dialog).to_contain_text("1 message will be deleted")
    dialog.get_by_role("button", name="Forget for good").click()
    expect(page).to_have_url(re.compile(r"#/memories$"))
    assert flat.call("GET", f"/v1/memories/{memory['id']}").status_code == 404
    source = memory["sources"][0]
    left = flat.call("GET", f"/v1/conversations/{source['conversation_id']}")
    assert source["message_id"] not in left.text
    looking.wrong = [one for one in looking.wrong if "404" not in one]


def test_the_first_memory_is_written_by_key(new_house: Running, look: Look) -> None:
    page = look(new_house, "memories").page
    expect(page.get_by_role("heading", name="Nothing is remembered yet")).to_be_visible()
    page.keyboard.press("n")
    dialog = page.get_by_role("dialog", name="Write a memory")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_contain_text("Write what it should say.")
    dialog.get_by_label("What it says").fill("I do not eat fish.")
    dialog.get_by_label("Kind").select_option("explicit_preference")
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    expect(dialog.get_by_label("What it says")).to_have_value("I do not eat fish.")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="I do not eat fish.")).to_be_visible()
    (memory,) = new_house.ok("GET", "/v1/memories")["items"]
    assert (memory["kind"], memory["said_by"]) == ("explicit_preference", "user")
