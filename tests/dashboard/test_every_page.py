"""What holds for every page: nobody is shut out, nothing sticks out, and what others wrote stays text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from api.running import Running, running
from dashboard.life import fill
from dashboard.looking import PAGES, Looking

Look = Callable[..., Looking]
ATTACKS = Path(__file__).resolve().parents[1] / "attacks"
LOOKS = {"light": {}, "dark": {"dark": True}, "narrow": {"narrow": True}, "chinese": {"language": "zh-CN"}}

HOSTILE = (
    "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>",
    "\u202egnisrever \u2066isolated\u2069 and \u200binvisible",
    "javascript:document.title='owned'//",
    "{{constructor.constructor('document.title=1')()}} ${document.title=2}",
    "W" * 3000,
    "</mark></article><h1>Forged heading</h1>",
)


def planted() -> list[str]:
    """Every fifth memory that the attack corpus plants."""
    lines = [line for file in sorted(ATTACKS.glob("*.jsonl")) for line in file.read_text("utf-8").splitlines()]
    texts = [memory["text"] for line in lines for memory in json.loads(line).get("memories", []) if "text" in memory]
    return texts[::5]


@pytest.fixture(scope="module")
def hostile_house(tmp_path_factory: pytest.TempPathFactory, models_folder: Path) -> Iterator[Running]:
    """Memories, turns, titles and clients that try to be more than text."""
    data = tmp_path_factory.mktemp("hostile") / "data"
    fill(data, count=30)
    with running(data) as daemon:
        for number, text in enumerate([*HOSTILE, *planted()]):
            # What the daemon refuses or cleans away never comes to a page.
            daemon.call("POST", "/v1/memories", {"text": text, "kind": "fact", "tags": [text[:90]]})
            turns = [{"role": "user", "content": text}]
            body = {"site": "test", "external_id": f"hostile-{number}", "title": text[:200], "messages": turns}
            daemon.call("POST", "/v1/messages", body)
        daemon.new_token("--profile", "me")
        yield daemon


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shuts_nobody_out(look: Look, house: Running, page: str) -> None:
    """By axe-core's rules, in light and dark, on a wide and a narrow screen, in both languages; and nothing has to be
    scrolled for sideways."""
    for name, how in LOOKS.items():
        looking = look(house, page, **how)
        assert looking.axe() == [], name
        assert looking.overflow() == 0, name
        looking.picture(f"{page}-{name}")
        looking.close()


@pytest.mark.parametrize("page", PAGES)
def test_what_others_wrote_stays_text(look: Look, hostile_house: Running, page: str) -> None:
    looking = look(hostile_house, page, narrow=True)
    assert "owned" not in looking.page.title()
    assert looking.page.locator("h1").count() == 1
    assert looking.page.locator("main img, main script, main iframe").count() == 0
    assert looking.overflow() == 0


@pytest.mark.parametrize("page", PAGES)
def test_a_page_of_an_empty_store_says_what_to_do(look: Look, empty_house: Running, page: str) -> None:
    looking = look(empty_house, page)
    assert looking.axe() == []
    looking.picture(f"{page}-empty")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_that_is_reached_while_the_daemon_is_away_says_so(look: Look, house: Running, page: str) -> None:
    looking = look(house, page)
    looking.expects("ERR_")
    looking.context.route("**/v1/**", lambda route: route.abort())
    looking.page.reload()
    looking.page.locator("main h1").first.wait_for()
    looking.page.get_by_role("alert").first.wait_for()
    looking.picture(f"{page}-away")
