"""The page Settings: each setting can be seen, changed, found wrong and reset; language and look at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from api.running import Running, running
from dashboard.hostile import HOSTILE, no_sideways
from dashboard.looking import Looking

Look = Callable[..., Looking]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("settings") / "data", models=tmp_path_factory.mktemp("none")) as daemon:
        yield daemon


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path / "own", models=tmp_path / "none") as daemon:
        yield daemon


def setting(daemon: Running, key: str) -> dict[str, Any]:
    return next(one for one in daemon.ok("GET", "/v1/settings")["items"] if one["key"] == key)


def row(page: Page, label: str) -> Locator:
    return page.locator(".setting", has_text=label)


def field_of(page: Page, label: str) -> Locator:
    """Not the button beside it, whose name holds the label too."""
    return page.get_by_role("textbox", name=label)


IDLE = "Seconds until a model is unloaded"


def test_every_setting_has_a_control_and_says_what_it_means(look: Look, office: Running) -> None:
    for language in ("en-GB", "zh-CN"):
        looking = look(office, "settings", language=language, dark=language == "zh-CN")
        rows = looking.page.locator(".setting")
        items = office.ok("GET", "/v1/settings")["items"]
        expect(rows).to_have_count(len(items))
        said = rows.all_inner_texts()
        for item in items:
            assert not [text for text in said if item["key"] in text], f"{item['key']} has no words in {language}"
            assert not [text for text in said if item["description"] in text], item["key"]
        looking.picture(f"settings {language}")
        assert looking.axe() == []


def test_a_change_is_kept_at_once_and_quietly_said(look: Look, office: Running) -> None:
    page = look(office, "settings").page
    field = field_of(page, IDLE)
    field.fill("120")
    field.press("Enter")
    expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    assert setting(office, "models.idle_seconds")["value"] == 120
    expect(row(page, IDLE)).to_contain_text("Unless you change it: 300")
    row(page, IDLE).get_by_role("button", name="Back to the default").click()
    expect(field).to_have_value("300")
    assert setting(office, "models.idle_seconds")["value"] == 300
    expect(row(page, IDLE).get_by_role("button")).to_have_count(0)


def test_what_counts_only_after_a_restart_says_so(look: Look, office: Running) -> None:
    page = look(office, "settings").page
    expect(row(page, "Port")).not_to_contain_text("Takes effect after a restart")
    field_of(page, "Port").fill("9001")
    field_of(page, "Port").press("Tab")
    expect(row(page, "Port")).to_contain_text("Takes effect after a restart")
    row(page, "Port").get_by_role("button").click()
    expect(field_of(page, "Port")).not_to_have_value("9001")


@pytest.mark.parametrize(
    ("label", "typed", "why"),
    [
        (IDLE, "soon", "Type a number"),
        (IDLE, "0", "Not saved"),
        ("Threads", "1.5", "whole number"),
        ("Threads", "-1", "from 0 to"),
        ("Port", "70000", "from 1 to 65535"),
        ("How well something must fit", "2", "from 0 to 1"),
        ("Model for reading", "no such model", "Not saved"),
    ],
)
def test_a_bad_value_is_explained_at_its_field_and_not_lost(
    look: Look, office: Running, label: str, typed: str, why: str
) -> None:
    looking = look(office, "settings")
    page = looking.page
    field = field_of(page, label)
    before = office.ok("GET", "/v1/settings")
    field.fill(typed)
    field.press("Enter")
    expect(row(page, label).get_by_role("alert")).to_contain_text(why)
    expect(field).to_have_value(typed)
    expect(field).to_have_attribute("aria-invalid", "true")
    assert office.ok("GET", "/v1/settings") == before
    if label == "Port":
        looking.picture("settings bad")
        assert looking.axe() == []
    field.fill("")
    expect(row(page, label).get_by_role("alert")).to_have_count(0)
    looking.expects("400")


def test_what_is_kept_out_is_ticked(look: Look, office: Running) -> None:
    page = look(office, "settings").page
    page.get_by_role("group", name="Make no memories of").get_by_label("health").check()
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert setting(office, "extract.keep_out")["value"] == ["health"]
    page.get_by_label("health").uncheck()
    expect(row(page, "Make no memories of").get_by_role("button")).to_have_count(0)
    assert setting(office, "extract.keep_out")["value"] == []


def test_language_and_look_change_at_once_and_stay(look: Look, office: Running) -> None:
    looking = look(office, "settings")
    page = looking.page
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_label("Light or dark").select_option("dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before
    page.get_by_label("Language").select_option("zh")
    expect(page.get_by_role("heading", name="设置", exact=True)).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="设置", exact=True)).to_be_visible()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.get_by_label("语言").select_option("en")
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()


def test_what_was_typed_stays_when_the_daemon_is_gone(own: Running, look: Look) -> None:
    looking = look(own, "settings")
    field = field_of(looking.page, IDLE)
    own.stop()
    field.fill("77")
    field.press("Enter")
    expect(row(looking.page, IDLE).get_by_role("alert")).to_contain_text("Is it running?")
    own.start()
    expect(looking.page.get_by_role("alert").filter(has_text="out of date")).to_have_count(0)
    expect(field).to_have_value("77")
    row(looking.page, IDLE).get_by_role("button", name="Save again").click()
    expect(row(looking.page, IDLE).get_by_role("alert")).to_have_count(0)
    assert setting(own, "models.idle_seconds")["value"] == 77
    looking.expects("ERR_")


def test_hostile_text_in_a_field_stays_text(look: Look, office: Running) -> None:
    looking = look(office, "settings", narrow=True)
    field = field_of(looking.page, "Model for reading")
    for text in (HOSTILE[0], HOSTILE[3], HOSTILE[2]):
        field.fill(text)
        field.press("Enter")
        expect(row(looking.page, "Model for reading").get_by_role("alert")).to_be_visible()
        no_sideways(looking.page)
    looking.picture("settings narrow hostile")
    looking.expects("400")
