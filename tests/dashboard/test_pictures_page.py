"""Pictures: what was learned when, what lies together, where it came from; for eye, keyboard and paper."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Locator, expect

from api.running import Running, eventually, running
from dashboard.life import fill
from dashboard.looking import Looking
from dashboard.test_home import captured, fits

Look = Callable[..., Looking]

SMOOTH_MS = 50
"""Between two frames while one zooms, in the middle: 20 a second, drawn without a graphics card."""


def with_vectors(daemon: Running) -> Running:
    """Waits until all can be found by meaning, and the map is drawn."""
    eventually(lambda: daemon.ok("GET", "/v1/status")["indexing"] == 0 or None, what="the vectors")
    daemon.ok("GET", "/v1/pictures/map")
    return daemon


@pytest.fixture(scope="module")
def hamlet(tmp_path_factory: pytest.TempPathFactory, models_folder: Path) -> Iterator[Running]:
    """A daemon with 60 memories that can be found by meaning, which these tests only read."""
    data = tmp_path_factory.mktemp("hamlet") / "data"
    fill(data, count=60)
    with running(data) as daemon:
        yield with_vectors(daemon)


@pytest.fixture
def bare_house(tmp_path: Path, models_folder: Path) -> Iterator[Running]:
    with running(tmp_path / "bare") as daemon:
        yield daemon


def rows(looking: Looking, picture: str) -> list[list[str]]:
    """The cells of a picture's table."""
    region = looking.page.get_by_role("region", name=picture, exact=True).first
    region.get_by_text("As a table").click()
    region.locator("tbody tr").first.wait_for()  # they are drawn once it is open
    return [row.locator("th, td").all_inner_texts() for row in region.locator("tbody tr").all()]


def on_map(looking: Looking) -> Locator:
    return looking.page.get_by_role("application")


def tip(looking: Looking) -> Locator:
    return looking.page.locator(".tip")


def chosen(looking: Looking) -> tuple[float, float] | None:
    """Where on the screen the ring around the chosen memory is, once it is drawn."""
    box = looking.page.locator(".ring").bounding_box()
    if box is None or not box["width"]:
        return None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def lay(looking: Looking) -> list[list[float]]:
    """Where the groups' names lie on the map."""
    where = "all => all.map((one) => [Number(one.getAttribute('x')), Number(one.getAttribute('y'))])"
    found: list[list[float]] = looking.page.locator(".cluster").evaluate_all(where)
    return found


def leave_out_missing_pages(looking: Looking) -> None:
    """Where a click leads is another page's matter."""
    looking.go("home")
    looking.wrong = [one for one in looking.wrong if "404" not in one and "dynamically imported" not in one]


def test_the_timeline_counts_what_the_store_holds(look: Look, hamlet: Running) -> None:
    looking = look(hamlet, "pictures")
    found = hamlet.ok("GET", "/v1/pictures/timeline")
    table = rows(looking, "Learned over time")
    assert len(table) == min(100, len(found["bars"]))
    assert sum(int(row[-2]) for row in table) == sum(sum(bar["learned"].values()) for bar in found["bars"])
    assert sum(int(row[-1]) for row in table) == sum(bar["captured"] for bar in found["bars"])
    assert all(int(row[-2]) == sum(map(int, row[1:-2])) for row in table)


def test_the_bars_are_gone_through_by_keyboard_and_lead_to_their_memories(look: Look, hamlet: Running) -> None:
    looking = look(hamlet, "pictures")
    looking.page.get_by_role("button", name="Month", exact=True).click()
    bars = looking.page.get_by_role("slider", name="Learned over time")
    expect(bars).to_have_attribute("aria-valuetext", re.compile(r"^[A-Z][a-z]+ \d{4}: "))
    bars.focus()
    last = bars.get_attribute("aria-valuetext")
    looking.page.keyboard.press("ArrowLeft")
    expect(bars).not_to_have_attribute("aria-valuetext", last or "")
    said = bars.get_attribute("aria-valuetext") or ""
    while not re.search(r": ([3-9]|\d\d+) memories", said):
        looking.page.keyboard.press("ArrowLeft")
        expect(bars).not_to_have_attribute("aria-valuetext", said)
        said = bars.get_attribute("aria-valuetext") or ""
    expect(looking.page.locator(".reading")).to_have_text(said)
    assert re.search(r"\d+ memor(y|ies)( \(.+\))?, \d+ messages? captured$", said)
    looking.page.keyboard.press("Enter")
    looking.page.wait_for_url(re.compile(r"#/memories\?"))
    asked = parse_qs(looking.page.url.partition("?")[2])
    assert asked["since"][0].endswith("-01")
    assert asked["until"][0][:7] == asked["since"][0][:7], "the last day is of the same month"
    expect(looking.page.get_by_label("To", exact=True)).to_have_value(asked["until"][0])
    counted = re.search(r": (\d+) memor", said)
    assert counted is not None
    expect(looking.page.get_by_role("status").filter(has_text=re.compile(rf"^{counted[1]} memor"))).to_be_visible()
    leave_out_missing_pages(looking)


