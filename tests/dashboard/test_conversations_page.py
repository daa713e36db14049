"""The log as a person looks through it, and a conversation with what was drawn from it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from api.running import Running, eventually, running
from dashboard.laid import HOSTILE, Said, Talk
from dashboard.looking import Looking
from satchel.store import Store, Tx
from satchel.store.log import ensure_profile

Look = Callable[..., Looking]
MANY = 20_000
LONG_TURN = 200_000


def lay_many(tx: Tx) -> None:
    """A conversation every 40 minutes, on three sites."""
    tx.db.execute(
        "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?1)"
        " INSERT INTO conversation (id, profile, site, external_id, title, created_at, updated_at, device, clock)"
        " SELECT printf('many-%05d', i), ?2, 'site' || (i % 3) || '.example', i, 'Talk number ' || i, ?3 - i * 2400000,"
        " ?3 - i * 2400000, 'here', printf('%020d', i) FROM n",
        (MANY, ensure_profile(tx, "many"), tx.now),
    )


def lay_long(tx: Tx) -> None:
    turns: list[Said] = [("assistant" if at % 2 else "user", f"Turn {at}. " + "word " * 40) for at in range(2000)]
    turns[10] = ("user", "z " * (LONG_TURN // 2 - 9) + "I live in Oslo.  ")
    talk = Talk(tx, "long", turns, title="A very long one", external_id="long")
    talk.memory("The user lives in Oslo.", "I live in Oslo", at=10)


def lay_drawn(tx: Tx, profile: str) -> None:
    talk = Talk(
        tx,
        profile,
        [
            ("user", "Hi 👋 I live in Porto and I keep bees."),
            ("assistant", "Lovely. How many hives?"),
            ("user", "Three hives. My key is [Password masked by Satchel]."),
        ],
        title="Bees in Porto",
        site="claude.ai",
    )
    talk.memory("The user lives in Porto.", "I live in Porto")
    talk.memory("The user keeps bees.", "I keep bees")
    talk.memory("The user has three hives.", "Three hives", at=2)
    talk.edit(2, "Four hives. My key is [Password masked by Satchel].")
    Talk(tx, profile, [("user", "Something else.")], title="Something else", external_id="b")


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory, models_folder: Path) -> Iterator[Running]:
    data = tmp_path_factory.mktemp("log") / "data"
    store = Store(data)
    store.write_now(lay_many)
    store.write_now(lay_long)
    for profile in ("drawn", "forgetting"):
        store.write_now(lambda tx, profile=profile: lay_drawn(tx, profile))
    for at, text in enumerate(HOSTILE):
        store.write_now(lambda tx, at=at, text=text: _hostile(tx, at, text))
    store.close()
    with running(data) as daemon:
        yield daemon


def _hostile(tx: Tx, at: int, text: str) -> None:
    talk = Talk(tx, "hostile", [("user", text), ("assistant", text)], title=text[:900], external_id=str(at))
    talk.memory(text[:9000], talk.contents[0][:30])


@pytest.fixture
def see(look: Look, log: Running) -> Callable[..., Looking]:
    """`see("drawn")`: the conversations of a profile; `see("drawn", "Bees in Porto")`: one of them."""

    def start(profile: str, title: str = "", **how: Any) -> Looking:
        looking = look(log, "nowhere", **how)
        looking.page.evaluate("name => localStorage.setItem('satchel.profile', name)", profile)
        looking.go(f"conversations/{one(log, profile, title)}" if title else "conversations")
        return looking

    return start


def one(daemon: Running, profile: str, title: str) -> str:
    items = daemon.ok("GET", "/v1/conversations", params={"profile": profile, "q": title})["items"]
    return str(items[0]["id"])


def rows(page: Page) -> Any:
    return page.locator(".conversations li a")


def fits(page: Page) -> bool:
    return not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_twenty_thousand_conversations_stand_by_day_a_page_at_a_time(see: Callable[..., Looking]) -> None:
    looking = see("many")
    page = looking.page
    expect(page.locator(".head")).to_contain_text("20,000 conversations")
    expect(rows(page)).to_have_count(100)
    expect(page.locator(".conversations h2").first).to_have_text("today")
    expect(page.locator(".conversations h2").nth(1)).to_have_text("yesterday")
    page.get_by_role("button", name="Older").click()
    expect(rows(page).first).to_have_text("Talk number 100")
    expect(page.locator(".pager")).to_contain_text("101 to 200 of 20,000")
    page.get_by_role("button", name="Newer").click()
    expect(rows(page).first).to_have_text("Talk number 0")
    page.mouse.wheel(0, 700)
    days = page.locator(".conversations h2")
    above = "all => all.some(one => Math.abs(one.getBoundingClientRect().y) < 2)"
    assert eventually(lambda: days.evaluate_all(above), seconds=10, what="the day at the top")
    looking.picture("conversations-many")


def test_it_is_narrowed_by_site_words_and_days(see: Callable[..., Looking]) -> None:
    looking = see("many")
    page = looking.page
    page.get_by_label("Site").select_option("site1.example")
    expect(page.locator(".head")).to_contain_text("6,667 conversations")
    page.get_by_label("Words in the title").fill("number 1999")
    both = sum(at % 3 == 1 and "1999" in str(at) for at in range(MANY))
    expect(page.locator(".head")).to_contain_text(f"{both} conversations")
    assert "1999" not in page.url, "what is typed would stay in the browser's history"
    page.get_by_role("button", name="Show all").click()
    expect(page.locator(".head")).to_contain_text("20,000 conversations")
    day = page.evaluate(
        "d => { const n = new Date(); n.setDate(n.getDate() - d); return n.toLocaleDateString('sv'); }", 3
    )
    page.get_by_label("From").fill(day)
    page.get_by_label("To", exact=True).fill(day)
    expect(page.locator(".conversations h2")).to_have_count(1)
    expect(page.locator(".head")).to_have_text(re.compile("3[67] conversations"))
    page.get_by_label("Words in the title").fill("nowhere to be found")
    expect(page.get_by_role("heading", name="No conversation is like that")).to_be_visible()
    assert looking.axe() == []


def test_the_way_back_leads_to_where_one_was(see: Callable[..., Looking]) -> None:
    page = see("many").page
    page.get_by_label("Words in the title").fill("number 777")
    expect(page.locator(".head")).to_contain_text(f"{sum('777' in str(at) for at in range(MANY))} conversations")
    rows(page).nth(30).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Talk number")
    page.go_back()
    expect(page.get_by_label("Words in the title")).to_have_value("number 777")
    expect(rows(page).nth(30)).to_be_focused()


def test_a_memory_lights_up_its_words_and_its_words_light_up_it(see: Callable[..., Looking]) -> None:
    looking = see("drawn", "Bees")
    page = looking.page
    words = page.locator("mark", has_text="I live in Porto")
    memory = page.locator(".drawn-memory", has_text="lives in Porto")
    lit = re.compile("lit")
    expect(words).to_have_text("I live in Porto")
    expect(words).not_to_have_class(lit)
    memory.hover()
    expect(words).to_have_class(lit)
    expect(page.locator("mark", has_text="I keep bees")).not_to_have_class(lit)
    looking.picture("conversation-lit")
    page.mouse.move(0, 0)
    expect(words).not_to_have_class(lit)
    words.get_by_role("link").focus()
    expect(memory).to_have_class(lit)
    memory.get_by_role("link").focus()
    expect(words).to_have_class(lit)
    turn = page.locator(".turn").first
    assert turn.locator(".drawn").bounding_box()["x"] > turn.locator(".words").bounding_box()["x"] + 300  # type: ignore[index]
    assert looking.axe() == []


def test_an_edited_turn_says_what_it_said_before_with_what_was_drawn_from_that(see: Callable[..., Looking]) -> None:
    looking = see("drawn", "Bees", narrow=True)
    page = looking.page
    turn = page.locator(".turn").nth(2)
    expect(turn.locator(".words > .verbatim")).to_contain_text("Four hives.")
    expect(turn.locator(".drawn-memory")).to_contain_text("from before the edit")
    expect(turn.locator("details mark")).to_be_hidden()
    turn.locator("summary").click()
    expect(turn.locator("details mark")).to_have_text("Three hives")
    expect(turn.locator(".masked").first).to_have_text("[Password masked by Satchel]")
    words, drawn = turn.locator(".words").bounding_box(), turn.locator(".drawn").bounding_box()
    assert words is not None
    assert drawn is not None
    assert drawn["y"] >= words["y"] + words["height"], "on a narrow screen memories stand below"
    assert fits(page)
    looking.picture("conversation-narrow")


def test_two_thousand_turns_stay_usable(see: Callable[..., Looking]) -> None:
    looking = see("long", "long")
    page = looking.page
    expect(page.locator(".turn")).to_have_count(2000)
    long_turn = page.locator(".turn").nth(10)
    assert len(long_turn.inner_text()) < 6000
    expect(long_turn.locator("mark")).to_have_text("I live in Oslo")  # also where it stands beyond the fold
    long_turn.get_by_role("button", name="Show all").click()
    assert len(long_turn.inner_text()) >= LONG_TURN - 100
    took = page.evaluate(
        "() => new Promise(done => { const from = performance.now(); scrollTo(0, document.body.scrollHeight);"
        " requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - from))); })"
    )
    assert took < 3000
    expect(page.locator(".turn").last).to_be_in_viewport()
    assert fits(page)


def test_one_memory_and_the_conversation_are_forgotten_from_here_with_a_preview(
    see: Callable[..., Looking], log: Running
) -> None:
    looking = see("forgetting", "Bees")
    page = looking.page
    other = looking.new_tab()
    other.goto(page.url)
    expect(other.locator(".drawn-memory", has_text="keeps bees")).to_be_visible()
    page.bring_to_front()
    page.get_by_role("button", name="Forget: The user keeps bees.").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("1 memory and 0 messages")
    expect(dialog).to_contain_text("The user keeps bees.")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Forget: The user keeps bees.")).to_be_focused()
    page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Forget for good").click()
    for tab in (page, other):
        expect(tab.locator(".drawn-memory")).to_have_count(2)
        expect(tab.locator("body")).not_to_contain_text("The user keeps bees.")
    page.get_by_role("button", name="Forget the conversation").click()
    expect(dialog).to_contain_text("2 memories and 3 messages")
    dialog.get_by_role("button", name="Forget for good").click()
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_have_text("Something else")
    expect(other.get_by_role("heading", name="This conversation is not here")).to_be_visible()
    expect(other.locator("body")).not_to_contain_text("Porto")
    looking.wrong = [one for one in looking.wrong if "404" not in one]


@pytest.mark.parametrize("narrow", [False, True])
def test_hostile_words_stay_words(see: Callable[..., Looking], log: Running, narrow: bool) -> None:
    looking = see("hostile", narrow=narrow)
    page = looking.page
    expect(rows(page)).to_have_count(len(HOSTILE))
    assert fits(page)
    for one_id in [one["id"] for one in log.ok("GET", "/v1/conversations", params={"profile": "hostile"})["items"]]:
        page.evaluate("id => { location.hash = `#/conversations/${id}`; }", one_id)
        expect(page.locator(".turn")).to_have_count(2)
        assert fits(page), one_id
        assert page.locator("main img, main script").count() == 0
        page.go_back()
        expect(rows(page)).to_have_count(len(HOSTILE))
    assert page.title() == "Conversations · Satchel"


def test_what_is_not_there_is_said_with_a_way_on(see: Callable[..., Looking]) -> None:
    looking = see("nobody", language="zh-CN")
    expect(looking.page.get_by_role("heading", name="还没有对话")).to_be_visible()
    looking.go("conversations/gone")
    expect(looking.page.get_by_role("heading", name="这里没有这个对话")).to_be_visible()
    expect(looking.page.get_by_role("link", name="所有对话").first).to_be_visible()
    looking.wrong = [one for one in looking.wrong if "404" not in one]
