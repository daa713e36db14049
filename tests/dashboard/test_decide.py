"""Deciding, one thing at a time: by key, by touch, and taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from api.running import Running, eventually, running
from dashboard.laid import HOSTILE, Talk, contradict
from dashboard.looking import Looking
from satchel.store import Store, Tx

Look = Callable[..., Looking]
PROFILES = ("keys", "other", "undo", "later", "touch", "held", "stopped", "beside", "gone")
"""Each test's own: what it decides is no other's."""


def lay(tx: Tx, profile: str) -> None:
    """A conflict, a hint, a memory of edited words, and a conflict of three: the order in which they are asked about is
    conflicts (the newest first), what was edited, hints."""
    old = Talk(tx, profile, [("user", "By the way, I live in Rome these days.")], title="Rome", external_id="rome")
    new = Talk(
        tx, profile, [("user", "As I live in Turin, what now?")], title="Turin", external_id="turin", site="claude.ai"
    )
    rome = old.memory("The user lives in Rome.", "I live in Rome")
    turin = new.memory("The user lives in Turin.", "I live in Turin", status="resolving")
    contradict(tx, turin, rome)
    diets = [("user", f"I eat {what}.") for what in ("fish", "meat", "plants")]
    talk = Talk(tx, profile, diets, title="Food", external_id="food")  # type: ignore[arg-type]
    fish, meat, plants = (
        talk.memory(f"The user eats {what}.", f"I eat {what}", at=at, status="resolving")
        for at, what in enumerate(("fish", "meat", "plants"))
    )
    contradict(tx, plants, meat, fish)
    edited = Talk(tx, profile, [("user", "I work at the mill."), ("assistant", "Oh.")], external_id="mill")
    edited.memory("The user works at the mill.", "I work at the mill")
    edited.edit(0, "I work at the bakery.")
    hints = Talk(tx, profile, [("assistant", "Train or plane?"), ("user", "The train.")], external_id="hint")
    hints.memory(
        "The user may prefer trains.", "The train", at=1, kind="implicit_preference", status="candidate",
        reasoning="Chosen among what was offered.",
    )  # fmt: skip


def lay_hostile(tx: Tx) -> None:
    for at, text in enumerate(HOSTILE):
        talk = Talk(tx, "hostile", [("user", text)], title=text[:900], external_id=str(at))
        talk.memory(text[:9000], talk.contents[0][:40], status="candidate", reasoning=text)


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory, models_folder: Path) -> Iterator[Running]:
    data = tmp_path_factory.mktemp("waiting") / "data"
    store = Store(data)
    for profile in PROFILES:
        store.write_now(lambda tx, profile=profile: lay(tx, profile))
    store.write_now(lay_hostile)
    store.write_now(lambda tx: Talk(tx, "nobody", [("user", "Hello.")]))
    store.close()
    with running(data) as daemon:
        yield daemon


@pytest.fixture
def decide(look: Look, waiting: Running) -> Callable[..., Looking]:
    """`decide("keys")`: at the page, in a profile."""

    def start(profile: str, **how: Any) -> Looking:
        looking = look(waiting, "nowhere", **how)
        looking.page.evaluate("name => localStorage.setItem('satchel.profile', name)", profile)
        looking.go("decide")
        return looking

    return start


def states(daemon: Running, profile: str) -> dict[str, tuple[str, str | None]]:
    """Each memory's last word, with its status and end."""
    found: list[dict[str, Any]] = []
    for status in ("active", "resolving", "candidate", "superseded", "archived"):
        found += daemon.ok("GET", "/v1/memories", params={"profile": profile, "status": status})["items"]
    return {one["text"].rstrip(".").split()[-1]: (one["status"], one["valid_to"]) for one in found}


def become(daemon: Running, profile: str, **wanted: str) -> None:
    """Waits until these are the statuses."""

    def look() -> bool:
        now = states(daemon, profile)
        return all(now[name][0] == status for name, status in wanted.items())

    eventually(look, seconds=15, what=f"{wanted} in {states(daemon, profile)}")


def question(page: Page) -> Any:
    return page.locator("main section.decide")


def test_each_thing_is_decided_with_one_key_and_the_next_moves_up(
    decide: Callable[..., Looking], waiting: Running
) -> None:
    looking = decide("keys")
    page = looking.page
    expect(page.locator(".head")).to_contain_text("4 left")
    looking.picture("decide-three")
    expect(question(page).get_by_role("article")).to_have_count(3)
    page.keyboard.press("2")
    become(waiting, "keys", meat="active", plants="superseded", fish="active")
    expect(question(page)).to_contain_text("The user lives in Turin.")
    expect(page.locator(".head")).to_contain_text("3 left")
    page.keyboard.press("1")
    become(waiting, "keys", Turin="active", Rome="superseded")
    expect(question(page)).to_contain_text("the mill")
    page.keyboard.press("1")
    expect(question(page)).to_contain_text("trains")
    expect(question(page)).to_contain_text("Chosen among what was offered.")
    page.keyboard.press("2")
    become(waiting, "keys", trains="archived", mill="active")
    expect(page.get_by_role("heading", name="That was all")).to_be_visible()
    expect(page.locator("main")).to_contain_text("4 things decided")
    assert waiting.ok("GET", "/v1/decisions", params={"profile": "keys"})["total"] == 0
    looking.picture("decide-end")


