"""The page of memories, as somebody looks through it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Error, Locator, Page, Route, expect

from api.running import Running, running
from dashboard.looking import Looking
from satchel.capture.normalise import Captured, CapturedMessage, normalise
from satchel.store import Store, Tx, jobs, log, memories
from satchel.types import Draft, Source

Look = Callable[..., Looking]
KINDS = ["fact", "event", "explicit_preference", "implicit_preference", "instruction"]
HOSTILE = (
    "<img src=x onerror=document.title='owned'>",
    "\u202eright to left and never back",
    "W" * 400,
    "${1+1} {{constructor}} <script>document.title='owned'</script> &amp;",
    "ten thousand " * 750,
)


QUESTION = "Which of these would you rather see first: <b>the fjords</b> or the capital?"
ANSWER = "\U0001f98a" * 30 + "Well. " * 300 + "The fjords, because I grew up by the sea." + " So it goes." * 200
QUOTE = "The fjords, because I grew up by the sea."


def _answered(data: Path) -> None:
    """A memory that rests on a question and on the answer to it, deep in a long turn after characters of two units."""
    said = Captured(
        profile="me",
        site="<i>site</i>",
        external_id="c",
        title=HOSTILE[0],
        url=None,
        messages=(
            CapturedMessage(role="assistant", content=QUESTION),
            CapturedMessage(role="user", content=ANSWER),
        ),
    )

    def write(tx: Tx) -> None:
        recorded = log.record(
            tx,
            profile="me",
            site=said.site,
            external_id="c",
            title=said.title,
            url=None,
            messages=normalise(said),
        )
        sources = tuple(
            Source(
                message_id=message,
                conversation_id=recorded.conversation_id,
                start=content.index(quote),
                end=content.index(quote) + len(quote),
                quote=quote,
            )
            for message, content, quote in zip(
                recorded.message_ids, (QUESTION, ANSWER), ("the fjords", QUOTE), strict=True
            )
        )
        text = "The user would rather see the fjords first."
        memories.add(
            tx,
            Draft(kind="fact", text=text, key="fjords", tags=("fjords",), sources=sources, valid_from=tx.now),
            profile="me",
        )
        assert recorded.job_id
        jobs.complete(tx, recorded.job_id, [])

    store = Store(data)
    try:
        store.write_now(write)
    finally:
        store.close()


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory, models_folder: Path) -> Iterator[Running]:
    """A daemon in which every field holds something nasty."""
    data = tmp_path_factory.mktemp("hostile") / "data"
    _answered(data)
    with running(data) as daemon:
        for text in HOSTILE:
            daemon.ok("POST", "/v1/memories", {"text": text, "tags": [text[:100]], "key": text[:100]})
        yield daemon


def line(page: Page, index: int) -> Locator:
    """The row of the memory at this place, from 0."""
    return page.locator(f'.line[aria-rowindex="{index + 1}"]')


def listed(house: Running, **asked: Any) -> dict[str, Any]:
    return house.ok("GET", "/v1/memories", params={"profile": "me", **asked})  # type: ignore[no-any-return]


def test_the_list_tells_how_many_there_are_and_draws_only_what_is_in_view(look: Look, house: Running) -> None:
    page = look(house, "memories").page
    found = listed(house)
    expect(page.get_by_role("grid")).to_have_attribute("aria-rowcount", str(found["total"]))
    for index in (0, 5):
        expect(line(page, index).locator(".says")).to_have_text(found["items"][index]["text"])
    assert found["total"] > 1000
    assert page.locator(".line").count() < 60


def test_keys_go_through_the_whole_list(look: Look, house: Running) -> None:
    page = look(house, "memories").page
    total = listed(house)["total"]
    line(page, 0).focus()
    for key, index in (("ArrowDown", 1), ("j", 2), ("k", 1), ("End", total - 1)):
        page.keyboard.press(key)
        expect(line(page, index)).to_be_focused()
    last = listed(house, size=1, page=total)["items"][0]
    expect(line(page, total - 1).locator(".says")).to_have_text(last["text"])
    page.keyboard.press("PageUp")
    expect(line(page, total - 1)).not_to_be_focused()
    page.keyboard.press("Home")
    expect(line(page, 0)).to_be_focused()
    expect(line(page, 0)).to_be_in_viewport()


def test_scrolled_to_the_middle_the_rows_are_those_of_the_middle(look: Look, house: Running) -> None:
    page = look(house, "memories").page
    page.locator(".rows").evaluate("(box) => box.scrollTo(0, 850 * 72)")
    wanted = listed(house, page=9)["items"][52]
    expect(line(page, 852).locator(".says")).to_have_text(wanted["text"])


def test_filters_stand_in_the_address_and_back_takes_them_away(look: Look, house: Running) -> None:
    page = look(house, "memories").page
    grid = page.get_by_role("grid")
    everything = str(listed(house)["total"])
    expect(grid).to_have_attribute("aria-rowcount", everything)
    page.get_by_role("button", name="Filters").click()
    page.locator("select[name=kind]").select_option("event")
    expect(page).to_have_url(re.compile(r"#/memories\?kind=event$"))
    expect(grid).to_have_attribute("aria-rowcount", str(listed(house, kind="event")["total"]))
    page.go_back()
    expect(grid).to_have_attribute("aria-rowcount", everything)


def test_a_link_sets_every_filter(look: Look, house: Running) -> None:
    asked = {"site": "claude.ai", "status": "superseded", "said_by": "user", "pinned": "false"}
    since = "2020-01-01"
    link = "&".join(f"{name}={value}" for name, value in {**asked, "since": since}.items())
    page = look(house, f"memories?{link}").page
    wanted = listed(house, **asked)["total"]
    assert wanted > 0
    expect(page.get_by_role("grid")).to_have_attribute("aria-rowcount", str(wanted))
    expect(page.locator("select[name=site]")).to_have_value("claude.ai")
    expect(page.locator("input[name=since]")).to_have_value(since)


def test_searching_is_recall_in_its_order_and_says_why(look: Look, house: Running) -> None:
    page = look(house, "memories").page
    question = "what do I like to eat"
    page.get_by_role("searchbox").fill(question)
    hits = house.ok("POST", "/v1/recall", {"query": question, "limit": 100, "kinds": KINDS, "explain": True})["hits"]
    expect(page.get_by_role("grid")).to_have_attribute("aria-rowcount", str(len(hits)))
    for index in range(4):
        expect(line(page, index).locator(".says")).to_have_text(hits[index]["text"])
    page.get_by_label("Why this order").check()
    expect(line(page, 0)).to_contain_text(f"score {hits[0]['score']:.2f}")
    assert "what" not in page.url  # the browser's history would keep a word that is forgotten later


def test_what_comes_late_never_overwrites_what_was_asked_later(look: Look, house: Running) -> None:
    page = look(house, "memories").page
    held: list[Route] = []

    def hold(route: Route) -> None:
        if "mother" in (route.request.post_data or ""):
            held.append(route)
        else:
            route.continue_()

    page.route("**/v1/recall", hold)
    search = page.get_by_role("searchbox")
    with page.expect_request("**/v1/recall"):
        search.fill("my mother")
    search.fill("what do I like to eat")
    best = house.ok("POST", "/v1/recall", {"query": "what do I like to eat", "kinds": KINDS})["hits"][0]["text"]
    expect(line(page, 0).locator(".says")).to_have_text(best)
    assert held
    with contextlib.suppress(Error):  # the page gave it up
        held[0].continue_()
    page.wait_for_timeout(400)
    expect(line(page, 0).locator(".says")).to_have_text(best)


def test_a_memory_stands_beside_the_list_with_its_words_marked(look: Look, house: Running) -> None:
    memory = next(one for one in listed(house)["items"] if one["sources"])
    looking = look(house, f"memories/{memory['id']}")
    page = looking.page
    expect(page.get_by_role("heading", name=memory["text"])).to_be_visible()
    expect(page.locator("mark").first).to_have_text(memory["sources"][0]["quote"])
    expect(page.get_by_role("grid")).to_be_visible()
    conversation = memory["sources"][0]["conversation_id"]
    expect(page.locator(f'a[href="#/conversations/{conversation}"]').first).to_be_visible()
    looking.page.set_viewport_size({"width": 390, "height": 844})
    expect(page.get_by_role("grid")).to_be_hidden()
    page.get_by_role("link", name="Close").click()
    expect(page.get_by_role("grid")).to_be_visible()


def test_opened_by_key_the_focus_goes_to_the_memory_and_back(look: Look, house: Running) -> None:
    page = look(house, "memories").page
    line(page, 3).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=2)).to_be_focused()
    page.keyboard.press("Escape")
    expect(line(page, 3)).to_be_focused()


def test_keys_are_letters_while_somebody_types(look: Look, house: Running) -> None:
    page = look(house, "memories").page
    page.keyboard.press("/")
    search = page.get_by_role("searchbox")
    expect(search).to_be_focused()
    page.keyboard.type("n?px/")
    expect(search).to_have_value("n?px/")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.locator("h1").focus()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_where_nothing_is_like_that_it_says_so_and_leads_on(look: Look, house: Running) -> None:
    page = look(house, "memories?tag=nobody-has-this-tag").page
    page.get_by_role("link", name="Show all memories").click()
    expect(page.get_by_role("grid")).to_be_visible()


def test_when_the_list_cannot_be_had_it_says_so_and_tries_again(look: Look, house: Running) -> None:
    looking = look(house, "home")
    page = looking.page
    for path in ("memories?*", "events"):  # with the events, it would try again by itself
        page.route(f"**/v1/{path}", lambda route: route.abort())
    looking.go("memories")
    expect(page.get_by_role("alert").filter(has_text="Is it running?")).to_be_visible()
    page.unroute("**/v1/memories?*")
    page.get_by_role("button", name="Try again").click()
    expect(line(page, 0)).to_be_visible()
    looking.wrong = [one for one in looking.wrong if "ERR_FAILED" not in one]


def test_a_long_turn_is_folded_around_the_words_with_the_turn_before_it(look: Look, hostile: Running) -> None:
    (memory,) = listed(hostile, tag="fjords")["items"]
    page = look(hostile, f"memories/{memory['id']}").page
    turns = page.locator("figure.turn")
    expect(turns).to_have_count(2)
    expect(turns.first.locator("blockquote")).to_have_text(QUESTION)
    expect(page.locator("mark")).to_have_text(["the fjords", QUOTE])
    folded = len(turns.last.locator("blockquote").inner_text())
    assert folded < 700
    page.get_by_role("button", name="Show the whole turn").click()
    expect(turns.last.locator("mark")).to_have_text(QUOTE)
    assert len(turns.last.locator("blockquote").inner_text()) > len(ANSWER) * 0.9


@pytest.mark.parametrize("how", [{}, {"dark": True}, {"narrow": True}], ids=["light", "dark", "narrow"])
def test_hostile_words_are_words_and_break_nothing(look: Look, hostile: Running, how: dict[str, Any]) -> None:
    looking = look(hostile, "memories", **how)
    page = looking.page
    expect(page.locator(".line")).to_have_count(len(HOSTILE) + 1)
    sideways = "document.documentElement.scrollWidth > innerWidth"
    assert looking.axe() == []
    for memory in listed(hostile)["items"]:
        page.goto(f"{hostile.url}/#/memories/{memory['id']}")
        expect(page.locator("h2.statement")).to_have_text(memory["text"], use_inner_text=False)
        assert not page.evaluate(sideways)
    looking.picture(f"hostile {how}")
    assert looking.axe() == []
    assert "owned" not in page.title()
    assert page.locator("main img").count() == 0
