"""Home: what the AIs know as a page to read, and beside it what happened today and how Satchel is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Request, expect

from api.running import Running, running
from dashboard.looking import Looking

Look = Callable[..., Looking]

MOST_BYTES = 150_000
ATTACKS = Path(__file__).resolve().parents[1] / "attacks"
HOSTILE = [
    "<img src=x onerror=\"document.title='taken'\">",
    "</a></li><script>document.title='taken'</script>",
    "\u202eturned round \u2066and not ended",
    "w" * 3_000,
    "Ends after " + "ten thousand characters " * 400,
]


@pytest.fixture
def empty_house(tmp_path: Path, models_folder: Path) -> Iterator[Running]:
    with running(tmp_path / "empty") as daemon:
        yield daemon


def planted() -> list[str]:
    """What the corpus of attacks writes as memories by hand."""
    lines = [
        json.loads(line) for file in sorted(ATTACKS.glob("*.jsonl")) for line in file.read_text("utf-8").splitlines()
    ]
    texts = [one["text"] for line in lines for one in line.get("memories", ())]
    return [text for text in texts if 0 < len(text) < 2_000 and "{" not in text]


def asked(looking: Looking) -> list[str]:
    """The paths that the page asks the API for from now on."""
    found: list[str] = []

    def note(request: Request) -> None:
        path = request.url.removeprefix(looking.daemon.url)
        if path.startswith("/v1/"):
            found.append(path)

    looking.page.on("request", note)
    return found


def captured(daemon: Running, name: str, *turns: str) -> None:
    messages = [{"role": "user", "content": turn} for turn in turns]
    daemon.ok("POST", "/v1/messages", {"site": "chatgpt.com", "external_id": name, "messages": messages})


def fits(looking: Looking) -> bool:
    return bool(looking.page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def test_what_is_known_stands_in_sections_each_line_a_memory(look: Look, house: Running) -> None:
    looking = look(house)
    portrait = house.ok("GET", "/v1/portrait")
    sections = looking.page.locator(".told section")
    expect(sections).to_have_count(len(portrait["sections"]))
    assert looking.page.locator(".told h2").all_inner_texts() == [
        "You", "People", "Work", "Life", "What you like", "How to answer you", "Plans", "Recently",
    ]  # fmt: skip
    for at, section in enumerate(portrait["sections"]):
        lines = sections.nth(at).locator("li:not(.rest) > a")
        assert lines.all_inner_texts() == [memory["text"] for memory in section["memories"]]
    first = portrait["sections"][0]["memories"][0]
    link = sections.first.get_by_role("link", name=first["text"])
    expect(link).to_have_attribute("href", f"#/memories/{first['id']}")
    looking.picture("home")


def test_what_is_not_shown_is_one_link_away(look: Look, house: Running) -> None:
    looking = look(house)
    kinds = {
        "You": "fact",
        "What you like": "explicit_preference",
        "How to answer you": "instruction",
        "Recently": "event",
    }
    sections = {one["name"]: one for one in house.ok("GET", "/v1/portrait")["sections"]}
    for title, kind in kinds.items():
        link = looking.page.get_by_role("region", name=title, exact=True).locator(".rest a")
        assert link.get_attribute("href") == f"#/memories?kind={kind}"
    rest = sections["you"]["total"] - len(sections["you"]["memories"])
    expect(looking.page.get_by_role("region", name="You", exact=True).locator(".rest a")).to_have_text(
        f"and {rest} more"
    )


def test_conflicts_and_inferences_are_marked(empty_house: Running, look: Look) -> None:
    def write(text: str, kind: str = "fact") -> str:
        return str(empty_house.ok("POST", "/v1/memories", {"text": text, "kind": kind})["id"])

    conflict = write("The user lives in Lisbon.")
    empty_house.ok("PATCH", f"/v1/memories/{conflict}", {"status": "resolving"})
    write("The user may prefer trains to planes.", "implicit_preference")
    write("The user keeps bees.")
    looking = look(empty_house)
    expect(looking.page.get_by_role("listitem").filter(has_text="Lisbon")).to_contain_text("In conflict")
    expect(looking.page.get_by_role("listitem").filter(has_text="trains")).to_contain_text("Inferred")
    assert looking.page.get_by_role("listitem").filter(has_text="bees").inner_text().strip() == "The user keeps bees."


def test_a_store_with_nothing_in_it_says_what_to_do_next(empty_house: Running, look: Look) -> None:
    looking = look(empty_house)
    main = looking.page.locator(".told")
    for command in ("./scripts/extension", "satchel add FILE", "satchel demo"):
        expect(main.get_by_text(command, exact=True)).to_be_visible()
    expect(main.get_by_role("link", name="Clients")).to_have_attribute("href", "#/clients")
    assert looking.axe() == []
    looking.picture("home-first")
    empty_house.ok("POST", "/v1/memories", {"text": "The user keeps bees."})
    expect(main).to_contain_text("The user keeps bees.")
    expect(main).not_to_contain_text("satchel demo")


def test_today_is_told_as_it_happens_and_nothing_is_asked_for_in_vain(empty_house: Running, look: Look) -> None:
    empty_house.ok("POST", "/v1/extraction", {"paused": True})
    looking = look(empty_house)
    looking.page.clock.install()
    numbers = looking.page.locator(".numbers")
    expect(numbers).to_contain_text("0 captured")
    paths = asked(looking)
    looking.page.clock.fast_forward("30:00")
    assert paths == []
    captured(empty_house, "one", "I keep bees.", "And a goat.")
    looking.page.clock.run_for(1_000)
    # A capture is no event of its own: it is seen with the next thing that happens.
    made = empty_house.ok("POST", "/v1/memories", {"text": "The user keeps bees."})["id"]
    eventually_on(looking, lambda: "1 learned" in (numbers.text_content() or ""))
    expect(numbers).to_contain_text("2 captured")
    given = empty_house.ok("POST", "/v1/context", {"query": "bees", "site": "chatgpt.com", "only": [made]})
    empty_house.ok("POST", f"/v1/injections/{given['injection_id']}", {"inserted": [made]})
    eventually_on(looking, lambda: "1 inserted" in (numbers.text_content() or ""))


def eventually_on(looking: Looking, look: Callable[[], bool]) -> None:
    """Lets the page's clock run until it shows what it should."""
    for _ in range(100):
        looking.page.clock.run_for(600)
        if look():
            return
        looking.page.evaluate("fetch('/health')")  # gives the events a turn
    raise AssertionError(looking.page.locator("main").inner_text())


