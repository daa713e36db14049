"""Pairing and its end, an update under an open chat, and sites that the extension was not built for."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Playwright

from api.running import Running, command, free_port
from extension.chrome import Chrome, chrome
from extension.overlay import Overlay
from extension.sites.server import Serving
from extension.test_capture import logged
from extension.test_inject import MEMORIES, QUESTION, remember, squeezed


@pytest.fixture
def fresh(playwright: Playwright, packages: Path, server: Serving, bundles: Path, tmp_path: Path) -> Iterator[Chrome]:
    """A browser of its own, not paired."""
    with chrome(playwright, packages / "chrome", tmp_path / "profile", server, bundles) as browser:
        yield browser


def test_pairing_says_how_things_stand_and_goes_on_by_itself(fresh: Chrome, tmp_path: Path) -> None:
    port = free_port()
    fresh.set(port=port)
    page = fresh.own("pair.html")
    page.get_by_text("Start it in a terminal").wait_for()
    daemon = Running(tmp_path / "late", port=port)
    try:
        page.get_by_role("button", name="Show the code").click()
        code = page.locator("[data-code]").inner_text()
        refused = command("pair", "--data", daemon.data, code, "--refuse", "--yes")
        assert refused.returncode == 0, refused.stderr
        page.get_by_text("no longer valid").wait_for()
        page.get_by_role("button", name="Try again").click()
        page.locator("[data-code]").wait_for()
        again = page.locator("[data-code]").inner_text()
        assert again != code
        assert command("pair", "--data", daemon.data, again, "--yes").returncode == 0
        page.get_by_text("Paired.").wait_for()
        assert fresh.ask({"do": "state"})["daemon"] == "ok"
    finally:
        daemon.stop()


def test_a_token_that_is_anothers_is_told_and_what_waits_goes_with_the_next(
    fresh: Chrome, daemon: Running, profile: str
) -> None:
    fresh.pair(daemon)
    fresh.set_site("chatgpt.com", profile=profile)
    own = fresh.run("() => chrome.storage.local.get('token')")["token"]
    fresh.run("(token) => chrome.storage.local.set({ token })", daemon.new_token())
    driver = fresh.driver("chatgpt")
    driver.open()
    driver.send("Said with a token of a program's")
    page = fresh.own("pair.html")
    page.get_by_role("button", name="Show the code").click()
    state = fresh.ask({"do": "state"})
    assert (state["daemon"], state["waiting"], state["refused"]) == ("unpaired", 2, 0)
    code = page.locator("[data-code]").inner_text()
    assert command("pair", "--data", daemon.data, code, "--yes").returncode == 0
    page.get_by_text("Paired.").wait_for()
    assert logged(daemon, profile, 2)[0]["content"] == "Said with a token of a program's"
    assert fresh.run("() => chrome.storage.local.get('token')")["token"] != own


def test_nothing_is_captured_before_pairing_or_after_unpairing(fresh: Chrome, daemon: Running, profile: str) -> None:
    driver = fresh.driver("chatgpt")
    driver.open()
    driver.send("Before anybody said yes")
    fresh.set_site("chatgpt.com", profile=profile)
    fresh.pair(daemon)
    driver.tool("new-chat")
    driver.send("Paired now")
    assert [turn["content"] for turn in logged(daemon, profile, 2)] == ["Paired now", "Noted."]
    token = fresh.run("() => chrome.storage.local.get('token')")["token"]
    assert daemon.call("GET", "/v1/profiles", token=token).status_code == 200
    page = fresh.own("options.html")
    page.get_by_role("button", name="Unpair").click()
    page.get_by_text("Not paired yet").first.wait_for()
    assert daemon.call("GET", "/v1/profiles", token=token).status_code == 401
    assert fresh.run("() => chrome.storage.local.get('token')") == {}
    driver.tool("new-chat")
    driver.send("After it was over")
    assert fresh.waiting() == 0
    assert len(daemon.ok("GET", "/v1/conversations", params={"profile": profile})["items"]) == 1


def test_an_update_under_an_open_chat_leaves_one_script_at_work(fresh: Chrome, daemon: Running, profile: str) -> None:
    fresh.pair(daemon)
    fresh.set_site("claude.ai", profile=profile)
    remember(daemon, profile, *MEMORIES)
    driver = fresh.driver("claude")
    driver.open()
    driver.type(QUESTION)
    overlay = fresh.overlay(driver)
    overlay.wait(".chip .label", saying="2 memories fit")
    fresh.reload()
    # The old script is an orphan. The new one is in the page, which was not loaded again.
    driver.page.locator(driver.composer).first.press_sequentially(" Please.")
    overlay.wait(".chip .label", saying="2 memories fit")
    assert driver.page.locator("satchel-overlay").count() == 1
    driver.page.keyboard.press("Tab")
    overlay.wait(".chip .label", saying="2 memories inserted")
    driver.press_send()
    (received,) = [squeezed(each["text"]) for each in driver.site.received[-1:]]
    assert received.count("⟦satchel⟧") == 1
    assert [turn["content"] for turn in logged(daemon, profile, 2)] == [f"{QUESTION} Please.", "Noted."]


UNKNOWN = """<!doctype html><meta charset=utf-8><title>Chat of the house</title>
<main id=log></main><form id=f><textarea id=t rows=3 cols=60></textarea><button>Go</button></form><script>
f.onsubmit = (event) => { event.preventDefault(); const said = t.value; t.value = "";
  const you = document.createElement("p"); you.textContent = said; log.append(you);
  setTimeout(() => { const it = document.createElement("p"); it.textContent = "Echo: " + said.length; log.append(it); }, 300); };
t.onkeydown = (event) => { if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); f.requestSubmit(); } };
</script>"""  # noqa: E501 - a page in a few lines


def test_a_site_that_was_let_in_is_read_by_structure(
    playwright: Playwright,
    packages: Path,
    server: Serving,
    bundles: Path,
    daemon: Running,
    tmp_path: Path,
    profile: str,
) -> None:
    # The browser's own question cannot be clicked in a headless window: the package has the answer in it already.
    folder = Path(shutil.copytree(packages / "chrome", tmp_path / "extension"))
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["host_permissions"].append("https://chat.example/*")
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with chrome(playwright, folder, tmp_path / "profile", server, bundles) as browser:
        browser.pair(daemon)
        let_in(browser, daemon, profile)


def let_in(fresh: Chrome, daemon: Running, profile: str) -> None:
    page = fresh.context.new_page()
    page.route("https://chat.example/**", lambda route: route.fulfill(body=UNKNOWN, content_type="text/html"))
    page.goto("https://chat.example/room/7")
    fresh.set_site("chat.example", profile=profile)
    remember(daemon, profile, *MEMORIES)
    page.reload()
    page.locator("#t").click()
    page.keyboard.type(QUESTION)
    overlay = Overlay(page)
    overlay.wait(".chip .label", saying="2 memories fit")
    page.keyboard.press("Tab")
    overlay.wait(".chip .label", saying="2 memories inserted")
    page.keyboard.press("Enter")
    said = logged(daemon, profile, 2)
    assert said[0]["content"] == QUESTION
    assert said[1]["content"].startswith("Echo:")
    (conversation,) = daemon.ok("GET", "/v1/conversations", params={"profile": profile})["items"]
    assert (conversation["site"], conversation["external_id"]) == ("chat.example", "room/7")