def test_kinds_differ_by_more_than_colour(look: Look, hamlet: Running) -> None:
    """Without any colour, the legend's signs can still be told apart."""
    looking = look(hamlet, "pictures")
    hatchings = looking.page.eval_on_selector_all("pattern .lines", "all => all.map((one) => one.getAttribute('d'))")
    shapes = looking.page.eval_on_selector_all(
        ".plane ~ .legend path", "all => all.map((one) => one.getAttribute('d'))"
    )
    assert len(set(hatchings)) == len(hatchings) == 5
    assert len(set(shapes)) == len(shapes) == 5


def test_a_memory_on_the_map_is_read_by_key_and_by_pointer_and_opened_by_both(look: Look, hamlet: Running) -> None:
    looking = look(hamlet, "pictures")
    points = {one["id"]: one for one in hamlet.ok("GET", "/v1/pictures/map")["points"]}
    on_map(looking).focus()
    looking.page.keyboard.press("ArrowRight")
    expect(tip(looking)).to_be_visible()
    said = tip(looking).locator("p").first.inner_text()
    assert said in {one["text"] for one in points.values()}
    x, y = eventually(lambda: chosen(looking), seconds=5, what="the ring")
    looking.page.keyboard.press("ArrowLeft")
    expect(tip(looking).locator("p").first).not_to_have_text(said)
    looking.page.keyboard.press("Escape")
    expect(tip(looking)).to_be_hidden()
    looking.page.mouse.move(x, y)
    expect(tip(looking).locator("p").first).to_have_text(said)
    looking.picture("pictures-tip")
    looking.page.mouse.click(x, y)
    looking.page.wait_for_url("**/#/memories/*")
    assert points[looking.page.url.rpartition("/")[2]]["text"] == said
    looking.go("pictures")
    on_map(looking).focus()
    looking.page.keyboard.press("ArrowRight")
    looking.page.keyboard.press("Enter")
    looking.page.wait_for_url("**/#/memories/*")
    assert points[looking.page.url.rpartition("/")[2]]["text"] == said
    leave_out_missing_pages(looking)


def test_the_map_is_magnified_and_moved_by_wheel_keys_buttons_and_hand(look: Look, hamlet: Running) -> None:
    looking = look(hamlet, "pictures")
    plane = on_map(looking)
    plane.scroll_into_view_if_needed()
    before = lay(looking)
    assert len(before) > 1
    whole = looking.page.get_by_role("button", name="Whole map")
    expect(whole).to_be_disabled()
    box = plane.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def by_keys() -> None:
        plane.focus()
        looking.page.keyboard.press("+")

    def by_wheel() -> None:
        looking.page.mouse.move(x, y)
        looking.page.keyboard.down("Control")
        looking.page.mouse.wheel(0, -240)
        looking.page.keyboard.up("Control")

    for nearer in (looking.page.get_by_role("button", name="Nearer").click, by_keys, by_wheel):
        nearer()
        expect(whole).to_be_enabled()
        eventually(lambda: lay(looking) != before or None, seconds=5, what="the map from nearer")
        whole.click()
        expect(whole).to_be_disabled()
        eventually(lambda: lay(looking) == before or None, seconds=5, what="the whole map")
    looking.page.get_by_role("button", name="Nearer").click()
    eventually(lambda: lay(looking) != before or None, seconds=5, what="the map from nearer")

    def by_hand() -> None:
        looking.page.mouse.move(x, y)
        looking.page.mouse.down()
        looking.page.mouse.move(x + 40, y + 10, steps=4)
        looking.page.mouse.up()

    def by_shifted_keys() -> None:
        plane.focus()
        looking.page.keyboard.press("Shift+ArrowRight")

    for move in (by_hand, by_shifted_keys, looking.page.get_by_role("button", name="Move up").click):
        here = lay(looking)
        move()
        eventually(lambda here=here: lay(looking) != here or None, seconds=5, what="the map moved")  # type: ignore[misc]
    assert looking.page.url.endswith("#/pictures")


