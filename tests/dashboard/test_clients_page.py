"""The page Clients: pairing with the code that a client shows, and taking from clients what they may."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from api.running import Running, running
from api.test_pairing import EXTENSION, Asking
from dashboard.hostile import no_sideways
from dashboard.looking import Looking

Look = Callable[..., Looking]


@pytest.fixture(scope="module")
def no_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with nothing in it: who may ask needs none."""
    return tmp_path_factory.mktemp("no-models")


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory, no_models: Path) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("clients") / "data", models=no_models) as daemon:
        daemon.ok("POST", "/v1/memories", {"text": "The user sings.", "profile": "work"})
        yield daemon


@pytest.fixture
def own(tmp_path: Path, no_models: Path) -> Iterator[Running]:
    """For what is limited, or must not be there for others."""
    with running(tmp_path / "own", models=no_models) as daemon:
        yield daemon


def lookup(page: Page, code: str) -> None:
    page.get_by_label("Code").fill(code)
    page.keyboard.press("Enter")


def client(page: Page, name: str) -> Locator:
    return page.locator("article.client", has=page.get_by_role("heading", name=name, exact=True))


def paired(daemon: Running, name: str, **narrowed: Any) -> str:
    """A client's token."""
    one = Asking(daemon, name)
    assert one.decide(**narrowed).is_success
    return str(one.collect().json()["token"])


def status(daemon: Running, token: str) -> int:
    return daemon.call("GET", "/v1/status", token=token, headers={"Origin": EXTENSION}).status_code


@pytest.mark.parametrize("shape", ["{}-{}", " {} {}", "{}{}"])
def test_a_client_is_let_in_with_its_code_however_it_is_typed(look: Look, door: Running, shape: str) -> None:
    looking = look(door, "clients")
    page = looking.page
    name = f"Extension {secrets.token_hex(3)}"
    one = Asking(door, name)
    lookup(page, shape.format(*one.code.lower().split("-")))
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(name)
    expect(dialog).to_contain_text(EXTENSION)
    looking.picture("clients pairing")
    assert looking.axe() == []
    assert one.collect().status_code == 202, "looking lets nobody in"
    dialog.get_by_role("button", name="Let it in").click()
    expect(dialog).to_have_count(0)
    token = one.collect().json()["token"]
    assert status(door, token) == 200
    expect(client(page, name)).to_contain_text("everything")
    expect(page.get_by_label("Code")).to_have_value("")


def test_it_is_given_only_what_was_chosen(look: Look, door: Running) -> None:
    page = look(door, "clients").page
    one = Asking(door, "Narrow one")
    lookup(page, one.code)
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("see, change and forget everything").uncheck()
    dialog.get_by_label("only these").check()
    dialog.get_by_label("me", exact=True).uncheck()
    expect(dialog.get_by_role("button", name="Let it in")).to_be_disabled()
    expect(dialog.get_by_role("alert")).to_contain_text("Choose at least")
    dialog.get_by_label("work", exact=True).check()
    dialog.get_by_role("button", name="Let it in").click()
    expect(dialog).to_have_count(0)
    given = one.collect().json()
    assert (given["scopes"], given["profiles"]) == (["capture", "recall"], ["work"])
    expect(client(page, "Narrow one")).to_contain_text("save what is said in chats · ask what is remembered")


def test_one_that_is_refused_gets_nothing(look: Look, door: Running) -> None:
    page = look(door, "clients").page
    one = Asking(door, "Stranger")
    lookup(page, one.code)
    page.get_by_role("dialog").get_by_role("button", name="Refuse").click()
    expect(page.get_by_text("Refused. It gets nothing.")).to_be_visible()
    assert one.collect().status_code == 410
    expect(client(page, "Stranger")).to_have_count(0)


def test_a_program_is_told_from_an_extension(look: Look, door: Running) -> None:
    page = look(door, "clients").page
    one = Asking(door, "A desktop app", origin=None)
    lookup(page, one.code)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("a program on this computer")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert one.collect().status_code == 202, "closing decides nothing"
    one.decide()
    one.collect()
    expect(client(page, "A desktop app")).to_contain_text("Program")


def test_a_client_that_waits_is_announced_and_the_field_has_the_focus(look: Look, door: Running) -> None:
    looking = look(door, "clients")
    page = looking.page
    field = page.get_by_label("Code")
    expect(field).not_to_be_focused()
    with page.expect_response(lambda one: one.url.endswith("/v1/events")):
        page.reload()
    page.locator("main h1").wait_for()
    one = Asking(door, "Somebody")
    expect(page.get_by_text("Somebody waits to be let in")).to_be_visible()
    expect(field).to_be_focused()
    page.keyboard.type(one.code)
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    looking.picture("clients waiting")
    one.decide("refuse")
    expect(page.get_by_text("Somebody waits to be let in")).to_have_count(0)
    page.get_by_role("dialog").get_by_role("button", name="Let it in").click()
    expect(page.get_by_role("alert")).to_contain_text("did not wait any longer")
    looking.expects("404")