def test_the_status_is_loaded_at_most_twice_a_second(empty_house: Running, look: Look) -> None:
    looking = look(empty_house)
    looking.page.clock.install()
    looking.page.clock.pause_at("2030-01-01")
    paths = asked(looking)
    for at in range(30):
        empty_house.ok("POST", "/v1/memories", {"text": f"The user has {at} bees."})
    for _ in range(4):
        looking.page.evaluate("fetch('/health')")
        looking.page.clock.run_for(500)
    assert 1 <= sum(path == "/v1/status" for path in paths) <= 4


def test_reading_can_be_paused_and_what_waits_is_told(empty_house: Running, look: Look) -> None:
    looking = look(empty_house)
    looking.page.get_by_role("button", name="Pause").click()
    expect(looking.page.get_by_role("button", name="Resume")).to_be_visible()
    assert empty_house.ok("GET", "/v1/status")["paused"] is True
    for at in range(60):
        said = (f"My neighbour number {n} plays the harp in the orchestra of town {at}." for n in range(4))
        captured(empty_house, f"c{at}", *said)
    empty_house.ok("POST", "/v1/memories", {"text": "The user keeps bees."})
    expect(looking.page.locator(".beside")).to_contain_text("60 conversations wait to be read")
    looking.picture("home-paused")
    looking.page.get_by_role("button", name="Resume").click()
    pace = re.compile(r"messages? a minute · (less than a|about \d+) minute")
    expect(looking.page.locator(".beside")).to_contain_text(pace, timeout=90_000)
    assert empty_house.ok("GET", "/v1/status")["paused"] is False


def test_who_asks_to_be_let_in_is_told_until_it_is_decided(empty_house: Running, look: Look) -> None:
    looking = look(empty_house)
    before = looking.page.locator(".beside").get_by_text("connected").inner_text()
    asks = {"client": "Ottilie's browser", "challenge": "0" * 64}
    waiting = empty_house.ok("POST", "/v1/pair", asks, headers={"Authorization": ""})
    line = looking.page.get_by_role("status").filter(has_text="is asking for access")
    expect(line.get_by_role("link")).to_have_attribute("href", "#/clients")
    found = empty_house.ok("POST", "/v1/pairings", {"code": waiting["code"]})
    empty_house.ok("POST", f"/v1/pairings/{found['id']}", {"code": waiting["code"], "decision": "refuse"})
    expect(line).to_have_count(0)
    mine = [one for one in empty_house.ok("GET", "/v1/clients")["items"] if not one["revoked_at"]]
    assert before == f"{len(mine)} clients connected"
    empty_house.ok("DELETE", f"/v1/clients/{empty_house.ok('GET', '/v1/clients')['items'][-1]['id']}")
    looking.wrong.clear()


