"""The page Ask: what a chat would be given for a question, why, and what another threshold would change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from api.running import Running, eventually, running
from dashboard.hostile import HOSTILE, no_sideways
from dashboard.looking import Looking

Look = Callable[..., Looking]

KNOWN = (
    ("The user is allergic to peanuts and cashews.", "fact"),
    ("The user is vegetarian and cooks for two in the evening.", "fact"),
    ("The user likes quick dinners with beans and rice.", "explicit_preference"),
    ("The user lives in Trondheim near the harbour.", "fact"),
    ("The user works as a carpenter in a boatyard.", "fact"),
    ("The user went to Bergen by train in March.", "event"),
    ("The user wants answers without bullet points.", "instruction"),
    ("The user plays the trombone in a brass band.", "fact"),
)


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory: pytest.TempPathFactory, models_folder: Path) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("ask") / "data") as daemon:
        for text, kind in KNOWN:
            daemon.ok("POST", "/v1/memories", {"text": text, "kind": kind})
        for text in HOSTILE:
            daemon.ok("POST", "/v1/memories", {"text": f"The user keeps lighthouse notes: {text}"[:9900]})
        daemon.capture("I painted the lighthouse red in May, with my brother.", external_id="lighthouse", title="Paint")
        eventually(lambda: daemon.ok("GET", "/v1/status")["indexing"] == 0, what="the index")
        yield daemon


@pytest.fixture
def own(tmp_path: Path, models_folder: Path) -> Iterator[Running]:
    with running(tmp_path / "own") as daemon:
        daemon.ok("POST", "/v1/memories", {"text": "The user likes quick dinners with beans and rice."})
        yield daemon


def ask(page: Page, question: str) -> None:
    """Types it and waits for the answer that belongs to it."""
    with page.expect_response(
        lambda one: one.url.endswith("/v1/context") and one.request.post_data_json["query"] == question
    ):
        page.get_by_label("Your question").fill(question)
    expect(page.locator("main [aria-busy=false]")).to_be_visible()


def context(page: Page) -> Locator:
    return page.locator("pre.context")


def slide(page: Page, to: float) -> None:
    with page.expect_response(
        lambda one: one.url.endswith("/v1/context") and one.request.post_data_json.get("threshold") == to
    ):
        page.get_by_role("slider").fill(str(to))
    expect(page.locator("main [aria-busy=false]")).to_be_visible()


DINNER = "What should I cook for dinner tonight?"


def test_it_shows_word_for_word_what_a_chat_would_get(look: Look, kitchen: Running) -> None:
    looking = look(kitchen, "ask")
    page = looking.page
    expect(page.get_by_role("heading", name="Nothing is asked yet")).to_be_visible()
    ask(page, DINNER)
    given = kitchen.ok("POST", "/v1/context", {"query": DINNER})
    assert given["context"]
    assert context(page).text_content() == given["context"]
    expect(page.get_by_role("status").filter(has_text="of 800 tokens")).to_contain_text(f"{given['tokens']} of")
    page.get_by_label("At most").select_option("200")
    expect(page.get_by_role("status").filter(has_text="of 200 tokens")).to_be_visible()
    looking.picture("ask")
    assert looking.axe() == []


def test_it_is_copied_with_one_press(look: Look, kitchen: Running) -> None:
    looking = look(kitchen, "ask")
    looking.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ask(looking.page, DINNER)
    looking.page.get_by_role("button", name="Copy").click()
    expect(looking.page.get_by_text("Copied.")).to_be_visible()
    assert looking.page.evaluate("navigator.clipboard.readText()") == context(looking.page).text_content()


def test_each_hit_says_what_speaks_for_and_against_it_in_words(look: Look, kitchen: Running) -> None:
    page = look(kitchen, "ask").page
    ask(page, DINNER)
    hit = page.locator("article.why", has_text="quick dinners with beans").first
    reasons = kitchen.ok("POST", "/v1/context", {"query": DINNER, "explain": True})["hits"]
    told = next(one for one in reasons if "quick dinners" in one["text"])
    weighty = [one for one in told["reasons"] if abs(one["log_odds"]) >= 0.1]
    expect(hit.get_by_role("listitem")).to_have_count(len(weighty))
    expect(hit.get_by_text("Close in meaning")).to_be_visible()
    expect(hit.get_by_text("You ask for yourself")).to_be_visible()
    assert hit.get_by_role("img", name="speaks against it").count() > 0
    words = page.locator(".signs li").all_inner_texts()
    assert not [one for one in words if one in {reason["sign"] for hit in reasons for reason in hit["reasons"]}]


def test_the_threshold_shows_its_effect_at_once_and_can_be_taken_back(look: Look, kitchen: Running) -> None:
    page = look(kitchen, "ask").page
    ask(page, DINNER)
    before = context(page).text_content()
    slide(page, 1)
    expect(page.get_by_text("Nothing fits, and nothing would be added")).to_be_visible()
    expect(page.locator("details article.why").first).to_contain_text("does not reach 100")
    slide(page, 0.05)
    assert len(context(page).text_content() or "") > len(before or "")
    page.get_by_role("button", name="Back to yours").click()
    eventually(lambda: context(page).text_content() == before, seconds=15, what="the answer of before")


def test_a_slide_asks_once_it_rests_and_not_on_its_way(look: Look, kitchen: Running) -> None:
    page = look(kitchen, "ask").page
    ask(page, DINNER)
    asked: list[float] = []
    page.on(
        "request",
        lambda one: asked.append(one.post_data_json["threshold"]) if one.url.endswith("/v1/context") else None,
    )
    page.evaluate(
        """() => {
          const slider = document.querySelector("input[type=range]");
          for (let at = 60; at <= 99; at += 1) {
            slider.value = at / 100;
            slider.dispatchEvent(new Event("input", { bubbles: true }));
          }
        }"""
    )
    expect(page.get_by_text("Nothing fits, and nothing would be added")).to_be_visible()
    assert asked == [0.99]


def test_a_question_about_nobody_gets_nothing_and_is_told_why(look: Look, kitchen: Running) -> None:
    looking = look(kitchen, "ask")
    ask(looking.page, "What is the capital of Mongolia?")
    expect(looking.page.get_by_text("Nothing fits, and nothing would be added")).to_be_visible()
    expect(looking.page.get_by_text("does not seem to be about you")).to_be_visible()
    expect(context(looking.page)).to_have_count(0)
    expect(looking.page.get_by_role("button", name="Copy")).to_have_count(0)
    looking.picture("ask nothing")
    assert looking.axe() == []


def test_the_words_of_the_chat_that_asks_are_no_answer_in_it(look: Look, kitchen: Running) -> None:
    page = look(kitchen, "ask").page
    ask(page, "When did I paint the lighthouse with my brother?")
    expect(context(page)).to_contain_text("painted the lighthouse red")
    with page.expect_response(lambda one: one.url.endswith("/v1/context")) as asked:
        page.get_by_label("Asked in").select_option(label="test: Paint")
    sent = asked.value.request.post_data_json
    assert (sent["site"], sent["external_id"]) == ("test", "lighthouse")
    mine = page.locator("article.why", has_text="painted the lighthouse red").filter(has_text="Your words")
    expect(mine).to_have_count(0)


def test_as_of_a_day_before_it_was_known_it_is_not_told(look: Look, kitchen: Running) -> None:
    page = look(kitchen, "ask").page
    ask(page, DINNER)
    expect(context(page)).to_be_visible()
    page.get_by_label("As of the end of").fill("2001-02-03")
    expect(page.get_by_text("Nothing fits, and nothing would be added")).to_be_visible()


def test_a_threshold_for_every_chat_is_set_after_saying_what_it_means(own: Running, look: Look) -> None:
    looking = look(own, "ask")
    page = looking.page
    ask(page, DINNER)
    slide(page, 0.62)
    page.get_by_role("button", name="Use this for every chat").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("matches by 62")
    expect(dialog).to_contain_text("Less will be told")
    looking.picture("ask for all")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("button", name="Use this for every chat")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Use it").click()
    expect(dialog).to_have_count(0)
    items = own.ok("GET", "/v1/settings")["items"]
    assert next(one["value"] for one in items if one["key"] == "recall.threshold") == 0.62


def test_what_was_planted_stays_text_and_breaks_no_layout(look: Look, kitchen: Running) -> None:
    looking = look(kitchen, "ask", narrow=True)
    ask(looking.page, "What lighthouse notes do I keep?")
    slide(looking.page, 0.05)
    expect(looking.page.locator("article.why").first).to_be_visible()
    looking.page.get_by_label("At most").select_option("4000")
    assert looking.page.locator("main img, main script").count() == 0
    no_sideways(looking.page)
    looking.picture("ask hostile narrow")


def test_what_was_typed_stays_when_the_daemon_is_gone(own: Running, look: Look) -> None:
    looking = look(own, "ask")
    page = looking.page
    ask(page, "Where do I live?")
    own.stop()
    page.get_by_label("Your question").fill("Where do I live, and since when?")
    expect(page.get_by_role("alert").filter(has_text="Is it running?")).to_be_visible()
    expect(page.get_by_label("Your question")).to_have_value("Where do I live, and since when?")
    own.start()
    expect(page.get_by_role("heading", name="What the chat would get")).to_be_visible(timeout=20_000)
    expect(page.get_by_label("Your question")).to_have_value("Where do I live, and since when?")
    looking.expects("ERR_")


def test_it_speaks_chinese(look: Look, kitchen: Running) -> None:
    looking = look(kitchen, "ask", language="zh-CN", dark=True)
    looking.page.get_by_label("你的问题").fill(DINNER)
    expect(looking.page.get_by_role("heading", name="为什么是这些")).to_be_visible()
    looking.picture("ask chinese dark")
    assert looking.axe() == []