def test_two_fingers_magnify_the_map(look: Look, hamlet: Running) -> None:
    looking = look(hamlet, "pictures", narrow=True)
    plane = on_map(looking)
    plane.scroll_into_view_if_needed()
    box = plane.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    fingers = looking.context.new_cdp_session(looking.page)

    def touch(kind: str, apart: float) -> None:
        points = [{"x": x - apart, "y": y, "id": 1}, {"x": x + apart, "y": y, "id": 2}] if apart else []
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", 20)
    for apart in (30, 45, 60, 80):
        touch("touchMove", apart)
    touch("touchEnd", 0)
    expect(looking.page.get_by_role("button", name="Whole map")).to_be_enabled()


def test_searching_lights_up_what_matches_and_keys_go_from_one_to_the_next(look: Look, hamlet: Running) -> None:
    looking = look(hamlet, "pictures")
    points = hamlet.ok("GET", "/v1/pictures/map")["points"]
    word = max(re.findall(r"[a-z]{5,}", points[0]["text"]), key=len)
    matching = {one["text"] for one in points if word in one["text"].lower()}
    looking.page.get_by_role("searchbox").fill(word.upper())
    expect(looking.page.get_by_role("status").filter(has_text="highlighted")).to_contain_text(
        f"of {len(points)} highlighted"
    )
    on_map(looking).focus()
    looking.page.keyboard.press("ArrowRight")
    assert tip(looking).locator("p").first.inner_text() in matching
    looking.page.get_by_role("searchbox").fill("no memory says this")
    expect(looking.page.get_by_role("status").filter(has_text="highlighted")).to_have_text(
        f"0 of {len(points)} highlighted"
    )


def test_the_map_is_also_a_table(look: Look, hamlet: Running) -> None:
    looking = look(hamlet, "pictures")
    found = hamlet.ok("GET", "/v1/pictures/map")
    names = {one["id"]: one["name"] for one in found["clusters"]}
    region = looking.page.get_by_role("region", name="Map by meaning", exact=True).first
    assert len(rows(looking, "Map by meaning")) == min(100, len(found["points"]))
    first = found["points"][0]
    expect(region.locator("tbody tr").first).to_contain_text(names[first["cluster"]])
    link = region.locator("tbody a").first
    assert (link.inner_text(), link.get_attribute("href")) == (first["text"], f"#/memories/{first['id']}")
    for cluster in found["clusters"]:
        expect(region.get_by_role("button", name=f"{cluster['name']} ({cluster['size']})")).to_be_visible()


def test_sites_are_told_with_their_numbers(look: Look, hamlet: Running) -> None:
    looking = look(hamlet, "pictures")
    found = hamlet.ok("GET", "/v1/pictures/sites")["sites"]
    assert len(found) > 1
    table = rows(looking, "By site")
    assert [row[:5] for row in table] == [
        [one["site"], *(str(one[name]) for name in ("conversations", "turns", "memories", "inserted"))] for one in found
    ]
    region = looking.page.get_by_role("region", name="By site", exact=True).first
    expect(region.get_by_role("img", name=f"Messages captured: {found[0]['turns']}").first).to_be_visible()
    link = region.locator("svg a").first
    assert link.get_attribute("href") == f"#/conversations?site={found[0]['site']}"


def test_the_drawing_library_is_loaded_for_pictures_alone(look: Look, hamlet: Running) -> None:
    looking = look(hamlet)
    loaded: list[str] = []
    looking.page.on("request", lambda request: loaded.append(request.url))
    looking.go("home")
    assert loaded
    assert not any("d3" in url for url in loaded)
    looking.go("pictures")
    assert any("d3" in url for url in loaded)


def test_they_print_black_on_white(look: Look, hamlet: Running) -> None:
    looking = look(hamlet, "pictures", dark=True)
    looking.page.evaluate("window.print = () => { document.title = 'printing' }")
    looking.page.get_by_role("button", name="Print").click()
    assert looking.page.title() == "printing"
    looking.page.emulate_media(media="print")
    ink = "getComputedStyle(document.querySelector('.picture h2')).color"
    paper = "getComputedStyle(document.querySelector('.picture')).backgroundColor"
    assert (looking.page.evaluate(ink), looking.page.evaluate(paper)) == ("rgb(0, 0, 0)", "rgb(255, 255, 255)")
    for hidden in ("button", "aside", "input", "summary"):
        expect(looking.page.locator(hidden).first).to_be_hidden()
    heights = [picture.bounding_box() for picture in looking.page.locator(".picture").all()]
    assert all(box is not None and box["height"] < 1_000 for box in heights)  # each fits a page
    inside = looking.page.eval_on_selector_all(".picture", "all => all.map((one) => getComputedStyle(one).breakInside)")
    assert set(inside) == {"avoid"}
    looking.picture("pictures-print")