def test_how_much_waits_for_a_decision_is_a_link_to_it(look: Look, house: Running) -> None:
    looking = look(house)
    total = house.ok("GET", "/v1/decisions?size=1")["total"]
    assert total > 1
    link = looking.page.get_by_role("link", name=f"{total} things wait for your decision")
    assert link.get_attribute("href") == "#/decide"


def test_models_are_told_with_their_state(look: Look, house: Running) -> None:
    looking = look(house)
    for model in house.ok("GET", "/v1/status")["models"]:
        expect(looking.page.locator(".beside li").filter(has_text=model["name"])).to_contain_text("ready")


def test_home_is_light(look: Look, house: Running) -> None:
    looking = look(house)
    tab = looking.new_tab()
    sizes: dict[str, int] = {}

    def count(response: Any) -> None:
        if not response.url.endswith("/v1/events"):
            sizes[response.url] = sizes.get(response.url, 0) + len(response.body())

    got: list[Any] = []
    tab.on("response", lambda response: got.append(response))
    tab.goto(f"{house.url}/")
    tab.locator(".told section").first.wait_for()
    tab.locator(".skeleton").first.wait_for(state="detached")
    for response in got:
        count(response)
    assert any("/v1/portrait" in url for url in sizes)
    assert any("/v1/clients" in url for url in sizes)
    assert not any("d3" in url for url in sizes)
    # Each test before this one has left a browser in the list of clients: nobody has so many.
    sizes = {url: size for url, size in sizes.items() if "/v1/clients" not in url}
    assert sum(sizes.values()) < MOST_BYTES, sorted(sizes.items(), key=lambda one: -one[1])


@pytest.mark.parametrize("how", [{}, {"dark": True, "narrow": True}, {"narrow": True, "language": "zh-CN"}], ids=str)
def test_hostile_words_are_words(empty_house: Running, look: Look, how: dict[str, Any]) -> None:
    for text in [*planted()[:5], *HOSTILE[2:], *HOSTILE[:2]]:
        empty_house.ok("POST", "/v1/memories", {"text": text})
    looking = look(empty_house, **how)
    shown = "\n".join(looking.page.locator(".told li > a").all_inner_texts())
    assert "<img src=x onerror=" in shown
    assert "</script>" in shown
    assert looking.page.locator("img, .told script").count() == 0
    assert "taken" not in looking.page.title()
    assert fits(looking)
    assert looking.page.locator(".told li").last.bounding_box()["height"] < 400  # type: ignore[index]
    assert looking.axe() == []
    looking.picture(f"home-hostile-{'-'.join(how)}")


def test_a_failure_says_so_and_can_be_tried_again(look: Look, house: Running) -> None:
    looking = look(house)
    looking.context.route("**/v1/portrait*", lambda route: route.abort())
    looking.go("home")
    alert = looking.page.locator(".told").get_by_role("alert")
    expect(alert).to_contain_text("Satchel isn't responding")
    expect(looking.page.locator(".beside")).to_contain_text("clients connected")
    looking.context.unroute("**/v1/portrait*")
    alert.get_by_role("button", name="Try again").click()
    expect(looking.page.locator(".told section").first).to_be_visible()
    looking.wrong.clear()


def test_what_was_read_stays_when_the_daemon_stops(empty_house: Running, look: Look) -> None:
    empty_house.ok("POST", "/v1/memories", {"text": "The user keeps bees."})
    looking = look(empty_house)
    empty_house.stop()
    expect(looking.page.get_by_role("alert").filter(has_text="isn't responding").first).to_be_visible()
    expect(looking.page.locator(".told")).to_contain_text("The user keeps bees.")
    looking.page.get_by_role("button", name="Pause").click()
    expect(looking.page.locator(".notes")).to_contain_text("isn't responding")
    empty_house.start()
    empty_house.ok("POST", "/v1/memories", {"text": "The user has a goat."})
    expect(looking.page.locator(".told")).to_contain_text("The user has a goat.")
    looking.wrong.clear()


@pytest.mark.parametrize("how", [{}, {"dark": True}, {"narrow": True}, {"language": "zh-CN"}], ids=str)
def test_it_suits_every_screen_and_reader(look: Look, house: Running, how: dict[str, Any]) -> None:
    looking = look(house, **how)
    assert fits(looking)
    assert looking.axe() == []
    if "language" in how:
        expect(looking.page.get_by_role("heading", level=1)).to_have_text("你的 AI 对你的了解")