def test_both_sides_stand_with_their_words_their_place_and_their_time(
    decide: Callable[..., Looking], waiting: Running
) -> None:
    looking = decide("other")
    page = looking.page
    page.keyboard.press("4")
    become(waiting, "other", fish="active", meat="active", plants="active")
    sides = question(page).get_by_role("article")
    expect(sides).to_have_count(2)
    for side, town, site in ((0, "Turin", "claude.ai"), (1, "Rome", "chatgpt.com")):
        expect(sides.nth(side).locator("mark")).to_have_text(f"I live in {town}")
        expect(sides.nth(side)).to_contain_text(site)
        expect(sides.nth(side).locator("blockquote")).to_contain_text("As I" if side == 0 else "these days")
        assert sides.nth(side).locator("time").count() == 2
    assert looking.axe() == []
    looking.picture("decide-two")
    page.keyboard.press("2")
    become(waiting, "other", Rome="active", Turin="superseded")
    edited = question(page)
    expect(edited).to_contain_text("I work at the mill.")
    expect(edited).to_contain_text("I work at the bakery.")
    looking.picture("decide-edited")


def test_a_decision_is_taken_back_to_the_last_one(decide: Callable[..., Looking], waiting: Running) -> None:
    looking = decide("undo")
    page = looking.page
    before = states(waiting, "undo")
    for text in ("Turin", "mill", "trains"):
        page.keyboard.press("1")
        expect(question(page)).to_contain_text(text)
    page.keyboard.press("1")
    expect(page.get_by_role("heading", name="That was all")).to_be_visible()
    become(waiting, "undo", trains="active", fish="superseded")
    for text in ("trains", "mill", "Turin", "plants"):
        page.keyboard.press("u")
        expect(question(page)).to_contain_text(text)
    become(waiting, "undo", plants="resolving")
    assert states(waiting, "undo") == before
    expect(page.locator(".head")).to_contain_text("4 left")
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)


def test_what_is_put_off_comes_last_and_is_not_lost(decide: Callable[..., Looking], waiting: Running) -> None:
    page = decide("later").page
    for text in ("plants", "Turin", "mill"):
        expect(question(page)).to_contain_text(text)
        page.keyboard.press("0" if text == "mill" else "s")
    page.keyboard.press("1")
    expect(page.locator("main")).to_contain_text("3 things are left for later")
    page.get_by_role("button", name="Look at them now").click()
    expect(question(page)).to_contain_text("plants")
    assert states(waiting, "later")["plants"][0] == "resolving"


def test_it_works_by_touch_on_a_telephone_and_for_who_listens(decide: Callable[..., Looking], waiting: Running) -> None:
    looking = decide("touch", narrow=True, dark=True)
    page = looking.page
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    looking.picture("decide-narrow")
    which = question(page).get_by_role("button", name="This holds").nth(1)
    expect(which).to_have_accessible_description("The user eats meat.")
    which.click()
    become(waiting, "touch", meat="active")
    expect(question(page)).to_contain_text("Turin")
    expect(question(page).get_by_role("heading", level=2)).to_be_focused()
    expect(page.locator(".decided").get_by_role("status")).to_contain_text("Decided")
    page.get_by_role("button", name="Undo").click()
    become(waiting, "touch", meat="resolving")
    assert looking.axe() == []


def test_a_key_that_is_held_decides_once(decide: Callable[..., Looking], waiting: Running) -> None:
    page = decide("held").page
    for _ in range(4):
        page.keyboard.down("1")
    become(waiting, "held", plants="active")
    expect(question(page)).to_contain_text("Turin")
    page.keyboard.press("Control+1")
    page.locator(".head").click()
    assert states(waiting, "held")["Turin"][0] == "resolving"


def test_what_fails_is_said_and_nothing_is_lost(decide: Callable[..., Looking], waiting: Running) -> None:
    looking = decide("stopped")
    page = looking.page
    waiting.kill()
    page.keyboard.press("1")
    expect(page.locator(".decided").get_by_role("status")).to_contain_text("isn't responding")
    expect(question(page)).to_contain_text("plants")
    waiting.start()
    looking.settle()
    page.keyboard.press("1")
    become(waiting, "stopped", plants="active")
    looking.wrong = [one for one in looking.wrong if "ERR_" not in one]


def test_what_is_decided_elsewhere_goes_from_the_page(decide: Callable[..., Looking], waiting: Running) -> None:
    page = decide("beside").page
    expect(question(page)).to_contain_text("plants")
    first = waiting.ok("GET", "/v1/decisions", params={"profile": "beside"})["items"][0]
    waiting.ok("POST", f"/v1/decisions/{first['memory']['id']}", {"decision": "both"})
    expect(question(page)).to_contain_text("Turin")
    expect(page.locator(".head")).to_contain_text("3 left")


def test_what_is_forgotten_goes_from_the_page(decide: Callable[..., Looking], waiting: Running) -> None:
    page = decide("gone").page
    expect(question(page)).to_contain_text("plants")
    waiting.ok("POST", "/v1/forget", {"profile": "gone", "name": "plants", "preview": False})
    expect(page.locator("body")).not_to_contain_text("plants")


@pytest.mark.parametrize("narrow", [False, True])
def test_hostile_words_stay_words(decide: Callable[..., Looking], narrow: bool) -> None:
    looking = decide("hostile", narrow=narrow)
    page = looking.page
    for at in range(len(HOSTILE)):
        expect(page.locator(".head")).to_contain_text(f"{len(HOSTILE)} left")
        looking.settle()
        assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), at
        assert page.locator("main img, main script").count() == 0
        page.keyboard.press("s")
    assert page.title() == "To decide · Satchel"


def test_with_nothing_to_decide_it_says_what_would_come_here(decide: Callable[..., Looking]) -> None:
    looking = decide("nobody", language="zh-CN")
    expect(looking.page.get_by_role("heading", name="没有待决定的事项")).to_be_visible()
    assert looking.axe() == []
