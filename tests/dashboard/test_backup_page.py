"""The page Backup: copies made, listed and put back; everything as a file."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from api.running import Running, command, running
from dashboard.hostile import HOSTILE, no_sideways
from dashboard.looking import Looking

Look = Callable[..., Looking]


@pytest.fixture
def cellar(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path / "my cellar", models=tmp_path / "none") as daemon:
        for text in HOSTILE:
            daemon.ok("POST", "/v1/memories", {"text": text[:9900]})
        yield daemon


def test_a_copy_is_made_listed_and_restored_with_the_command_that_is_shown(cellar: Running, look: Look) -> None:
    looking = look(cellar, "backup")
    page = looking.page
    expect(page.get_by_role("heading", name="There is no copy yet")).to_be_visible()
    looking.picture("backup empty")
    assert looking.axe() == []
    page.get_by_role("button", name="Make one now").click()
    expect(page.get_by_text("a trial restore matched")).to_be_visible()
    (item,) = cellar.ok("GET", "/v1/backups")["items"]
    expect(page.get_by_role("table")).to_contain_text(item["name"])
    expect(page.get_by_role("table")).to_contain_text("you asked")
    expect(page.get_by_role("table")).to_contain_text("checked")
    shown = page.locator("code", has_text="satchel restore")
    folder = cellar.ok("GET", "/v1/backups")["folder"]
    expect(shown).to_have_text(f'satchel restore --data "{cellar.data}" "{folder}/{item["name"]}"')
    looking.picture("backup")
    assert looking.axe() == []
    cellar.ok("POST", "/v1/memories", {"text": "Said after the copy."})
    cellar.stop()
    looking.expects("ERR_")
    done = command("restore", "--data", cellar.data, f"{folder}/{item['name']}", "--yes")
    assert done.returncode == 0, done.stderr
    cellar.start()
    assert cellar.ok("GET", "/v1/memories")["total"] == len(HOSTILE)


def test_what_was_forgotten_leaves_no_old_copy_in_the_list(cellar: Running, look: Look) -> None:
    cellar.ok("POST", "/v1/backups")
    looking = look(cellar, "backup")
    page = looking.page
    (old,) = cellar.ok("GET", "/v1/backups")["items"]
    expect(page.get_by_role("table")).to_contain_text(old["name"])
    one = cellar.ok("GET", "/v1/memories", params={"q": "invoice"})["items"][0]
    cellar.ok("POST", "/v1/forget", {"memory": one["id"], "preview": False})
    expect(page.locator("main")).not_to_contain_text(old["name"])


def test_a_copy_that_cannot_be_made_says_why(cellar: Running, look: Look) -> None:
    looking = look(cellar, "backup")
    (cellar.data / "backups").rmdir() if (cellar.data / "backups").is_dir() else None
    (cellar.data / "backups").write_text("in the way")
    looking.page.get_by_role("button", name="Make one now").click()
    expect(looking.page.get_by_role("alert").first).to_contain_text("No copy was made")
    expect(looking.page.get_by_role("button", name="Make one now")).to_be_enabled()
    looking.expects("Failed to load resource")
    (cellar.data / "backups").unlink()


def test_everything_is_saved_as_a_file(cellar: Running, look: Look) -> None:
    looking = look(cellar, "backup")
    page = looking.page
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as a file").click()
    assert saved.value.suggested_filename.endswith(".jsonl")
    lines = Path(saved.value.path()).read_bytes()
    assert lines == cellar.call("GET", "/v1/export").content
    records = [json.loads(line) for line in lines.decode().splitlines()]
    assert {one["text"] for one in records if one["type"] == "memory"} == {text[:9900].strip() for text in HOSTILE}
    expect(page.get_by_role("status").filter(has_text="Saved:")).to_contain_text(f"{len(records)} records")


def test_an_export_that_breaks_off_saves_nothing(cellar: Running, look: Look) -> None:
    looking = look(cellar, "backup")
    page = looking.page
    downloads: list[object] = []
    page.on("download", lambda one: downloads.append(one))
    cellar.stop()
    page.get_by_role("button", name="Save as a file").click()
    expect(page.get_by_role("alert").filter(has_text="Is it running?")).to_be_visible()
    expect(page.get_by_role("button", name="Save as a file")).to_be_enabled()
    assert downloads == []
    looking.expects("ERR_")
    cellar.start()


def test_it_fits_a_phone_and_speaks_chinese(cellar: Running, look: Look) -> None:
    cellar.ok("POST", "/v1/backups")
    looking = look(cellar, "backup", language="zh-CN", narrow=True, dark=True)
    expect(looking.page.get_by_role("heading", name="保留的备份")).to_be_visible()
    expect(looking.page.get_by_role("table")).to_contain_text("你要求的")
    no_sideways(looking.page)
    looking.picture("backup chinese narrow")
    assert looking.axe() == []
    shutil.rmtree(cellar.data / "backups")