def test_an_empty_store_says_so(bare_house: Running, look: Look) -> None:
    looking = look(bare_house, "pictures")
    for title, says in (
        ("Learned over time", "Nothing was captured yet"),
        ("Map by meaning", "no memory to place yet"),
        ("By site", "Nothing was captured yet"),
    ):
        expect(looking.page.get_by_role("region", name=title)).to_contain_text(says)
    assert looking.axe() == []
    looking.picture("pictures-empty")


@pytest.mark.parametrize("how", [{}, {"dark": True, "narrow": True}], ids=str)
def test_hostile_words_are_words(bare_house: Running, look: Look, how: dict[str, Any]) -> None:
    texts = ["<img src=x onerror=\"document.title='taken'\">", "w" * 3_000, "\u202eturned round", "ten thousand " * 700]
    for text in texts:
        bare_house.ok("POST", "/v1/memories", {"text": text})
    for site in ("<b onclick=alert(1)>x", "s" * 100):
        messages = [{"role": "user", "content": "I keep bees."}]
        bare_house.ok("POST", "/v1/messages", {"site": site, "external_id": "x", "messages": messages})
    captured(bare_house, "y", "I have a goat.")
    with_vectors(bare_house)
    looking = look(bare_house, "pictures", **how)
    assert fits(looking)
    assert looking.page.locator("img, main b").count() == 0
    assert any("<img src=x" in cell for row in rows(looking, "Map by meaning") for cell in row)
    assert any("<b onclick" in cell for row in rows(looking, "By site") for cell in row)
    on_map(looking).focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"):
        looking.page.keyboard.press(key)
        expect(tip(looking)).to_be_visible()
        assert tip(looking).bounding_box()["height"] < 330  # type: ignore[index]
    assert fits(looking)
    assert "taken" not in looking.page.title()
    assert looking.axe() == []
    looking.picture(f"pictures-hostile-{'-'.join(how)}")


def test_one_picture_failing_leaves_the_others(look: Look, hamlet: Running) -> None:
    looking = look(hamlet)
    looking.context.route("**/v1/pictures/map*", lambda route: route.abort())
    looking.go("pictures")
    alert = looking.page.get_by_role("region", name="Map by meaning").get_by_role("alert")
    expect(alert).to_contain_text("Satchel isn't responding")
    expect(looking.page.get_by_role("slider")).to_be_visible()
    looking.context.unroute("**/v1/pictures/map*")
    alert.get_by_role("button", name="Try again").click()
    expect(on_map(looking)).to_be_visible()
    looking.wrong.clear()


@pytest.mark.parametrize("how", [{}, {"dark": True}, {"narrow": True}, {"language": "zh-CN"}], ids=str)
def test_they_suit_every_screen_and_reader(look: Look, hamlet: Running, how: dict[str, Any]) -> None:
    looking = look(hamlet, "pictures", **how)
    for summary in looking.page.locator("summary").all():
        summary.click()
    assert fits(looking)
    assert looking.axe() == []


def test_two_thousand_memories_are_moved_smoothly(look: Look, house: Running) -> None:
    looking = look(with_vectors(house), "pictures")
    plane = on_map(looking)
    plane.scroll_into_view_if_needed()
    frames = plane.evaluate(
        """async (svg) => {
            const box = svg.getBoundingClientRect();
            const where = { clientX: box.left + box.width / 2, clientY: box.top + box.height / 2, cancelable: true };
            const moments = [];
            for (let at = 0; at < 60; at += 1) {
                svg.dispatchEvent(new WheelEvent("wheel", { ...where, ctrlKey: true, deltaY: at < 30 ? -20 : 20 }));
                moments.push(await new Promise(requestAnimationFrame));
            }
            return moments.slice(1).map((moment, at) => moment - moments[at]).sort((a, b) => a - b);
        }"""
    )
    assert frames[len(frames) // 2] <= SMOOTH_MS, frames
    looking.picture("pictures-2000")