def test_a_wrong_code_says_so_and_stays_to_be_mended(own: Running, look: Look) -> None:
    looking = look(own, "clients")
    page = looking.page
    expect(page.get_by_role("heading", name="Nobody is let in yet")).to_be_visible()
    looking.picture("clients empty")
    lookup(page, "")
    expect(page.get_by_role("alert")).to_contain_text("eight letters")
    lookup(page, "BBBB-BBBB")
    expect(page.get_by_role("alert")).to_contain_text("Nobody waits with this code")
    expect(page.get_by_label("Code")).to_have_value("BBBB-BBBB")
    expect(page.get_by_label("Code")).to_have_attribute("aria-invalid", "true")
    assert looking.axe() == []
    for _ in range(10):
        own.call("POST", "/v1/pairings", {"code": "CCCC-CCCC"})
    lookup(page, "DDDD-DDDD")
    expect(page.get_by_role("alert")).to_contain_text("Wait five minutes")
    looking.expects("404")
    looking.expects("429")


def test_a_client_is_renamed(look: Look, door: Running) -> None:
    looking = look(door, "clients")
    page = looking.page
    paired(door, "Old name")
    client(page, "Old name").get_by_role("button", name="Rename").click()
    page.get_by_role("dialog").get_by_label("Name").fill("a\u202eb")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("alert")).to_be_visible()
    page.get_by_role("dialog").get_by_label("Name").fill("New name")
    page.keyboard.press("Enter")
    expect(client(page, "New name")).to_be_visible()
    expect(client(page, "Old name")).to_have_count(0)
    looking.expects("400")


def test_a_client_is_allowed_less_and_it_holds_at_once(look: Look, door: Running) -> None:
    looking = look(door, "clients")
    page = looking.page
    token = paired(door, "Too mighty")
    assert door.call("GET", "/v1/export", token=token, headers={"Origin": EXTENSION}).status_code == 200
    client(page, "Too mighty").get_by_role("button", name="Allow less").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("with a new code")
    dialog.get_by_label("see, change and forget everything").uncheck()
    looking.picture("clients narrow")
    dialog.get_by_role("button", name="Allow only this").click()
    expect(client(page, "Too mighty")).not_to_contain_text("everything")
    assert door.call("GET", "/v1/export", token=token, headers={"Origin": EXTENSION}).status_code == 403


def test_a_client_that_is_let_out_is_answered_no_more_and_folded_away(look: Look, door: Running) -> None:
    looking = look(door, "clients")
    page = looking.page
    token = paired(door, "Unwanted")
    client(page, "Unwanted").get_by_role("button", name="Remove access").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("What it saved stays")
    page.keyboard.press("Escape")
    expect(client(page, "Unwanted").get_by_role("button", name="Remove access")).to_be_focused()
    assert status(door, token) == 200
    page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Remove access", exact=True).click()
    expect(client(page, "Unwanted")).not_to_be_visible()
    assert status(door, token) == 401
    page.locator("summary").click()
    expect(client(page, "Unwanted")).to_contain_text("access removed")


def test_this_browser_is_marked_and_can_be_signed_out(look: Look, door: Running) -> None:
    looking = look(door, "clients")
    page = looking.page
    here = page.locator("article.client", has_text="This browser")
    expect(here).to_have_count(1)
    expect(here.get_by_role("button", name="Remove access")).to_have_count(0)
    here.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("dialog")).to_contain_text("satchel open")
    page.get_by_role("dialog").get_by_role("button", name="Sign out").click()
    expect(page.locator("nav")).to_have_count(0)
    expect(page.locator("code").first).to_have_text("satchel open")
    looking.expects("401")


def test_the_command_lines_own_cannot_be_let_out(look: Look, door: Running) -> None:
    page = look(door, "clients").page
    own = page.locator("article.client", has_text="Satchel's own")
    expect(own).to_have_count(1)
    expect(own.get_by_role("button")).to_have_count(0)


def test_hostile_names_stay_text_and_break_no_layout(own: Running, look: Look) -> None:
    names = ("<img src=x onerror=\"document.title='broken in'\">", "W" * 100, "שלום, an extension")
    for name in names:
        token = paired(own, name)
        own.ok("GET", "/v1/status", token=token, headers={"Origin": EXTENSION})
    own.ok("POST", "/v1/memories", {"text": "x", "profile": "P" * 100})
    challenge = hashlib.sha256(b"v" * 43).hexdigest()
    body = {"client": names[1], "challenge": challenge}
    asked = own.ok("POST", "/v1/pair", body, headers={"Authorization": ""})
    looking = look(own, "clients", narrow=True)
    page = looking.page
    for name in names:
        expect(client(page, name)).to_be_visible()
    no_sideways(page)
    looking.picture("clients narrow hostile")
    lookup(page, asked["code"])
    page.get_by_role("dialog").get_by_label("only these").check()
    looking.picture("clients narrow pairing")
    assert page.evaluate("(d => d.scrollWidth - d.clientWidth)(document.querySelector('dialog'))") <= 0
    no_sideways(page)


def test_it_speaks_chinese(look: Look, door: Running) -> None:
    paired(door, "Satchel for Chromium")
    looking = look(door, "clients", language="zh-CN", dark=True)
    expect(looking.page.get_by_role("heading", name="谁可以访问 Satchel")).to_be_visible()
    expect(looking.page.locator("article.client").first).to_be_visible()
    looking.picture("clients chinese dark")
    assert looking.axe() == []
