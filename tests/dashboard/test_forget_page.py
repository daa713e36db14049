"""Forgetting by every way, with a preview before and a receipt after, and nothing of it left in any tab."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from api.running import Running, running
from dashboard.laid import HOSTILE, Talk
from dashboard.looking import Looking
from satchel.store import Store, Tx

Look = Callable[..., Looking]
NAME = "Marguerite"


def lay(tx: Tx, profile: str) -> None:
    """One named person in two conversations, and beside her what is to stay."""
    first = Talk(
        tx,
        profile,
        [("user", f"{NAME} is my sister.")],
        title=f"{NAME}",
        site="claude.ai",
    )
    first.memory(f"The user's sister is {NAME}.", f"{NAME} is my sister")
    second = Talk(
        tx, profile, [("user", f"I row with {NAME}."), ("user", "I keep bees.")], title="Bees", external_id="b"
    )
    second.memory("The user rows.", f"I row with {NAME}")
    second.memory("The user keeps bees.", "I keep bees", at=1)


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory, models_folder: Path) -> Iterator[Running]:
    data = tmp_path_factory.mktemp("known") / "data"
    store = Store(data)
    for profile in ("name", "site", "days", "all", "typed"):
        store.write_now(lambda tx, profile=profile: lay(tx, profile))
    for at, text in enumerate(HOSTILE):
        store.write_now(
            lambda tx, at=at, text=text: Talk(tx, "hostile", [("user", text)], external_id=str(at), title=text[:900])
        )
    store.close()
    with running(data) as daemon:
        yield daemon


@pytest.fixture
def forget(look: Look, known: Running) -> Callable[..., Looking]:
    """`forget("name")`: at the page, in a profile."""

    def start(profile: str, **how: Any) -> Looking:
        looking = look(known, "nowhere", **how)
        looking.page.evaluate("name => localStorage.setItem('satchel.profile', name)", profile)
        looking.go("forget")
        return looking

    return start


def see_what_goes(page: Page) -> Any:
    page.get_by_role("button", name="See what would go").click()
    plan = page.locator("form.forgetting")
    expect(plan.get_by_role("heading", name="This goes")).to_be_visible()
    return plan


def for_good(page: Page) -> None:
    page.get_by_role("button", name="Forget for good").click()
    expect(page.get_by_role("heading", name="Forgotten", exact=True)).to_be_focused(timeout=60_000)


def texts(daemon: Running, profile: str) -> set[str]:
    return {one["text"] for one in daemon.ok("GET", "/v1/memories", params={"profile": profile})["items"]}


def test_a_name_is_forgotten_and_no_tab_and_no_storage_says_it_any_more(
    forget: Callable[..., Looking], known: Running
) -> None:
    looking = forget("name")
    page, other = looking.page, looking.new_tab()
    other.goto(f"{known.url}/#/conversations")
    other.locator(".conversations a", has_text=NAME).click()
    expect(other.locator("h1")).to_have_text(NAME)
    page.get_by_label("Name or word").fill(NAME.lower())
    plan = see_what_goes(page)
    expect(plan).to_contain_text("1conversations")
    expect(plan).to_contain_text("2memories")
    expect(plan.locator("li", has_text="sister is")).to_contain_text("matches directly")
    expect(plan.locator("li", has_text="The user rows.")).to_contain_text("rests on nothing else")
    expect(plan).not_to_contain_text("bees")
    assert looking.axe() == []
    looking.picture("forget-plan")
    assert len(texts(known, "name")) == 3, "a preview changes nothing"
    for_good(page)
    receipt = page.get_by_role("region", name="Forgotten", exact=True)
    expect(receipt).to_contain_text("No trace of it was found.")
    expect(receipt).to_contain_text("2 memories")
    looking.picture("forget-receipt")
    assert texts(known, "name") == {"The user keeps bees."}
    expect(page.get_by_role("region", name="Receipts")).to_contain_text("A name or word")
    expect(other.get_by_role("heading", name="This conversation is not here")).to_be_visible()
    for tab in (page, other):
        kept = tab.evaluate(
            "async () => document.documentElement.outerHTML + document.title + location.href"
            " + JSON.stringify({...localStorage}) + JSON.stringify({...sessionStorage}) + JSON.stringify(history.state)"
            " + [...document.querySelectorAll('input')].map(one => one.value) + (await caches.keys())"
            " + JSON.stringify(performance.getEntries().map(one => one.name))"
        )
        assert NAME.lower() not in kept.lower()
        tab.go_back()
        assert NAME.lower() not in tab.content().lower()
    looking.wrong = [one for one in looking.wrong if "404" not in one]


def test_what_was_forgotten_is_kept_out_until_it_is_let_in(forget: Callable[..., Looking], known: Running) -> None:
    looking = forget("site")
    page = looking.page
    page.get_by_role("radio", name="A site").check()
    page.locator("form.forgetting select").select_option("claude.ai")
    expect(see_what_goes(page)).to_contain_text("1messages")
    for_good(page)
    again = {"role": "user", "content": f"{NAME} is my sister.", "id": "m0"}
    body = {"profile": "site", "site": "claude.ai", "external_id": "a", "messages": [again]}
    assert known.ok("POST", "/v1/messages", body)["forgotten"] == 1
    looking.go("forget")
    out = page.get_by_role("region", name="Kept out")
    expect(out).to_contain_text("claude.ai")
    expect(out).to_contain_text("one of them was sent again")
    out.get_by_role("button", name="Let it in again").click()
    page.get_by_role("dialog").get_by_role("button", name="Let it in again").click()
    expect(out).to_contain_text("Nothing is kept out.")
    assert known.ok("POST", "/v1/messages", body)["accepted"] == 1


def test_days_are_forgotten_the_first_and_the_last_included(forget: Callable[..., Looking], known: Running) -> None:
    page = forget("days", narrow=True).page
    page.get_by_role("radio", name="A time").check()
    today, yesterday = page.evaluate(
        "[0, 1].map(d => { const n = new Date(); n.setDate(n.getDate() - d); return n.toLocaleDateString('sv'); })"
    )
    page.get_by_label("Last day").fill(yesterday)
    page.get_by_role("button", name="See what would go").click()
    expect(page.get_by_role("heading", name="There is nothing of it here")).to_be_visible()
    expect(page.get_by_role("button", name="Forget for good")).to_have_count(0)
    page.get_by_role("button", name="Back").click()
    page.get_by_label("Last day").fill(today)
    page.get_by_label("First day").fill(today)
    expect(see_what_goes(page)).to_contain_text("3messages")
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_everything_needs_a_word_and_takes_one_profile(forget: Callable[..., Looking], known: Running) -> None:
    looking = forget("all", dark=True)
    page = looking.page
    page.get_by_role("radio", name="Everything").check()
    see_what_goes(page)
    button = page.get_by_role("button", name="Forget for good")
    expect(button).to_be_disabled()
    page.get_by_label("Type “forget”").fill("forge")
    page.keyboard.press("Enter")
    expect(button).to_be_disabled()
    page.get_by_label("Type “forget”").fill("Forget")
    looking.picture("forget-everything-dark")
    for_good(page)
    assert texts(known, "all") == set()
    assert known.ok("GET", "/v1/conversations", params={"profile": "all"})["total"] == 0
    assert len(texts(known, "typed")) == 3


def test_what_was_typed_outlives_a_stop_of_the_daemon(forget: Callable[..., Looking], known: Running) -> None:
    looking = forget("typed")
    page = looking.page
    page.get_by_label("Name or word").fill(NAME)
    known.kill()
    page.get_by_role("button", name="See what would go").click()
    alert = page.locator("form.forgetting").get_by_role("alert")
    expect(alert).to_contain_text("isn't responding")
    known.start()
    expect(page.get_by_role("heading", name="This goes")).to_be_visible()
    known.kill()
    page.get_by_role("button", name="Forget for good").click()
    expect(alert.first).to_contain_text("did not answer to the end")
    known.start()
    page.get_by_role("button", name="Back").click()
    expect(page.get_by_label("Name or word")).to_have_value(NAME)
    assert len(texts(known, "typed")) == 3
    looking.wrong = [one for one in looking.wrong if "ERR_" not in one]


@pytest.mark.parametrize("narrow", [False, True])
def test_hostile_words_stay_words(forget: Callable[..., Looking], narrow: bool) -> None:
    looking = forget("hostile", narrow=narrow)
    page = looking.page
    page.get_by_role("radio", name="A site").check()
    page.locator("form.forgetting select").select_option("chatgpt.com")
    plan = see_what_goes(page)
    for summary in plan.locator("summary").all():
        summary.click()
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert page.locator("main img, main script").count() == 0
    assert page.title() == "Forget · Satchel"
    page.get_by_role("button", name="Back").click()
    page.get_by_role("radio", name="A person or a word").check()
    page.get_by_label("Name or word").fill("W" * 200)
    page.get_by_role("button", name="See what would go").click()
    expect(page.get_by_role("button", name="Back")).to_be_visible()
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_before_anything_was_forgotten_it_says_what_will_stand_here(small_house: Running, look: Look) -> None:
    looking = look(small_house, "forget", language="zh-CN")
    expect(looking.page.get_by_role("region", name="回执")).to_contain_text("还没有忘记过什么")
    assert looking.axe() == []
